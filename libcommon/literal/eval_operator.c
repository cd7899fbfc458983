/* SPDX-License-Identifier: MIT */
/* Operators that compute: of numbers, and sums, multiples and formats of what is none. */
#include "eval_operator.h"

#include <string.h>

#include "base/mem.h"
#include "eval_number.h"
#include "eval_set.h"
#include "format.h"
#include "literal.h"

static bool is_sequence(const struct tds_value *value)
{
	return tds_eval_is_text(value->type) || value->type == TDS_VALUE_LIST ||
	       value->type == TDS_VALUE_TUPLE;
}

/* Two texts, lists or tuples. What the right one holds is moved: a chain costs no more than its result. */
static int join(struct tds_eval *e, struct tds_value *left, struct tds_value *right)
{
	int rc = tds_eval_pay(e, 1 + right->n + right->len / TDS_EVAL_STEP_BYTES);

	if (rc == 0 && left->len + right->len > TDS_LITERAL_MAX_TEXT)
		rc = TDS_EVAL_REFUSE(e, "the text gets longer than %d bytes", TDS_LITERAL_MAX_TEXT);
	if (rc == 0 && !tds_value_append(left, right))
		rc = tds_eval_no_memory(e);
	return rc;
}

/* So many copies of the items at the beginning are added at the end. */
static int repeat_items(struct tds_eval *e, struct tds_value *value, size_t count)
{
	size_t n = value->n;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n * count; i++) {
		struct tds_value *item = NULL;

		rc = tds_eval_copy(e, value->items[i], &item);
		if (rc == 0)
			rc = tds_eval_append(e, value, item);
	}
	return rc;
}

static int repeat(struct tds_eval *e, struct tds_value **left, const struct tds_value *times)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	struct tds_value *value = *left;
	enum tds_value_type type = value->type;
	long long count;

	if (!tds_eval_int(times, &count))
		return TDS_EVAL_REFUSE(e, "'*' by an int of more than 64 bits");
	if (count <= 0 || (value->n == 0 && value->len == 0)) {
		tds_value_free(value);
		*left = NULL;
		return tds_eval_is_text(type) ? tds_eval_make_text(e, type, &text, left)
					      : tds_eval_make(e, type, left);
	}
	if (!tds_eval_is_text(type)) {
		if ((size_t)count > TDS_LITERAL_MAX_STEPS)
			return tds_eval_pay(e, TDS_LITERAL_MAX_STEPS + 1);
		return repeat_items(e, value, (size_t)count - 1);
	}
	int rc = tds_eval_add_fill(e, &text, value->text, value->len, (size_t)count);
	if (rc != 0)
		return rc;
	tds_value_free(value);
	*left = NULL;
	return tds_eval_make_text(e, type, &text, left);
}

static int format(struct tds_eval *e, struct tds_value **left, const struct tds_value *right)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc = tds_format_percent(e, *left, right, &text);

	if (rc != 0)
		return rc;
	tds_value_free(*left);
	*left = NULL;
	return tds_eval_make_text(e, TDS_VALUE_STR, &text, left);
}

static int compute_numbers(struct tds_eval *e, enum tds_operator_type type, struct tds_value **left,
			   const struct tds_value *right)
{
	struct tds_value *result;
	int rc = tds_number_compute(e, type, *left, right, &result);

	if (rc != 0)
		return rc;
	tds_value_free(*left);
	*left = result;
	return 0;
}

int tds_operator_compute(struct tds_eval *e, enum tds_operator_type type, struct tds_value **left,
			 struct tds_value *right)
{
	const struct tds_value *a = *left;

	if (type == TDS_OP_MOD && a->type == TDS_VALUE_STR)
		return format(e, left, right);
	if (tds_number_is(a) && tds_number_is(right))
		return compute_numbers(e, type, left, right);
	if (type == TDS_OP_ADD && a->type == right->type && is_sequence(a))
		return join(e, *left, right);
	if (type == TDS_OP_MUL && is_sequence(a) && tds_eval_is_int(right))
		return repeat(e, left, right);
	if (type == TDS_OP_MUL && tds_eval_is_int(a) && is_sequence(right)) {
		tds_auto(value) struct tds_value *times = *left;
		int rc;

		/* The copy is not paid for: it is of what was there, and takes its place. */
		*left = tds_value_copy(right);
		rc = *left ? 0 : tds_eval_no_memory(e);
		return rc == 0 ? repeat(e, left, times) : rc;
	}
	if (tds_set_takes(type, a, right))
		return tds_set_compute(e, type, left, right);
	return tds_eval_not_allowed(e, type, a, right);
}
