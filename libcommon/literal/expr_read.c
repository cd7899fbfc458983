/* SPDX-License-Identifier: MIT */
/* The reader of expressions, by recursive descent: operators, and whole texts. */
#include "expr_read.h"

#include "base/mem.h"

static int read_expression(struct tds_reader *r, struct tds_expr **expr);
static int read_factor(struct tds_reader *r, struct tds_expr **expr);

/* Operators between values; those of a higher level bind more tightly. */
#define LOWEST 1
static const struct {
	const char *text;
	int level;
	enum tds_operator_type type;
} binary[] = {
	{ "|", 1, TDS_OP_OR },        { "^", 2, TDS_OP_XOR },     { "&", 3, TDS_OP_AND },
	{ "<<", 4, TDS_OP_LSHIFT },   { ">>", 4, TDS_OP_RSHIFT }, { "+", 5, TDS_OP_ADD },
	{ "-", 5, TDS_OP_SUB },       { "*", 6, TDS_OP_MUL },     { "/", 6, TDS_OP_DIV },
	{ "//", 6, TDS_OP_FLOORDIV }, { "%", 6, TDS_OP_MOD },
};

static struct tds_operator operator_here(const struct tds_reader *r, enum tds_operator_type type)
{
	return (struct tds_operator){ type, r->token.line, r->token.column };
}

/* The level of the operator at hand; 0: it is none. */
static int find_binary(const struct tds_reader *r, enum tds_operator_type *type)
{
	for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++) {
		if (tds_read_at(r, binary[i].text)) {
			*type = binary[i].type;
			return binary[i].level;
		}
	}
	return 0;
}

/* Read with read what becomes the last part of expr. */
static int add_part(struct tds_reader *r, struct tds_expr *expr,
		    int (*read)(struct tds_reader *r, struct tds_expr **expr))
{
	tds_auto(expr) struct tds_expr *part = NULL;
	int rc = read(r, &part);

	return rc == 0 ? tds_expr_add(expr, tds_steal(&part), r->err) : rc;
}

/* Read the operand behind an operator, which is taken, with read; it becomes the last part of expr. */
static int add_operand(struct tds_reader *r, struct tds_expr *expr, struct tds_operator operator,
		       int (*read)(struct tds_reader *r, struct tds_expr **expr))
{
	tds_auto(expr) struct tds_expr *part = NULL;
	int rc = read(r, &part);

	return rc == 0 ? tds_expr_add_operator(expr, operator, tds_steal(&part), r->err) : rc;
}

/* One expression becomes the first part of another, of a type. */
static int wrap(struct tds_reader *r, enum tds_expr_type type, struct tds_expr **expr)
{
	return tds_read_around(r, type, tds_steal(expr), expr);
}

/* OPERATOR VALUE: one more before a value. */
static int read_unary(struct tds_reader *r, enum tds_operator_type type,
		      int (*read)(struct tds_reader *r, struct tds_expr **expr),
		      struct tds_expr **expr)
{
	struct tds_operator operator= operator_here(r, type);
	int rc = tds_read_enter(r);

	if (rc == 0)
		rc = tds_read_new(r, TDS_EXPR_UNARY, operator.line, operator.column, expr);
	if (rc == 0)
		rc = tds_read_advance(r);
	if (rc == 0)
		rc = add_part(r, *expr, read);
	if (rc != 0)
		return rc;
	(*expr)->operators[0] = operator;
	tds_read_leave(r);
	return 0;
}

static int read_power(struct tds_reader *r, struct tds_expr **expr)
{
	struct tds_operator operator;
	int rc = tds_read_primary(r, expr);

	if (rc != 0 || !tds_read_at(r, "**"))
		return rc;
	operator= operator_here(r, TDS_OP_POW);
	rc = wrap(r, TDS_EXPR_CHAIN, expr);
	if (rc == 0)
		rc = tds_read_enter(r);
	if (rc == 0)
		rc = tds_read_advance(r);
	if (rc == 0)
		rc = add_operand(r, *expr, operator, read_factor);
	tds_read_leave(r);
	return rc;
}

static int read_factor(struct tds_reader *r, struct tds_expr **expr)
{
	if (tds_read_at(r, "-"))
		return read_unary(r, TDS_OP_SUB, read_factor, expr);
	if (tds_read_at(r, "+"))
		return read_unary(r, TDS_OP_ADD, read_factor, expr);
	if (tds_read_at(r, "~"))
		return read_unary(r, TDS_OP_INVERT, read_factor, expr);
	return read_power(r, expr);
}

/*
 * Operands with operators of at least a level between them. Those of one level in a row make one chain, however many:
 * the tree gets no deeper by them.
 */
static int read_binary(struct tds_reader *r, int least, struct tds_expr **expr)
{
	enum tds_operator_type type;
	int chain = 0; /* the level of the chain that expr is; 0: it is none of ours */
	int level;
	int rc = read_factor(r, expr);

	while (rc == 0 && (level = find_binary(r, &type)) >= least) {
		struct tds_operator operator= operator_here(r, type);
		tds_auto(expr) struct tds_expr *part = NULL;

		if (chain != level)
			rc = wrap(r, TDS_EXPR_CHAIN, expr);
		chain = level;
		if (rc == 0)
			rc = tds_read_advance(r);
		if (rc == 0)
			rc = read_binary(r, level + 1, &part);
		if (rc == 0)
			rc = tds_expr_add_operator(*expr, operator, tds_steal(&part), r->err);
	}
	return rc;
}

static int read_sum(struct tds_reader *r, struct tds_expr **expr)
{
	return read_binary(r, LOWEST, expr);
}

/* The comparison at hand is taken, both words of it. false: there is none. */
static bool take_comparison(struct tds_reader *r, struct tds_operator *operator, int * rc)
{
	static const struct {
		const char *text;
		const char *second; /* NULL: one word */
		enum tds_token_type kind;
		enum tds_operator_type type;
	} list[] = {
		{ "<", NULL, TDS_TOKEN_OP, TDS_OP_LT },
		{ "<=", NULL, TDS_TOKEN_OP, TDS_OP_LE },
		{ ">", NULL, TDS_TOKEN_OP, TDS_OP_GT },
		{ ">=", NULL, TDS_TOKEN_OP, TDS_OP_GE },
		{ "==", NULL, TDS_TOKEN_OP, TDS_OP_EQ },
		{ "!=", NULL, TDS_TOKEN_OP, TDS_OP_NE },
		{ "in", NULL, TDS_TOKEN_NAME, TDS_OP_IN },
		{ "not", "in", TDS_TOKEN_NAME, TDS_OP_NOT_IN },
		{ "is", "not", TDS_TOKEN_NAME, TDS_OP_IS_NOT },
	};
	size_t i = 0;

	while (i < sizeof(list) / sizeof(list[0]) &&
	       !tds_token_is(&r->token, list[i].kind, list[i].text))
		i++;
	if (i == sizeof(list) / sizeof(list[0]))
		return false;
	*operator= operator_here(r, list[i].type);
	*rc = tds_read_advance(r);
	if (*rc != 0 || !list[i].second)
		return true;
	if (tds_read_at_name(r, list[i].second))
		*rc = tds_read_advance(r);
	else if (list[i].type == TDS_OP_IS_NOT)
		operator->type = TDS_OP_IS;
	else
		*rc = tds_read_unexpected(r, " after not");
	return true;
}

static int read_comparison(struct tds_reader *r, struct tds_expr **expr)
{
	struct tds_operator operator;
	int rc = read_sum(r, expr);
	bool wrapped = false;

	while (rc == 0 && take_comparison(r, &operator, & rc)) {
		if (rc == 0 && !wrapped)
			rc = wrap(r, TDS_EXPR_COMPARE, expr);
		wrapped = true;
		if (rc == 0)
			rc = add_operand(r, *expr, operator, read_sum);
	}
	return rc;
}

static int read_not(struct tds_reader *r, struct tds_expr **expr)
{
	if (tds_read_at_name(r, "not"))
		return read_unary(r, TDS_OP_NOT, read_not, expr);
	return read_comparison(r, expr);
}

/* Operands with a word between them, each read with read. */
static int read_words(struct tds_reader *r, const char *word, enum tds_expr_type type,
		      int (*read)(struct tds_reader *r, struct tds_expr **expr),
		      struct tds_expr **expr)
{
	int rc = read(r, expr);
	bool wrapped = false;

	while (rc == 0 && tds_read_at_name(r, word)) {
		if (!wrapped)
			rc = wrap(r, type, expr);
		wrapped = true;
		if (rc == 0)
			rc = tds_read_advance(r);
		if (rc == 0)
			rc = add_part(r, *expr, read);
	}
	return rc;
}

static int read_and(struct tds_reader *r, struct tds_expr **expr)
{
	return read_words(r, "and", TDS_EXPR_AND, read_not, expr);
}

static int read_or(struct tds_reader *r, struct tds_expr **expr)
{
	return read_words(r, "or", TDS_EXPR_OR, read_and, expr);
}

/* One more part of a conditional, read with read, behind a word that is taken. */
static int add_branch(struct tds_reader *r, struct tds_expr *expr, const char *word,
		      int (*read)(struct tds_reader *r, struct tds_expr **expr))
{
	if (!tds_read_at_name(r, word))
		return tds_read_unexpected(r, ", where else is expected");
	int rc = tds_read_advance(r);
	return rc == 0 ? add_part(r, expr, read) : rc;
}

static int read_expression(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_enter(r);

	if (rc == 0)
		rc = read_or(r, expr);
	if (rc == 0 && tds_read_at(r, ":=") && (*expr)->type == TDS_EXPR_NAME)
		return TDS_READ_FAIL(r, &r->token, "':=' is not allowed");
	if (rc == 0 && tds_read_at_name(r, "if")) {
		rc = wrap(r, TDS_EXPR_CONDITIONAL, expr);
		if (rc == 0)
			rc = add_branch(r, *expr, "if", read_or);
		if (rc == 0)
			rc = add_branch(r, *expr, "else", read_expression);
	}
	tds_read_leave(r);
	return rc;
}

/* One expression, or a star and what is taken apart. */
static int read_element(struct tds_reader *r, struct tds_expr **expr)
{
	if (!tds_read_at(r, "*"))
		return read_expression(r, expr);
	int rc = tds_read_new(r, TDS_EXPR_STAR, r->token.line, r->token.column, expr);
	if (rc == 0)
		rc = tds_read_advance(r);
	return rc == 0 ? add_part(r, *expr, read_sum) : rc;
}

/* A tuple without brackets, or one expression. */
static int read_tuple(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = read_element(r, expr);

	if (rc == 0 && tds_read_at(r, ","))
		rc = wrap(r, TDS_EXPR_TUPLE, expr);
	else if (rc == 0 && (*expr)->type == TDS_EXPR_STAR)
		return TDS_READ_FAIL(r, *expr, "'*' is not allowed here");
	while (rc == 0 && tds_read_at(r, ",")) {
		rc = tds_read_advance(r);
		if (rc != 0 || tds_read_at_end(r))
			break;
		rc = add_part(r, *expr, read_element);
	}
	return rc;
}

static int read_what(struct tds_reader *r, enum tds_read_what what, struct tds_expr **expr)
{
	static int (*const readers[])(struct tds_reader *, struct tds_expr **) = {
		[TDS_READ_ONE] = read_expression,
		[TDS_READ_ELEMENT] = read_element,
		[TDS_READ_TUPLE] = read_tuple,
	};

	return readers[what](r, expr);
}

/* The value and nothing but empty lines behind it. */
static int read_all(struct tds_reader *r, struct tds_expr **expr)
{
	int rc = tds_read_advance(r);

	if (rc == 0)
		rc = read_tuple(r, expr);
	while (rc == 0 && r->token.type == TDS_TOKEN_NEWLINE)
		rc = tds_read_advance(r);
	if (rc == 0 && r->token.type != TDS_TOKEN_END)
		return tds_read_unexpected(r, " after the value");
	return rc;
}

int tds_expr_read(const char *text, size_t len, size_t max, struct tds_expr **expr,
		  struct tds_err *err)
{
	struct tds_reader r = { .max = max, .err = err, .read = read_what };

	*expr = NULL;
	int rc = tds_lex_init(&r.lex, text, len, err);
	if (rc == 0)
		rc = read_all(&r, expr);
	tds_lex_fini(&r.lex);
	if (rc == 0)
		return 0;
	tds_expr_free(*expr);
	*expr = NULL;
	return rc;
}
