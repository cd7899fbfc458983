/* SPDX-License-Identifier: MIT */
/* Python's % formatting. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval_number.h"
#include "format.h"
#include "format_number.h"
#include "literal.h"
#include "unicode.h"

struct work {
	struct tds_eval *e;
	const struct tds_value *argument;
	size_t used; /* items of a tuple */
	const char *p;
	const char *end;
	struct tds_buf *out;
};

#define REFUSE(w, ...) TDS_EVAL_REFUSE((w)->e, __VA_ARGS__)

static int format_string(struct work *w, const struct tds_format *spec,
			 const struct tds_value *value)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc = tds_format_text(w->e, spec->type, value, &text);

	return rc == 0 ? tds_format_padded(w->e, spec, text.data, text.len, w->out) : rc;
}

static int wrong_type(struct work *w, const struct tds_format *spec, const char *wanted,
		      const struct tds_value *value)
{
	return REFUSE(w, "%%%c needs %s, not a value of type %s", spec->type, wanted,
		      tds_value_type_name(value));
}

static int format_integer(struct work *w, struct tds_format *spec, const struct tds_value *value)
{
	tds_auto(value) struct tds_value *whole = NULL;
	bool decimal = strchr("diu", spec->type) != NULL;

	if (decimal && value->type == TDS_VALUE_FLOAT) {
		int rc = tds_number_truncate(w->e, value->real, &whole);

		if (rc != 0)
			return rc;
		value = whole;
	}
	if (!tds_eval_is_int(value))
		return wrong_type(w, spec, decimal ? "a number" : "an int", value);
	spec->type = decimal ? 'd' : spec->type;
	return tds_format_int(w->e, spec, tds_eval_int_text(value), w->out);
}

static int format_float(struct work *w, const struct tds_format *spec,
			const struct tds_value *value)
{
	double number;

	if (value->type != TDS_VALUE_FLOAT && !tds_eval_is_int(value))
		return wrong_type(w, spec, "a number", value);
	int rc = tds_number_float(w->e, value, &number);
	return rc == 0 ? tds_format_float(w->e, spec, number, w->out) : rc;
}

static int format_char(struct work *w, struct tds_format *spec, const struct tds_value *value)
{
	tds_auto(buf) struct tds_buf text = { 0 };

	spec->has_precision = false;
	if (value->type == TDS_VALUE_STR && tds_unicode_count(value->text, value->len) == 1)
		return tds_format_padded(w->e, spec, value->text, value->len, w->out);
	if (!tds_eval_is_int(value))
		return wrong_type(w, spec, "an int or one character", value);
	int rc = tds_format_character(w->e, value, &text);
	if (rc != 0)
		return rc;
	return tds_format_padded(w->e, spec, text.data, text.len, w->out);
}

/* The value for the next conversion: the next of a tuple, or the only one. */
static int next_argument(struct work *w, const struct tds_value **value)
{
	const struct tds_value *argument = w->argument;
	size_t n = argument->type == TDS_VALUE_TUPLE ? argument->n : 1;

	if (w->used >= n)
		return REFUSE(w, "%%: not enough values for the format");
	*value = argument->type == TDS_VALUE_TUPLE ? argument->items[w->used] : argument;
	w->used++;
	return 0;
}

/* (key), from its bracket on; brackets nest in it. */
static int keyed_argument(struct work *w, const struct tds_value **value)
{
	const char *key = ++w->p;
	size_t depth = 1;

	for (; w->p < w->end && depth > 0; ++w->p)
		depth += (size_t)(*w->p == '(') - (size_t)(*w->p == ')');
	if (depth > 0)
		return REFUSE(w, "%%: '(' is never closed");
	if (w->argument->type != TDS_VALUE_DICT)
		return REFUSE(w, "%%(...) needs a dictionary");
	size_t len = (size_t)(w->p - key - 1);
	int rc = tds_eval_pay(w->e, w->argument->n);
	for (size_t i = 0; rc == 0 && i < w->argument->n; i++) {
		const struct tds_value *k = w->argument->items[2 * i];

		if (k->type == TDS_VALUE_STR && k->len == len && memcmp(k->text, key, len) == 0) {
			*value = w->argument->items[2 * i + 1];
			return 0;
		}
	}
	return rc ? rc
		  : REFUSE(w, "%%: the dictionary has no key '%.*s'", len < 100 ? (int)len : 100,
			   key);
}

static bool take_flag(struct tds_format *spec, char c)
{
	switch (c) {
	case '#':
		return spec->alternate = true;
	case '0':
		if (spec->align != '<')
			spec->align = '=';
		return true;
	case '-':
		spec->align = '<';
		return true;
	case ' ':
		spec->sign = spec->sign == '+' ? '+' : ' ';
		return true;
	case '+':
		spec->sign = '+';
		return true;
	default:
		return false;
	}
}

/* '*': the next value is the width or precision. */
static int star(struct work *w, struct tds_format *spec, size_t *number)
{
	const struct tds_value *value;
	long long n;
	int rc = next_argument(w, &value);

	w->p++;
	if (rc != 0)
		return rc;
	if (!tds_eval_is_int(value))
		return REFUSE(w, "%%: * needs an int, not a value of type %s",
			      tds_value_type_name(value));
	if (!tds_eval_int(value, &n) || n > TDS_LITERAL_MAX_TEXT || n < -TDS_LITERAL_MAX_TEXT)
		n = n < 0 ? -TDS_LITERAL_MAX_TEXT - 1 : TDS_LITERAL_MAX_TEXT + 1;
	if (n < 0 && number == &spec->width)
		spec->align = '<';
	*number = n >= 0 ? (size_t)n : number == &spec->width ? (size_t)-n : 0;
	return 0;
}

/* Digits, or a star. More than a text may hold is as good as one more than that. */
static int read_number(struct work *w, struct tds_format *spec, size_t *number)
{
	if (w->p < w->end && *w->p == '*')
		return star(w, spec, number);
	for (; w->p < w->end && *w->p >= '0' && *w->p <= '9'; ++w->p)
		if (*number <= TDS_LITERAL_MAX_TEXT)
			*number = *number * 10 + (size_t)(*w->p - '0');
	return 0;
}

/* A conversion, from behind its '%' and key to its letter. */
static int read_conversion(struct work *w, struct tds_format *spec)
{
	int rc;

	while (w->p < w->end && take_flag(spec, *w->p))
		++w->p;
	rc = read_number(w, spec, &spec->width);
	if (rc == 0 && w->p < w->end && *w->p == '.') {
		++w->p;
		spec->has_precision = true;
		rc = read_number(w, spec, &spec->precision);
	}
	if (rc != 0)
		return rc;
	if (w->p < w->end && *w->p && strchr("hlL", *w->p))
		++w->p;
	if (w->p == w->end)
		return REFUSE(w, "%%: the format ends too early");
	spec->type = *w->p++;
	if (!spec->type || !strchr("%sracdiuxXoeEfFgG", spec->type))
		return REFUSE(w, "%%: the conversion '%c' is not allowed",
			      spec->type > ' ' && spec->type < 0x7f ? spec->type : '?');
	return 0;
}

/* Zeros fill up numbers alone, and those by the flag. */
static void set_fill(struct tds_format *spec)
{
	bool number = !strchr("srac", spec->type);

	if (!number && spec->align == '=')
		spec->align = '>';
	if (spec->align == '=')
		strcpy(spec->fill, "0");
}

static int format_value(struct work *w, struct tds_format *spec, const struct tds_value *value)
{
	set_fill(spec);
	if (strchr("sra", spec->type))
		return format_string(w, spec, value);
	if (spec->type == 'c')
		return format_char(w, spec, value);
	if (strchr("diuxXo", spec->type))
		return format_integer(w, spec, value);
	return format_float(w, spec, value);
}

/* The conversion behind a '%', and the text for it. */
static int format_one(struct work *w)
{
	struct tds_format spec = { .fill = " ", .align = '>' };
	const struct tds_value *value = NULL;
	int rc = 0;

	if (w->p < w->end && *w->p == '(')
		rc = keyed_argument(w, &value);
	if (rc == 0)
		rc = read_conversion(w, &spec);
	if (rc != 0)
		return rc;
	if (spec.type == '%')
		return tds_eval_add(w->e, w->out, "%", 1);
	if (!value)
		rc = next_argument(w, &value);
	return rc == 0 ? format_value(w, &spec, value) : rc;
}

/* Values that no conversion took are an error, except those that Python takes for a mapping. */
static int check_all_used(struct work *w)
{
	switch (w->argument->type) {
	case TDS_VALUE_LIST:
	case TDS_VALUE_BYTES:
	case TDS_VALUE_DICT:
		return 0;
	case TDS_VALUE_TUPLE:
		return w->used == w->argument->n ? 0
						 : REFUSE(w, "%%: too many values for the format");
	default:
		return w->used == 1 ? 0 : REFUSE(w, "%%: too many values for the format");
	}
}

int tds_format_percent(struct tds_eval *e, const struct tds_value *format,
		       const struct tds_value *argument, struct tds_buf *buf)
{
	struct work w = { .e = e,
			  .argument = argument,
			  .p = format->text,
			  .end = format->text + format->len,
			  .out = buf };
	int rc = 0;

	while (rc == 0 && w.p < w.end) {
		const char *percent = memchr(w.p, '%', (size_t)(w.end - w.p));
		const char *until = percent ? percent : w.end;

		rc = tds_eval_add(e, buf, w.p, (size_t)(until - w.p));
		w.p = percent ? percent + 1 : w.end;
		if (rc == 0 && percent)
			rc = tds_eval_pay(e, 1);
		if (rc == 0 && percent)
			rc = format_one(&w);
	}
	return rc == 0 ? check_all_used(&w) : rc;
}
