/* SPDX-License-Identifier: MIT */
/* What an expression may mean, before anything of it is evaluated. */
#ifndef TDS_EXPR_CHECK_H
#define TDS_EXPR_CHECK_H

#include "expr.h"

/*
 * Find what each name, call and attribute is (expr->row), in branches that are never evaluated too; what is not on the
 * lists of call.h is refused where it stands. A name with more behind it ("sys.platform.upper") is taken apart.
 * Errors: TDS_E_SYNTAX with the place, TDS_E_NOMEM.
 */
int tds_expr_check(struct tds_expr *expr, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Does an expression that tds_expr_check took leave the file system alone, in each branch?
 * Errors: TDS_E_SYNTAX with the place of the call that asks it.
 */
int tds_expr_check_no_files(const struct tds_expr *expr, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Is it a literal, as ast.literal_eval has it? Then it is taken for evaluation as any other: what it computes are only
 * signs and complex numbers.
 * Errors: TDS_E_SYNTAX with the place of what is more than that.
 */
int tds_expr_check_literal(struct tds_expr *expr, struct tds_err *err) TDS_MUST_CHECK;

#endif
