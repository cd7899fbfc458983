/* SPDX-License-Identifier: MIT */
/* The reader of expressions: what its files, one for each layer of Python's grammar, share. */
#ifndef TDS_EXPR_READ_H
#define TDS_EXPR_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "expr.h"
#include "literal_lex.h"

enum tds_read_what {
	TDS_READ_ONE,     /* one expression */
	TDS_READ_ELEMENT, /* one, or a star and one */
	TDS_READ_TUPLE, /* elements with commas between them: a tuple without brackets, or one expression */
};

struct tds_reader {
	struct tds_lex lex;
	struct tds_token token; /* the next one, not yet taken */
	size_t max;             /* how many expressions there may be */
	size_t made;            /* so far */
	unsigned depth;         /* of readers that wait for each other */
	struct tds_err *err;
	/*
	 * expr_read.c's, for the files that it stands on: read what may stand here. As with all readers the caller owns
	 * *expr, NULL before, also after a failure: it may hold a part then.
	 */
	int (*read)(struct tds_reader *r, enum tds_read_what what, struct tds_expr **expr);
};

/* Refuse with the place of a token or expression. */
#define TDS_READ_FAIL(r, place, ...) \
	tds_err_at((r)->err, TDS_E_SYNTAX, (place)->line, (place)->column, __VA_ARGS__)

/* Take the token: the next one takes its place. */
static inline int tds_read_advance(struct tds_reader *r)
{
	return tds_lex_next(&r->lex, &r->token, r->err);
}

static inline bool tds_read_at(const struct tds_reader *r, const char *op)
{
	return tds_token_is(&r->token, TDS_TOKEN_OP, op);
}

static inline bool tds_read_at_name(const struct tds_reader *r, const char *name)
{
	return tds_token_is(&r->token, TDS_TOKEN_NAME, name);
}

/* Take this operator, or refuse the token; where is " in a list". */
int tds_read_expect(struct tds_reader *r, const char *op, const char *where) TDS_MUST_CHECK;

/* Refuse the token. */
int tds_read_unexpected(struct tds_reader *r, const char *where) TDS_MUST_CHECK;

/* A new expression, and one with an empty value of a type. */
int tds_read_new(struct tds_reader *r, enum tds_expr_type type, unsigned line, unsigned column,
		 struct tds_expr **expr) TDS_MUST_CHECK;
int tds_read_constant(struct tds_reader *r, enum tds_value_type type, unsigned line,
		      unsigned column, struct tds_expr **expr) TDS_MUST_CHECK;

/* A new expression that begins where part does, and has it as its first. Owns part in any case. */
int tds_read_around(struct tds_reader *r, enum tds_expr_type type, struct tds_expr *part,
		    struct tds_expr **expr) TDS_MUST_CHECK;

/* Read what may stand here; it becomes the next part of into. */
int tds_read_part(struct tds_reader *r, enum tds_read_what what,
		  struct tds_expr *into) TDS_MUST_CHECK;

/* One more reader waits for another; leave is called after a success only. */
int tds_read_enter(struct tds_reader *r) TDS_MUST_CHECK;
static inline void tds_read_leave(struct tds_reader *r)
{
	r->depth--;
}

/* May no value begin with the token: does a tuple without brackets end here? */
bool tds_read_at_end(const struct tds_reader *r);

/* expr_text.c: the string tokens in a row, of which the first is at hand: a constant or an f-string. */
int tds_read_strings(struct tds_reader *r, struct tds_expr **expr) TDS_MUST_CHECK;

/* expr_atom.c: a constant, a name, or a display. */
int tds_read_atom(struct tds_reader *r, struct tds_expr **expr) TDS_MUST_CHECK;

/* expr_primary.c: an atom and the attributes, calls and subscripts behind it. */
int tds_read_primary(struct tds_reader *r, struct tds_expr **expr) TDS_MUST_CHECK;

/*
 * expr_read.c: the whole text, of at most max expressions. What it may mean is for others to judge: a name is any name.
 * Owner:   caller frees *expr.
 * Errors:  TDS_E_SYNTAX with the place, TDS_E_NOMEM; *expr is NULL.
 */
int tds_expr_read(const char *text, size_t len, size_t max, struct tds_expr **expr,
		  struct tds_err *err) TDS_MUST_CHECK;

#endif
