/* SPDX-License-Identifier: MIT */
/* Numbers in parts: digits, groups of them, and what fills them up. */
#include "format_number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bigint.h"
#include "literal.h"
#include "unicode.h"

static const char *sign_of(const struct tds_format *spec, bool negative)
{
	return negative ? "-" : spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "";
}

static int add_text(struct tds_eval *e, struct tds_buf *buf, const char *text)
{
	return tds_eval_add(e, buf, text, strlen(text));
}

static int add_fill(struct tds_eval *e, const struct tds_format *spec, size_t count,
		    struct tds_buf *buf)
{
	return tds_eval_add_fill(e, buf, spec->fill, strlen(spec->fill), count);
}

/* How many digits are in a group. */
static size_t group_size(const struct tds_format *spec)
{
	return strchr("boxX", spec->type) && spec->type ? 4 : 3;
}

/* How many characters so many digits are with what stands between their groups. */
static size_t grouped(const struct tds_format *spec, size_t digits)
{
	return digits == 0 || !spec->grouping ? digits : digits + (digits - 1) / group_size(spec);
}

/* The digits, zeros first, in their groups. */
static int add_digits(struct tds_eval *e, const struct tds_format *spec, size_t zeros,
		      const char *digits, size_t len, struct tds_buf *buf)
{
	size_t all = zeros + len;
	int rc = 0;

	if (!spec->grouping) {
		rc = tds_eval_add_fill(e, buf, "0", 1, zeros);
		return rc == 0 ? tds_eval_add(e, buf, digits, len) : rc;
	}
	if (all > TDS_LITERAL_MAX_TEXT)
		return tds_eval_add_fill(e, buf, "0", 1, all);
	for (size_t i = 0; rc == 0 && i < all; i++) {
		if (i > 0 && (all - i) % group_size(spec) == 0)
			rc = tds_eval_add(e, buf, &spec->grouping, 1);
		if (rc == 0)
			rc = tds_eval_add(e, buf, i < zeros ? "0" : digits + i - zeros, 1);
	}
	return rc == 0 ? tds_eval_pay_bytes(e, all) : rc;
}

/* So many zeros that the groups reach a width; they may go beyond it by one, since none begins with a comma. */
static size_t zeros_for(const struct tds_format *spec, size_t digits, size_t width)
{
	size_t size = group_size(spec);

	if (grouped(spec, digits) >= width)
		return 0;
	if (!spec->grouping)
		return width - digits;
	size_t all = width / (size + 1) * size + width % (size + 1);
	if (grouped(spec, all) < width)
		all++;
	return all - digits;
}

int tds_format_number(struct tds_eval *e, const struct tds_format *spec,
		      const struct tds_number_text *number, struct tds_buf *buf)
{
	size_t zeros = number->zeros;
	size_t around = strlen(number->sign) + strlen(number->prefix) + strlen(number->rest);
	bool by_zeros =
		spec->align == '=' && strcmp(spec->fill, "0") == 0 && number->digits_len > 0;

	if (by_zeros && spec->width > around)
		zeros += zeros_for(spec, zeros + number->digits_len, spec->width - around);
	size_t width = around + grouped(spec, zeros + number->digits_len);
	size_t fill = spec->width > width ? spec->width - width : 0;
	size_t before = spec->align == '>' ? fill : spec->align == '^' ? fill / 2 : 0;
	size_t within = spec->align == '=' ? fill : 0;
	int rc = add_fill(e, spec, before, buf);
	if (rc == 0)
		rc = add_text(e, buf, number->sign);
	if (rc == 0)
		rc = add_text(e, buf, number->prefix);
	if (rc == 0)
		rc = add_fill(e, spec, within, buf);
	if (rc == 0)
		rc = add_digits(e, spec, zeros, number->digits, number->digits_len, buf);
	if (rc == 0)
		rc = add_text(e, buf, number->rest);
	return rc == 0 ? add_fill(e, spec, fill - before - within, buf) : rc;
}

int tds_format_padded(struct tds_eval *e, const struct tds_format *spec, const char *text,
		      size_t len, struct tds_buf *buf)
{
	int rc = tds_eval_pay_bytes(e, len);

	if (rc != 0)
		return rc;
	if (spec->has_precision)
		len = tds_unicode_offset(text, len, spec->precision);
	size_t chars = tds_unicode_count(text, len);
	size_t fill = spec->width > chars ? spec->width - chars : 0;
	size_t before = spec->align == '>' ? fill : spec->align == '^' ? fill / 2 : 0;
	rc = add_fill(e, spec, before, buf);
	if (rc == 0)
		rc = tds_eval_add(e, buf, text, len);
	return rc == 0 ? add_fill(e, spec, fill - before, buf) : rc;
}

/* The digits of an int without its sign; caller frees. NULL: out of memory. */
static char *int_digits(const struct tds_format *spec, const char *number)
{
	if (spec->type == 'd')
		return strdup(number + (*number == '-'));
	char *text = tds_bigint_write(number, spec->type == 'b' ? 2 : spec->type == 'o' ? 8 : 16);
	for (char *p = text; p && *p && spec->type == 'X'; p++)
		*p = (char)toupper((unsigned char)*p);
	return text;
}

int tds_format_int(struct tds_eval *e, const struct tds_format *spec, const char *number,
		   struct tds_buf *buf)
{
	tds_autofree char *digits = int_digits(spec, number);
	char prefix[3] = { '0', spec->type, '\0' };

	if (!digits)
		return tds_eval_no_memory(e);
	size_t len = strlen(digits);
	struct tds_number_text text = {
		.sign = sign_of(spec, *number == '-'),
		.prefix = spec->alternate && spec->type != 'd' ? prefix : "",
		.digits = digits,
		.digits_len = len,
		.zeros = spec->has_precision && spec->precision > len ? spec->precision - len : 0,
		.rest = "",
	};
	int rc = tds_eval_pay(e, len / 8);
	return rc == 0 ? tds_format_number(e, spec, &text, buf) : rc;
}

/* What printf makes of a number, which is not negative; caller frees. NULL: out of memory. */
static char *print(bool alternate, size_t precision, char type, double number)
{
	char format[] = { '%', '#', '.', '*', type, '\0' };
	char *text = NULL;

	if (!alternate)
		memmove(format + 1, format + 2, sizeof(format) - 2);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int len = asprintf(&text, format, (int)precision, number);
#pragma GCC diagnostic pop
	return len < 0 ? NULL : text;
}

/* Cut off the zeros at the end of the digits behind a point, and a point with none. */
static void cut_zeros(char *text)
{
	char *point = strchr(text, '.');
	char *end = text + strcspn(text, "e");
	char *cut = end;

	if (!point)
		return;
	while (cut[-1] == '0')
		cut--;
	if (cut[-1] == '.')
		cut--;
	memmove(cut, end, strlen(end) + 1);
}

/* Without a type, as many digits as there are, at most precision, and one of them behind a point. */
static char *print_short(bool alternate, size_t precision, double number)
{
	size_t digits = precision > 0 ? precision : 1;
	tds_autofree char *text = print(alternate, digits - 1, 'e', number);
	char *e = text ? strchr(text, 'e') : NULL;
	char *fixed = NULL;

	if (!e)
		return tds_steal(&text);
	long exponent = strtol(e + 1, NULL, 10);
	if (exponent < -4 || exponent >= (long)digits - 1) {
		if (!alternate)
			cut_zeros(text);
		return tds_steal(&text);
	}
	free(text);
	text = print(alternate, digits, 'g', number);
	if (!text || strchr(text, '.'))
		return tds_steal(&text);
	return asprintf(&fixed, "%s.0", text) < 0 ? NULL : fixed;
}

/* As repr, with a point where the alternate form asks for one. */
static char *print_repr(bool alternate, double number)
{
	char text[TDS_FLOAT_TEXT_MAX];
	char *out = NULL;

	tds_float_text(number, text);
	int mantissa = (int)strcspn(text, "e");
	bool pointless = alternate && isfinite(number) && !strchr(text, '.');
	return asprintf(&out, "%.*s%s%s", mantissa, text, pointless ? "." : "", text + mantissa) < 0
		       ? NULL
		       : out;
}

static char *float_text(const struct tds_format *spec, double number)
{
	size_t precision = spec->has_precision ? spec->precision : 6;
	char *out = NULL;

	if (spec->type == '\0')
		return spec->has_precision && isfinite(number)
			       ? print_short(spec->alternate, precision, number)
			       : print_repr(spec->alternate, number);
	if (spec->type != '%')
		return print(spec->alternate, precision, spec->type, number);
	tds_autofree char *text = print(spec->alternate, precision, 'f', number * 100);
	return !text || asprintf(&out, "%s%%", text) < 0 ? NULL : out;
}

int tds_format_float(struct tds_eval *e, const struct tds_format *spec, double number,
		     struct tds_buf *buf)
{
	if (spec->has_precision && spec->precision > TDS_LITERAL_MAX_TEXT)
		return TDS_EVAL_REFUSE(e, "the text gets longer than %d bytes",
				       TDS_LITERAL_MAX_TEXT);
	int rc = tds_eval_pay_bytes(e, 4 * (spec->has_precision ? spec->precision : 0));
	if (rc != 0)
		return rc;
	tds_autofree char *text = float_text(spec, fabs(number));
	if (!text)
		return tds_eval_no_memory(e);
	size_t digits = strspn(text, "0123456789");
	struct tds_number_text parts = {
		.sign = sign_of(spec, signbit(number) && !isnan(number)),
		.prefix = "",
		.digits = text,
		.digits_len = digits,
		.rest = text + digits,
	};
	return tds_format_number(e, spec, &parts, buf);
}
