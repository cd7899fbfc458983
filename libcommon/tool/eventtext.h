/* SPDX-License-Identifier: MIT */
/* Events of events.jsonl as text for people, and what is known of each kind. An event that is not known is shown all the same. */
#ifndef TDS_EVENTTEXT_H
#define TDS_EVENTTEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* A number of Python's logging, as for lines of actors. */
int tds_event_level(const json_t *event);

/* Is it of what is loaded, or of the admin process itself, rather than of a single actor? */
bool tds_event_is_history(const json_t *event);

/*
 * What has happened, without its time and group: a line, and below it, indented, what does not fit into one (a traceback;
 * of a refused package digest and key). Escaped.
 * Source:  event may be any object.
 * Shape:   user gives the name of a uid, NULL where there is none; it may be NULL itself.
 */
void tds_event_print(FILE *out, const json_t *event, const char *(*user)(uid_t uid));

/* Text of several lines: the first one goes on behind what stands there, the others are indented. Escaped, each with its end. */
void tds_event_print_lines(FILE *out, const char *text);

#endif
