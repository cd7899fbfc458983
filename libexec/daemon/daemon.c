/* SPDX-License-Identifier: MIT */
/* The daemon: its socket, its loop, its beginning and its end. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/base/descriptors.h"
#include "daemon/base/loop.h"
#include "daemon/base/signals.h"
#include "daemon/guardian/ward.h"
#include "director/actoruser.h"
#include "director/handover.h"
#include "director/rundir.h"
#include "inside.h"
#include "recall.h"
#include "tool/cli.h"

#define GRACE_MS 3000
#define LOAD_ALL_WAIT_S 60 /* that each load of --load-all may take, as of tds-load */
#define LOAD_ALL_LEFT "the admin process died twice in the midst of it"
#define LOAD_ALL_DEATHS 2 /* in the midst of it, after which it is left */
#define LEVEL_INFO 20     /* of Python's logging */

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

/* One line about the start, to who waits for it; in the foreground that is who reads our messages. */
static void tell_start(const struct daemon *d, int status, const char *text)
{
	if (d->ready >= 0)
		dprintf(d->ready, "%d %s\n", status, text);
	else if (status != 0)
		dprintf(STDERR_FILENO, "tds-admin: %s\n", text);
}

static void tell_ready(struct daemon *d, int status, const char *reason)
{
	tell_start(d, status, reason);
	tds_close_fd(&d->ready);
}

/* The run directory by descriptor, so that its path may be as long as it likes. */
static int listen_at(int rundir, struct tds_err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	tds_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" TDS_RUNDIR_SOCKET,
		       rundir);
	/* Whoever holds the lock may: a socket that is there is a dead one's. */
	if (unlinkat(rundir, TDS_RUNDIR_SOCKET, 0) != 0 && errno != ENOENT)
		return tds_err_sys(err, TDS_E_WRITE, TDS_RUNDIR_SOCKET);
	mode_t mask = umask(0);
	int rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof(at));
	(void)umask(mask);
	if (rc != 0 || fchmodat(rundir, TDS_RUNDIR_SOCKET, 0666, 0) != 0 || listen(fd, 128) != 0)
		return tds_err_sys(err, TDS_E_WRITE, TDS_RUNDIR_SOCKET);
	return tds_steal_fd(&fd);
}

static void on_gone(void *ctx)
{
	struct daemon *d = ctx;

	(void)event_base_loopbreak(d->base);
}

static void on_pulse(void *ctx)
{
	struct daemon *d = ctx;

	audit_flush(&d->world.audit);
	events_flush(&d->world.events);
	pulse_say(d); /* what is said once may be lost with a write that fails */
	timer_start(d->clock, &d->pulse, d->ward->pulse_ms, on_pulse, d);
}

static void shut_down(void *ctx, int64_t grace_ms, json_t *by)
{
	struct daemon *d = ctx;

	enum ending before = d->ending;

	if (before == ENDING_FOR_GOOD)
		return;
	d->ending = ENDING_FOR_GOOD;
	note_stopping(d, "Stopping", by);
	pulse_say(d);
	if (grace_ms >= 0)
		d->config.grace_ms = (unsigned)grace_ms;
	if (before == ENDING_NOT)
		director_stop(d->director, on_gone, d);
}

static int restart(void *ctx, int64_t grace_ms, const char *program, json_t *by,
		   struct tds_err *err)
{
	return restart_begin(ctx, grace_ms, program, by, on_gone, err);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	json_t *by = json_pack("{s:i}", "Signal", (int)sig);

	(void)what;
	shut_down(arg, -1, by);
	json_decref(by);
}

static bool reload(void *ctx, void (*done)(void *ctx, json_t *answer), void *done_ctx)
{
	return reload_begin(ctx, done, done_ctx);
}

/* What came of it is in the event log, and on standard error. */
static void on_reloaded(void *ctx, json_t *answer)
{
	(void)ctx;
	json_decref(answer);
}

static void on_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)reload_begin(arg, on_reloaded, NULL);
}

/* What actors print. */
static void on_output(void *ctx, const struct line *line)
{
	const struct daemon *d = ctx;

	actorlog_add(d->log, &(struct tds_logline){ .group = line->group,
						    .role = line->role,
						    .address = line->address,
						    .level = line->level,
						    .text = line->text,
						    .len = line->len });
}

static void on_event(void *ctx, const json_t *event)
{
	const struct daemon *d = ctx;

	if (d->settings->foreground)
		journal_print(event);
	if (d->door)
		door_tell(d->door, event);
}

/* The Director, and the engine that runs its actors. False: out of memory. */
static bool make_director(struct daemon *d)
{
	d->world.base = d->world.homes.data.base = d->world.homes.tmp.base = d->base;
	world_open(&d->world);
	world_know_users(&d->world);
	d->world.events.tell = on_event;
	d->world.events.ctx = d;
	d->world.clock = d->clock = clock_open(d->base);
	d->director =
		d->clock ? director_new(d->clock, &d->world.means, &d->director_settings) : NULL;
	struct engine *engine = d->director
					? local_engine_open(d->base, &d->config,
							    &director_engine_events, d->director)
					: NULL;
	if (!engine)
		return false;
	director_attach(d->director, engine);
	d->door_settings.engine = engine;
	return true;
}

/* What is started from here. False: out of memory. */
static bool find_programs(struct daemon *d)
{
	const char *prefix = d->settings->prefix;

	return asprintf(&d->verifier, "%s/" TDS_LIBEXEC "/tds-verifier", prefix) >= 0 &&
	       asprintf(&d->link, "%s/" TDS_LIBEXEC "/tds-link", prefix) >= 0 &&
	       asprintf(&d->remover, "%s/" TDS_LIBEXEC "/tds-remover", prefix) >= 0 &&
	       asprintf(&d->host, "%s/" TDS_HOST, prefix) >= 0 &&
	       asprintf(&d->logger_program, "%s/tdshost/logger.py", d->host) >= 0;
}

/* What its clients may have is used up. */
static void on_over_budget(void *ctx, uid_t uid, uint64_t times, const char *why)
{
	struct daemon *d = ctx;
	json_t *event = events_new(d->clock->wall_ms(d->clock), "OverBudget");

	if (event)
		(void)json_object_set_new(event, "By", director_user_json(d->director, uid));
	if (event)
		(void)json_object_set_new(event, "Times", json_integer((json_int_t)times));
	events_set(event, "Message", why);
	events_add(&d->world.events, event);
}

/* Whoever looks at the port finds somebody else there. */
static void on_no_port(void *ctx, const char *why)
{
	note_no_effect(ctx, "adminport.cfg", why);
}

/* From now on signals come. False: out of memory. */
static bool heed_signals(struct daemon *d)
{
	d->terminate = evsignal_new(d->base, SIGTERM, on_signal, d);
	d->interrupt = evsignal_new(d->base, SIGINT, on_signal, d);
	d->hangup = evsignal_new(d->base, SIGHUP, on_hangup, d);
	if (!d->terminate || !d->interrupt || !d->hangup || event_add(d->terminate, NULL) != 0 ||
	    event_add(d->interrupt, NULL) != 0 || event_add(d->hangup, NULL) != 0)
		return false;
	signals_take();
	return true;
}

/* What is said as whom actors run may be gone since it was started. A program's own system runs them as that program's user. */
static int read_settings(struct daemon *d, struct tds_err *err)
{
	const struct tds_dir *dir = &d->settings->dir;
	int rc = tds_rundir_path(dir, &d->rundir_path, err);

	if (rc == 0 && !d->settings->transient)
		rc = tds_actoruser_judge(dir, geteuid(), err);
	if (rc == 0)
		rc = settings_read(dir, &d->configured, err);
	return rc == 0 ? joining_read(d, err) : rc;
}

/* What its rooms are told of the settings, which have been read. */
static int hand_on(struct daemon *d, struct tds_err *err)
{
	const struct daemon_settings *s = d->settings;
	const bool has_cgroup = d->ward->cgroup->path != NULL;
	const struct homes_plan plan = { .settings = &d->configured,
					 .rundir = s->rundir,
					 .rundir_path = d->rundir_path,
					 .remover = d->remover,
					 .transient = s->transient };

	d->config = (struct engine_config){ .settings = &d->configured,
					    .python = d->python,
					    .host = d->host,
					    .dir = s->dir.path,
					    .grace_ms = GRACE_MS,
					    .transient = s->transient,
					    .cgroup = has_cgroup ? d->ward->cgroup : NULL };
	d->world = (struct world){ .dir = &s->dir,
				   .rundir = s->rundir,
				   .verifier = d->verifier,
				   .logs = &d->configured.logs,
				   .sandbox = &d->configured.sandbox,
				   .settings = &d->configured };
	d->director_settings = (struct director_settings){
		.slots = cores(),
		.signed_tli_alone = d->configured.signed_tli_alone,
	};
	d->door_settings = (struct door_settings){ .uid = geteuid(),
						   .configured = &d->configured,
						   .cgroup = d->ward->cgroup->path,
						   .port = d->configured.admin_port,
						   .no_port = on_no_port,
						   .over_budget = on_over_budget,
						   .shutdown = shut_down,
						   .restart = restart,
						   .reload = reload,
						   .describe = status_describe,
						   .members = joining_members,
						   .output = on_output,
						   .ctx = d };
	int rc = homes_open(&d->world.homes, &plan, err);
	return rc == 0 ? 0 : tds_err_set(err, rc, "%s/%s", d->rundir_path, err->reason);
}

static bool make(struct daemon *d, struct tds_err *err)
{
	const struct daemon_settings *s = d->settings;

	if (!find_programs(d) || !(d->inforce = inforce_new(&s->dir)))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
	if (read_settings(d, err) != 0)
		return false;
	d->python = d->configured.actors == ACTORS_DYNAMIC ? python_find() : strdup(PYTHON);
	if (!d->python)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
	if (hand_on(d, err) != 0)
		return false;
	d->base = event_base_new();
	d->not_restored = json_array();
	d->log = actorlog_open(s->rundir, &d->configured.logs);
	if (!d->base || !logging_start(d) || !make_director(d))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
	int listener = listen_at(s->rundir, err);
	if (listener < 0)
		return false;
	d->door = door_open(d->base, listener, d->director, &d->door_settings);
	if (!d->door || !heed_signals(d))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
	return true;
}

static void unmake(struct daemon *d)
{
	door_close(tds_steal(&d->door));
	joining_close(d);
	director_free(d->director);
	revocations_close(d->revocations);
	arrivals_close(d->auto_refresh.arrivals);
	timer_stop(&d->pulse);
	reload_free(d);
	inforce_free(d->inforce);
	clock_close(d->clock);
	world_close(&d->world);
	logging_stop(d);
	actorlog_close(d->log);
	if (d->terminate)
		event_free(d->terminate);
	if (d->interrupt)
		event_free(d->interrupt);
	if (d->hangup)
		event_free(d->hangup);
	if (d->base)
		event_base_free(d->base);
	settings_fini(&d->configured);
	json_decref(d->not_restored);
	free(d->verifier);
	free(d->remover);
	free(d->rundir_path);
	free(d->host);
	free(d->logger_program);
	free(d->link);
	free(d->python);
	free(d->successor);
}

/* What did not come back is the reason that start ends with. */
static void on_not_restored(void *ctx, const char *what, const char *why)
{
	struct daemon *d = ctx;
	tds_autofree char *text = NULL;

	if (asprintf(&text, "%s: %s", what, why) < 0)
		return;
	(void)json_array_append_new(d->not_restored, tds_cli_json_text(text));
	tell_start(d, 1, text);
}

/* What became of each is in the event log. */
static void on_all_loaded(void *ctx, json_t *results, int status)
{
	struct daemon *d = ctx;

	(void)status;
	json_decref(results);
	d->settled = true;
	pulse_say(d);
}

/* Was it asked for, and is it not done? Deaths that come before it is done are deaths of it, or may be. */
static bool has_to_load_all(struct daemon *d)
{
	if (!d->settings->load_all || d->ward->settled)
		return false;
	if (d->ward->restarts < LOAD_ALL_DEATHS)
		return true;
	on_not_restored(d, "--" TDS_DAEMON_LOAD_ALL, LOAD_ALL_LEFT);
	note_left_out(d, "--" TDS_DAEMON_LOAD_ALL ": " LOAD_ALL_LEFT);
	return false;
}

static void on_restored(void *ctx)
{
	struct daemon *d = ctx;

	bool loads_all = has_to_load_all(d);
	d->settled = !loads_all;
	d->restored = true;
	door_opened(d->door);
	d->director_settings.slots = cores();
	tell_ready(ctx, 0, "ready");
	pulse_say(d);
	if (loads_all)
		director_refresh(d->director, LOAD_ALL_WAIT_S, false, NULL, on_all_loaded, d);
	autorefresh_look(d);
}

/* A line of the system's own in the log of its actors, as programs that read that look for. */
static void log_of_system(struct daemon *d, const char *text)
{
	json_t *record = json_pack("{s:i, s:s}", "level", LEVEL_INFO, "text", text);

	if (record)
		logger_record(d->logger, "/ActorSys", record);
	json_decref(record);
}

static int run(struct daemon *d, json_t *state, const json_t *groups)
{
	struct tds_err err = { 0 };

	python_ask(d);
	on_pulse(d);
	d->started_wall_ms = d->clock->wall_ms(d->clock);
	d->started_mono_ms = d->clock->mono_ms(d->clock);
	note_begin(d);
	note_effects(d);
	log_of_system(d, "Actor System started");
	returning_open(&d->world.returning, d->settings->rundir, state);
	recall_leave_out(&d->world, state, on_not_restored, d);
	/* What it may have died of comes back alone, as far as that goes, so that nothing else is blamed for it. */
	if (!returning_is_empty(&d->world.returning))
		d->director_settings.slots = 1;
	d->auto_refresh.missed = state != NULL;
	recall_sweep(d->settings->rundir, state);
	homes_sweep(&d->world.homes);
	revoked_watch(d);
	if (!joining_begin(d))
		note_no_effect(d, TDS_CONVBUS_CFG, "out of memory");
	director_restore(d->director, state, groups, on_not_restored, on_restored, d);
	loop_run(d->base);
	joining_end(d);
	log_of_system(d, "Actor System shut down");
	signals_hold(); /* it ends already, and whoever asks again shall not cut that short */
	if (d->ending == ENDING_RESTART) {
		door_farewell(d->door, 0, "");
		return 0;
	}
	int status = recall_forget(d->settings->rundir, &err) == 0 ? 0 : tds_code_status(err.code);
	if (status != 0)
		tell_start(d, status, err.reason);
	note_end(d, status, err.reason);
	door_farewell(d->door, status, err.reason);
	return status;
}

int daemon_run(const struct daemon_settings *settings, const struct ward *ward)
{
	struct daemon d = { .settings = settings, .ward = ward, .ready = ward->ready };
	struct tds_err err = { 0 };
	int status = 0;

	descriptors_raise();
	(void)prctl(PR_SET_NAME, "tds-daemon");
	json_t *state = NULL;
	json_t *groups = NULL;
	if (recall_read(settings, &state, &groups, &err) && make(&d, &err)) {
		status = run(&d, state, groups);
	} else {
		status = tds_code_status(err.code);
		tell_ready(&d, status, err.reason);
		ward_say_why(ward, err.reason);
	}
	json_decref(state);
	json_decref(groups);
	unmake(&d);
	tds_close_fd(&d.ready);
	return status;
}
