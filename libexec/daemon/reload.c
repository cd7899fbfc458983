/* SPDX-License-Identifier: MIT */
/*
 * A reload: what can be read again without a restart is, and logs are opened anew. It is over when the logger has said what it
 * makes of it. Who asks while one is under way is answered by the next one, which reads what was written until then.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/base/inforce.h"
#include "inside.h"
#include "tool/cli.h"

#define LOGGER_MS 5000 /* that the logger may take */
#define NO_LOGGING "{'version': 1}"

/* --- what becomes of the files --- */

static void on_read(void *ctx, const char *const files[], const struct tds_err *err)
{
	struct daemon *d = ctx;

	if (err)
		(void)json_array_append_new(d->reload.refused, tds_cli_json_text(err->reason));
	for (size_t i = 0; !err && files[i]; i++)
		inforce_note(d->inforce, files[i]);
}

static void read_again(struct daemon *d)
{
	inforce_look(d->inforce);
	settings_reload(&d->settings->dir, &d->configured, on_read, d);
	d->director_settings.signed_tli_alone = d->configured.signed_tli_alone;
	world_know_users(&d->world);
	door_reloaded(d->door);
	autorefresh_look(d);
	actorlog_reopen(d->log);
	events_reopen(&d->world.events);
	audit_reopen(&d->world.audit);
}

/* --- its end --- */

static json_t *answer_of(const struct daemon *d)
{
	bool good = json_array_size(d->reload.refused) == 0;
	json_t *answer = json_pack("{s:s, s:b, s:i, s:O, s:o}", "DirectorResponse", "Reloaded",
				   "Success", good, "Status", good ? 0 : 1, "Refused",
				   d->reload.refused, "Changed", inforce_changed(d->inforce));

	if (!good)
		(void)json_object_set(answer, "Message", json_array_get(d->reload.refused, 0));
	return answer;
}

/* The reasons, each on a line of its own. NULL: there is none, or no memory. Caller frees. */
static char *lines_of(const json_t *refused)
{
	char *text = NULL;
	size_t len = 0;
	FILE *lines = json_array_size(refused) > 0 ? open_memstream(&text, &len) : NULL;
	const json_t *why;
	size_t i;

	if (!lines)
		return NULL;
	json_array_foreach(refused, i, why)
	{
		(void)fprintf(lines, "%s%s", i > 0 ? "\n" : "", json_string_value(why));
	}
	if (fclose(lines) == 0)
		return text;
	free(text);
	return NULL;
}

/* For whoever sent a signal, and for later. */
static void note(struct daemon *d)
{
	json_t *event = events_new(d->clock->wall_ms(d->clock), "Reloaded");
	tds_autofree char *text = lines_of(d->reload.refused);

	events_set(event, "Message", text);
	if (text && event)
		(void)json_object_set_new(event, "Status", json_integer(1));
	events_add(&d->world.events, event);
}

static void begin(struct daemon *d);

static void finish(struct daemon *d)
{
	struct reload *reload = &d->reload;

	timer_stop(&reload->deadline);
	logger_forget(d->logger);
	note(d);
	for (struct reload_waiter *w; (w = reload->waiting);) {
		reload->waiting = w->next;
		w->done(w->ctx, answer_of(d));
		free(w);
	}
	json_decref(tds_steal(&reload->refused));
	log_settings_fini(&reload->log_before);
	pulse_say(d);
	if (reload->later)
		begin(d);
}

/* Where none is configured one that runs does nothing. */
static void set_logging(struct daemon *d)
{
	const struct log_settings *log = &d->configured.log;

	d->logger_settings.config = log->config ? log->config : NO_LOGGING;
	d->logger_settings.folder = log->dir ? log->dir : d->config.dir;
	d->world.logger = log->config ? d->logger : NULL;
}

/* The logger goes on as it was; were it started again, it would be as that. */
static void keep_logging(struct daemon *d, const char *why)
{
	tds_autofree char *text = NULL;

	if (asprintf(&text, "%s/thesplog.cfg: %s", d->settings->dir.path, why) > 0)
		(void)json_array_append_new(d->reload.refused, tds_cli_json_text(text));
	log_settings_fini(&d->configured.log);
	d->configured.log = d->reload.log_before;
	d->reload.log_before = (struct log_settings){ 0 };
	set_logging(d);
	inforce_take_back(d->inforce, "thesplog.cfg");
	inforce_take_back(d->inforce, "thesplogd.cfg");
}

static void on_configured(void *ctx, const char *why)
{
	struct daemon *d = ctx;

	if (why)
		keep_logging(d, why);
	finish(d);
}

static void on_deadline(void *ctx)
{
	on_configured(ctx, "the logger does not answer");
}

/* False: there is no logger to wait for. */
static bool configure_logger(struct daemon *d)
{
	set_logging(d);
	if (!d->logger && d->configured.log.config)
		(void)logging_make(d);
	if (!d->logger)
		return false;
	logger_configure(d->logger, on_configured, d);
	timer_start(d->clock, &d->reload.deadline, LOGGER_MS, on_deadline, d);
	return true;
}

/* For keep_logging(). Where memory runs out there is none to go back to. */
static void remember_logging(struct daemon *d)
{
	const struct log_settings *log = &d->configured.log;

	d->reload.log_before =
		(struct log_settings){ .config = log->config ? strdup(log->config) : NULL,
				       .dir = log->dir ? strdup(log->dir) : NULL,
				       .level = log->level };
}

static void begin(struct daemon *d)
{
	struct reload *reload = &d->reload;

	reload->waiting = tds_steal(&reload->later);
	reload->refused = json_array();
	pulse_say(d);
	remember_logging(d);
	read_again(d);
	if (!configure_logger(d))
		finish(d);
}

bool reload_begin(struct daemon *d, void (*done)(void *ctx, json_t *answer), void *ctx)
{
	struct reload_waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter)
		return false;
	*waiter = (struct reload_waiter){ .next = d->reload.later, .done = done, .ctx = ctx };
	d->reload.later = waiter;
	if (!d->reload.waiting)
		begin(d);
	return true;
}

static void free_waiters(struct reload_waiter *waiter)
{
	for (struct reload_waiter *next; waiter; waiter = next) {
		next = waiter->next;
		free(waiter);
	}
}

void reload_free(struct daemon *d)
{
	timer_stop(&d->reload.deadline);
	logger_forget(d->logger);
	free_waiters(d->reload.waiting);
	free_waiters(d->reload.later);
	json_decref(d->reload.refused);
	log_settings_fini(&d->reload.log_before);
}
