/* SPDX-License-Identifier: MIT */
/* Parts of values: by index, by key, by slice; and the items that a value goes through. */
#ifndef TDS_EVAL_INDEX_H
#define TDS_EVAL_INDEX_H

#include "eval.h"

/* value[index]. Owner: caller frees *item; NULL on error. */
int tds_index_get(struct tds_eval *e, const struct tds_value *value, const struct tds_value *index,
		  struct tds_value **item) TDS_MUST_CHECK;

/* value[begin:end:step], each NULL or None where it is left out. */
int tds_index_slice(struct tds_eval *e, const struct tds_value *value,
		    const struct tds_value *const bounds[3],
		    struct tds_value **slice) TDS_MUST_CHECK;

/*
 * A list of the items that a value goes through: characters, bytes, items, keys.
 * Errors: TDS_E_SYNTAX (it goes through none; or it is a set of several, and ordered says that their order would show).
 */
int tds_index_items(struct tds_eval *e, const struct tds_value *value, bool ordered,
		    struct tds_value **list) TDS_MUST_CHECK;

#endif
