/* SPDX-License-Identifier: MIT */
/* The tree of a Python value: memory, and Python's text for floats. */
#include "value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct tds_value *tds_value_new(enum tds_value_type type, unsigned line, unsigned column)
{
	struct tds_value *value = calloc(1, sizeof(*value));

	if (value) {
		value->type = type;
		value->line = line;
		value->column = column;
	}
	return value;
}

size_t tds_value_items(const struct tds_value *value)
{
	return value->type == TDS_VALUE_DICT ? 2 * value->n : value->n;
}

/*
 * Recurses as deep as the value nests, which TDS_LITERAL_MAX_NESTING bounds; so do all functions
 * here.
 */
void tds_value_free(struct tds_value *value)
{
	if (!value)
		return;
	for (size_t i = 0; i < tds_value_items(value); i++)
		tds_value_free(value->items[i]);
	free(value->items);
	free(value->text);
	free(value);
}

bool tds_value_set_text(struct tds_value *value, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return false;
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	free(value->text);
	value->text = copy;
	value->len = len;
	return true;
}

static bool make_room(struct tds_value *value, size_t more)
{
	size_t need = tds_value_items(value) + more;

	if (need <= value->room)
		return true;
	struct tds_value **items = reallocarray(value->items, 2 * need, sizeof(struct tds_value *));
	if (!items)
		return false;
	value->items = items;
	value->room = 2 * need;
	return true;
}

bool tds_value_add(struct tds_value *value, struct tds_value *item)
{
	if (!make_room(value, 1))
		return false;
	value->items[value->n++] = item;
	return true;
}

bool tds_value_add_pair(struct tds_value *value, struct tds_value *key, struct tds_value *item)
{
	if (!make_room(value, 2))
		return false;
	value->items[2 * value->n] = key;
	value->items[2 * value->n + 1] = item;
	value->n++;
	return true;
}

bool tds_value_add_text(struct tds_value *value, const char *text, size_t len)
{
	size_t need = value->len + len + 1;

	if (need > value->room) {
		char *more = realloc(value->text, 2 * need);

		if (!more)
			return false;
		value->text = more;
		value->room = 2 * need;
	}
	memcpy(value->text + value->len, text, len);
	value->len += len;
	value->text[value->len] = '\0';
	return true;
}

bool tds_value_append(struct tds_value *value, struct tds_value *other)
{
	if (value->type == TDS_VALUE_STR || value->type == TDS_VALUE_BYTES)
		return tds_value_add_text(value, other->text, other->len);
	size_t more = tds_value_items(other);

	if (!make_room(value, more))
		return false;
	if (more)
		memcpy(value->items + tds_value_items(value), other->items,
		       more * sizeof(struct tds_value *));
	value->n += other->n;
	other->n = 0;
	return true;
}

struct tds_value *tds_value_copy(const struct tds_value *value)
{
	tds_auto(value) struct tds_value *copy =
		tds_value_new(value->type, value->line, value->column);

	if (!copy || (value->text && !tds_value_set_text(copy, value->text, value->len)))
		return NULL;
	copy->boolean = value->boolean;
	copy->real = value->real;
	copy->imag = value->imag;
	for (size_t i = 0; i < tds_value_items(value); i += value->type == TDS_VALUE_DICT ? 2 : 1) {
		tds_auto(value) struct tds_value *item = tds_value_copy(value->items[i]);
		tds_auto(value) struct tds_value *second =
			value->type == TDS_VALUE_DICT ? tds_value_copy(value->items[i + 1]) : NULL;

		if (!item || !(value->type == TDS_VALUE_DICT
				       ? second && tds_value_add_pair(copy, item, second)
				       : tds_value_add(copy, item)))
			return NULL;
		item = second = NULL;
	}
	return tds_steal(&copy);
}

const struct tds_value *tds_value_unhashable(const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_LIST:
	case TDS_VALUE_SET:
	case TDS_VALUE_DICT:
		return value;
	case TDS_VALUE_TUPLE:
		for (size_t i = 0; i < value->n; i++) {
			const struct tds_value *culprit = tds_value_unhashable(value->items[i]);

			if (culprit)
				return culprit;
		}
		return NULL;
	default:
		return NULL;
	}
}

const struct tds_value *tds_value_get(const struct tds_value *value, const char *key)
{
	size_t len = strlen(key);

	if (!value || value->type != TDS_VALUE_DICT)
		return NULL;
	for (size_t i = 0; i < value->n; i++) {
		const struct tds_value *k = value->items[2 * i];

		if (k->type == TDS_VALUE_STR && k->len == len && memcmp(k->text, key, len) == 0)
			return value->items[2 * i + 1];
	}
	return NULL;
}

const char *tds_value_type_name(const struct tds_value *value)
{
	static const char *const names[TDS_VALUE_TYPES] = {
		[TDS_VALUE_NONE] = "NoneType",   [TDS_VALUE_BOOL] = "bool",
		[TDS_VALUE_INT] = "int",         [TDS_VALUE_FLOAT] = "float",
		[TDS_VALUE_COMPLEX] = "complex", [TDS_VALUE_STR] = "str",
		[TDS_VALUE_BYTES] = "bytes",     [TDS_VALUE_ELLIPSIS] = "ellipsis",
		[TDS_VALUE_LIST] = "list",       [TDS_VALUE_TUPLE] = "tuple",
		[TDS_VALUE_SET] = "set",         [TDS_VALUE_FROZENSET] = "frozenset",
		[TDS_VALUE_DICT] = "dict",
	};

	return names[value->type];
}

/* The last of the digits in "d.ddde±NN" one higher; false where they are all nines. */
static bool next_higher(char *text)
{
	char *p = strchr(text, 'e');

	while (p-- > text) {
		if (*p == '.')
			continue;
		if (*p != '9') {
			++*p;
			return true;
		}
		*p = '0';
	}
	return false;
}

/*
 * The shortest "d.ddde±NN" that reads back as value (finite, not negative). 15 digits can only be
 * too many, which shows as zeros at the end, except below the normal range. Just above a power of
 * two the correctly rounded digits may fail where their upper neighbour holds.
 */
static void find_digits(double value, char *text, size_t size)
{
	for (int digits = value < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
		(void)snprintf(text, size, "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			return;
		if (next_higher(text) && strtod(text, NULL) == value)
			return;
	}
	(void)snprintf(text, size, "%.16e", value);
}

/* With whole, ".0" behind what would look like an int. */
static void float_text(double value, bool whole, char *text, size_t size)
{
	const char *sign = signbit(value) ? "-" : "";
	char found[40];
	char digits[24];
	int n = 0;

	if (!isfinite(value)) {
		(void)snprintf(text, size, "%s%s", isnan(value) ? "" : sign,
			       isnan(value) ? "nan" : "inf");
		return;
	}
	find_digits(fabs(value), found, sizeof(found));
	int exponent = atoi(strchr(found, 'e') + 1);
	for (const char *p = found; *p != 'e'; p++)
		if (*p != '.')
			digits[n++] = *p;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	digits[n] = '\0';
	if (exponent < -4 || exponent >= 16)
		(void)snprintf(text, size, "%s%c%s%se%c%02d", sign, digits[0], n > 1 ? "." : "",
			       digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
	else if (exponent < 0)
		(void)snprintf(text, size, "%s0.%.*s%s", sign, -exponent - 1, "000", digits);
	else if (n <= exponent + 1)
		(void)snprintf(text, size, "%s%s%.*s%s", sign, digits, exponent + 1 - n,
			       "000000000000000", whole ? ".0" : "");
	else
		(void)snprintf(text, size, "%s%.*s.%s", sign, exponent + 1, digits,
			       digits + exponent + 1);
}

void tds_float_text(double value, char text[TDS_FLOAT_TEXT_MAX])
{
	float_text(value, true, text, TDS_FLOAT_TEXT_MAX);
}

void tds_complex_text(double real, double imag, char text[TDS_COMPLEX_TEXT_MAX])
{
	char a[TDS_FLOAT_TEXT_MAX];
	char b[TDS_FLOAT_TEXT_MAX];

	float_text(real, false, a, sizeof(a));
	float_text(imag, false, b, sizeof(b));
	if (real == 0 && !signbit(real))
		(void)snprintf(text, TDS_COMPLEX_TEXT_MAX, "%sj", b);
	else
		(void)snprintf(text, TDS_COMPLEX_TEXT_MAX, "(%s%s%sj)", a, b[0] == '-' ? "" : "+",
			       b);
}
