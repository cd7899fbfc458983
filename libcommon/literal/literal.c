/* SPDX-License-Identifier: MIT */
/* A text is read, judged as a whole, and only then evaluated. */
#include "literal.h"

#include "base/mem.h"
#include "expr_check.h"
#include "expr_eval.h"
#include "expr_read.h"

int tds_literal_parse(const char *text, size_t len, bool pure, struct tds_value **value,
		      struct tds_err *err)
{
	struct tds_err own;
	struct tds_eval e = { .steps = pure ? TDS_LITERAL_MAX_STEPS : 4 * TDS_LITERAL_MAX_VALUES,
			      .err = err ? err : &own };
	tds_auto(expr) struct tds_expr *expr = NULL;

	*value = NULL;
	if (len > (pure ? TDS_LITERAL_MAX_PURE : TDS_LITERAL_MAX_BYTES))
		return tds_err_at(e.err, TDS_E_SYNTAX, 1, 1, "the text has more than %d bytes",
				  pure ? TDS_LITERAL_MAX_PURE : TDS_LITERAL_MAX_BYTES);
	int rc = tds_expr_read(text, len, pure ? TDS_LITERAL_MAX_STEPS : TDS_LITERAL_MAX_VALUES,
			       &expr, e.err);
	if (rc == 0)
		rc = pure ? tds_expr_check(expr, e.err) : tds_expr_check_literal(expr, e.err);
	return rc == 0 ? tds_expr_eval(&e, expr, value) : rc;
}
