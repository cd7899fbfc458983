/* SPDX-License-Identifier: MIT */
/* What may stand behind an atom: attributes, calls and subscripts. */
#include <string.h>

#include "base/mem.h"
#include "expr_read.h"

static int add_name(struct tds_reader *r, struct tds_value *name, const char *text, size_t len)
{
	return tds_value_add_text(name, text, len)
		       ? 0
		       : tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
}

/* One expression becomes the first part of another, of a type. */
static int wrap(struct tds_reader *r, enum tds_expr_type type, struct tds_expr **expr)
{
	return tds_read_around(r, type, tds_steal(expr), expr);
}

static int wrap_attribute(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = wrap(r, TDS_EXPR_ATTRIBUTE, expr);

	if (rc != 0)
		return rc;
	(*expr)->value = tds_value_new(TDS_VALUE_STR, r->token.line, r->token.column);
	return (*expr)->value ? 0 : tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
}

/* .NAME: a longer name where a name is before it, else an attribute of a value. */
static int read_attribute(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_advance(r);

	if (rc != 0)
		return rc;
	if (r->token.type != TDS_TOKEN_NAME)
		return tds_read_unexpected(r, " after a dot");
	if ((*expr)->type == TDS_EXPR_NAME)
		rc = add_name(r, (*expr)->value, ".", 1);
	else
		rc = wrap_attribute(r, expr);
	if (rc == 0)
		rc = add_name(r, (*expr)->value, r->token.text, r->token.len);
	return rc == 0 ? tds_read_advance(r) : rc;
}

/* NAME=EXPRESSION in a call: what was read as an expression is its name. */
static int read_keyword(struct tds_reader *r, struct tds_expr **expr)
{
	struct tds_expr *keyword = *expr;

	if (keyword->type != TDS_EXPR_NAME || keyword->bracketed ||
	    strchr(keyword->value->text, '.'))
		return tds_read_unexpected(r, " in a call");
	keyword->type = TDS_EXPR_KEYWORD;
	int rc = tds_read_advance(r);
	return rc == 0 ? tds_read_part(r, TDS_READ_ONE, keyword) : rc;
}

static int read_argument(struct tds_reader *r, bool *keywords, struct tds_expr **expr)
{
	if (tds_read_at(r, "*") || tds_read_at(r, "**"))
		return TDS_READ_FAIL(r, &r->token, "'%.*s' before an argument is not allowed",
				     (int)r->token.len, r->token.text);
	int rc = r->read(r, TDS_READ_ONE, expr);
	if (rc == 0 && tds_read_at_name(r, "for"))
		return TDS_READ_FAIL(r, &r->token, "a comprehension is not allowed");
	if (rc == 0 && tds_read_at(r, "=")) {
		*keywords = true;
		return read_keyword(r, expr);
	}
	if (rc == 0 && *keywords)
		return TDS_READ_FAIL(r, *expr, "an argument without a name after one with a name");
	return rc;
}

static int read_call(struct tds_reader *r, struct tds_expr **expr)
{
	bool keywords = false;
	int rc = wrap(r, TDS_EXPR_CALL, expr);

	if (rc == 0)
		rc = tds_read_advance(r);
	while (rc == 0 && !tds_read_at(r, ")")) {
		tds_auto(expr) struct tds_expr *argument = NULL;

		rc = read_argument(r, &keywords, &argument);
		if (rc == 0)
			rc = tds_expr_add(*expr, tds_steal(&argument), r->err);
		if (rc == 0 && !tds_read_at(r, ")"))
			rc = tds_read_expect(r, ",", " in a call");
	}
	return rc == 0 ? tds_read_advance(r) : rc;
}

/* What may stand behind a colon of a slice, which is taken. */
static int read_bound(struct tds_reader *r, struct tds_expr *slice)
{
	int rc = tds_read_advance(r);

	if (rc != 0)
		return rc;
	if (tds_read_at(r, ":") || tds_read_at(r, "]"))
		return tds_expr_add(slice, NULL, r->err);
	return tds_read_part(r, TDS_READ_ONE, slice);
}

/* The rest of a slice, from its first colon on; its beginning, which may be NULL, is slice's in any case. */
static int read_slice(struct tds_reader *r, struct tds_expr *begin, struct tds_expr **slice)
{
	int rc = tds_read_new(r, TDS_EXPR_SLICE, r->token.line, r->token.column, slice);

	if (rc != 0) {
		tds_expr_free(begin);
		return rc;
	}
	rc = tds_expr_add(*slice, begin, r->err);
	if (rc == 0)
		rc = read_bound(r, *slice);
	if (rc == 0 && tds_read_at(r, ":"))
		return read_bound(r, *slice);
	return rc == 0 ? tds_expr_add(*slice, NULL, r->err) : rc;
}

/* What stands in the brackets behind a value. */
static int read_index(struct tds_reader *r, struct tds_expr **index)
{
	int rc = tds_read_at(r, ":") ? 0 : r->read(r, TDS_READ_TUPLE, index);

	return rc == 0 && tds_read_at(r, ":") ? read_slice(r, tds_steal(index), index) : rc;
}

static int read_subscript(struct tds_reader *r, struct tds_expr **expr)
{
	tds_auto(expr) struct tds_expr *index = NULL;
	int rc = wrap(r, TDS_EXPR_SUBSCRIPT, expr);

	if (rc == 0)
		rc = tds_read_advance(r);
	if (rc == 0)
		rc = read_index(r, &index);
	if (rc == 0)
		rc = tds_expr_add(*expr, tds_steal(&index), r->err);
	return rc == 0 ? tds_read_expect(r, "]", " in a subscript") : rc;
}

int tds_read_primary(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_atom(r, expr);

	while (rc == 0) {
		if (tds_read_at(r, "."))
			rc = read_attribute(r, expr);
		else if (tds_read_at(r, "("))
			rc = read_call(r, expr);
		else if (tds_read_at(r, "["))
			rc = read_subscript(r, expr);
		else
			break;
	}
	return rc;
}
