/* SPDX-License-Identifier: MIT */
/* What sets and dictionaries are asked: what is in them, and what they are together. */
#ifndef TDS_EVAL_SET_H
#define TDS_EVAL_SET_H

#include "eval.h"

static inline bool tds_set_is(const struct tds_value *value)
{
	return value->type == TDS_VALUE_SET || value->type == TDS_VALUE_FROZENSET;
}

/*
 * Where in a row of values, every stride-th one, is the one that equals wanted? *index becomes the count of them where
 * there is none.
 */
int tds_set_find(struct tds_eval *e, struct tds_value *const *items, size_t n, size_t stride,
		 const struct tds_value *wanted, size_t *index) TDS_MUST_CHECK;

/* Where in a dictionary is the pair of a key? *index becomes the count of pairs where there is none. */
int tds_set_find_key(struct tds_eval *e, const struct tds_value *dict, const struct tds_value *key,
		     size_t *index) TDS_MUST_CHECK;

/* Is it an operator that the two, sets or dictionaries, have? */
bool tds_set_takes(enum tds_operator_type type, const struct tds_value *a,
		   const struct tds_value *b);

/* *left OPERATOR right, of such; what right holds may be moved. The result takes the place of *left. */
int tds_set_compute(struct tds_eval *e, enum tds_operator_type type, struct tds_value **left,
		    struct tds_value *right) TDS_MUST_CHECK;

/* Is each of a's in b? */
int tds_set_within(struct tds_eval *e, const struct tds_value *a, const struct tds_value *b,
		   bool *within) TDS_MUST_CHECK;

#endif
