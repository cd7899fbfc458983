/* SPDX-License-Identifier: MIT */
/*
 * The event log, events.jsonl in the run directory: one JSON object a line for each thing that an operator asks about
 * later. It takes values and knows no rules: what an event is, and which fields it has besides Time and Event, is said by
 * whoever tells it, and by tds-director-dir(5).
 */
#ifndef TDS_DAEMON_EVENTS_H
#define TDS_DAEMON_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "backlog.h"
#include "logfile.h"

#define EVENTS_KEPT_MAX_BYTES (512 << 10) /* of events that wait for room: some tracebacks */

struct events {
	struct logfile file;
	struct backlog backlog;
	/* Gets each event besides, written or not; borrowed for the call. NULL: nobody does. */
	void (*tell)(void *ctx, const json_t *event);
	void *ctx;
};

void events_open(struct events *events, int rundir, const struct log_limits *limits);
void events_close(struct events *events);
void events_reopen(struct events *events);

/* A new event, to which fields may be added; Event in CapitalWords. NULL: out of memory, which all of these accept. */
json_t *events_new(int64_t wall_ms, const char *what);

/* Add a field of text, which may come from anywhere; nothing where there is no text, or an empty one. */
void events_set(json_t *event, const char *key, const char *text);

/*
 * Write it and tell it; takes the reference. One that cannot be written waits for room; what finds no place even there is
 * counted in the next one's Lost.
 */
void events_add(struct events *events, json_t *event);

/* Write what waits, as far as there is room by now. */
void events_flush(struct events *events);

#endif
