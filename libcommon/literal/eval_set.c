/* SPDX-License-Identifier: MIT */
/* Sets and dictionaries: found by the identities of values, so equal is what Python holds equal. */
#include "eval_set.h"

#include <string.h>

#include "base/mem.h"

int tds_set_find(struct tds_eval *e, struct tds_value *const *items, size_t n, size_t stride,
		 const struct tds_value *wanted, size_t *index)
{
	tds_auto(buf) struct tds_buf mine = { 0 };
	tds_auto(buf) struct tds_buf other = { 0 };
	int rc = tds_eval_pay_value(e, wanted);

	*index = n;
	if (rc != 0 || tds_value_has_nan(wanted))
		return rc;
	if (!tds_value_identity(&mine, wanted))
		return tds_eval_no_memory(e);
	for (size_t i = 0; rc == 0 && i < n && *index == n; i++) {
		const struct tds_value *item = items[stride * i];

		rc = tds_eval_pay_value(e, item);
		other.len = 0;
		if (rc == 0 && !tds_value_identity(&other, item))
			rc = tds_eval_no_memory(e);
		if (rc == 0 && other.len == mine.len &&
		    memcmp(other.data, mine.data, mine.len) == 0)
			*index = i;
	}
	return rc;
}

int tds_set_find_key(struct tds_eval *e, const struct tds_value *dict, const struct tds_value *key,
		     size_t *index)
{
	const struct tds_value *culprit = tds_value_unhashable(key);

	if (culprit)
		return TDS_EVAL_REFUSE(e, "a %s cannot be a key of a dictionary",
				       tds_value_type_name(culprit));
	return tds_set_find(e, dict->items, dict->n, 2, key, index);
}

bool tds_set_takes(enum tds_operator_type type, const struct tds_value *a,
		   const struct tds_value *b)
{
	if (a->type == TDS_VALUE_DICT)
		return type == TDS_OP_OR && b->type == TDS_VALUE_DICT;
	return tds_set_is(a) && tds_set_is(b) &&
	       (type == TDS_OP_OR || type == TDS_OP_AND || type == TDS_OP_XOR ||
		type == TDS_OP_SUB);
}

/* Both together: what right holds is moved, and of equal ones one stays. */
static int unite(struct tds_eval *e, struct tds_value *left, struct tds_value *right)
{
	int rc = tds_eval_pay(e, 2 * (left->n + right->n));

	if (rc == 0 && !tds_value_append(left, right))
		rc = tds_eval_no_memory(e);
	return rc == 0 ? tds_value_unique(left, e->err) : rc;
}

/* Of a's items those stay that are, or are not, in b, which is as it was. */
static int filter(struct tds_eval *e, struct tds_value *a, const struct tds_value *b, bool in)
{
	size_t left = 0;
	int rc = 0;

	for (size_t i = 0; i < a->n; i++) {
		size_t found = b->n;

		if (rc == 0)
			rc = tds_set_find(e, b->items, b->n, 1, a->items[i], &found);
		if (rc != 0 || (found < b->n) == in)
			a->items[left++] = a->items[i];
		else
			tds_value_free(a->items[i]);
	}
	a->n = left;
	return rc;
}

/* What is in both: as in Python, of two equal ones that of the smaller set, or else the right one's, is taken. */
static int intersect(struct tds_eval *e, struct tds_value *left, struct tds_value *right)
{
	if (right->n > left->n)
		return filter(e, left, right, true);
	int rc = filter(e, right, left, true);
	struct tds_value **items = left->items;
	size_t n = left->n;
	size_t room = left->room;
	left->items = right->items;
	left->n = right->n;
	left->room = right->room;
	right->items = items;
	right->n = n;
	right->room = room;
	return rc;
}

/* What is in one of the two alone. */
static int differ(struct tds_eval *e, struct tds_value *a, struct tds_value *b)
{
	tds_auto(value) struct tds_value *first = NULL;
	int rc = tds_eval_copy(e, a, &first);

	if (rc == 0)
		rc = filter(e, a, b, false);
	if (rc == 0)
		rc = filter(e, b, first, false);
	return rc == 0 ? unite(e, a, b) : rc;
}

int tds_set_compute(struct tds_eval *e, enum tds_operator_type type, struct tds_value **left,
		    struct tds_value *right)
{
	switch (type) {
	case TDS_OP_OR:
		return unite(e, *left, right);
	case TDS_OP_XOR:
		return differ(e, *left, right);
	case TDS_OP_AND:
		return intersect(e, *left, right);
	default:
		return filter(e, *left, right, false);
	}
}

int tds_set_within(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
		   bool *within)
{
	int rc = 0;

	*within = true;
	for (size_t i = 0; rc == 0 && *within && i < a->n; i++) {
		size_t found;

		rc = tds_set_find(e, b->items, b->n, 1, a->items[i], &found);
		*within = found < b->n;
	}
	return rc;
}
