/* SPDX-License-Identifier: MIT */
/*
 * The form of every JSON document that a tool prints: {"Format":1,"Success":true,...}, or
 * {"Format":1,"Success":false,"Status":N,"Message":"...",...} with what is known besides. cli.h prints them.
 */
#ifndef TDS_DOCUMENT_H
#define TDS_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define TDS_DOCUMENT_FORMAT \
	1 /* within one Format keys are added, none goes or changes its meaning */

/*
 * A failure: Status, Message and, where they are known, Subject (the file, group or operand), Line and Column.
 * Owner:  a new reference; NULL: out of memory.
 */
json_t *tds_document_failure(const char *subject, const struct tds_err *err);

/*
 * A document: Format, Success; where status is not 0 the keys of the first of the failures that comes to it, and all of
 * them as Failures where there are several; then the keys of content that are not there yet.
 * Owner:  takes the reference to content (NULL: out of memory), borrows failures (NULL: their words are lost); a new
 *         reference; NULL: out of memory.
 */
json_t *tds_document_new(int status, const json_t *failures, json_t *content);

/* A line of a stream: the same, but with Format in the first only, and Success only where status is not 0. */
json_t *tds_document_record(bool first, int status, const json_t *failures, json_t *content);

/* A JSON string of any bytes: what JSON cannot hold is escaped as in text. NULL: out of memory. */
json_t *tds_document_text(const char *text);

/* A time as a document has it, from milliseconds since 1970; null where no calendar holds it. NULL: out of memory. */
json_t *tds_document_time(int64_t wall_ms);

#endif
