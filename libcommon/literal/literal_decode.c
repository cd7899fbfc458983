/* SPDX-License-Identifier: MIT */
/* What a string token means: Python's escapes, in texts and in bytes. */
#include "literal_lex.h"

#include <stdint.h>
#include <string.h>

#include "unicode.h"
#include "uniname.h"

/*
 * The lexer has counted past the string, so the place of an escape in it is counted anew, once, for
 * the error.
 */
static int fail_in_string(const struct tds_lex *lex, const char *at, struct tds_err *err,
			  const char *reason)
{
	unsigned line = 1;
	unsigned column = 1;

	for (const char *p = lex->text; p < at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			column++;
		}
	}
	return tds_err_at(err, TDS_E_SYNTAX, line, column, "%s", reason);
}

static bool add_character(struct tds_buf *buf, bool bytes, uint32_t c)
{
	char byte = (char)c;

	return bytes ? tds_buf_add(buf, &byte, 1) : tds_unicode_add(buf, c);
}

/* Exactly count hexadecimal digits from *p on. */
static bool read_hex(const char **p, const char *end, int count, uint32_t *c)
{
	static const char digits[] = "0123456789abcdef";

	for (*c = 0; count > 0; count--, ++*p) {
		const char *found =
			*p < end ? strchr(digits, **p >= 'A' && **p <= 'F' ? **p | 0x20 : **p)
				 : NULL;

		if (!found || !*found)
			return false;
		*c = *c << 4 | (uint32_t)(found - digits);
	}
	return true;
}

static uint32_t read_octal(const char **p, const char *end)
{
	uint32_t c = 0;

	for (int i = 0; i < 3 && *p < end && **p >= '0' && **p <= '7'; i++)
		c = c << 3 | (uint32_t)(*(*p)++ - '0');
	return c;
}

/* \N{NAME}, from its N on. */
static const char *read_named(const char **p, const char *end, uint32_t *c)
{
	const char *name = *p + 2;
	const char *close =
		*p + 1 < end && (*p)[1] == '{' ? memchr(name, '}', (size_t)(end - name)) : NULL;

	if (!close || close == name)
		return "malformed \\N{...} escape";
	*p = close + 1;
	switch (tds_uniname_find(name, (size_t)(close - name), c)) {
	case TDS_OK:
		return NULL;
	case TDS_E_MISSING:
		return "\\N{...} names no known character";
	default:
		return "\\N{...} needs libunistring, which is not installed";
	}
}

static bool simple_escape(char letter, char *meaning)
{
	static const char letters[] = "\\'\"abfnrtv";
	static const char meanings[] = "\\'\"\a\b\f\n\r\t\v";
	const char *found = strchr(letters, letter);

	if (found)
		*meaning = meanings[found - letters];
	return found != NULL;
}

/* The escape whose backslash is at *p; an unknown one stands for itself. */
static int decode_escape(const struct tds_lex *lex, bool bytes, const char **p, const char *end,
			 struct tds_buf *buf, struct tds_err *err)
{
	const char *at = (*p)++;
	const char *fault = NULL;
	char letter = **p;
	uint32_t c = 0;
	char simple;

	if (letter == '\n') {
		++*p;
		return 0;
	}
	if (simple_escape(letter, &simple)) {
		c = (uint32_t)simple;
		++*p;
	} else if (letter >= '0' && letter <= '7') {
		c = read_octal(p, end);
	} else if (letter == 'x' || (!bytes && (letter == 'u' || letter == 'U'))) {
		++*p;
		if (!read_hex(p, end, letter == 'x' ? 2 : letter == 'u' ? 4 : 8, &c))
			fault = letter == 'x'   ? "truncated \\xXX escape"
				: letter == 'u' ? "truncated \\uXXXX escape"
						: "truncated \\UXXXXXXXX escape";
	} else if (!bytes && letter == 'N') {
		fault = read_named(p, end, &c);
	} else {
		c = '\\';
	}
	if (!fault && !bytes && c >= 0xd800 && c <= 0xdfff)
		fault = "half of a surrogate pair";
	if (!fault && c > 0x10ffff)
		fault = "no such Unicode character";
	if (fault)
		return fail_in_string(lex, at, err, fault);
	return add_character(buf, bytes, c) ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int tds_lex_decode(const struct tds_lex *lex, const struct tds_token *token, struct tds_buf *buf,
		   struct tds_err *err)
{
	const char *p = token->text;
	const char *end = p + token->len;

	while (p < end) {
		const char *plain = token->raw ? NULL : memchr(p, '\\', (size_t)(end - p));
		size_t n = (size_t)((plain ? plain : end) - p);

		if (!tds_buf_add(buf, p, n))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		p += n;
		if (p == end)
			break;
		int rc = decode_escape(lex, token->bytes, &p, end, buf, err);
		if (rc != 0)
			return rc;
	}
	/* An empty string has a text too. */
	return tds_buf_add(buf, "", 0) ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}
