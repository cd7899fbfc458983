/* SPDX-License-Identifier: MIT */
/*
 * The logger: a process that handles what actors log as thesplog.cfg says. It is Python's logging, so it is Python
 * that does it; it is started again when it ends.
 */
#ifndef TDS_DAEMON_LOGGER_H
#define TDS_DAEMON_LOGGER_H

#include <event2/event.h>
#include <jansson.h>

#define LOGGER_UNREAD_MAX \
	(4 << 20) /* bytes that it may be behind; what comes then is lost, and counted */

struct logger;

/* Borrowed for the logger's life. */
struct logger_settings {
	const char *python;
	const char *program;
	const char *folder; /* that names of files are relative to */
	const char *config; /* the text of a literal */
	int filters; /* of system calls, that it is held to: two in a file, one behind the other */
	unsigned first; /* bytes of the first of them */
	/* What it has to say of itself: a line. */
	void (*report)(void *ctx, const char *text, size_t len);
	void *ctx;
};

/* NULL: out of memory. That it cannot be started is reported. */
struct logger *logger_new(struct event_base *base, const struct logger_settings *settings);

/*
 * Let it go on as the settings say by now, with its files opened anew. done is called later, once: with why it goes on as it
 * was, or does not run; NULL: it does as it is told. One call at a time: until then there is no other.
 */
typedef void logger_configured_fn(void *ctx, const char *why);
void logger_configure(struct logger *logger, logger_configured_fn *done, void *ctx);

/* Wait no longer for that: it is not called any more. */
void logger_forget(struct logger *logger); /* accepts NULL */

/* Let it handle a record of an actor. Accepts NULL. */
void logger_record(struct logger *logger, const char *address, const json_t *record);

/* Give it a moment to handle what it has got. Accepts NULL. */
void logger_free(struct logger *logger);

#endif
