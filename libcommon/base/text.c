/* SPDX-License-Identifier: MIT */
/* Escaping of text from outside, and numbers read from it. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

size_t tds_text_utf8_len(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;
	uint32_t c;

	if (len == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
		c = s[0] & 0x1f;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		c = s[0] & 0x0f;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		c = s[0] & 0x07;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (n == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff)))
		return 0;
	if (n == 4 && (c < 0x10000 || c > 0x10ffff))
		return 0;
	return n;
}

bool tds_text_is_utf8(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = tds_text_utf8_len(text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* C0, DEL, and C1, which UTF-8 writes as 0xc2 0x80 to 0xc2 0x9f. */
static bool is_control(const char *text, size_t n)
{
	unsigned char c = (unsigned char)text[0];

	return (n == 1 && (c < 0x20 || c == 0x7f)) ||
	       (n == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0);
}

void tds_text_escape(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = tds_text_utf8_len(text + i, len - i);
		bool like_an_escape = text[i] == '\\' && i + 1 < len && text[i + 1] == 'x';

		if (n > 0 && !is_control(text + i, n) && !like_an_escape) {
			(void)fwrite(text + i, 1, n, out);
			i += n;
			continue;
		}
		for (n = n ? n : 1; n > 0; n--, i++)
			(void)fprintf(out, "\\x%02x", (unsigned char)text[i]);
	}
}

void tds_text_print(FILE *out, const char *text)
{
	tds_text_escape(out, text, strlen(text));
}

char *tds_text_escaped(const char *text)
{
	char *escaped = NULL;
	size_t len;
	FILE *f = open_memstream(&escaped, &len);

	if (!f)
		return NULL;
	tds_text_print(f, text);
	if (fclose(f) != 0) {
		free(escaped);
		return NULL;
	}
	return escaped;
}

void tds_text_shell(FILE *out, const char *text)
{
	(void)fputc('\'', out);
	for (; *text; text++)
		(void)fputs(*text == '\'' ? "'\\''" : (const char[]){ *text, '\0' }, out);
	(void)fputc('\'', out);
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c));
}

char *tds_text_percent(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = malloc(3 * strlen(text) + 1);
	char *p = out;

	if (!out)
		return NULL;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (is_unreserved(c)) {
			*p++ = *text;
		} else {
			*p++ = '%';
			*p++ = hex[c >> 4];
			*p++ = hex[c & 15];
		}
	}
	*p = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *tds_text_unpercent(const char *text, size_t len)
{
	char *out = malloc(len + 1);
	char *p = out;

	if (!out)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '%' && len - i > 2) {
			int high = hex_digit(text[i + 1]);
			int low = hex_digit(text[i + 2]);

			if (high < 0 || low < 0)
				goto bad;
			c = (unsigned char)(high << 4 | low);
			if (c == '\0' || is_unreserved(c))
				goto bad;
			i += 2;
		} else if (!is_unreserved(c)) {
			goto bad;
		}
		*p++ = (char)c;
	}
	*p = '\0';
	return out;
bad:
	free(out);
	return NULL;
}

bool tds_text_has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name);
	size_t s = strlen(suffix);

	return n >= s && strcmp(name + n - s, suffix) == 0;
}

bool tds_text_is_hex(const char *text, size_t digits)
{
	return text && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

bool tds_parse_uint(const char *text, size_t len, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (len == 0 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)text[i] - '0';

		if (digit > 9 || digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*value = v;
	return true;
}

const char *tds_text_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

unsigned tds_text_column(const char *text, size_t at)
{
	unsigned column = 1;

	for (size_t i = 0; i < at; i++)
		column += ((unsigned char)text[i] & 0xc0) != 0x80;
	return column;
}

size_t tds_text_trimmed(const char *text, size_t len)
{
	while (len > 0 && tds_text_is_blank(text[len - 1]))
		len--;
	return len;
}

bool tds_text_is_variable(const char *text, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t n = 0;

	while (n < len && text[n] && strchr(letters, text[n]))
		n++;
	if (n == 0 || (text[0] >= '0' && text[0] <= '9'))
		return false;
	return n == len || (n + 1 == len && text[n] == '*');
}

bool tds_text_fits_variable(const char *pattern, const char *name, size_t len)
{
	size_t n = strlen(pattern);

	if (n > 0 && pattern[n - 1] == '*')
		return len >= n - 1 && memcmp(name, pattern, n - 1) == 0;
	return len == n && memcmp(name, pattern, n) == 0;
}
