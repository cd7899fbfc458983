/* SPDX-License-Identifier: MIT */
/* The tree of a Python value: memory, equality of keys, Python's text for floats, JSON. */
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

static size_t count_items(const struct tds_value *value)
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
	for (size_t i = 0; i < count_items(value); i++)
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
	size_t need = count_items(value) + more;

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

static bool append_text(struct tds_value *value, const struct tds_value *other)
{
	size_t need = value->len + other->len + 1;

	if (need > value->room) {
		char *text = realloc(value->text, 2 * need);

		if (!text)
			return false;
		value->text = text;
		value->room = 2 * need;
	}
	memcpy(value->text + value->len, other->text, other->len + 1);
	value->len += other->len;
	return true;
}

bool tds_value_append(struct tds_value *value, struct tds_value *other)
{
	if (value->type == TDS_VALUE_STR || value->type == TDS_VALUE_BYTES)
		return append_text(value, other);
	if (!make_room(value, other->n))
		return false;
	if (other->n)
		memcpy(value->items + value->n, other->items,
		       other->n * sizeof(struct tds_value *));
	value->n += other->n;
	other->n = 0;
	return true;
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

/* Numbers are equal across types, so a float that is whole is written as the int that it equals. */
static bool add_number_identity(struct tds_buf *buf, double number)
{
	char text[512];
	bool whole =
		isfinite(number) && (fabs(number) >= 0x1p53 || (double)(int64_t)number == number);

	if (whole)
		(void)snprintf(text, sizeof(text), "i%.0f;", number == 0 ? 0.0 : number);
	else
		(void)snprintf(text, sizeof(text), "f%a;", number);
	return tds_buf_add(buf, text, strlen(text));
}

static bool add_text_identity(struct tds_buf *buf, char kind, size_t len, const char *text)
{
	char head[32];

	(void)snprintf(head, sizeof(head), "%c%zu:", kind, len);
	return tds_buf_add(buf, head, strlen(head)) && (!text || tds_buf_add(buf, text, len));
}

/*
 * Write bytes that are the same for values that Python holds equal, and different for all others.
 */
static bool add_identity(struct tds_buf *buf, const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_NONE:
		return tds_buf_add(buf, "n", 1);
	case TDS_VALUE_ELLIPSIS:
		return tds_buf_add(buf, "e", 1);
	case TDS_VALUE_BOOL:
		return tds_buf_add(buf, value->boolean ? "i1;" : "i0;", 3);
	case TDS_VALUE_INT:
		return tds_buf_add(buf, "i", 1) && tds_buf_add(buf, value->text, value->len) &&
		       tds_buf_add(buf, ";", 1);
	case TDS_VALUE_FLOAT:
		return add_number_identity(buf, value->real);
	case TDS_VALUE_COMPLEX:
		if (value->imag == 0)
			return add_number_identity(buf, value->real);
		return tds_buf_add(buf, "c", 1) && add_number_identity(buf, value->real) &&
		       add_number_identity(buf, value->imag);
	case TDS_VALUE_STR:
		return add_text_identity(buf, 's', value->len, value->text);
	case TDS_VALUE_BYTES:
		return add_text_identity(buf, 'b', value->len, value->text);
	default:
		break;
	}
	if (!add_text_identity(buf, 't', value->n, NULL))
		return false;
	for (size_t i = 0; i < value->n; i++)
		if (!add_identity(buf, value->items[i]))
			return false;
	return true;
}

struct key {
	const char *identity;
	size_t len;
	size_t index; /* which item, or which pair */
};

static int compare_identity(const struct key *a, const struct key *b)
{
	int order = memcmp(a->identity, b->identity, a->len < b->len ? a->len : b->len);

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a;
	const struct key *y = b;
	int order = compare_identity(x, y);

	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/*
 * One more of what first is: it goes, but its value, in a dictionary, takes the place of the first
 * one's.
 */
static void drop_item(struct tds_value *value, size_t first, size_t index)
{
	struct tds_value **items = value->items;

	if (value->type == TDS_VALUE_DICT) {
		struct tds_value *old = items[2 * first + 1];

		items[2 * first + 1] = items[2 * index + 1];
		items[2 * index + 1] = old;
		tds_value_free(items[2 * index]);
		tds_value_free(items[2 * index + 1]);
		items[2 * index] = items[2 * index + 1] = NULL;
	} else {
		tds_value_free(items[index]);
		items[index] = NULL;
	}
}

static void close_gaps(struct tds_value *value)
{
	size_t all = count_items(value);
	size_t left = 0;

	for (size_t i = 0; i < all; i++)
		if (value->items[i])
			value->items[left++] = value->items[i];
	value->n = value->type == TDS_VALUE_DICT ? left / 2 : left;
}

/* Sorted, not hashed: no choice of keys makes it slow, and no secret is needed. */
int tds_value_unique(struct tds_value *value, struct tds_err *err)
{
	size_t stride = value->type == TDS_VALUE_DICT ? 2 : 1;
	tds_auto(buf) struct tds_buf buf = { 0 };

	if (value->n < 2)
		return 0;
	tds_autofree struct key *keys = calloc(value->n, sizeof(*keys));
	if (!keys)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < value->n; i++) {
		size_t at = buf.len;

		if (!add_identity(&buf, value->items[stride * i]))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		keys[i] = (struct key){ .len = buf.len - at, .index = i };
	}
	for (size_t i = 0, at = 0; i < value->n; at += keys[i++].len)
		keys[i].identity = buf.data + at;
	qsort(keys, value->n, sizeof(*keys), compare_keys);
	for (size_t i = 1, first = 0; i < value->n; i++) {
		if (compare_identity(&keys[first], &keys[i]) == 0)
			drop_item(value, keys[first].index, keys[i].index);
		else
			first = i;
	}
	close_gaps(value);
	return 0;
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
		[TDS_VALUE_SET] = "set",         [TDS_VALUE_DICT] = "dict",
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
