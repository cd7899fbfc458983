/* SPDX-License-Identifier: MIT */
/* The tree of a Python expression, as it is written. For the readers and evaluators of this folder. */
#ifndef TDS_EXPR_H
#define TDS_EXPR_H

#include <stddef.h>

#include "base/err.h"
#include "value.h"

#define TDS_EXPR_MAX_DEPTH 1000 /* of the tree; brackets are counted besides */

enum tds_expr_type {
	TDS_EXPR_CONSTANT, /* value */
	TDS_EXPR_NAME,     /* value: a str, the name with its dots */
	TDS_EXPR_LIST,     /* parts, those with a star too */
	TDS_EXPR_TUPLE,
	TDS_EXPR_SET,
	TDS_EXPR_DICT,  /* parts: key, value, ...; a double star and nothing (NULL) are one pair */
	TDS_EXPR_STAR,  /* *part or, in a dictionary, **part */
	TDS_EXPR_TEXT,  /* an f-string; parts: constants and fields */
	TDS_EXPR_FIELD, /* parts: what is shown, how (a TEXT) or NULL; conversion */
	TDS_EXPR_UNARY, /* operators[0] before the part */
	TDS_EXPR_CHAIN, /* parts with operators[i] behind part i, from left to right */
	TDS_EXPR_COMPARE,     /* the same, each compared with the next */
	TDS_EXPR_AND,         /* parts */
	TDS_EXPR_OR,          /* parts */
	TDS_EXPR_CONDITIONAL, /* parts: what is so, what is asked, what is so otherwise */
	TDS_EXPR_ATTRIBUTE,   /* part.value, a str; the part is no name */
	TDS_EXPR_CALL,        /* parts: what is called, its arguments */
	TDS_EXPR_KEYWORD,     /* value=part in a call */
	TDS_EXPR_SUBSCRIPT,   /* part[part] */
	TDS_EXPR_SLICE,       /* parts: begin, end, step; NULL: left out */
};
#define TDS_EXPR_TYPES 20

enum tds_operator_type {
	TDS_OP_OR,
	TDS_OP_XOR,
	TDS_OP_AND,
	TDS_OP_LSHIFT,
	TDS_OP_RSHIFT,
	TDS_OP_ADD, /* also before a value */
	TDS_OP_SUB, /* also before a value */
	TDS_OP_MUL,
	TDS_OP_DIV,
	TDS_OP_FLOORDIV,
	TDS_OP_MOD,
	TDS_OP_POW,
	TDS_OP_INVERT,
	TDS_OP_NOT,
	TDS_OP_LT,
	TDS_OP_LE,
	TDS_OP_GT,
	TDS_OP_GE,
	TDS_OP_EQ,
	TDS_OP_NE,
	TDS_OP_IN,
	TDS_OP_NOT_IN,
	TDS_OP_IS,
	TDS_OP_IS_NOT,
};

struct tds_operator {
	enum tds_operator_type type;
	unsigned line;
	unsigned column;
};

struct tds_expr {
	enum tds_expr_type type;
	unsigned line; /* where it begins, 1-based */
	unsigned column;
	unsigned depth;          /* of the tree below it */
	char conversion;         /* of a FIELD: 'r', 's', 'a'; NUL: none */
	bool bracketed;          /* it stands in brackets of its own */
	struct tds_value *value; /* owned; NULL: a type without one */
	const void *row;         /* what a name, call or attribute was found to be, borrowed */
	struct tds_expr **parts; /* owned */
	struct tds_operator
		*operators; /* owned; as many as a CHAIN or COMPARE has parts, the last unused */
	size_t n;
	size_t room;
};

/* A new expression without contents. NULL: out of memory. */
struct tds_expr *tds_expr_new(enum tds_expr_type type, unsigned line, unsigned column);

/* Recurses as deep as the tree is, which TDS_EXPR_MAX_DEPTH bounds; so do all functions of trees. */
void tds_expr_free(struct tds_expr *expr);
static inline void tds_expr_cleanup(struct tds_expr **expr)
{
	tds_expr_free(*expr);
}

/*
 * Add a part, NULL for none; expr owns it in any case.
 * Errors: TDS_E_SYNTAX (the tree gets too deep) with the place of expr, TDS_E_NOMEM.
 */
int tds_expr_add(struct tds_expr *expr, struct tds_expr *part, struct tds_err *err) TDS_MUST_CHECK;

/* Add an operator and the part behind it; the first part is there. Owner and errors as above. */
int tds_expr_add_operator(struct tds_expr *expr, struct tds_operator operator,
			  struct tds_expr * part, struct tds_err *err) TDS_MUST_CHECK;

/* As it is written: "+", "not in". */
const char *tds_operator_text(enum tds_operator_type type);

#endif
