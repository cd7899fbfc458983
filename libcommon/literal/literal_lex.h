/* SPDX-License-Identifier: MIT */
/* Python's tokens, as far as literals need them, with their places. For literal.c's use. */
#ifndef TDS_LITERAL_LEX_H
#define TDS_LITERAL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "literal.h"

enum tds_token_type {
	TDS_TOKEN_END,
	TDS_TOKEN_NEWLINE, /* ends a line outside of all brackets */
	TDS_TOKEN_NAME,
	TDS_TOKEN_INT,
	TDS_TOKEN_FLOAT,
	TDS_TOKEN_IMAGINARY,
	TDS_TOKEN_STRING,
	TDS_TOKEN_OP,
};

struct tds_token {
	enum tds_token_type type;
	unsigned line;
	unsigned column;
	const char *begin; /* where it begins, its prefix and quotes too */
	const char *text;  /* as it stands there; of a string what is between its quotes */
	size_t len;
	bool bytes; /* of strings */
	bool raw;
	bool formatted; /* an f-string: fields stand in its text */
};

struct tds_bracket {
	char open;
	unsigned line;
	unsigned column;
};

struct tds_lex {
	char *text; /* owned: newlines made one LF, NUL behind it */
	const char *next;
	const char *mark; /* line and column are this position's */
	unsigned line;
	unsigned column;
	bool line_begins; /* next is at the beginning of a line, outside of brackets */
	bool line_holds;  /* a token has been seen in this line */
	struct tds_bracket brackets[TDS_LITERAL_MAX_NESTING];
	size_t nesting;
};

/*
 * Begin to read a text: it must be UTF-8 without byte order mark and NUL.
 * Owner:   caller frees with tds_lex_fini, in any case.
 * Errors:  TDS_E_SYNTAX with the place, TDS_E_NOMEM.
 */
int tds_lex_init(struct tds_lex *lex, const char *text, size_t len,
		 struct tds_err *err) TDS_MUST_CHECK;
void tds_lex_fini(struct tds_lex *lex);

/* The next token. Its text is borrowed from lex. Errors: TDS_E_SYNTAX. */
int tds_lex_next(struct tds_lex *lex, struct tds_token *token, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Add what a string token means to buf, its escapes replaced. The token is one of lex.
 * Errors: TDS_E_SYNTAX, TDS_E_NOMEM.
 */
int tds_lex_decode(const struct tds_lex *lex, const struct tds_token *token, struct tds_buf *buf,
		   struct tds_err *err) TDS_MUST_CHECK;

/*
 * A reader of what stands in a string token of outer. It shares the text, and is not to be freed. Its places are counted
 * from the token's on, so what is asked of it goes forward only.
 */
void tds_lex_within(struct tds_lex *lex, const struct tds_lex *outer,
		    const struct tds_token *token);

/* Read on behind the bracket at a place in the text, which closes as any other. Errors: TDS_E_SYNTAX. */
int tds_lex_enter(struct tds_lex *lex, const char *at, struct tds_err *err) TDS_MUST_CHECK;

/* Refuse with a place in the text. */
int tds_lex_fail(struct tds_lex *lex, const char *at, struct tds_err *err,
		 const char *reason) TDS_MUST_CHECK;

/* Is the token this operator, or name? */
bool tds_token_is(const struct tds_token *token, enum tds_token_type type, const char *text);

#endif
