/* SPDX-License-Identifier: MIT */
/* Arithmetic of numbers: bool, int, float, complex. */
#ifndef TDS_EVAL_NUMBER_H
#define TDS_EVAL_NUMBER_H

#include "eval.h"

static inline bool tds_number_is(const struct tds_value *value)
{
	return value->type >= TDS_VALUE_BOOL && value->type <= TDS_VALUE_COMPLEX;
}

/*
 * a OPERATOR b of two numbers.
 * Owner:  caller frees *result; NULL on error.
 * Errors: TDS_E_SYNTAX, TDS_E_NOMEM.
 */
int tds_number_compute(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		       const struct tds_value *b, struct tds_value **result) TDS_MUST_CHECK;

/* +a, -a, ~a of a number. */
int tds_number_sign(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		    struct tds_value **result) TDS_MUST_CHECK;

/* An int, bool or float as a float. Errors: TDS_E_SYNTAX: it is too large. */
int tds_number_float(struct tds_eval *e, const struct tds_value *value,
		     double *number) TDS_MUST_CHECK;

/* A float without what is behind its point, as an int. Errors: TDS_E_SYNTAX: it is none; TDS_E_NOMEM. */
int tds_number_truncate(struct tds_eval *e, double number,
			struct tds_value **result) TDS_MUST_CHECK;

/*
 * Which of two, none of them complex, is less: *order is less than 0, 0, or more. false: one is a nan.
 */
bool tds_number_compare(const struct tds_value *a, const struct tds_value *b, int *order);

#endif
