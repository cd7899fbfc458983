/* SPDX-License-Identifier: MIT */
/*
 * Characters of texts as Python's str has them: which can be printed, and what they are in other cases. Of ASCII this is
 * known here, of all others libunistring is asked.
 */
#ifndef TDS_UNICODE_H
#define TDS_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The character that begins at text, which is UTF-8; *len becomes its length in bytes. */
uint32_t tds_unicode_at(const char *text, size_t *len);

/* Add a character to a text. false: out of memory. */
bool tds_unicode_add(struct tds_buf *buf, uint32_t c) TDS_MUST_CHECK;

/* How many characters are in a text; and where the one of an index begins, or its end. */
size_t tds_unicode_count(const char *text, size_t len);
size_t tds_unicode_offset(const char *text, size_t len, size_t index);

/* Does repr write it as it is? Where libunistring is lacking, ASCII alone. */
bool tds_unicode_printable(uint32_t c);

enum tds_unicode_case { TDS_CASE_UPPER, TDS_CASE_LOWER, TDS_CASE_TITLE };

/*
 * Add a text in another case to buf.
 * Errors: TDS_E_UNUSABLE (libunistring is needed and not installed), TDS_E_NOMEM.
 */
int tds_unicode_recase(enum tds_unicode_case to, const char *text, size_t len,
		       struct tds_buf *buf) TDS_MUST_CHECK;

#endif
