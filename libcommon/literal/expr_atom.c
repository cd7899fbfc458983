/* SPDX-License-Identifier: MIT */
/* The atoms of expressions: constants, names, and the displays of lists, tuples, sets and dictionaries. */
#include <string.h>

#include "base/mem.h"
#include "expr_read.h"
#include "literal_number.h"

static int read_number(struct tds_reader *r, struct tds_expr **expr)
{
	const struct tds_token *token = &r->token;
	int rc = tds_read_constant(r, TDS_VALUE_INT, token->line, token->column, expr);

	if (rc == 0)
		rc = tds_literal_number(token, (*expr)->value, r->err);
	return rc == 0 ? tds_read_advance(r) : rc;
}

/* A keyword of what the language has and declarations have not. */
static bool is_foreign(const struct tds_reader *r)
{
	static const char *const words[] = { "lambda", "yield", "await" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (tds_read_at_name(r, words[i]))
			return true;
	return false;
}

/* A word that begins no value. */
static bool is_word_between(const struct tds_reader *r)
{
	static const char *const words[] = { "if", "else", "and", "or", "in", "is", "for" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (tds_read_at_name(r, words[i]))
			return true;
	return false;
}

/* A name, or one of the three that are values. */
static int read_name(struct tds_reader *r, struct tds_expr **expr)
{
	const struct tds_token *token = &r->token;
	bool is_bool = tds_read_at_name(r, "True") || tds_read_at_name(r, "False");
	bool is_none = tds_read_at_name(r, "None");
	enum tds_value_type type = is_bool   ? TDS_VALUE_BOOL
				   : is_none ? TDS_VALUE_NONE
					     : TDS_VALUE_STR;

	if (is_foreign(r))
		return TDS_READ_FAIL(r, token, "%.*s is not allowed", (int)token->len, token->text);
	if (is_word_between(r))
		return tds_read_unexpected(r, ", where a value is expected");
	int rc = tds_read_constant(r, type, token->line, token->column, expr);
	if (rc != 0)
		return rc;
	(*expr)->value->boolean = tds_read_at_name(r, "True");
	if (type == TDS_VALUE_STR) {
		(*expr)->type = TDS_EXPR_NAME;
		if (!tds_value_set_text((*expr)->value, token->text, token->len))
			return tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
	}
	return tds_read_advance(r);
}

/* The rest of a display from an element on, to the closing bracket. */
static int read_elements(struct tds_reader *r, struct tds_expr *into, const char *close,
			 const char *where)
{
	while (!tds_read_at(r, close)) {
		int rc = tds_read_part(r, TDS_READ_ELEMENT, into);

		if (rc != 0)
			return rc;
		if (tds_read_at(r, close))
			break;
		if (tds_read_at_name(r, "for") || tds_read_at_name(r, "async"))
			return TDS_READ_FAIL(r, &r->token, "a comprehension is not allowed");
		rc = tds_read_expect(r, ",", where);
		if (rc != 0)
			return rc;
	}
	return tds_read_advance(r);
}

static int read_list(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_new(r, TDS_EXPR_LIST, r->token.line, r->token.column, expr);

	if (rc == 0)
		rc = tds_read_advance(r);
	return rc == 0 ? read_elements(r, *expr, "]", " in a list") : rc;
}

/* Brackets around an expression, which stays what it is, or a tuple. */
static int read_parentheses(struct tds_reader *r, struct tds_expr **expr)
{
	struct tds_token open = r->token;
	struct tds_expr *tuple = NULL;
	int rc = tds_read_advance(r);

	if (rc == 0 && !tds_read_at(r, ")"))
		rc = r->read(r, TDS_READ_ELEMENT, expr);
	if (rc != 0)
		return rc;
	if (*expr && (*expr)->type != TDS_EXPR_STAR && tds_read_at(r, ")")) {
		(*expr)->bracketed = true;
		return tds_read_advance(r);
	}
	if (tds_read_at_name(r, "for") || tds_read_at_name(r, "async"))
		return TDS_READ_FAIL(r, &r->token, "a comprehension is not allowed");
	rc = tds_read_new(r, TDS_EXPR_TUPLE, open.line, open.column, &tuple);
	if (rc != 0)
		return rc;
	if (*expr) {
		rc = tds_expr_add(tuple, *expr, r->err);
		if (rc == 0)
			rc = tds_read_expect(r, ",", " in brackets");
	}
	*expr = tuple;
	return rc == 0 ? read_elements(r, tuple, ")", " in a tuple") : rc;
}

/* A double star and a dictionary, whose pairs are taken over. */
static int read_double_star(struct tds_reader *r, struct tds_expr *into)
{
	tds_auto(expr) struct tds_expr *star = NULL;
	int rc = tds_read_new(r, TDS_EXPR_STAR, r->token.line, r->token.column, &star);

	if (rc == 0)
		rc = tds_read_advance(r);
	if (rc == 0)
		rc = tds_read_part(r, TDS_READ_ONE, star);
	if (rc == 0)
		rc = tds_expr_add(into, tds_steal(&star), r->err);
	return rc == 0 ? tds_expr_add(into, NULL, r->err) : rc;
}

/* A key and its value, or an element of a set: the first in the braces decides which of them it is. */
static int read_member(struct tds_reader *r, struct tds_expr *into)
{
	bool first = into->n == 0;

	if (into->type == TDS_EXPR_DICT && tds_read_at(r, "**"))
		return read_double_star(r, into);
	int rc = tds_read_part(
		r, first || into->type == TDS_EXPR_SET ? TDS_READ_ELEMENT : TDS_READ_ONE, into);
	if (rc != 0)
		return rc;
	if (first && !tds_read_at(r, ":"))
		into->type = TDS_EXPR_SET;
	if (into->type == TDS_EXPR_SET)
		return 0;
	rc = tds_read_expect(r, ":", " after a key of a dictionary");
	return rc == 0 ? tds_read_part(r, TDS_READ_ONE, into) : rc;
}

static int read_braces(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_new(r, TDS_EXPR_DICT, r->token.line, r->token.column, expr);

	if (rc == 0)
		rc = tds_read_advance(r);
	while (rc == 0 && !tds_read_at(r, "}")) {
		rc = read_member(r, *expr);
		if (rc != 0 || tds_read_at(r, "}"))
			break;
		if (tds_read_at_name(r, "for") || tds_read_at_name(r, "async"))
			return TDS_READ_FAIL(r, &r->token, "a comprehension is not allowed");
		rc = tds_read_expect(
			r, ",", (*expr)->type == TDS_EXPR_DICT ? " in a dictionary" : " in a set");
	}
	return rc == 0 ? tds_read_advance(r) : rc;
}

static int read_ellipsis(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_constant(r, TDS_VALUE_ELLIPSIS, r->token.line, r->token.column, expr);

	return rc == 0 ? tds_read_advance(r) : rc;
}

int tds_read_atom(struct tds_reader *r, struct tds_expr **expr)
{
	switch (r->token.type) {
	case TDS_TOKEN_NAME:
		return read_name(r, expr);
	case TDS_TOKEN_INT:
	case TDS_TOKEN_FLOAT:
	case TDS_TOKEN_IMAGINARY:
		return read_number(r, expr);
	case TDS_TOKEN_STRING:
		return tds_read_strings(r, expr);
	default:
		break;
	}
	if (tds_read_at(r, "("))
		return read_parentheses(r, expr);
	if (tds_read_at(r, "["))
		return read_list(r, expr);
	if (tds_read_at(r, "{"))
		return read_braces(r, expr);
	if (tds_read_at(r, "..."))
		return read_ellipsis(r, expr);
	return tds_read_unexpected(r, ", where a value is expected");
}
