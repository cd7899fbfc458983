/* SPDX-License-Identifier: MIT */
/* Is an expression a literal, and nothing else? */
#include <string.h>

#include "call.h"
#include "expr_check.h"

#define FAIL(expr, err, ...) \
	tds_err_at(err, TDS_E_SYNTAX, (expr)->line, (expr)->column, __VA_ARGS__)

static bool is_number(const struct tds_expr *expr)
{
	return expr->type == TDS_EXPR_CONSTANT && expr->value->type >= TDS_VALUE_INT &&
	       expr->value->type <= TDS_VALUE_COMPLEX;
}

static bool is_signed(const struct tds_expr *expr)
{
	return expr->type == TDS_EXPR_UNARY && expr->operators[0].type != TDS_OP_INVERT &&
	       expr->operators[0].type != TDS_OP_NOT && is_number(expr->parts[0]);
}

static const char *operand_name(const struct tds_expr *expr)
{
	const struct tds_expr *inner = is_signed(expr) ? expr->parts[0] : expr;

	return inner->value && inner->type == TDS_EXPR_CONSTANT ? tds_value_type_name(inner->value)
								: "a value";
}

/* A number, with a sign or not, and a complex one behind it, without one. */
static int check_sum(const struct tds_expr *expr, struct tds_err *err)
{
	const struct tds_operator *operator= & expr->operators[0];
	const struct tds_expr *first = expr->parts[0];
	const struct tds_expr *second = expr->parts[1];
	const struct tds_expr *real = is_signed(first) ? first->parts[0] : first;
	bool sum = operator->type == TDS_OP_ADD || operator->type == TDS_OP_SUB;

	if (expr->n == 2 && sum && is_number(real) && real->value->type != TDS_VALUE_COMPLEX &&
	    is_number(second) && second->value->type == TDS_VALUE_COMPLEX)
		return 0;
	return FAIL(operator, err, "'%s' of %s and %s is not allowed",
		    tds_operator_text(operator->type), operand_name(first), operand_name(second));
}

/* set(), the only way to write an empty set. */
static int check_call(struct tds_expr *expr, struct tds_err *err)
{
	const struct tds_expr *callee = expr->parts[0];
	bool name = callee->type == TDS_EXPR_NAME;

	if (!name || strcmp(callee->value->text, "set") != 0)
		return FAIL(expr, err, "call to %.120s is not allowed",
			    name ? callee->value->text : "a value");
	if (expr->n > 1)
		return FAIL(expr, err, "call to set is allowed only without a value");
	return tds_expr_check(expr, err);
}

static int check_unary(const struct tds_expr *expr, struct tds_err *err)
{
	if (is_signed(expr))
		return 0;
	return FAIL(&expr->operators[0], err, "'%s' is allowed only before a number",
		    tds_operator_text(expr->operators[0].type));
}

static int check_parts(struct tds_expr *expr, struct tds_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < expr->n; i++)
		rc = expr->parts[i] ? tds_expr_check_literal(expr->parts[i], err) : 0;
	return rc;
}

int tds_expr_check_literal(struct tds_expr *expr, struct tds_err *err)
{
	switch (expr->type) {
	case TDS_EXPR_CONSTANT:
		return 0;
	case TDS_EXPR_LIST:
	case TDS_EXPR_TUPLE:
	case TDS_EXPR_SET:
	case TDS_EXPR_DICT:
		return check_parts(expr, err);
	case TDS_EXPR_UNARY:
		return check_unary(expr, err);
	case TDS_EXPR_CHAIN:
		return check_sum(expr, err);
	case TDS_EXPR_CALL:
		return check_call(expr, err);
	case TDS_EXPR_NAME:
		return FAIL(expr, err, "name %.120s is not allowed", expr->value->text);
	case TDS_EXPR_TEXT:
		return FAIL(expr, err, "f-strings are not allowed");
	default:
		return FAIL(expr, err, "only a literal is allowed, nothing that computes");
	}
}
