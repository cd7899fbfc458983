/* SPDX-License-Identifier: MIT */
/* Printing and cases of characters. */
#include "unicode.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "unistring.h"

#define SIGMA 0x3a3

/* UC_CATEGORY_MASK_ Z and C of <unictype.h>: separators, and what is no character of a text. */
#define NOT_PRINTED (0x01c00000u | 0x3e000000u)

/* As <unictype.h> and <unicase.h> declare them. */
typedef bool category_fn(uint32_t c, uint32_t mask);
typedef bool property_fn(uint32_t c);
typedef uint8_t *recase_fn(const uint8_t *text, size_t len, const char *language, void *form,
			   uint8_t *result, size_t *result_len);

uint32_t tds_unicode_at(const char *text, size_t *len)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };

	*len = tds_text_utf8_len(text, 4);
	uint32_t c = (unsigned char)text[0] & masks[*len];
	if (*len == 0) /* not UTF-8, which no text of ours is */
		*len = 1;
	for (size_t i = 1; i < *len; i++)
		c = c << 6 | ((unsigned char)text[i] & 0x3f);
	return c;
}

bool tds_unicode_add(struct tds_buf *buf, uint32_t c)
{
	char out[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (char)c;
	} else {
		for (size_t i = n - 1; i > 0; i--, c >>= 6)
			out[i] = (char)(0x80 | (c & 0x3f));
		out[0] = (char)(0xf00u >> n | c);
	}
	return tds_buf_add(buf, out, n);
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t tds_unicode_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += begins_character(text[i]);
	return count;
}

size_t tds_unicode_offset(const char *text, size_t len, size_t index)
{
	size_t i = 0;

	for (; i < len; i++)
		if (begins_character(text[i]) && index-- == 0)
			break;
	return i;
}

bool tds_unicode_printable(uint32_t c)
{
	if (c < 0x80)
		return c >= ' ' && c < 0x7f;
	category_fn *category = (category_fn *)tds_unistring("uc_is_general_category_withtable");
	return category && !category(c, NOT_PRINTED);
}

static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static int recase_ascii(enum tds_unicode_case to, const char *text, size_t len, struct tds_buf *buf)
{
	for (size_t i = 0; i < len; i++) {
		bool follows = i > 0 && is_letter(text[i - 1]);
		bool upper = to == TDS_CASE_UPPER || (to == TDS_CASE_TITLE && !follows);
		char c = !is_letter(text[i]) ? text[i] : upper ? text[i] & ~0x20 : text[i] | 0x20;

		if (!tds_buf_add(buf, &c, 1))
			return TDS_E_NOMEM;
	}
	return 0;
}

static int recase_all(const char *function, const char *text, size_t len, struct tds_buf *buf)
{
	recase_fn *recase = (recase_fn *)tds_unistring(function);
	size_t result_len = 0;

	if (!recase)
		return TDS_E_UNUSABLE;
	uint8_t *result = recase((const uint8_t *)text, len, NULL, NULL, NULL, &result_len);
	bool added = result && tds_buf_add(buf, result, result_len);
	free(result);
	return added ? 0 : TDS_E_NOMEM;
}

struct cases {
	property_fn *cased;
	property_fn *ignorable;
};

/* Is the next character that is not ignorable, after text or, where back, before it, one with cases? */
static bool has_cased(const struct cases *cases, const char *text, const char *end, bool back)
{
	size_t len = 0;

	for (;;) {
		if (back ? text <= end : text >= end)
			return false;
		do
			text -= back;
		while (back && !begins_character(*text));
		uint32_t c = tds_unicode_at(text, &len);
		if (!cases->ignorable(c))
			return cases->cased(c);
		text += back ? 0 : len;
	}
}

/* A character, which begins at p of the text, in small letters; a sigma at the end of a word has another. */
static int add_lower(const struct cases *cases, const char *text, const char *p, size_t len,
		     const char *end, struct tds_buf *buf)
{
	size_t n;

	if (tds_unicode_at(p, &n) != SIGMA)
		return recase_all("u8_tolower", p, len, buf);
	bool final = has_cased(cases, p, text, true) && !has_cased(cases, p + len, end, false);
	return tds_buf_add(buf, final ? "\xcf\x82" : "\xcf\x83", 2) ? 0 : TDS_E_NOMEM;
}

/* A character with cases behind one without begins a word, as in Python: not as Unicode divides words. */
static int recase_title(const char *text, size_t len, struct tds_buf *buf)
{
	struct cases cases = { (property_fn *)tds_unistring("uc_is_property_cased"),
			       (property_fn *)tds_unistring("uc_is_property_case_ignorable") };
	const char *end = text + len;
	bool within = false;
	int rc = cases.cased && cases.ignorable ? 0 : TDS_E_UNUSABLE;

	for (const char *p = text; rc == 0 && p < end;) {
		size_t n;
		uint32_t c = tds_unicode_at(p, &n);

		rc = within ? add_lower(&cases, text, p, n, end, buf)
			    : recase_all("u8_totitle", p, n, buf);
		within = cases.cased(c);
		p += n;
	}
	return rc;
}

int tds_unicode_recase(enum tds_unicode_case to, const char *text, size_t len, struct tds_buf *buf)
{
	if (is_ascii(text, len))
		return recase_ascii(to, text, len, buf);
	if (to == TDS_CASE_TITLE)
		return recase_title(text, len, buf);
	return recase_all(to == TDS_CASE_UPPER ? "u8_toupper" : "u8_tolower", text, len, buf);
}
