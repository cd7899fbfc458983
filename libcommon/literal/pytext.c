/* SPDX-License-Identifier: MIT */
/* Blanks and digits of all scripts, as Python's str has them. */
#include "pytext.h"

#include <string.h>

#include "base/text.h"

size_t tds_pytext_blank(const char *text)
{
	static const char *const wide[] = {
		"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
		"\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
		"\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
	};

	if (*text > ' ' && *text < 0x7f)
		return 0;
	if (*text != '\0' && strchr("\t\n\v\f\r\x1c\x1d\x1e\x1f ", *text))
		return 1;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (strncmp(text, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

const char *tds_pytext_strip(const char *text, size_t *len)
{
	const char *end = text + *len;
	const char *last = text;

	for (size_t n; text < end && (n = tds_pytext_blank(text)) > 0;)
		text += n;
	last = text;
	for (const char *p = text; p < end;) {
		size_t n = tds_pytext_blank(p);

		p += n ? n : 1;
		last = n ? last : p;
	}
	*len = (size_t)(last - text);
	return text;
}

/*
 * The digit that begins at *p in any script of Unicode 14, or -1; *p moves behind it. Each script's
 * ten are in a row.
 */
int tds_pytext_digit(const char **p, const char *end)
{
	static const uint32_t zeros[] = {
		0x30,    0x660,   0x6f0,   0x7c0,   0x966,   0x9e6,   0xa66,   0xae6,   0xb66,
		0xbe6,   0xc66,   0xce6,   0xd66,   0xde6,   0xe50,   0xed0,   0xf20,   0x1040,
		0x1090,  0x17e0,  0x1810,  0x1946,  0x19d0,  0x1a80,  0x1a90,  0x1b50,  0x1bb0,
		0x1c40,  0x1c50,  0xa620,  0xa8d0,  0xa900,  0xa9d0,  0xa9f0,  0xaa50,  0xabf0,
		0xff10,  0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450,
		0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0,
		0x16a60, 0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140,
		0x1e2f0, 0x1e950, 0x1fbf0,
	};
	size_t n = tds_text_utf8_len(*p, (size_t)(end - *p));
	uint32_t c = n ? (unsigned char)**p : 0;

	if (n > 1)
		c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)(*p)[i] & 0x3f);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
		if (c >= zeros[i] && c <= zeros[i] + 9) {
			*p += n;
			return (int)(c - zeros[i]);
		}
	}
	return -1;
}

bool tds_pytext_int(const char *text, size_t len, int64_t *value)
{
	const char *p = tds_pytext_strip(text, &len);
	const char *end = p + len;
	bool negative = p < end && *p == '-';
	uint64_t max = (uint64_t)INT64_MAX + negative;
	uint64_t number = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	do {
		int digit = tds_pytext_digit(&p, end);

		if (digit < 0)
			return false;
		number =
			number > (max - (unsigned)digit) / 10 ? max : number * 10 + (unsigned)digit;
		if (p + 1 < end && *p == '_')
			p++;
	} while (p < end);
	*value = negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}
