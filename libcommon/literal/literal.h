/* SPDX-License-Identifier: MIT */
/*
 * Python literals: parsed, never evaluated. The language is ast.literal_eval's, plus the closed
 * list of os and sys that tli(5) names (only where asked for), with the places of errors.
 */
#ifndef TDS_LITERAL_H
#define TDS_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "value.h"

#define TDS_LITERAL_MAX_NESTING 200
#define TDS_LITERAL_MAX_DIGITS 4300
#define TDS_LITERAL_MAX_BYTES (16 << 20) /* of the text; as many may come from the environment */
#define TDS_LITERAL_MAX_VALUES 250000    /* in one text, those inside of others counted too */

/*
 * Parse one literal.
 * Source:  text is untrusted; with environment (os.getenv and the rest) it reads this process's
 *          environment and working folder, and does nothing else.
 * Owner:   caller frees *value with tds_value_free().
 * Errors:  TDS_E_SYNTAX with line and column of the token at fault; TDS_E_NOMEM. On error *value is
 *          NULL.
 */
int tds_literal_parse(const char *text, size_t len, bool environment, struct tds_value **value,
		      struct tds_err *err) TDS_MUST_CHECK;

#endif
