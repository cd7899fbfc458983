/* SPDX-License-Identifier: MIT */
/* Values to text. */
#include "repr.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "unicode.h"

struct writer {
	struct tds_buf *buf;
	enum tds_repr_style style;
};

static bool write_value(const struct writer *w, const struct tds_value *value);

static bool put(const struct writer *w, const char *text)
{
	return tds_buf_add(w->buf, text, strlen(text));
}

/* The short escapes of a character, which only repr and ascii write; NUL: it has none. */
static char short_escape(uint32_t c)
{
	return c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : '\0';
}

static bool put_escape(const struct writer *w, uint32_t c)
{
	char text[16];

	if (w->style != TDS_REPR_LITERAL && short_escape(c))
		(void)snprintf(text, sizeof(text), "\\%c", short_escape(c));
	else
		(void)snprintf(text, sizeof(text),
			       c <= 0xff     ? "\\x%02x"
			       : c <= 0xffff ? "\\u%04x"
					     : "\\U%08x",
			       c);
	return put(w, text);
}

static bool put_char(const struct writer *w, uint32_t c, const char *text, size_t len, char quote)
{
	if (c == (unsigned char)quote || c == '\\')
		return put(w, "\\") && tds_buf_add(w->buf, text, 1);
	if ((c >= ' ' && c < 0x7f) ||
	    (c >= 0x80 && len > 1 && w->style == TDS_REPR_REPR && tds_unicode_printable(c)))
		return tds_buf_add(w->buf, text, len);
	return put_escape(w, c);
}

/* Double quotes where there are single ones in the text and no double ones. */
static char choose_quote(const struct writer *w, const struct tds_value *value)
{
	bool single = memchr(value->text, '\'', value->len) != NULL;
	bool both = memchr(value->text, '"', value->len) != NULL;

	return w->style != TDS_REPR_LITERAL && single && !both ? '"' : '\'';
}

static bool write_text(const struct writer *w, const struct tds_value *value)
{
	bool bytes = value->type == TDS_VALUE_BYTES;
	char quote = choose_quote(w, value);
	bool well = put(w, bytes ? "b" : "") && tds_buf_add(w->buf, &quote, 1);

	for (size_t i = 0, n = 1; well && i < value->len; i += n) {
		uint32_t c =
			bytes ? (unsigned char)value->text[i] : tds_unicode_at(value->text + i, &n);

		well = put_char(w, c, value->text + i, n, quote);
	}
	return well && tds_buf_add(w->buf, &quote, 1);
}

static bool write_items(const struct writer *w, const struct tds_value *value, const char *open,
			const char *close)
{
	bool well = put(w, open);

	for (size_t i = 0; well && i < value->n; i++)
		well = put(w, i ? ", " : "") && write_value(w, value->items[i]);
	return well && put(w, value->type == TDS_VALUE_TUPLE && value->n == 1 ? ",)" : close);
}

static bool write_dict(const struct writer *w, const struct tds_value *value)
{
	bool well = put(w, "{");

	for (size_t i = 0; well && i < value->n; i++)
		well = put(w, i ? ", " : "") && write_value(w, value->items[2 * i]) &&
		       put(w, ": ") && write_value(w, value->items[2 * i + 1]);
	return well && put(w, "}");
}

/* What repr writes for infinity ("inf") is no literal; a number too large to hold is. */
static bool write_float(const struct writer *w, double real)
{
	char text[TDS_FLOAT_TEXT_MAX];

	if (isinf(real) && w->style == TDS_REPR_LITERAL)
		return put(w, real < 0 ? "-1e999" : "1e999");
	tds_float_text(real, text);
	return put(w, text);
}

static bool write_complex(const struct writer *w, const struct tds_value *value)
{
	char text[TDS_COMPLEX_TEXT_MAX];

	tds_complex_text(value->real, value->imag, text);
	return put(w, text);
}

static bool write_value(const struct writer *w, const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_NONE:
		return put(w, "None");
	case TDS_VALUE_BOOL:
		return put(w, value->boolean ? "True" : "False");
	case TDS_VALUE_INT:
		return put(w, value->text);
	case TDS_VALUE_FLOAT:
		return write_float(w, value->real);
	case TDS_VALUE_COMPLEX:
		return write_complex(w, value);
	case TDS_VALUE_STR:
	case TDS_VALUE_BYTES:
		return write_text(w, value);
	case TDS_VALUE_ELLIPSIS:
		return put(w, w->style == TDS_REPR_LITERAL ? "..." : "Ellipsis");
	case TDS_VALUE_LIST:
		return write_items(w, value, "[", "]");
	case TDS_VALUE_TUPLE:
		return write_items(w, value, "(", ")");
	case TDS_VALUE_SET:
		return write_items(w, value, value->n ? "{" : "set(", value->n ? "}" : ")");
	case TDS_VALUE_FROZENSET:
		return write_items(w, value, value->n ? "frozenset({" : "frozenset(",
				   value->n ? "})" : ")");
	case TDS_VALUE_DICT:
		return write_dict(w, value);
	}
	return false;
}

bool tds_repr_add(struct tds_buf *buf, const struct tds_value *value, enum tds_repr_style style)
{
	struct writer w = { buf, style };

	return write_value(&w, value);
}

char *tds_value_repr(const struct tds_value *value)
{
	tds_auto(buf) struct tds_buf buf = { 0 };

	return tds_repr_add(&buf, value, TDS_REPR_LITERAL) ? tds_steal(&buf.data) : NULL;
}
