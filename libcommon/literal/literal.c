/* SPDX-License-Identifier: MIT */
/* A text is read, judged as a whole, and only then evaluated. */
#include "literal.h"

#include "base/mem.h"
#include "expr_check.h"
#include "expr_eval.h"
#include "expr_read.h"

/* What a text may be, each kind by the check of its tree, and how much of it there may be. */
struct kind {
	int (*check)(struct tds_expr *expr, struct tds_err *err);
	int bytes;
	size_t values; /* that are written in it */
	size_t steps;
};

static int check_packed(struct tds_expr *expr, struct tds_err *err)
{
	int rc = tds_expr_check(expr, err);

	return rc == 0 ? tds_expr_check_no_files(expr, err) : rc;
}

static const struct kind literal = { tds_expr_check_literal, TDS_LITERAL_MAX_BYTES,
				     TDS_LITERAL_MAX_VALUES, 4 * TDS_LITERAL_MAX_VALUES };
static const struct kind pure_expression = { tds_expr_check, TDS_LITERAL_MAX_PURE,
					     TDS_LITERAL_MAX_STEPS, TDS_LITERAL_MAX_STEPS };
static const struct kind packed_expression = { check_packed, TDS_LITERAL_MAX_PURE,
					       TDS_LITERAL_MAX_STEPS, TDS_LITERAL_MAX_STEPS };

static int parse(const struct kind *kind, const char *text, size_t len,
		 const struct tds_surroundings *around, struct tds_value **value,
		 struct tds_err *err)
{
	struct tds_err own;
	struct tds_eval e = { .steps = kind->steps, .around = around, .err = err ? err : &own };
	tds_auto(expr) struct tds_expr *expr = NULL;

	*value = NULL;
	if (len > (size_t)kind->bytes)
		return tds_err_at(e.err, TDS_E_SYNTAX, 1, 1, "the text has more than %d bytes",
				  kind->bytes);
	int rc = tds_expr_read(text, len, kind->values, &expr, e.err);
	if (rc == 0)
		rc = kind->check(expr, e.err);
	return rc == 0 ? tds_expr_eval(&e, expr, value) : rc;
}

int tds_literal_parse(const char *text, size_t len, bool pure, struct tds_value **value,
		      struct tds_err *err)
{
	return parse(pure ? &pure_expression : &literal, text, len, NULL, value, err);
}

int tds_literal_parse_packed(const char *text, size_t len, const struct tds_surroundings *around,
			     struct tds_value **value, struct tds_err *err)
{
	return parse(&packed_expression, text, len, around, value, err);
}
