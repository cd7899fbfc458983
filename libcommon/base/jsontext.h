/* SPDX-License-Identifier: MIT */
/* JSON as text, whole or not at all. */
#ifndef TDS_JSONTEXT_H
#define TDS_JSONTEXT_H

#include <jansson.h>

/*
 * The text of a document, with the flags of json_dumps, which is not to be used: where memory runs out while it writes
 * a key, it leaves out a part of that and goes on.
 * Owner:   caller frees; NULL: out of memory, or doc is NULL.
 */
char *tds_json_text(const json_t *doc, size_t flags);

#endif
