/* SPDX-License-Identifier: MIT */
/* The hands of the literal parser: taking and refusing tokens, and making values within the limits. */
#include "literal_parse.h"

#include "literal.h"

int tds_parse_unexpected(struct tds_parser *p, const char *where)
{
	const struct tds_token *token = &p->token;
	int len = token->len < 40 ? (int)token->len : 40;

	switch (token->type) {
	case TDS_TOKEN_END:
		return TDS_PARSE_FAIL(p, token, "unexpected end of the text%s", where);
	case TDS_TOKEN_NEWLINE:
		return TDS_PARSE_FAIL(p, token, "unexpected end of the line%s", where);
	case TDS_TOKEN_STRING:
		return TDS_PARSE_FAIL(p, token, "unexpected string%s", where);
	case TDS_TOKEN_OP:
	case TDS_TOKEN_NAME:
		return TDS_PARSE_FAIL(p, token, "unexpected '%.*s'%s", len, token->text, where);
	default:
		return TDS_PARSE_FAIL(p, token, "unexpected number%s", where);
	}
}

int tds_parse_expect(struct tds_parser *p, const char *op, const char *where)
{
	return tds_parse_at(p, op) ? tds_parse_advance(p) : tds_parse_unexpected(p, where);
}

struct tds_value *tds_parse_new(struct tds_parser *p, enum tds_value_type type, unsigned line,
				unsigned column)
{
	struct tds_value *value = NULL;

	if (++p->values > TDS_LITERAL_MAX_VALUES)
		(void)tds_err_at(p->err, TDS_E_SYNTAX, line, column, "more than %d values",
				 TDS_LITERAL_MAX_VALUES);
	else if (!(value = tds_value_new(type, line, column)))
		(void)tds_parse_no_memory(p);
	return value;
}

/* Text that was not in the source: it is not to be made without end. */
static int count_produced(struct tds_parser *p, const struct tds_node *node, size_t len)
{
	p->produced += len;
	if (p->produced > TDS_LITERAL_MAX_BYTES)
		return TDS_PARSE_FAIL(p, node,
				      "more than %d bytes from the environment and formatting",
				      TDS_LITERAL_MAX_BYTES);
	return 0;
}

int tds_parse_become_text(struct tds_parser *p, struct tds_node *node, const char *text, size_t len)
{
	int rc = count_produced(p, node, len);

	if (rc != 0)
		return rc;
	tds_value_free(node->value);
	node->value = TDS_PARSE_NEW(p, TDS_VALUE_STR, node);
	if (!node->value)
		return p->err->code;
	return tds_value_set_text(node->value, text, len) ? 0 : tds_parse_no_memory(p);
}

int tds_parse_at_node(struct tds_parser *p, const struct tds_node *node, int rc)
{
	if (rc == TDS_E_SYNTAX) {
		p->err->line = node->line;
		p->err->column = node->column;
	}
	return rc;
}
