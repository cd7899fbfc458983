/* SPDX-License-Identifier: MIT */
/* Operators between values of any kind. */
#ifndef TDS_EVAL_OPERATOR_H
#define TDS_EVAL_OPERATOR_H

#include "eval.h"

/*
 * *left OPERATOR *right; both may be used up by it. The result takes the place of *left.
 * Errors: TDS_E_SYNTAX, TDS_E_NOMEM; *left is NULL or a value then.
 */
int tds_operator_compute(struct tds_eval *e, enum tds_operator_type type, struct tds_value **left,
			 struct tds_value *right) TDS_MUST_CHECK;

/* a OPERATOR b for those that compare, but is and is not. */
int tds_operator_compare(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			 const struct tds_value *b, bool *result) TDS_MUST_CHECK;

#endif
