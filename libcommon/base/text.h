/* SPDX-License-Identifier: MIT */
/* Text that comes from outside: escaping it for people and for JSON, reading numbers from it. */
#ifndef TDS_TEXT_H
#define TDS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

/*
 * Write len bytes of text so that no terminal acts on them: control characters (C0, DEL, C1), bytes
 * that are not UTF-8, and backslashes that would be read as such an escape, become \xNN. Everything
 * else stays.
 * Errors: those of the stream, which keeps them (ferror).
 */
void tds_text_escape(FILE *out, const char *text, size_t len);

/* The same for a text that ends with a NUL. */
void tds_text_print(FILE *out, const char *text);

/* The same into a new string; caller frees. NULL: out of memory. */
char *tds_text_escaped(const char *text);

/* Write text as one word of a shell's command: in single quotes, whatever it is. */
void tds_text_shell(FILE *out, const char *text);

/* What stands behind the last slash of a path; the path itself where there is none. Part of it. */
const char *tds_text_base(const char *path);

/* Is it UTF-8 without surrogates and overlong forms? */
bool tds_text_is_utf8(const char *text, size_t len);

/*
 * Length in bytes of the UTF-8 character at text (1 to 4, of at most len), or 0 where there is
 * none.
 */
size_t tds_text_utf8_len(const char *text, size_t len);

/*
 * Percent-escape for the signed name: letters, digits and "-._~" stay, other bytes become %NN
 * (capitals). unescape is strict: it takes only what escape writes, so that each value has one
 * spelling.
 * Owner:  caller frees. NULL: out of memory, or (unescape) text that escape never writes.
 */
char *tds_text_percent(const char *text);
char *tds_text_unpercent(const char *text, size_t len);

/* The column of the character at text + at, the first being 1; a byte that is no UTF-8 counts as it comes. */
unsigned tds_text_column(const char *text, size_t at);

/* A blank or a tab, which does not count around a word or a line. */
static inline bool tds_text_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of a text without the blanks at its end. */
size_t tds_text_trimmed(const char *text, size_t len);

/*
 * Is it the name of an environment variable, or the beginning of some with '*' behind? And is a variable of this name
 * (without its value) one of those?
 */
bool tds_text_is_variable(const char *text, size_t len);
bool tds_text_fits_variable(const char *pattern, const char *name, size_t len);

/* Does name end in suffix? */
bool tds_text_has_suffix(const char *name, const char *suffix);

/* Is it nothing but so many hexadecimal digits, lower-case, as a digest is written? text NULL: it is not. */
bool tds_text_is_hex(const char *text, size_t digits);

/* Decimal digits only, no sign, blank, leading zero or trailing text, at most max. */
bool tds_parse_uint(const char *text, size_t len, uint64_t max, uint64_t *value);

#endif
