/* SPDX-License-Identifier: MIT */
/* The tree of an expression: memory and depth. */
#include "expr.h"

#include <stdlib.h>

struct tds_expr *tds_expr_new(enum tds_expr_type type, unsigned line, unsigned column)
{
	struct tds_expr *expr = calloc(1, sizeof(*expr));

	if (expr) {
		expr->type = type;
		expr->line = line;
		expr->column = column;
	}
	return expr;
}

void tds_expr_free(struct tds_expr *expr)
{
	if (!expr)
		return;
	for (size_t i = 0; i < expr->n; i++)
		tds_expr_free(expr->parts[i]);
	free(expr->parts);
	free(expr->operators);
	tds_value_free(expr->value);
	free(expr);
}

static bool has_operators(const struct tds_expr *expr)
{
	return expr->type == TDS_EXPR_CHAIN || expr->type == TDS_EXPR_COMPARE ||
	       expr->type == TDS_EXPR_UNARY;
}

static bool make_room(struct tds_expr *expr)
{
	size_t room = 2 * expr->n + 1;

	if (expr->n < expr->room)
		return true;
	struct tds_expr **parts = reallocarray(expr->parts, room, sizeof(struct tds_expr *));
	if (!parts)
		return false;
	expr->parts = parts;
	if (has_operators(expr)) {
		struct tds_operator *operators =
			reallocarray(expr->operators, room, sizeof(struct tds_operator));
		if (!operators)
			return false;
		expr->operators = operators;
	}
	expr->room = room;
	return true;
}

int tds_expr_add(struct tds_expr *expr, struct tds_expr *part, struct tds_err *err)
{
	unsigned depth = part ? part->depth + 1 : 0;

	if (depth > TDS_EXPR_MAX_DEPTH) {
		tds_expr_free(part);
		return tds_err_at(err, TDS_E_SYNTAX, expr->line, expr->column,
				  "nested more than %d deep", TDS_EXPR_MAX_DEPTH);
	}
	if (!make_room(expr)) {
		tds_expr_free(part);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	expr->parts[expr->n++] = part;
	if (depth > expr->depth)
		expr->depth = depth;
	return 0;
}

int tds_expr_add_operator(struct tds_expr *expr, struct tds_operator operator,
			  struct tds_expr * part, struct tds_err *err)
{
	expr->operators[expr->n - 1] = operator;
	return tds_expr_add(expr, part, err);
}

const char *tds_operator_text(enum tds_operator_type type)
{
	static const char *const texts[] = {
		[TDS_OP_OR] = "|",          [TDS_OP_XOR] = "^",     [TDS_OP_AND] = "&",
		[TDS_OP_LSHIFT] = "<<",     [TDS_OP_RSHIFT] = ">>", [TDS_OP_ADD] = "+",
		[TDS_OP_SUB] = "-",         [TDS_OP_MUL] = "*",     [TDS_OP_DIV] = "/",
		[TDS_OP_FLOORDIV] = "//",   [TDS_OP_MOD] = "%",     [TDS_OP_POW] = "**",
		[TDS_OP_INVERT] = "~",      [TDS_OP_NOT] = "not",   [TDS_OP_LT] = "<",
		[TDS_OP_LE] = "<=",         [TDS_OP_GT] = ">",      [TDS_OP_GE] = ">=",
		[TDS_OP_EQ] = "==",         [TDS_OP_NE] = "!=",     [TDS_OP_IN] = "in",
		[TDS_OP_NOT_IN] = "not in", [TDS_OP_IS] = "is",     [TDS_OP_IS_NOT] = "is not",
	};

	return texts[type];
}
