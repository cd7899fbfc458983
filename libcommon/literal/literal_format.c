/* SPDX-License-Identifier: MIT */
/* Python's % formatting of texts and numbers. */
#include "literal_env.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct work {
	const struct tds_value *argument;
	size_t used; /* items of a tuple */
	size_t max;
	struct tds_buf *out;
	struct tds_err *err;
};

/* One conversion: %(key)#0- +WIDTH.PRECISIONc */
struct spec {
	bool alternate;
	bool zero;
	bool left;
	bool blank;
	bool plus;
	size_t width;
	size_t precision;
	bool has_precision;
	char conversion;
};

#define REFUSE(w, ...) tds_err_set((w)->err, TDS_E_SYNTAX, __VA_ARGS__)

static int emit(struct work *w, const char *text, size_t len)
{
	if (len > w->max - w->out->len)
		return REFUSE(w, "%%: the text gets too long");
	return tds_buf_add(w->out, text, len) ? 0
					      : tds_err_set(w->err, TDS_E_NOMEM, "out of memory");
}

static int emit_fill(struct work *w, char fill, size_t count)
{
	int rc = count > w->max - w->out->len ? REFUSE(w, "%%: the text gets too long") : 0;

	while (rc == 0 && count-- > 0)
		rc = emit(w, &fill, 1);
	return rc;
}

/*
 * chars is the length of text in characters; zeros is how many more digits the precision asks for.
 */
static int emit_padded(struct work *w, const struct spec *spec, const char *sign, size_t zeros,
		       const char *text, size_t len, size_t chars)
{
	size_t width = strlen(sign) + zeros + chars;
	size_t fill = spec->width > width ? spec->width - width : 0;
	int rc = 0;

	if (!spec->left && !spec->zero)
		rc = emit_fill(w, ' ', fill);
	if (rc == 0)
		rc = emit(w, sign, strlen(sign));
	if (rc == 0)
		rc = emit_fill(w, '0', zeros + (!spec->left && spec->zero ? fill : 0));
	if (rc == 0)
		rc = emit(w, text, len);
	if (rc == 0 && spec->left)
		rc = emit_fill(w, ' ', fill);
	return rc;
}

static int format_string(struct work *w, struct spec *spec, const struct tds_value *value)
{
	char number[TDS_COMPLEX_TEXT_MAX];
	const char *text = number;
	size_t len;
	size_t chars = 0;

	switch (value->type) {
	case TDS_VALUE_NONE:
		text = "None";
		break;
	case TDS_VALUE_ELLIPSIS:
		text = "Ellipsis";
		break;
	case TDS_VALUE_BOOL:
		text = value->boolean ? "True" : "False";
		break;
	case TDS_VALUE_INT:
	case TDS_VALUE_STR:
		text = value->text;
		break;
	case TDS_VALUE_FLOAT:
		tds_float_text(value->real, number);
		break;
	case TDS_VALUE_COMPLEX:
		tds_complex_text(value->real, value->imag, number);
		break;
	default:
		return REFUSE(w, "%%s of a value of type %s is not allowed",
			      tds_value_type_name(value));
	}
	size_t all = value->text ? value->len : strlen(text);
	for (len = 0; len < all && !(spec->has_precision && chars == spec->precision); chars++)
		len += tds_text_utf8_len(text + len, all - len);
	spec->zero = false;
	return emit_padded(w, spec, "", 0, text, len, chars);
}

static const char *sign_of(const struct spec *spec, bool negative)
{
	return negative ? "-" : spec->plus ? "+" : spec->blank ? " " : "";
}

static int format_decimal(struct work *w, struct spec *spec, const struct tds_value *value)
{
	char number[512];
	const char *text = number;

	if (value->type == TDS_VALUE_INT)
		text = value->text;
	else if (value->type == TDS_VALUE_BOOL)
		text = value->boolean ? "1" : "0";
	else if (value->type == TDS_VALUE_FLOAT && isfinite(value->real))
		(void)snprintf(number, sizeof(number), "%.0f",
			       fabs(value->real) < 0x1p53 ? (double)(int64_t)value->real
							  : value->real);
	else
		return REFUSE(w, "%%%c needs a number, not a value of type %s", spec->conversion,
			      tds_value_type_name(value));
	bool negative = *text == '-';
	size_t len = strlen(text += negative);
	size_t zeros = spec->has_precision && spec->precision > len ? spec->precision - len : 0;
	return emit_padded(w, spec, sign_of(spec, negative), zeros, text, len, len);
}

static int format_radix(struct work *w, struct spec *spec, const struct tds_value *value)
{
	char text[32];
	char sign[4];
	long long number = value->boolean;

	errno = 0;
	if (value->type == TDS_VALUE_INT)
		number = strtoll(value->text, NULL, 10);
	else if (value->type != TDS_VALUE_BOOL)
		return REFUSE(w, "%%%c needs an int, not a value of type %s", spec->conversion,
			      tds_value_type_name(value));
	if (errno == ERANGE)
		return REFUSE(w, "%%%c of an int of more than 64 bits is not allowed",
			      spec->conversion);
	unsigned long long size =
		number < 0 ? -(unsigned long long)number : (unsigned long long)number;
	int len = snprintf(text, sizeof(text),
			   spec->conversion == 'o'   ? "%llo"
			   : spec->conversion == 'x' ? "%llx"
						     : "%llX",
			   size);
	(void)snprintf(sign, sizeof(sign), "%s%s%c", sign_of(spec, number < 0),
		       spec->alternate ? "0" : "", spec->alternate ? spec->conversion : '\0');
	size_t zeros = spec->has_precision && spec->precision > (size_t)len
			       ? spec->precision - (size_t)len
			       : 0;
	return emit_padded(w, spec, sign, zeros, text, (size_t)len, (size_t)len);
}

static int format_float(struct work *w, struct spec *spec, const struct tds_value *value)
{
	double number = value->real;
	tds_autofree char *text = NULL;
	int precision = spec->has_precision ? (int)spec->precision : 6;
	char c_format[] = { '%', '#', '.', '*', spec->conversion, '\0' };

	if (value->type == TDS_VALUE_INT)
		number = strtod(value->text, NULL);
	else if (value->type == TDS_VALUE_BOOL)
		number = value->boolean;
	else if (value->type != TDS_VALUE_FLOAT)
		return REFUSE(w, "%%%c needs a number, not a value of type %s", spec->conversion,
			      tds_value_type_name(value));
	if (value->type == TDS_VALUE_INT && isinf(number))
		return REFUSE(w, "%%%c of an int that is too large for a float", spec->conversion);
	if (!spec->alternate)
		memmove(c_format + 1, c_format + 2, sizeof(c_format) - 2);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int len = asprintf(&text, c_format, precision, fabs(number));
#pragma GCC diagnostic pop
	if (len < 0) {
		text = NULL;
		return tds_err_set(w->err, TDS_E_NOMEM, "out of memory");
	}
	return emit_padded(w, spec, sign_of(spec, signbit(number)), 0, text, (size_t)len,
			   (size_t)len);
}

/* The value for the next conversion: the one under key, the next of a tuple, or the only one. */
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
static int keyed_argument(struct work *w, const char **p, const char *end,
			  const struct tds_value **value)
{
	const char *key = ++*p;
	size_t depth = 1;

	for (; *p < end && depth > 0; ++*p)
		depth += (size_t)(**p == '(') - (size_t)(**p == ')');
	if (depth > 0)
		return REFUSE(w, "%%: '(' is never closed");
	if (w->argument->type != TDS_VALUE_DICT)
		return REFUSE(w, "%%(...) needs a dictionary");
	size_t len = (size_t)(*p - key - 1);
	for (size_t i = 0; i < w->argument->n; i++) {
		const struct tds_value *k = w->argument->items[2 * i];

		if (k->type == TDS_VALUE_STR && k->len == len && memcmp(k->text, key, len) == 0) {
			*value = w->argument->items[2 * i + 1];
			return 0;
		}
	}
	return REFUSE(w, "%%: the dictionary has no key '%.*s'", len < 100 ? (int)len : 100, key);
}

static bool take_flag(struct spec *spec, char c)
{
	switch (c) {
	case '#':
		return spec->alternate = true;
	case '0':
		return spec->zero = true;
	case '-':
		return spec->left = true;
	case ' ':
		return spec->blank = true;
	case '+':
		return spec->plus = true;
	default:
		return false;
	}
}

/* More than max is as good as max + 1: the text gets too long. */
static size_t read_number(const char **p, const char *end, size_t max)
{
	size_t number = 0;

	for (; *p < end && isdigit((unsigned char)**p); ++*p)
		number = number > max ? number : number * 10 + (size_t)(**p - '0');
	return number;
}

/* The conversion behind a '%', and the text for it. */
static int format_one(struct work *w, const char **p, const char *end)
{
	struct spec spec = { 0 };
	const struct tds_value *value = NULL;
	int rc = 0;

	if (*p < end && **p == '(')
		rc = keyed_argument(w, p, end, &value);
	if (rc != 0)
		return rc;
	while (*p < end && take_flag(&spec, **p))
		++*p;
	spec.width = read_number(p, end, w->max);
	if (*p < end && **p == '.') {
		++*p;
		spec.has_precision = true;
		spec.precision = read_number(p, end, w->max);
	}
	if (*p < end && strchr("hlL", **p))
		++*p;
	if (*p == end)
		return REFUSE(w, "%%: the format ends too early");
	spec.conversion = *(*p)++;
	if (spec.conversion == '%')
		return emit(w, "%", 1);
	if (!strchr("sdiuxXoeEfFgG", spec.conversion) || spec.conversion == '\0')
		return REFUSE(w, "%%: the conversion '%c' is not allowed", spec.conversion);
	if (spec.precision > w->max)
		return REFUSE(w, "%%: the text gets too long");
	if (!value)
		rc = next_argument(w, &value);
	if (rc != 0)
		return rc;
	if (spec.conversion == 's')
		return format_string(w, &spec, value);
	if (strchr("diu", spec.conversion))
		return format_decimal(w, &spec, value);
	if (strchr("xXo", spec.conversion))
		return format_radix(w, &spec, value);
	return format_float(w, &spec, value);
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

int tds_env_format(const struct tds_value *format, const struct tds_value *argument, size_t max,
		   struct tds_buf *out, struct tds_err *err)
{
	struct work w = { .argument = argument, .max = max, .out = out, .err = err };
	const char *p = format->text;
	const char *end = p + format->len;
	int rc = 0;

	while (rc == 0 && p < end) {
		const char *percent = memchr(p, '%', (size_t)(end - p));

		rc = emit(&w, p, (size_t)((percent ? percent : end) - p));
		p = percent ? percent + 1 : end;
		if (rc == 0 && percent)
			rc = format_one(&w, &p, end);
	}
	if (rc == 0)
		rc = check_all_used(&w);
	return rc == 0 ? emit(&w, "", 0) : rc;
}
