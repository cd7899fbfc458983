/* SPDX-License-Identifier: MIT */
/* Indices, keys, slices and items. */
#include "eval_index.h"

#include <limits.h>

#include "base/mem.h"
#include "eval_set.h"
#include "literal.h"
#include "repr.h"
#include "unicode.h"

/* How many items an index may choose from; -1: it has none. */
static long long length(const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_STR:
		return (long long)tds_unicode_count(value->text, value->len);
	case TDS_VALUE_BYTES:
		return (long long)value->len;
	case TDS_VALUE_LIST:
	case TDS_VALUE_TUPLE:
		return (long long)value->n;
	default:
		return -1;
	}
}

static int no_key(struct tds_eval *e, const struct tds_value *key)
{
	tds_auto(buf) struct tds_buf text = { 0 };

	if (!tds_repr_add(&text, key, TDS_REPR_REPR))
		return tds_eval_no_memory(e);
	return TDS_EVAL_REFUSE(e, "the dictionary has no key %.100s", text.data);
}

static int get_key(struct tds_eval *e, const struct tds_value *dict, const struct tds_value *key,
		   struct tds_value **item)
{
	size_t index;
	int rc = tds_set_find_key(e, dict, key, &index);

	if (rc != 0)
		return rc;
	if (index == dict->n)
		return no_key(e, key);
	return tds_eval_copy(e, dict->items[2 * index + 1], item);
}

/* One character of a text, by where it begins. */
static int get_character(struct tds_eval *e, const char *at, struct tds_value **item)
{
	size_t len;

	(void)tds_unicode_at(at, &len);
	return tds_eval_make_str(e, at, len, item);
}

static int get_at(struct tds_eval *e, const struct tds_value *value, size_t i,
		  struct tds_value **item)
{
	int rc = tds_eval_pay_bytes(e, value->len);

	if (rc != 0)
		return rc;
	switch (value->type) {
	case TDS_VALUE_STR:
		return get_character(
			e, value->text + tds_unicode_offset(value->text, value->len, i), item);
	case TDS_VALUE_BYTES:
		return tds_eval_make_int(e, (unsigned char)value->text[i], item);
	default:
		return tds_eval_copy(e, value->items[i], item);
	}
}

int tds_index_get(struct tds_eval *e, const struct tds_value *value, const struct tds_value *index,
		  struct tds_value **item)
{
	long long n = length(value);
	long long i;

	*item = NULL;
	if (value->type == TDS_VALUE_DICT)
		return get_key(e, value, index, item);
	if (n < 0)
		return TDS_EVAL_REFUSE(e, "a %s has no items to choose from",
				       tds_value_type_name(value));
	if (!tds_eval_is_int(index))
		return TDS_EVAL_REFUSE(e, "an index is an int, not %s", tds_value_type_name(index));
	(void)tds_eval_int(index, &i);
	if (i < 0)
		i += n;
	if (i < 0 || i >= n)
		return TDS_EVAL_REFUSE(e, "the index is beyond the %lld items", n);
	return get_at(e, value, (size_t)i, item);
}

/* One bound of a slice: absent where it is left out. */
static int bound(struct tds_eval *e, const struct tds_value *value, long long absent,
		 long long *number)
{
	*number = absent;
	if (!value || value->type == TDS_VALUE_NONE)
		return 0;
	if (!tds_eval_is_int(value))
		return TDS_EVAL_REFUSE(e, "a bound of a slice is an int, not %s",
				       tds_value_type_name(value));
	(void)tds_eval_int(value, number);
	return 0;
}

/* Which items a slice takes: from begin on, each step-th, so many. */
struct range {
	long long begin;
	long long step;
	size_t count;
};

static long long clamp(long long i, long long n, bool forward)
{
	long long least = forward ? 0 : -1;

	if (i < 0)
		i += n;
	return i < least ? least : i >= n ? (forward ? n : n - 1) : i;
}

static int find_range(struct tds_eval *e, const struct tds_value *const bounds[3], long long n,
		      struct range *range)
{
	long long end;
	long long begin;
	int rc = bound(e, bounds[2], 1, &range->step);

	if (rc == 0 && range->step == 0)
		return TDS_EVAL_REFUSE(e, "the step of a slice is 0");
	if (range->step < -LLONG_MAX)
		range->step = -LLONG_MAX;
	bool forward = range->step > 0;
	bool open = !bounds[1] || bounds[1]->type == TDS_VALUE_NONE;
	if (rc == 0)
		rc = bound(e, bounds[0], forward ? 0 : LLONG_MAX, &begin);
	if (rc == 0)
		rc = bound(e, bounds[1], 0, &end);
	if (rc != 0)
		return rc;
	begin = clamp(begin, n, forward);
	end = open ? (forward ? n : -1) : clamp(end, n, forward);
	range->begin = begin;
	long long span = forward ? end - begin : begin - end;
	long long step = forward ? range->step : -range->step;
	range->count = span > 0 ? (size_t)((span - 1) / step + 1) : 0;
	return 0;
}

/* Where each character of a text begins, and its end; caller frees. NULL: out of memory. */
static size_t *offsets_of(const struct tds_value *text, size_t n)
{
	size_t *offsets = reallocarray(NULL, n + 1, sizeof(size_t));
	size_t len = 1;

	for (size_t i = 0, at = 0; offsets && i <= n; i++, at += len) {
		offsets[i] = at;
		if (text->type == TDS_VALUE_STR && i < n)
			(void)tds_unicode_at(text->text + at, &len);
	}
	return offsets;
}

static int slice_text(struct tds_eval *e, const struct tds_value *value, const struct range *range,
		      struct tds_value **slice)
{
	tds_auto(buf) struct tds_buf buf = { 0 };
	tds_autofree size_t *offsets = NULL;
	int rc = tds_eval_pay_bytes(e, 4 * value->len);

	if (rc == 0 && !(offsets = offsets_of(value, (size_t)length(value))))
		rc = tds_eval_no_memory(e);
	for (size_t i = 0; rc == 0 && i < range->count; i++) {
		const size_t *at = offsets + range->begin + (long long)i * range->step;

		rc = tds_eval_add(e, &buf, value->text + at[0], at[1] - at[0]);
	}
	return rc == 0 ? tds_eval_make_text(e, value->type, &buf, slice) : rc;
}

int tds_index_slice(struct tds_eval *e, const struct tds_value *value,
		    const struct tds_value *const bounds[3], struct tds_value **slice)
{
	long long n = length(value);
	struct range range;

	*slice = NULL;
	if (n < 0)
		return TDS_EVAL_REFUSE(e, "a %s has no slices", tds_value_type_name(value));
	int rc = find_range(e, bounds, n, &range);
	if (rc != 0)
		return rc;
	if (value->text)
		return slice_text(e, value, &range, slice);
	rc = tds_eval_make(e, value->type, slice);
	for (size_t i = 0; rc == 0 && i < range.count; i++) {
		struct tds_value *item = NULL;

		rc = tds_eval_copy(e, value->items[range.begin + (long long)i * range.step], &item);
		if (rc == 0)
			rc = tds_eval_append(e, *slice, item);
	}
	return rc;
}

/* The characters, or bytes, of a text. */
static int add_characters(struct tds_eval *e, const struct tds_value *text, struct tds_value *list)
{
	int rc = 0;

	for (size_t i = 0, len = 1; rc == 0 && i < text->len; i += len) {
		struct tds_value *item = NULL;

		if (text->type == TDS_VALUE_STR)
			(void)tds_unicode_at(text->text + i, &len);
		rc = text->type == TDS_VALUE_STR
			     ? tds_eval_make_str(e, text->text + i, len, &item)
			     : tds_eval_make_int(e, (unsigned char)text->text[i], &item);
		if (rc == 0)
			rc = tds_eval_append(e, list, item);
	}
	return rc;
}

static int add_items(struct tds_eval *e, const struct tds_value *value, struct tds_value *list)
{
	size_t stride = value->type == TDS_VALUE_DICT ? 2 : 1;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < value->n; i++) {
		struct tds_value *item = NULL;

		rc = tds_eval_copy(e, value->items[stride * i], &item);
		if (rc == 0)
			rc = tds_eval_append(e, list, item);
	}
	return rc;
}

int tds_index_items(struct tds_eval *e, const struct tds_value *value, bool ordered,
		    struct tds_value **list)
{
	bool text = value->type == TDS_VALUE_STR || value->type == TDS_VALUE_BYTES;

	*list = NULL;
	if (!text && value->type < TDS_VALUE_LIST)
		return TDS_EVAL_REFUSE(e, "a %s has no items", tds_value_type_name(value));
	if (ordered && tds_set_is(value) && value->n > 1)
		return TDS_EVAL_REFUSE(e, "the items of a set in a row: it has no order");
	int rc = tds_eval_make(e, TDS_VALUE_LIST, list);
	if (rc != 0)
		return rc;
	return text ? add_characters(e, value, *list) : add_items(e, value, *list);
}
