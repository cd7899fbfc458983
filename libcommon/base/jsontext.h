/* SPDX-License-Identifier: MIT */
/* JSON as text, whole or not at all; and the texts in it. */
#ifndef TDS_JSONTEXT_H
#define TDS_JSONTEXT_H

#include <stdbool.h>

#include <jansson.h>

/*
 * The text of a document, with the flags of json_dumps, which is not to be used: where memory runs out while it writes
 * a key, it leaves out a part of that and goes on.
 * Owner:   caller frees; NULL: out of memory, or doc is NULL.
 */
char *tds_json_text(const json_t *doc, size_t flags);

/* The text that an object has under key, borrowed; "" where it has none, or something else. object may be NULL. */
const char *tds_json_string(const json_t *object, const char *key);

/* Is the value a text without a NUL in it, so that nothing of it is lost where it is read as a C string? value may be NULL. */
bool tds_json_is_text(const json_t *value);

#endif
