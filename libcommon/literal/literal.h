/* SPDX-License-Identifier: MIT */
/*
 * Python values from text: literals, as ast.literal_eval reads them, and pure expressions, which compute, read the
 * machine's facts by the closed list that tli(5) has, and can do nothing else. Errors have the place in the text.
 */
#ifndef TDS_LITERAL_H
#define TDS_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "value.h"

#define TDS_LITERAL_MAX_NESTING 200      /* of brackets */
#define TDS_LITERAL_MAX_DIGITS 4300      /* of an int */
#define TDS_LITERAL_MAX_BYTES (16 << 20) /* of the text of a literal */
#define TDS_LITERAL_MAX_VALUES 250000    /* in a literal, those inside of others counted too */

#define TDS_LITERAL_MAX_PURE (1 << 20) /* bytes of the text of a pure expression */
#define TDS_LITERAL_MAX_STEPS 100000   /* of its evaluation, and values that are written in it */
#define TDS_LITERAL_MAX_TEXT (1 << 20) /* bytes of a text that it computes */

/*
 * Read a literal or, with pure, evaluate an expression.
 * Source:  text is untrusted; with pure this process's environment, working folder and the files that are asked for are
 *          looked at, and nothing is changed. No text takes more than 100 ms and 64 MiB for it, but for what a file
 *          system, or the Python whose version is asked for, takes to answer.
 * Owner:   caller frees *value with tds_value_free().
 * Errors:  TDS_E_SYNTAX with line and column of the token at fault; TDS_E_NOMEM. On error *value is
 *          NULL.
 */
int tds_literal_parse(const char *text, size_t len, bool pure, struct tds_value **value,
		      struct tds_err *err) TDS_MUST_CHECK;

/*
 * Evaluate an expression that came with a package: it is told what the surroundings say (literal_env.h), and may not ask
 * the file system, in no branch of it. Owner and errors as above.
 */
struct tds_surroundings;
int tds_literal_parse_packed(const char *text, size_t len, const struct tds_surroundings *around,
			     struct tds_value **value, struct tds_err *err) TDS_MUST_CHECK;

#endif
