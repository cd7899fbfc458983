/* SPDX-License-Identifier: MIT */
/* Values to text. */
#include "repr.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static void write_value(FILE *out, const struct tds_value *value);

/* A code point of UTF-8 text that is n bytes long. */
static uint32_t code_point(const unsigned char *s, size_t n)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = s[0] & masks[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

static void write_char(FILE *out, uint32_t c)
{
	if (c == '\'' || c == '\\')
		(void)fprintf(out, "\\%c", (char)c);
	else if (c >= 0x20 && c < 0x7f)
		(void)fputc((int)c, out);
	else if (c <= 0xff)
		(void)fprintf(out, "\\x%02x", c);
	else
		(void)fprintf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
}

static void write_text(FILE *out, const struct tds_value *value)
{
	bool bytes = value->type == TDS_VALUE_BYTES;

	(void)fputs(bytes ? "b'" : "'", out);
	for (size_t i = 0, n; i < value->len; i += n) {
		n = bytes ? 1 : tds_text_utf8_len(value->text + i, value->len - i);
		n = n ? n : 1;
		write_char(out, bytes ? (unsigned char)value->text[i]
				      : code_point((unsigned char *)value->text + i, n));
	}
	(void)fputc('\'', out);
}

static void write_items(FILE *out, const struct tds_value *value, const char *open,
			const char *close)
{
	(void)fputs(open, out);
	for (size_t i = 0; i < value->n; i++) {
		(void)fputs(i ? ", " : "", out);
		write_value(out, value->items[i]);
	}
	(void)fputs(value->type == TDS_VALUE_TUPLE && value->n == 1 ? ",)" : close, out);
}

static void write_dict(FILE *out, const struct tds_value *value)
{
	(void)fputc('{', out);
	for (size_t i = 0; i < value->n; i++) {
		(void)fputs(i ? ", " : "", out);
		write_value(out, value->items[2 * i]);
		(void)fputs(": ", out);
		write_value(out, value->items[2 * i + 1]);
	}
	(void)fputc('}', out);
}

/* What repr writes for these ("inf") is no literal; a number too large to hold is. */
static void write_float(FILE *out, double real)
{
	char text[TDS_FLOAT_TEXT_MAX];

	tds_float_text(real, text);
	(void)fputs(isinf(real) ? (real < 0 ? "-1e999" : "1e999") : text, out);
}

static void write_value(FILE *out, const struct tds_value *value)
{
	char text[TDS_COMPLEX_TEXT_MAX];

	switch (value->type) {
	case TDS_VALUE_NONE:
		(void)fputs("None", out);
		break;
	case TDS_VALUE_BOOL:
		(void)fputs(value->boolean ? "True" : "False", out);
		break;
	case TDS_VALUE_INT:
		(void)fputs(value->text, out);
		break;
	case TDS_VALUE_FLOAT:
		write_float(out, value->real);
		break;
	case TDS_VALUE_COMPLEX:
		tds_complex_text(value->real, value->imag, text);
		(void)fputs(text, out);
		break;
	case TDS_VALUE_STR:
	case TDS_VALUE_BYTES:
		write_text(out, value);
		break;
	case TDS_VALUE_ELLIPSIS:
		(void)fputs("...", out);
		break;
	case TDS_VALUE_LIST:
		write_items(out, value, "[", "]");
		break;
	case TDS_VALUE_TUPLE:
		write_items(out, value, "(", ")");
		break;
	case TDS_VALUE_SET:
		write_items(out, value, value->n ? "{" : "set(", value->n ? "}" : ")");
		break;
	case TDS_VALUE_DICT:
		write_dict(out, value);
		break;
	}
}

char *tds_value_repr(const struct tds_value *value)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	write_value(out, value);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
