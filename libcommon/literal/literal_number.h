/* SPDX-License-Identifier: MIT */
/* What a number's token means. */
#ifndef TDS_LITERAL_NUMBER_H
#define TDS_LITERAL_NUMBER_H

#include "literal_lex.h"
#include "value.h"

/* Set value, an empty one, to what a number's token says. Errors: TDS_E_SYNTAX, TDS_E_NOMEM. */
int tds_literal_number(const struct tds_token *token, struct tds_value *value,
		       struct tds_err *err) TDS_MUST_CHECK;

#endif
