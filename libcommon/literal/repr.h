/* SPDX-License-Identifier: MIT */
/* Python values written as text. */
#ifndef TDS_REPR_H
#define TDS_REPR_H

#include <stdbool.h>

#include "base/buf.h"
#include "value.h"

enum tds_repr_style {
	TDS_REPR_LITERAL, /* reads back as the value: always ASCII, in single quotes; infinity as 1e999 */
	TDS_REPR_REPR,  /* as Python's repr */
	TDS_REPR_ASCII, /* as Python's ascii */
};

/* Add the text of a value. false: out of memory. */
bool tds_repr_add(struct tds_buf *buf, const struct tds_value *value,
		  enum tds_repr_style style) TDS_MUST_CHECK;

/* The text of a value in the first style. Caller frees; NULL: memory. */
char *tds_value_repr(const struct tds_value *value);

#endif
