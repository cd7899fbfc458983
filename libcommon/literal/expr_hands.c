/* SPDX-License-Identifier: MIT */
/* The hands of the reader: taking and refusing tokens, and making expressions within the limits. */
#include "expr_read.h"

#include "base/mem.h"

int tds_read_unexpected(struct tds_reader *r, const char *where)
{
	const struct tds_token *token = &r->token;
	int len = token->len < 40 ? (int)token->len : 40;

	switch (token->type) {
	case TDS_TOKEN_END:
		return TDS_READ_FAIL(r, token, "unexpected end of the text%s", where);
	case TDS_TOKEN_NEWLINE:
		return TDS_READ_FAIL(r, token, "unexpected end of the line%s", where);
	case TDS_TOKEN_STRING:
		return TDS_READ_FAIL(r, token, "unexpected string%s", where);
	case TDS_TOKEN_OP:
	case TDS_TOKEN_NAME:
		return TDS_READ_FAIL(r, token, "unexpected '%.*s'%s", len, token->text, where);
	default:
		return TDS_READ_FAIL(r, token, "unexpected number%s", where);
	}
}

int tds_read_expect(struct tds_reader *r, const char *op, const char *where)
{
	return tds_read_at(r, op) ? tds_read_advance(r) : tds_read_unexpected(r, where);
}

int tds_read_new(struct tds_reader *r, enum tds_expr_type type, unsigned line, unsigned column,
		 struct tds_expr **expr)
{
	if (++r->made > r->max)
		return tds_err_at(r->err, TDS_E_SYNTAX, line, column, "more than %zu values",
				  r->max);
	*expr = tds_expr_new(type, line, column);
	return *expr ? 0 : tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
}

int tds_read_constant(struct tds_reader *r, enum tds_value_type type, unsigned line,
		      unsigned column, struct tds_expr **expr)
{
	int rc = tds_read_new(r, TDS_EXPR_CONSTANT, line, column, expr);

	if (rc != 0)
		return rc;
	(*expr)->value = tds_value_new(type, line, column);
	return (*expr)->value ? 0 : tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
}

int tds_read_around(struct tds_reader *r, enum tds_expr_type type, struct tds_expr *part,
		    struct tds_expr **expr)
{
	int rc = tds_read_new(r, type, part->line, part->column, expr);

	if (rc != 0) {
		tds_expr_free(part);
		return rc;
	}
	return tds_expr_add(*expr, part, r->err);
}

int tds_read_part(struct tds_reader *r, enum tds_read_what what, struct tds_expr *into)
{
	tds_auto(expr) struct tds_expr *part = NULL;
	int rc = r->read(r, what, &part);

	return rc == 0 ? tds_expr_add(into, tds_steal(&part), r->err) : rc;
}

int tds_read_enter(struct tds_reader *r)
{
	if (++r->depth > TDS_EXPR_MAX_DEPTH)
		return TDS_READ_FAIL(r, &r->token, "nested more than %d deep", TDS_EXPR_MAX_DEPTH);
	return 0;
}

bool tds_read_at_end(const struct tds_reader *r)
{
	static const char *const ends[] = { ")", "]", "}", ":", ":=", "=", "!" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (tds_read_at(r, ends[i]))
			return true;
	return r->token.type == TDS_TOKEN_NEWLINE || r->token.type == TDS_TOKEN_END;
}
