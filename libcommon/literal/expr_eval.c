/* SPDX-License-Identifier: MIT */
/*
 * The evaluator: one function for each kind of expression. There are no loops in the language, so each expression is
 * evaluated at most once, and what a constant holds moves into the result.
 */
#include "expr_eval.h"

#include <string.h>

#include "base/mem.h"
#include "call.h"
#include "eval_index.h"
#include "eval_number.h"
#include "eval_operator.h"
#include "format.h"

/* Give a refusal that has no place that of an expression or operator. */
#define PLACE(e, rc, at)                                           \
	do {                                                       \
		if ((rc) == TDS_E_SYNTAX && (e)->err->line == 0) { \
			(e)->err->line = (at)->line;               \
			(e)->err->column = (at)->column;           \
		}                                                  \
	} while (0)

static int eval(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value);

/* The value of a part that may be left out: then *value stays NULL. */
static int eval_part(struct tds_eval *e, struct tds_expr *part, struct tds_value **value)
{
	return part ? eval(e, part, value) : 0;
}

static int eval_constant(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	(void)e;
	*value = tds_steal(&expr->value);
	return 0;
}

static int eval_name(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	return ((const struct tds_constant *)expr->row)->make(e, value);
}

/* *PART in a display: all of its items; of a dictionary **PART: its pairs. */
static int eval_star(struct tds_eval *e, struct tds_expr *star, struct tds_value *into)
{
	tds_auto(value) struct tds_value *value = NULL;
	tds_auto(value) struct tds_value *items = NULL;
	bool dict = into->type == TDS_VALUE_DICT;
	int rc = eval(e, star->parts[0], &value);

	if (rc == 0 && dict && value->type != TDS_VALUE_DICT)
		return TDS_EVAL_REFUSE(e, "'**' before a %s is not allowed",
				       tds_value_type_name(value));
	if (rc == 0 && !dict)
		rc = tds_index_items(e, value, into->type != TDS_VALUE_SET, &items);
	if (rc == 0 && !tds_value_append(into, dict ? value : items))
		rc = tds_eval_no_memory(e);
	return rc;
}

static int add_pair(struct tds_eval *e, struct tds_expr *key, struct tds_expr *item,
		    struct tds_value *into)
{
	tds_auto(value) struct tds_value *k = NULL;
	tds_auto(value) struct tds_value *v = NULL;
	int rc = eval(e, key, &k);

	if (rc == 0)
		rc = eval(e, item, &v);
	if (rc == 0 && !tds_value_add_pair(into, k, v))
		rc = tds_eval_no_memory(e);
	if (rc == 0)
		k = v = NULL;
	return rc;
}

static int add_element(struct tds_eval *e, struct tds_expr *part, struct tds_value *into)
{
	struct tds_value *item = NULL;
	int rc = eval(e, part, &item);

	return rc == 0 ? tds_eval_append(e, into, item) : rc;
}

static int eval_display(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	static const enum tds_value_type types[TDS_EXPR_TYPES] = {
		[TDS_EXPR_LIST] = TDS_VALUE_LIST,
		[TDS_EXPR_TUPLE] = TDS_VALUE_TUPLE,
		[TDS_EXPR_SET] = TDS_VALUE_SET,
		[TDS_EXPR_DICT] = TDS_VALUE_DICT,
	};
	bool dict = expr->type == TDS_EXPR_DICT;
	int rc = tds_eval_make(e, types[expr->type], value);

	for (size_t i = 0; rc == 0 && i < expr->n; i += dict ? 2 : 1) {
		if (expr->parts[i]->type == TDS_EXPR_STAR)
			rc = eval_star(e, expr->parts[i], *value);
		else if (dict)
			rc = add_pair(e, expr->parts[i], expr->parts[i + 1], *value);
		else
			rc = add_element(e, expr->parts[i], *value);
		PLACE(e, rc, expr->parts[i]);
	}
	if (rc == 0 && (dict || expr->type == TDS_EXPR_SET))
		rc = tds_eval_unique(e, *value);
	return rc;
}

/* A field of an f-string: its value, converted, and as its specification, a text, says. */
static int add_field(struct tds_eval *e, struct tds_expr *field, struct tds_buf *text)
{
	tds_auto(value) struct tds_value *value = NULL;
	tds_auto(value) struct tds_value *converted = NULL;
	tds_auto(value) struct tds_value *spec = NULL;
	tds_auto(buf) struct tds_buf buf = { 0 };
	int rc = eval(e, field->parts[0], &value);

	if (rc == 0 && field->conversion) {
		rc = tds_format_text(e, field->conversion, value, &buf);
		if (rc == 0)
			rc = tds_eval_make_text(e, TDS_VALUE_STR, &buf, &converted);
	}
	if (rc == 0)
		rc = eval_part(e, field->n > 1 ? field->parts[1] : NULL, &spec);
	if (rc == 0)
		rc = tds_format_spec(e, converted ? converted : value, spec ? spec->text : "",
				     spec ? spec->len : 0, text);
	PLACE(e, rc, field);
	return rc;
}

static int eval_text(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < expr->n; i++) {
		struct tds_expr *part = expr->parts[i];

		if (part->type == TDS_EXPR_FIELD)
			rc = add_field(e, part, &text);
		else
			rc = tds_eval_add(e, &text, part->value->text, part->value->len);
	}
	return rc == 0 ? tds_eval_make_text(e, TDS_VALUE_STR, &text, value) : rc;
}

static int eval_unary(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	enum tds_operator_type type = expr->operators[0].type;
	tds_auto(value) struct tds_value *operand = NULL;
	int rc = eval(e, expr->parts[0], &operand);

	if (rc != 0)
		return rc;
	if (type == TDS_OP_NOT)
		return tds_eval_make_bool(e, !tds_eval_truth(operand), value);
	if (tds_number_is(operand))
		return tds_number_sign(e, type, operand, value);
	return TDS_EVAL_REFUSE(e, "'%s' before a %s is not allowed", tds_operator_text(type),
			       tds_value_type_name(operand));
}

static int eval_chain(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	int rc = eval(e, expr->parts[0], value);

	for (size_t i = 1; rc == 0 && i < expr->n; i++) {
		const struct tds_operator *operator= & expr->operators[i - 1];
		tds_auto(value) struct tds_value *right = NULL;

		rc = eval(e, expr->parts[i], &right);
		if (rc == 0)
			rc = tds_operator_compute(e, operator->type, value, right);
		PLACE(e, rc, operator);
	}
	return rc;
}

/*
 * Is it the same object? Of None, bools, ... and the small ints there is one each, what can change is another one each
 * time, and of a constant that is written twice Python makes one. Of other equal values it depends on the Python.
 */
static int identical(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
		     bool constants, bool *result)
{
	bool equal = false;
	long long number;
	int rc = 0;

	*result = false;
	if (a->type != b->type || a->type == TDS_VALUE_LIST || a->type == TDS_VALUE_SET ||
	    a->type == TDS_VALUE_DICT)
		return 0;
	rc = tds_operator_compare(e, TDS_OP_EQ, a, b, &equal);
	if (rc != 0 || !equal)
		return rc;
	bool single = a->type <= TDS_VALUE_BOOL || a->type == TDS_VALUE_ELLIPSIS ||
		      (a->type == TDS_VALUE_INT && tds_eval_int(a, &number) && number >= -5 &&
		       number <= 256);
	*result = true;
	return single || constants
		       ? 0
		       : TDS_EVAL_REFUSE(e, "'is' of equal values is not allowed; '==' is");
}

/* The comparison behind part i; constants: both of its sides are. */
static int compare(struct tds_eval *e, struct tds_expr *expr, size_t i, bool constants,
		   const struct tds_value *a, const struct tds_value *b, bool *result)
{
	const struct tds_operator *operator= & expr->operators[i];
	bool is = operator->type == TDS_OP_IS || operator->type == TDS_OP_IS_NOT;
	int rc = is ? identical(e, a, b, constants, result)
		    : tds_operator_compare(e, operator->type, a, b, result);

	*result ^= operator->type == TDS_OP_IS_NOT;
	PLACE(e, rc, operator);
	return rc;
}

static bool is_constant(const struct tds_expr *expr)
{
	return expr->type == TDS_EXPR_CONSTANT;
}

/* Does an expression stand for os.environ, which is no value? */
static bool is_environ(const struct tds_expr *expr)
{
	return expr->type == TDS_EXPR_NAME && !expr->row;
}

static int eval_in_environ(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	tds_auto(value) struct tds_value *name = NULL;
	bool has = false;
	int rc = eval(e, expr->parts[0], &name);

	if (rc == 0)
		rc = tds_call_environ_has(e, name, &has);
	return rc == 0 ? tds_eval_make_bool(e, has == (expr->operators[0].type == TDS_OP_IN), value)
		       : rc;
}

/* Each value is compared with the next, until one comparison does not hold. */
static int eval_compare(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	tds_auto(value) struct tds_value *left = NULL;
	bool result = true;
	int rc;

	if (is_environ(expr->parts[1]))
		return eval_in_environ(e, expr, value);
	rc = eval(e, expr->parts[0], &left);
	for (size_t i = 0; rc == 0 && result && i + 1 < expr->n; i++) {
		bool constants = is_constant(expr->parts[i]) && is_constant(expr->parts[i + 1]);
		struct tds_value *right = NULL;

		rc = eval(e, expr->parts[i + 1], &right);
		if (rc == 0)
			rc = compare(e, expr, i, constants, left, right, &result);
		tds_value_free(left);
		left = right;
	}
	return rc == 0 ? tds_eval_make_bool(e, result, value) : rc;
}

/* AND and OR: the first value that decides, or the last. */
static int eval_words(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	bool decides = expr->type == TDS_EXPR_OR;
	int rc = eval(e, expr->parts[0], value);

	for (size_t i = 1; rc == 0 && i < expr->n && tds_eval_truth(*value) != decides; i++) {
		tds_value_free(*value);
		*value = NULL;
		rc = eval(e, expr->parts[i], value);
	}
	return rc;
}

static int eval_conditional(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	tds_auto(value) struct tds_value *asked = NULL;
	int rc = eval(e, expr->parts[1], &asked);

	return rc == 0 ? eval(e, expr->parts[tds_eval_truth(asked) ? 0 : 2], value) : rc;
}

/* A field of what the machine says: the row is its entry in the list of them. */
static int eval_attribute(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	tds_auto(value) struct tds_value *owner = NULL;
	const char *const *field = expr->row;
	size_t after = 0;
	int rc = eval(e, expr->parts[0], &owner);

	while (field[after])
		after++;
	return rc == 0 ? tds_eval_copy(e, owner->items[owner->n - after], value) : rc;
}

/* The method that a value has by a name. */
static int find_method(struct tds_eval *e, const struct tds_value *self, const char *name,
		       const struct tds_function **method)
{
	const struct tds_function *row = self->type == TDS_VALUE_STR    ? tds_call_texts
					 : self->type == TDS_VALUE_DICT ? tds_call_dicts
									: NULL;

	while (row && row->name && strcmp(row->name, name) != 0)
		row++;
	*method = row;
	return row && row->name ? 0
				: TDS_EVAL_REFUSE(e, "call to .%s of a %s is not allowed", name,
						  tds_value_type_name(self));
}

/* The arguments of a call, from its second part on. */
static int eval_arguments(struct tds_eval *e, struct tds_expr *expr, struct tds_arguments *a)
{
	int rc = 0;

	for (size_t i = 1; rc == 0 && i < expr->n; i++) {
		struct tds_expr *part = expr->parts[i];

		if (part->type == TDS_EXPR_KEYWORD) {
			a->names[a->n_names++] = part->value;
			part = part->parts[0];
		}
		rc = eval(e, part, &a->v[a->n]);
		a->n += rc == 0;
	}
	return rc;
}

static int eval_call(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	const struct tds_function *function = expr->row;
	tds_auto(value) struct tds_value *self = NULL;
	tds_autofree struct tds_value **v = calloc(expr->n, sizeof(*v));
	tds_autofree const struct tds_value **names = calloc(expr->n, sizeof(*names));
	struct tds_arguments a = { .v = v, .names = names };
	int rc = v && names ? 0 : tds_eval_no_memory(e);

	if (rc == 0 && !function) {
		const char *name = expr->parts[0]->value->text;

		rc = eval(e, expr->parts[0]->parts[0], &self);
		if (rc == 0)
			rc = find_method(e, self, name, &function);
		PLACE(e, rc, expr->parts[0]->value);
	}
	if (rc == 0)
		rc = eval_arguments(e, expr, &a);
	if (rc == 0)
		rc = tds_call_make(e, function, self, &a, value);
	for (size_t i = 0; i < a.n; i++)
		tds_value_free(v[i]);
	return rc;
}

static int eval_slice(struct tds_eval *e, struct tds_expr *slice, const struct tds_value *of,
		      struct tds_value **value)
{
	tds_auto(value) struct tds_value *begin = NULL;
	tds_auto(value) struct tds_value *end = NULL;
	tds_auto(value) struct tds_value *step = NULL;
	int rc = eval_part(e, slice->parts[0], &begin);

	if (rc == 0)
		rc = eval_part(e, slice->parts[1], &end);
	if (rc == 0)
		rc = eval_part(e, slice->parts[2], &step);
	const struct tds_value *const bounds[3] = { begin, end, step };
	return rc == 0 ? tds_index_slice(e, of, bounds, value) : rc;
}

static int eval_subscript(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	tds_auto(value) struct tds_value *of = NULL;
	tds_auto(value) struct tds_value *index = NULL;
	struct tds_expr *inside = expr->parts[1];
	bool environ_ = is_environ(expr->parts[0]);
	int rc = environ_ ? 0 : eval(e, expr->parts[0], &of);

	if (rc == 0 && inside->type == TDS_EXPR_SLICE)
		return environ_ ? TDS_EVAL_REFUSE(e, "a slice of the environment")
				: eval_slice(e, inside, of, value);
	if (rc == 0)
		rc = eval(e, inside, &index);
	if (rc == 0)
		rc = environ_ ? tds_call_environ_get(e, index, value)
			      : tds_index_get(e, of, index, value);
	PLACE(e, rc, inside);
	return rc;
}

static int (*const kinds[TDS_EXPR_TYPES])(struct tds_eval *e, struct tds_expr *expr,
					  struct tds_value **value) = {
	[TDS_EXPR_CONSTANT] = eval_constant,
	[TDS_EXPR_NAME] = eval_name,
	[TDS_EXPR_LIST] = eval_display,
	[TDS_EXPR_TUPLE] = eval_display,
	[TDS_EXPR_SET] = eval_display,
	[TDS_EXPR_DICT] = eval_display,
	[TDS_EXPR_TEXT] = eval_text,
	[TDS_EXPR_UNARY] = eval_unary,
	[TDS_EXPR_CHAIN] = eval_chain,
	[TDS_EXPR_COMPARE] = eval_compare,
	[TDS_EXPR_AND] = eval_words,
	[TDS_EXPR_OR] = eval_words,
	[TDS_EXPR_CONDITIONAL] = eval_conditional,
	[TDS_EXPR_ATTRIBUTE] = eval_attribute,
	[TDS_EXPR_CALL] = eval_call,
	[TDS_EXPR_SUBSCRIPT] = eval_subscript,
};

/* On failure nothing is left in *value, so that who asked has nothing to free. */
static int eval(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	int rc = tds_eval_pay(e, 1);

	if (rc == 0)
		rc = kinds[expr->type](e, expr, value);
	PLACE(e, rc, expr);
	if (rc == 0) {
		(*value)->line = expr->line;
		(*value)->column = expr->column;
		return 0;
	}
	tds_value_free(*value);
	*value = NULL;
	return rc;
}

int tds_expr_eval(struct tds_eval *e, struct tds_expr *expr, struct tds_value **value)
{
	*value = NULL;
	return eval(e, expr, value);
}
