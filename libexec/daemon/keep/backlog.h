/* SPDX-License-Identifier: MIT */
/* Lines of a log that could not be written yet: they wait for room, in their order, and what finds no place is counted. */
#ifndef TDS_DAEMON_BACKLOG_H
#define TDS_DAEMON_BACKLOG_H

#include <jansson.h>
#include <stddef.h>

/* Zeroed but for max it is empty. */
struct backlog {
	size_t max;    /* bytes of text */
	json_t *lines; /* oldest first; NULL: none ever waited */
	size_t bytes;
	json_int_t lost; /* that found no place */
};

/* Let a line wait; borrowed, NULL: it is lost. */
void backlog_add(struct backlog *backlog, json_t *line);

/* The oldest, borrowed; NULL: none waits. And it is written. */
json_t *backlog_first(const struct backlog *backlog);
void backlog_written(struct backlog *backlog);

/* What is lost goes into the next line that is written. */
void backlog_tell_lost(const struct backlog *backlog, json_t *line);

void backlog_fini(struct backlog *backlog);

#endif
