/* SPDX-License-Identifier: MIT */
/*
 * A line of actors.log: "TIME GROUP ROLE ADDRESS LEVEL TEXT", "-" for what is missing, escaped as text.h has it; a blank in
 * one of the words is escaped too. Written by the daemon, read by tds-admin log.
 */
#ifndef TDS_LOGLINE_H
#define TDS_LOGLINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* All is borrowed. */
struct tds_logline {
	const char *group;   /* NULL: none, as all words */
	const char *role;    /* of an actor that a declaration names */
	const char *address; /* of an actor */
	int level;           /* a number of Python's logging; 0: it was printed */
	const char *text;    /* may have newlines */
	size_t len;          /* of text, bytes */
};

/* One of its words, with a blank behind it, so that it can have none in it. NULL or empty: "-". */
void tds_logline_print_word(FILE *out, const char *word);

/* The line with its end. Errors: those of the stream. */
void tds_logline_print(FILE *out, int64_t wall_ms, const struct tds_logline *line);

/*
 * The line as JSON: Time, and as far as they are there Group, Role, Address, Level (a name); Text.
 * Source:  text has len bytes, without the line's end, and may be anything.
 * Owner:   a new reference; NULL: it is no such line, or memory is out.
 */
json_t *tds_logline_parse(const char *text, size_t len);

/* "ERROR", say: the highest named level that is not above it; "-" for 0. */
const char *tds_level_name(int level);

/* The number of a name, in capitals or not; -1: there is none such. */
int tds_level_find(const char *name);

#endif
