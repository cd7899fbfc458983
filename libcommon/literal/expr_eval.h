/* SPDX-License-Identifier: MIT */
/* The value of an expression that was checked. */
#ifndef TDS_EXPR_EVAL_H
#define TDS_EXPR_EVAL_H

#include "eval.h"

/*
 * Evaluate; the constants of expr move into the value, so it is evaluated once.
 * Owner:   caller frees *value; NULL on error.
 * Errors:  TDS_E_SYNTAX with the place, TDS_E_NOMEM.
 */
int tds_expr_eval(struct tds_eval *e, struct tds_expr *expr,
		  struct tds_value **value) TDS_MUST_CHECK;

#endif
