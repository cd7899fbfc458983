/* SPDX-License-Identifier: MIT */
/* The state of the literal parser: of literal.c and, below it, literal_call.c and literal_parse.c. */
#ifndef TDS_LITERAL_PARSE_H
#define TDS_LITERAL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "literal_lex.h"
#include "value.h"

#define TDS_PARSE_NAME_MAX 120 /* bytes of a dotted name; a longer one is shown cut */

struct tds_parser {
	struct tds_lex lex;
	struct tds_token token; /* the next one, not yet taken */
	bool environment;
	size_t values;   /* made so far */
	size_t produced; /* bytes that are not in the text */
	struct tds_err *err;
	/* Parse one value, which the caller owns: literal.c's, for the values within a call. */
	int (*value)(struct tds_parser *p, struct tds_value **value);
};

/* An operand, which need not be a value yet: 'os.getenv' is only one with the call behind it. */
struct tds_node {
	struct tds_value *value; /* owned; NULL: it is a name */
	bool number;             /* a number as it is written, so a sign may stand before it */
	bool signed_number;      /* with a sign: not another one */
	char name[TDS_PARSE_NAME_MAX + 4];
	unsigned line;
	unsigned column;
};

static inline void tds_node_cleanup(struct tds_node *node)
{
	tds_value_free(node->value);
}

/* Refuse with the place of a token, operand or value. */
#define TDS_PARSE_FAIL(p, place, ...) \
	tds_err_at((p)->err, TDS_E_SYNTAX, (place)->line, (place)->column, __VA_ARGS__)

static inline int tds_parse_no_memory(struct tds_parser *p)
{
	return tds_err_set(p->err, TDS_E_NOMEM, "out of memory");
}

/* Take the token: the next one takes its place. */
static inline int tds_parse_advance(struct tds_parser *p)
{
	return tds_lex_next(&p->lex, &p->token, p->err);
}

static inline bool tds_parse_at(const struct tds_parser *p, const char *op)
{
	return tds_token_is(&p->token, TDS_TOKEN_OP, op);
}

static inline bool tds_parse_at_name(const struct tds_parser *p, const char *name)
{
	return tds_token_is(&p->token, TDS_TOKEN_NAME, name);
}

/* literal_parse.c: take this operator, or refuse the token; where is " in a list". */
int tds_parse_expect(struct tds_parser *p, const char *op, const char *where) TDS_MUST_CHECK;

/* Refuse the token. */
int tds_parse_unexpected(struct tds_parser *p, const char *where) TDS_MUST_CHECK;

/* A new value that begins there. NULL: err has why. */
struct tds_value *tds_parse_new(struct tds_parser *p, enum tds_value_type type, unsigned line,
				unsigned column);
#define TDS_PARSE_NEW(p, type, place) tds_parse_new(p, type, (place)->line, (place)->column)

/*
 * The operand becomes a text, which may not have been in the source: such is not made without end.
 */
int tds_parse_become_text(struct tds_parser *p, struct tds_node *node, const char *text,
			  size_t len) TDS_MUST_CHECK;

/* Give err the operand's place, where rc is a refusal that has none. Returns rc. */
int tds_parse_at_node(struct tds_parser *p, const struct tds_node *node, int rc) TDS_MUST_CHECK;

/* literal_call.c: what follows a name, from its dot or bracket on: it is a longer name, or a value. */
int tds_parse_attribute(struct tds_parser *p, struct tds_node *node) TDS_MUST_CHECK;
int tds_parse_call(struct tds_parser *p, struct tds_node *node) TDS_MUST_CHECK;
int tds_parse_subscript(struct tds_parser *p, struct tds_node *node) TDS_MUST_CHECK;

/* literal_number.c: set value, an empty one, to what a number's token says. Errors: TDS_E_SYNTAX, TDS_E_NOMEM. */
int tds_literal_number(const struct tds_token *token, struct tds_value *value,
		       struct tds_err *err) TDS_MUST_CHECK;

#endif
