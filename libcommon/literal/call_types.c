/* SPDX-License-Identifier: MIT */
/* The functions that make values of a type, len, min and max. */
#include <string.h>

#include "base/mem.h"
#include "call.h"
#include "eval_index.h"
#include "eval_number.h"
#include "eval_operator.h"
#include "unicode.h"

#define ARGUMENT(call, i) ((call)->arguments.v[i])
#define REFUSE(call, ...) TDS_EVAL_REFUSE((call)->e, __VA_ARGS__)

static int call_int(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *value = ARGUMENT(call, 0);
	const struct tds_value *base = ARGUMENT(call, 1);
	long long number = 10;

	if (!value)
		return base ? REFUSE(call, "int needs a text with its base")
			    : tds_eval_make_int(call->e, 0, result);
	if (base && (!tds_eval_is_text(value->type) || !tds_eval_is_int(base)))
		return REFUSE(call, "int takes a text and the number of its base");
	if (base && (!tds_eval_int(base, &number) || number < 0 || number == 1 || number > 36))
		return REFUSE(call, "the base of an int is 0, or from 2 to 36");
	if (tds_eval_is_text(value->type))
		return tds_call_read_int(call->e, value, (unsigned)number, result);
	if (value->type == TDS_VALUE_FLOAT)
		return tds_number_truncate(call->e, value->real, result);
	if (!tds_eval_is_int(value))
		return REFUSE(call, "int of a %s is not allowed", tds_value_type_name(value));
	return tds_number_sign(call->e, TDS_OP_ADD, value, result);
}

static int call_float(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *value = ARGUMENT(call, 0);
	double number = 0;
	int rc = 0;

	if (value && tds_eval_is_text(value->type))
		return tds_call_read_float(call->e, value, result);
	if (value && value->type != TDS_VALUE_FLOAT && !tds_eval_is_int(value))
		return REFUSE(call, "float of a %s is not allowed", tds_value_type_name(value));
	if (value)
		rc = tds_number_float(call->e, value, &number);
	return rc == 0 ? tds_eval_make_float(call->e, number, result) : rc;
}

static int call_str(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc = ARGUMENT(call, 0) ? tds_format_text(call->e, 's', ARGUMENT(call, 0), &text) : 0;

	return rc == 0 ? tds_eval_make_text(call->e, TDS_VALUE_STR, &text, result) : rc;
}

static int call_bool(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *value = ARGUMENT(call, 0);

	return tds_eval_make_bool(call->e, value && tds_eval_truth(value), result);
}

/* The items of the argument, if there is one, as a container of a type. */
static int make_row(const struct tds_call *call, enum tds_value_type type, bool ordered,
		    struct tds_value **result)
{
	if (!ARGUMENT(call, 0))
		return tds_eval_make(call->e, type, result);
	int rc = tds_index_items(call->e, ARGUMENT(call, 0), ordered, result);
	if (rc == 0)
		(*result)->type = type;
	return rc;
}

static int call_list(const struct tds_call *call, struct tds_value **result)
{
	return make_row(call, TDS_VALUE_LIST, true, result);
}

static int call_tuple(const struct tds_call *call, struct tds_value **result)
{
	return make_row(call, TDS_VALUE_TUPLE, true, result);
}

static int call_set(const struct tds_call *call, struct tds_value **result)
{
	int rc = make_row(call, TDS_VALUE_SET, false, result);

	return rc == 0 ? tds_eval_unique(call->e, *result) : rc;
}

static int call_frozenset(const struct tds_call *call, struct tds_value **result)
{
	int rc = make_row(call, TDS_VALUE_FROZENSET, false, result);

	return rc == 0 ? tds_eval_unique(call->e, *result) : rc;
}

static int add_pair(const struct tds_call *call, struct tds_value *dict, struct tds_value **key,
		    struct tds_value **item)
{
	if (!tds_value_add_pair(dict, *key, *item))
		return tds_eval_no_memory(call->e);
	*key = *item = NULL;
	return 0;
}

/* Two items that are a key and its value. */
static int add_items(const struct tds_call *call, struct tds_value *dict,
		     const struct tds_value *two)
{
	tds_auto(value) struct tds_value *items = NULL;
	int rc = tds_index_items(call->e, two, true, &items);

	if (rc == 0 && items->n != 2)
		rc = REFUSE(call, "dict takes pairs, not %zu items", items->n);
	return rc == 0 ? add_pair(call, dict, &items->items[0], &items->items[1]) : rc;
}

static int fill_dict(const struct tds_call *call, const struct tds_value *from,
		     struct tds_value *dict)
{
	tds_auto(value) struct tds_value *pairs = NULL;
	int rc = tds_index_items(call->e, from, true, &pairs);

	for (size_t i = 0; rc == 0 && i < pairs->n; i++)
		rc = add_items(call, dict, pairs->items[i]);
	return rc;
}

/* Arguments with names are pairs too. */
static int add_names(const struct tds_call *call, struct tds_value *dict)
{
	const struct tds_arguments *a = &call->arguments;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < a->n_names; i++) {
		tds_auto(value) struct tds_value *key = NULL;
		tds_auto(value) struct tds_value *item = NULL;

		rc = tds_eval_copy(call->e, a->names[i], &key);
		if (rc == 0)
			rc = tds_eval_copy(call->e, a->v[a->n - a->n_names + i], &item);
		if (rc == 0)
			rc = add_pair(call, dict, &key, &item);
	}
	return rc;
}

static int call_dict(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_arguments *a = &call->arguments;
	size_t positional = a->n - a->n_names;
	int rc;

	if (positional > 1)
		return REFUSE(call, "dict takes at most 1 argument without a name");
	if (positional == 1 && a->v[0]->type == TDS_VALUE_DICT)
		rc = tds_eval_copy(call->e, a->v[0], result);
	else
		rc = tds_eval_make(call->e, TDS_VALUE_DICT, result);
	if (rc == 0 && positional == 1 && a->v[0]->type != TDS_VALUE_DICT)
		rc = fill_dict(call, a->v[0], *result);
	if (rc == 0)
		rc = add_names(call, *result);
	return rc == 0 ? tds_eval_unique(call->e, *result) : rc;
}

static int call_len(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *value = ARGUMENT(call, 0);
	size_t n = value->n;
	int rc = tds_eval_pay_bytes(call->e, value->len);

	if (rc != 0)
		return rc;
	if (value->type == TDS_VALUE_STR)
		n = tds_unicode_count(value->text, value->len);
	else if (value->type == TDS_VALUE_BYTES)
		n = value->len;
	else if (value->type < TDS_VALUE_LIST)
		return REFUSE(call, "a %s has no len", tds_value_type_name(value));
	return tds_eval_make_int(call->e, (long long)n, result);
}

/* The first of a row than which none is less, or more. */
static int choose(const struct tds_call *call, enum tds_operator_type type,
		  struct tds_value *const *items, size_t n, size_t *best)
{
	int rc = 0;

	*best = 0;
	for (size_t i = 1; rc == 0 && i < n; i++) {
		bool better;

		rc = tds_operator_compare(call->e, type, items[i], items[*best], &better);
		if (rc == 0 && better)
			*best = i;
	}
	return rc;
}

/* Of the items of one argument, where it may be that there are none. */
static int choose_item(const struct tds_call *call, enum tds_operator_type type,
		       const struct tds_value *from, const struct tds_value *otherwise,
		       struct tds_value **result)
{
	tds_auto(value) struct tds_value *list = NULL;
	size_t best;
	int rc = tds_index_items(call->e, from, false, &list);

	if (rc == 0 && list->n == 0)
		return otherwise ? tds_eval_copy(call->e, otherwise, result)
				 : REFUSE(call, "%s of nothing", call->name);
	if (rc == 0)
		rc = choose(call, type, list->items, list->n, &best);
	return rc == 0 ? tds_eval_copy(call->e, list->items[best], result) : rc;
}

static int extreme(const struct tds_call *call, enum tds_operator_type type,
		   struct tds_value **result)
{
	const struct tds_arguments *a = &call->arguments;
	size_t positional = a->n - a->n_names;
	const struct tds_value *otherwise = a->n_names ? a->v[positional] : NULL;
	size_t best;

	if (positional == 0 || a->n_names > 1 || (a->n_names && positional != 1) ||
	    (a->n_names && strcmp(a->names[0]->text, "default") != 0))
		return REFUSE(call, "%s takes values, or one with items and a default", call->name);
	if (positional == 1)
		return choose_item(call, type, a->v[0], otherwise, result);
	int rc = choose(call, type, a->v, a->n, &best);
	return rc == 0 ? tds_eval_copy(call->e, a->v[best], result) : rc;
}

static int call_min(const struct tds_call *call, struct tds_value **result)
{
	return extreme(call, TDS_OP_LT, result);
}

static int call_max(const struct tds_call *call, struct tds_value **result)
{
	return extreme(call, TDS_OP_GT, result);
}

const struct tds_function tds_call_types[] = {
	{ "int", call_int, 0, 2, false, { NULL, "base" } },
	{ "float", call_float, 0, 1, false, { NULL } },
	{ "str", call_str, 0, 1, false, { "object" } },
	{ "bool", call_bool, 0, 1, false, { NULL } },
	{ "list", call_list, 0, 1, false, { NULL } },
	{ "tuple", call_tuple, 0, 1, false, { NULL } },
	{ "dict", call_dict, 0, TDS_CALL_ANY, true, { NULL } },
	{ "set", call_set, 0, 1, false, { NULL } },
	{ "frozenset", call_frozenset, 0, 1, false, { NULL } },
	{ "len", call_len, 1, 1, false, { NULL } },
	{ "min", call_min, 1, TDS_CALL_ANY, true, { NULL } },
	{ "max", call_max, 1, TDS_CALL_ANY, true, { NULL } },
	{ NULL, NULL, 0, 0, false, { NULL } },
};
