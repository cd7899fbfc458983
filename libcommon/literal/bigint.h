/* SPDX-License-Identifier: MIT */
/*
 * Integers of any size up to TDS_LITERAL_MAX_DIGITS decimal digits, as their decimal texts: "-12", never "-0" nor
 * leading zeros. The arithmetic is OpenSSL's, the meaning of each operation Python's.
 */
#ifndef TDS_BIGINT_H
#define TDS_BIGINT_H

#include "base/err.h"
#include "expr.h"
#include "literal.h"

/*
 * a OPERATOR b, for OR, XOR, AND, the shifts, ADD, SUB, MUL, FLOORDIV, MOD and POW (b not negative).
 * Owner:  caller frees *result; NULL on error.
 * Errors: TDS_E_SYNTAX, without a place (by zero, a negative shift, too many digits); TDS_E_NOMEM.
 */
int tds_bigint_compute(enum tds_operator_type type, const char *a, const char *b, char **result,
		       struct tds_err *err) TDS_MUST_CHECK;

/* a / b, rounded once, as Python divides. Errors: TDS_E_SYNTAX (by zero, too large), TDS_E_NOMEM. */
int tds_bigint_ratio(const char *a, const char *b, double *result,
		     struct tds_err *err) TDS_MUST_CHECK;

/* Less than 0, 0, more than 0, as a is less than b, equal, or more. */
int tds_bigint_compare(const char *a, const char *b);

/* The digits of a number of base 2 to 36, with a sign or none. Owner and errors as for compute. */
int tds_bigint_read(const char *digits, unsigned base, char **result,
		    struct tds_err *err) TDS_MUST_CHECK;

/* The digits of number without its sign, in base 2, 8 or 16, small letters; caller frees. NULL: out of memory. */
char *tds_bigint_write(const char *number, unsigned base);

#endif
