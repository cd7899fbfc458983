/* SPDX-License-Identifier: MIT */
/* What evaluation costs, and the values that it makes. */
#include "eval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "literal.h"

int tds_eval_not_allowed(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			 const struct tds_value *b)
{
	return TDS_EVAL_REFUSE(e, "'%s' of %s and %s is not allowed", tds_operator_text(type),
			       tds_value_type_name(a), tds_value_type_name(b));
}

int tds_eval_pay(struct tds_eval *e, size_t steps)
{
	if (steps > e->steps)
		return TDS_EVAL_REFUSE(e, "more than %d steps of evaluation",
				       TDS_LITERAL_MAX_STEPS);
	e->steps -= steps;
	return 0;
}

int tds_eval_pay_bytes(struct tds_eval *e, size_t bytes)
{
	return tds_eval_pay(e, bytes / TDS_EVAL_STEP_BYTES);
}

static size_t price(const struct tds_value *value)
{
	size_t sum = 1 + value->len / TDS_EVAL_STEP_BYTES;

	for (size_t i = 0; i < tds_value_items(value); i++)
		sum += price(value->items[i]);
	return sum;
}

int tds_eval_pay_value(struct tds_eval *e, const struct tds_value *value)
{
	return tds_eval_pay(e, price(value));
}

int tds_eval_add_fill(struct tds_eval *e, struct tds_buf *buf, const char *fill, size_t len,
		      size_t count)
{
	if (count > 0 && len > (TDS_LITERAL_MAX_TEXT - buf->len) / count)
		return TDS_EVAL_REFUSE(e, "the text gets longer than %d bytes",
				       TDS_LITERAL_MAX_TEXT);
	int rc = tds_eval_pay_bytes(e, len * count);
	if (rc == 0 && !tds_buf_add(buf, "", 0))
		rc = tds_eval_no_memory(e);
	for (; rc == 0 && count > 0; count--)
		if (!tds_buf_add(buf, fill, len))
			rc = tds_eval_no_memory(e);
	return rc;
}

int tds_eval_add(struct tds_eval *e, struct tds_buf *buf, const void *text, size_t len)
{
	return tds_eval_add_fill(e, buf, text, len, 1);
}

int tds_eval_make(struct tds_eval *e, enum tds_value_type type, struct tds_value **value)
{
	*value = NULL;
	int rc = tds_eval_pay(e, 1);
	if (rc != 0)
		return rc;
	*value = tds_value_new(type, 0, 0);
	return *value ? 0 : tds_eval_no_memory(e);
}

int tds_eval_make_bool(struct tds_eval *e, bool boolean, struct tds_value **value)
{
	int rc = tds_eval_make(e, TDS_VALUE_BOOL, value);

	if (rc == 0)
		(*value)->boolean = boolean;
	return rc;
}

int tds_eval_make_float(struct tds_eval *e, double real, struct tds_value **value)
{
	int rc = tds_eval_make(e, TDS_VALUE_FLOAT, value);

	if (rc == 0)
		(*value)->real = real;
	return rc;
}

static int make_filled(struct tds_eval *e, enum tds_value_type type, const char *text, size_t len,
		       struct tds_value **value)
{
	int rc = tds_eval_make(e, type, value);

	if (rc != 0 || tds_value_set_text(*value, text, len))
		return rc;
	tds_value_free(*value);
	*value = NULL;
	return tds_eval_no_memory(e);
}

int tds_eval_make_int(struct tds_eval *e, long long number, struct tds_value **value)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", number);

	return make_filled(e, TDS_VALUE_INT, text, (size_t)len, value);
}

int tds_eval_make_str(struct tds_eval *e, const char *text, size_t len, struct tds_value **value)
{
	int rc = tds_eval_pay_bytes(e, len);

	*value = NULL;
	return rc == 0 ? make_filled(e, TDS_VALUE_STR, text, len, value) : rc;
}

int tds_eval_make_text(struct tds_eval *e, enum tds_value_type type, struct tds_buf *buf,
		       struct tds_value **value)
{
	int rc = tds_eval_make(e, type, value);

	if (rc != 0)
		return rc;
	if (!buf->data)
		return tds_value_set_text(*value, "", 0) ? 0 : tds_eval_no_memory(e);
	(*value)->len = buf->len;
	(*value)->text = tds_steal(&buf->data);
	*buf = (struct tds_buf){ 0 };
	return 0;
}

int tds_eval_copy(struct tds_eval *e, const struct tds_value *value, struct tds_value **copy)
{
	int rc = tds_eval_pay_value(e, value);

	*copy = rc == 0 ? tds_value_copy(value) : NULL;
	return rc == 0 && !*copy ? tds_eval_no_memory(e) : rc;
}

int tds_eval_append(struct tds_eval *e, struct tds_value *into, struct tds_value *item)
{
	if (tds_value_add(into, item))
		return 0;
	tds_value_free(item);
	return tds_eval_no_memory(e);
}

static int check_key(struct tds_eval *e, const struct tds_value *key, bool dict)
{
	const char *where = dict ? "a key of a dictionary" : "in a set";
	const struct tds_value *culprit = tds_value_unhashable(key);

	if (culprit)
		return tds_err_at(e->err, TDS_E_SYNTAX, culprit->line, culprit->column,
				  "a %s cannot be %s", tds_value_type_name(culprit), where);
	if (tds_value_has_nan(key))
		return TDS_EVAL_REFUSE(e, "a nan, which equals nothing, cannot be %s", where);
	return 0;
}

int tds_eval_unique(struct tds_eval *e, struct tds_value *value)
{
	bool dict = value->type == TDS_VALUE_DICT;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < value->n; i++)
		rc = check_key(e, value->items[dict ? 2 * i : i], dict);
	return rc == 0 ? tds_value_unique(value, e->err) : rc;
}

bool tds_eval_int(const struct tds_value *value, long long *number)
{
	errno = 0;
	*number = strtoll(tds_eval_int_text(value), NULL, 10);
	return errno == 0;
}

bool tds_eval_truth(const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_NONE:
		return false;
	case TDS_VALUE_BOOL:
		return value->boolean;
	case TDS_VALUE_INT:
		return strcmp(value->text, "0") != 0;
	case TDS_VALUE_FLOAT:
	case TDS_VALUE_COMPLEX:
		return value->real != 0 || value->imag != 0;
	case TDS_VALUE_STR:
	case TDS_VALUE_BYTES:
		return value->len > 0;
	case TDS_VALUE_ELLIPSIS:
		return true;
	default:
		return value->n > 0;
	}
}
