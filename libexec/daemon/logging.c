/* SPDX-License-Identifier: MIT */
/* The logger: what it is to do, and the filters that it is held to, since it reads what actors say. */
#include <string.h>

#include "base/mem.h"
#include "daemon/local/filter.h"
#include "inside.h"

/* It writes files and sends to whoever its configuration names; it starts nothing, and listens to nobody but the admin. */
#define CALLS                                                                                   \
	(FILTER_WRITES | FILTER_MODES | FILTER_TRUNCATES | FILTER_CONNECTS | FILTER_DATAGRAMS | \
	 FILTER_LOCAL)

static void on_report(void *ctx, const char *text, size_t len)
{
	struct daemon *d = ctx;

	actorlog_add(d->log,
		     &(struct tds_logline){ .level = OUTPUT_WARNING, .text = text, .len = len });
}

static bool make_filters(struct daemon *d)
{
	struct filters filters;
	struct tds_err err = { 0 };

	if (filters_make(CALLS, &filters, &err) != 0) {
		on_report(d, err.reason, strlen(err.reason));
		return false;
	}
	d->logger_settings.filters = filters.fd;
	d->logger_settings.first = filters.first;
	return true;
}

bool logging_make(struct daemon *d)
{
	if (d->logger_settings.filters < 0 && !make_filters(d))
		return false;
	d->logger = d->world.logger = logger_new(d->base, &d->logger_settings);
	return d->logger != NULL;
}

bool logging_start(struct daemon *d)
{
	const struct log_settings *log = &d->configured.log;

	d->logger_settings =
		(struct logger_settings){ .python = d->config.python,
					  .program = d->logger_program,
					  .folder = log->dir ? log->dir : d->config.dir,
					  .config = log->config,
					  .filters = -1,
					  .report = on_report,
					  .ctx = d };
	return !log->config || logging_make(d);
}

void logging_stop(struct daemon *d)
{
	logger_free(d->logger);
	if (d->logger_settings.program)
		tds_close_fd(&d->logger_settings.filters);
}
