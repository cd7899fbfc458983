/* SPDX-License-Identifier: MIT */
/* Python literals written: the text that reads back as the value. */
#ifndef TDS_REPR_H
#define TDS_REPR_H

#include "value.h"

/* The text of a value as Python's repr writes it, but for strings: always ASCII, in single quotes. Caller frees; NULL: memory. */
char *tds_value_repr(const struct tds_value *value);

#endif
