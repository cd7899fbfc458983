/* SPDX-License-Identifier: MIT */
/* Which values are equal: each has an identity, bytes that only equal ones share. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "value.h"

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

static bool add_identity(struct tds_buf *buf, const struct tds_value *value);

static bool add_row_identity(struct tds_buf *buf, const struct tds_value *value)
{
	if (!add_text_identity(buf, value->type == TDS_VALUE_LIST ? 'l' : 't', value->n, NULL))
		return false;
	for (size_t i = 0; i < value->n; i++)
		if (!add_identity(buf, value->items[i]))
			return false;
	return true;
}

/*
 * The keys of a container, sorted, with their identities in buf; width 2: of a dictionary each with its value. Caller
 * frees; NULL: out of memory.
 */
static struct key *find_keys(const struct tds_value *value, size_t width, struct tds_buf *buf)
{
	size_t stride = value->type == TDS_VALUE_DICT ? 2 : 1;
	tds_autofree struct key *keys = calloc(value->n + 1, sizeof(*keys));

	if (!keys)
		return NULL;
	for (size_t i = 0; i < value->n; i++) {
		size_t at = buf->len;

		for (size_t j = 0; j < width; j++)
			if (!add_identity(buf, value->items[stride * i + j]))
				return NULL;
		keys[i] = (struct key){ .len = buf->len - at, .index = i };
	}
	for (size_t i = 0, at = 0; i < value->n; at += keys[i++].len)
		keys[i].identity = buf->data + at;
	if (value->n > 0)
		qsort(keys, value->n, sizeof(*keys), compare_keys);
	return tds_steal(&keys);
}

/* Sets and dictionaries, which are equal in any order; a set and a frozenset may be too. */
static bool add_bag_identity(struct tds_buf *buf, const struct tds_value *value)
{
	bool dict = value->type == TDS_VALUE_DICT;
	tds_auto(buf) struct tds_buf parts = { 0 };
	tds_autofree struct key *keys = find_keys(value, dict ? 2 : 1, &parts);

	if (!keys || !add_text_identity(buf, dict ? 'd' : 'u', value->n, NULL))
		return false;
	for (size_t i = 0; i < value->n; i++)
		if (!tds_buf_add(buf, keys[i].identity, keys[i].len))
			return false;
	return true;
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
	case TDS_VALUE_LIST:
	case TDS_VALUE_TUPLE:
		return add_row_identity(buf, value);
	default:
		return add_bag_identity(buf, value);
	}
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
	size_t all = tds_value_items(value);
	size_t left = 0;

	for (size_t i = 0; i < all; i++)
		if (value->items[i])
			value->items[left++] = value->items[i];
	value->n = value->type == TDS_VALUE_DICT ? left / 2 : left;
}

/* Sorted, not hashed: no choice of keys makes it slow, and no secret is needed. */
int tds_value_unique(struct tds_value *value, struct tds_err *err)
{
	tds_auto(buf) struct tds_buf buf = { 0 };

	if (value->n < 2)
		return 0;
	tds_autofree struct key *keys = find_keys(value, 1, &buf);
	if (!keys)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 1, first = 0; i < value->n; i++) {
		if (compare_identity(&keys[first], &keys[i]) == 0)
			drop_item(value, keys[first].index, keys[i].index);
		else
			first = i;
	}
	close_gaps(value);
	return 0;
}

bool tds_value_identity(struct tds_buf *buf, const struct tds_value *value)
{
	return add_identity(buf, value);
}

static bool is_nan(const struct tds_value *value)
{
	return isnan(value->real) || isnan(value->imag);
}

const struct tds_value *tds_value_unwritable(const struct tds_value *value)
{
	if (value->type == TDS_VALUE_FROZENSET || is_nan(value))
		return value;
	for (size_t i = 0; i < tds_value_items(value); i++) {
		const struct tds_value *culprit = tds_value_unwritable(value->items[i]);

		if (culprit)
			return culprit;
	}
	return NULL;
}

bool tds_value_has_nan(const struct tds_value *value)
{
	if (is_nan(value))
		return true;
	for (size_t i = 0; i < tds_value_items(value); i++)
		if (tds_value_has_nan(value->items[i]))
			return true;
	return false;
}

int tds_value_equal(const struct tds_value *a, const struct tds_value *b, bool *equal,
		    struct tds_err *err)
{
	tds_auto(buf) struct tds_buf x = { 0 };
	tds_auto(buf) struct tds_buf y = { 0 };

	if (!add_identity(&x, a) || !add_identity(&y, b))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	*equal = x.len == y.len && memcmp(x.data, y.data, x.len) == 0 && !tds_value_has_nan(a);
	return 0;
}
