/* SPDX-License-Identifier: MIT */
/*
 * Metrics in the text format 0.0.4 of Prometheus, and as JSON: families, each with a name, a type, words that say what it
 * is, and samples, which labels tell apart. No two samples of a family have the same labels.
 */
#ifndef TDS_ADMIN_EXPOSITION_H
#define TDS_ADMIN_EXPOSITION_H

#include <jansson.h>
#include <stdio.h>

/*
 * A family, which gets its samples by exposition_add.
 * Owner:   a new reference; NULL: out of memory. Names and texts are constants of ours, and need no check.
 */
json_t *exposition_family(const char *name, const char *type, const char *help);

/*
 * Add a sample, an object of labels and a number. Where there is one with these labels the value is added to its own. Takes
 * both references; NULL (out of memory, or nothing to tell) is no sample.
 */
void exposition_add(json_t *family, json_t *labels, json_t *value);

/* Has it no sample? */
int exposition_is_empty(const json_t *family);

/* An array of families as text. */
void exposition_print(FILE *out, const json_t *families);

#endif
