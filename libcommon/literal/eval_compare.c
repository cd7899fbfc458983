/* SPDX-License-Identifier: MIT */
/* Operators that compare, and in. */
#include <string.h>

#include "base/mem.h"
#include "eval_number.h"
#include "eval_operator.h"
#include "eval_set.h"

static int equal(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
		 bool *result)
{
	int rc = tds_eval_pay_value(e, a);

	if (rc == 0)
		rc = tds_eval_pay_value(e, b);
	return rc == 0 ? tds_value_equal(a, b, result, e->err) : rc;
}

/* What an order, less than 0, 0 or more, makes of an operator. */
static bool holds(enum tds_operator_type type, int order)
{
	switch (type) {
	case TDS_OP_LT:
		return order < 0;
	case TDS_OP_LE:
		return order <= 0;
	case TDS_OP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static int compare_sets(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			const struct tds_value *b, bool *result)
{
	bool turned = type == TDS_OP_GT || type == TDS_OP_GE;
	bool proper = type == TDS_OP_LT || type == TDS_OP_GT;
	int rc = tds_set_within(e, turned ? b : a, turned ? a : b, result);

	*result = *result && !(proper && a->n == b->n);
	return rc;
}

static int compare_texts(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
			 int *order)
{
	size_t common = a->len < b->len ? a->len : b->len;
	int rc = tds_eval_pay_bytes(e, common);

	*order = rc == 0 ? memcmp(a->text, b->text, common) : 0;
	if (*order == 0)
		*order = (a->len > b->len) - (a->len < b->len);
	return rc;
}

/* The first items that are not equal decide; where there are none, the lengths. */
static int compare_rows(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			const struct tds_value *b, bool *result)
{
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		bool same;
		int rc = equal(e, a->items[i], b->items[i], &same);

		if (rc != 0)
			return rc;
		if (!same)
			return tds_operator_compare(e, type, a->items[i], b->items[i], result);
	}
	*result = holds(type, (a->n > b->n) - (a->n < b->n));
	return 0;
}

static int compare_order(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			 const struct tds_value *b, bool *result)
{
	int order = 0;
	int rc = 0;

	if (tds_number_is(a) && tds_number_is(b) && a->type != TDS_VALUE_COMPLEX &&
	    b->type != TDS_VALUE_COMPLEX) {
		*result = tds_number_compare(a, b, &order) && holds(type, order);
		return tds_eval_pay(e, 1);
	}
	if (tds_set_is(a) && tds_set_is(b))
		return compare_sets(e, type, a, b, result);
	if (a->type != b->type)
		return tds_eval_not_allowed(e, type, a, b);
	switch (a->type) {
	case TDS_VALUE_STR:
	case TDS_VALUE_BYTES:
		rc = compare_texts(e, a, b, &order);
		*result = holds(type, order);
		return rc;
	case TDS_VALUE_LIST:
	case TDS_VALUE_TUPLE:
		return compare_rows(e, type, a, b, result);
	default:
		return tds_eval_not_allowed(e, type, a, b);
	}
}

/* A text in a text, or the number of a byte in bytes. */
static int in_text(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
		   bool *result)
{
	long long byte;
	int rc = tds_eval_pay_bytes(e, a->len + b->len);

	if (rc != 0)
		return rc;
	if (a->type == b->type) {
		*result = a->len == 0 || memmem(b->text, b->len, a->text, a->len);
		return 0;
	}
	if (b->type == TDS_VALUE_STR || !tds_eval_is_int(a))
		return tds_eval_not_allowed(e, TDS_OP_IN, a, b);
	if (!tds_eval_int(a, &byte) || byte < 0 || byte > 255)
		return TDS_EVAL_REFUSE(e, "a byte is a number from 0 to 255");
	*result = memchr(b->text, (int)byte, b->len) != NULL;
	return 0;
}

static int contains(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
		    bool *result)
{
	bool hashed = b->type == TDS_VALUE_DICT || tds_set_is(b);
	const struct tds_value *culprit = hashed ? tds_value_unhashable(a) : NULL;
	size_t index;
	int rc;

	if (b->type == TDS_VALUE_STR || b->type == TDS_VALUE_BYTES)
		return in_text(e, a, b, result);
	if (b->type < TDS_VALUE_LIST)
		return tds_eval_not_allowed(e, TDS_OP_IN, a, b);
	if (culprit && !(culprit == a && a->type == TDS_VALUE_SET && tds_set_is(b)))
		return TDS_EVAL_REFUSE(e, "a %s cannot be in a %s", tds_value_type_name(culprit),
				       tds_value_type_name(b));
	rc = tds_set_find(e, b->items, b->n, b->type == TDS_VALUE_DICT ? 2 : 1, a, &index);
	*result = index < b->n;
	return rc;
}

int tds_operator_compare(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			 const struct tds_value *b, bool *result)
{
	int rc;

	*result = false;
	switch (type) {
	case TDS_OP_EQ:
	case TDS_OP_NE:
		rc = equal(e, a, b, result);
		*result ^= type == TDS_OP_NE;
		return rc;
	case TDS_OP_IN:
	case TDS_OP_NOT_IN:
		rc = contains(e, a, b, result);
		*result ^= type == TDS_OP_NOT_IN;
		return rc;
	default:
		return compare_order(e, type, a, b, result);
	}
}
