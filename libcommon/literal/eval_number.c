/* SPDX-License-Identifier: MIT */
/* Arithmetic of numbers, with Python's rounding and its refusals. */
#include "eval_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bigint.h"

struct complex {
	double real;
	double imag;
};

int tds_number_float(struct tds_eval *e, const struct tds_value *value, double *number)
{
	*number = value->type == TDS_VALUE_FLOAT ? value->real
						 : strtod(tds_eval_int_text(value), NULL);
	if (value->type == TDS_VALUE_INT && isinf(*number))
		return TDS_EVAL_REFUSE(e, "the int is too large for a float");
	return 0;
}

int tds_number_truncate(struct tds_eval *e, double number, struct tds_value **result)
{
	char text[400];

	*result = NULL;
	if (!isfinite(number))
		return TDS_EVAL_REFUSE(e, "a float that is %s is no int",
				       isnan(number) ? "nan" : "infinite");
	(void)snprintf(text, sizeof(text), "%.0f", trunc(number));
	int rc = tds_eval_make(e, TDS_VALUE_INT, result);
	if (rc != 0)
		return rc;
	return tds_value_set_text(*result, strcmp(text, "-0") == 0 ? "0" : text,
				  strlen(text) - (strcmp(text, "-0") == 0))
		       ? 0
		       : tds_eval_no_memory(e);
}

/* What long numbers cost more, before and after: their digits meet each other. */
static int pay_digits(struct tds_eval *e, const char *a, const char *b)
{
	return tds_eval_pay(e, 2 + (strlen(a) + strlen(b)) / 8);
}

static int make_int(struct tds_eval *e, enum tds_operator_type type, const char *a, const char *b,
		    struct tds_value **result)
{
	int rc = pay_digits(e, a, b);

	if (rc == 0)
		rc = tds_eval_make(e, TDS_VALUE_INT, result);
	if (rc == 0)
		rc = tds_bigint_compute(type, a, b, &(*result)->text, e->err);
	if (rc == 0)
		rc = pay_digits(e, (*result)->text, "");
	if (rc != 0) {
		tds_value_free(*result);
		*result = NULL;
		return rc;
	}
	(*result)->len = strlen((*result)->text);
	return 0;
}

/* The quotient, rounded down, and what is left, with the sign of b. */
static double float_divide(double a, double b, double *rest)
{
	double mod = fmod(a, b);
	double quotient = (a - mod) / b;

	if (mod == 0) {
		mod = copysign(0.0, b);
	} else if ((b < 0) != (mod < 0)) {
		mod += b;
		quotient -= 1.0;
	}
	*rest = mod;
	if (quotient == 0)
		return copysign(0.0, a / b);
	double whole = floor(quotient);
	return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

static int float_power(struct tds_eval *e, double a, double b, double *result)
{
	if (a == 0 && b < 0 && isfinite(b))
		return TDS_EVAL_REFUSE(e, "0.0 to a negative power");
	if (a < 0 && isfinite(a) && isfinite(b) && floor(b) != b)
		return TDS_EVAL_REFUSE(e, "a power that is a complex number is not allowed");
	*result = pow(a, b);
	if (isinf(*result) && isfinite(a) && isfinite(b))
		return TDS_EVAL_REFUSE(e, "the result of '**' is too large for a float");
	return 0;
}

static int compute_float(struct tds_eval *e, enum tds_operator_type type, double a, double b,
			 double *result)
{
	double rest;

	if (b == 0 && (type == TDS_OP_DIV || type == TDS_OP_FLOORDIV || type == TDS_OP_MOD))
		return TDS_EVAL_REFUSE(e, "division by zero");
	switch (type) {
	case TDS_OP_ADD:
		*result = a + b;
		return 0;
	case TDS_OP_SUB:
		*result = a - b;
		return 0;
	case TDS_OP_MUL:
		*result = a * b;
		return 0;
	case TDS_OP_DIV:
		*result = a / b;
		return 0;
	case TDS_OP_FLOORDIV:
		*result = float_divide(a, b, &rest);
		return 0;
	case TDS_OP_MOD:
		(void)float_divide(a, b, result);
		return 0;
	default:
		return float_power(e, a, b, result);
	}
}

static int floats(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		  const struct tds_value *b, struct tds_value **result)
{
	double x;
	double y;
	double r = 0;
	int rc = tds_number_float(e, a, &x);

	if (rc == 0)
		rc = tds_number_float(e, b, &y);
	if (rc == 0)
		rc = compute_float(e, type, x, y, &r);
	return rc == 0 ? tds_eval_make_float(e, r, result) : rc;
}

static int ints(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		const struct tds_value *b, struct tds_value **result)
{
	const char *x = tds_eval_int_text(a);
	const char *y = tds_eval_int_text(b);
	double ratio = 0;
	int rc;

	if (type == TDS_OP_POW && *y == '-')
		return floats(e, type, a, b, result);
	if (type == TDS_OP_DIV) {
		rc = pay_digits(e, x, y);
		if (rc == 0)
			rc = tds_bigint_ratio(x, y, &ratio, e->err);
		return rc == 0 ? tds_eval_make_float(e, ratio, result) : rc;
	}
	rc = make_int(e, type, x, y, result);
	bool bits = type == TDS_OP_AND || type == TDS_OP_OR || type == TDS_OP_XOR;
	if (rc == 0 && bits && a->type == TDS_VALUE_BOOL && b->type == TDS_VALUE_BOOL) {
		bool one = strcmp((*result)->text, "1") == 0;

		tds_value_free(*result);
		rc = tds_eval_make_bool(e, one, result);
	}
	return rc;
}

/* Scaled by the larger part of the divisor, as Python does it, so that nothing overflows on the way. */
static struct complex complex_divide(struct complex a, struct complex b)
{
	if (fabs(b.real) >= fabs(b.imag)) {
		double ratio = b.imag / b.real;
		double sum = b.real + b.imag * ratio;

		return (struct complex){ (a.real + a.imag * ratio) / sum,
					 (a.imag - a.real * ratio) / sum };
	}
	if (isnan(b.real) || isnan(b.imag))
		return (struct complex){ NAN, NAN };
	double ratio = b.real / b.imag;
	double sum = b.real * ratio + b.imag;
	return (struct complex){ (a.real * ratio + a.imag) / sum, (a.imag * ratio - a.real) / sum };
}

static int make_complex(struct tds_eval *e, const struct tds_value *value, struct complex *number)
{
	number->imag = value->imag;
	if (value->type != TDS_VALUE_COMPLEX)
		return tds_number_float(e, value, &number->real);
	number->real = value->real;
	return 0;
}

static int compute_complex(struct tds_eval *e, enum tds_operator_type type, struct complex a,
			   struct complex b, struct complex *r)
{
	switch (type) {
	case TDS_OP_ADD:
		*r = (struct complex){ a.real + b.real, a.imag + b.imag };
		return 0;
	case TDS_OP_SUB:
		*r = (struct complex){ a.real - b.real, a.imag - b.imag };
		return 0;
	case TDS_OP_MUL:
		*r = (struct complex){ a.real * b.real - a.imag * b.imag,
				       a.real * b.imag + a.imag * b.real };
		return 0;
	default:
		if (b.real == 0 && b.imag == 0)
			return TDS_EVAL_REFUSE(e, "division by zero");
		*r = complex_divide(a, b);
		return 0;
	}
}

static int complexes(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		     const struct tds_value *b, struct tds_value **result)
{
	struct complex x;
	struct complex y;
	struct complex r = { 0, 0 };

	if (type != TDS_OP_ADD && type != TDS_OP_SUB && type != TDS_OP_MUL && type != TDS_OP_DIV)
		return tds_eval_not_allowed(e, type, a, b);
	int rc = make_complex(e, a, &x);
	if (rc == 0)
		rc = make_complex(e, b, &y);
	if (rc == 0)
		rc = compute_complex(e, type, x, y, &r);
	if (rc == 0)
		rc = tds_eval_make(e, TDS_VALUE_COMPLEX, result);
	if (rc != 0)
		return rc;
	(*result)->real = r.real;
	(*result)->imag = r.imag;
	return 0;
}

int tds_number_compute(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		       const struct tds_value *b, struct tds_value **result)
{
	*result = NULL;
	if (a->type == TDS_VALUE_COMPLEX || b->type == TDS_VALUE_COMPLEX)
		return complexes(e, type, a, b, result);
	if (tds_eval_is_int(a) && tds_eval_is_int(b))
		return ints(e, type, a, b, result);
	if (type < TDS_OP_ADD)
		return tds_eval_not_allowed(e, type, a, b);
	return floats(e, type, a, b, result);
}

int tds_number_sign(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
		    struct tds_value **result)
{
	*result = NULL;
	if (tds_eval_is_int(a) && type == TDS_OP_INVERT)
		return make_int(e, TDS_OP_SUB, "-1", tds_eval_int_text(a), result);
	if (tds_eval_is_int(a))
		return make_int(e, type, "0", tds_eval_int_text(a), result);
	if (type == TDS_OP_INVERT)
		return TDS_EVAL_REFUSE(e, "'~' before a %s is not allowed", tds_value_type_name(a));
	int rc = tds_eval_copy(e, a, result);
	if (rc == 0 && type == TDS_OP_SUB) {
		(*result)->real = -a->real;
		(*result)->imag = a->type == TDS_VALUE_COMPLEX ? -a->imag : 0;
	}
	return rc;
}

/* An int beside a float, each as it is: rounding an int to a float could make them equal. */
static int compare_mixed(const char *number, double real)
{
	char whole[400];

	if (isinf(real))
		return real > 0 ? -1 : 1;
	(void)snprintf(whole, sizeof(whole), "%.0f", trunc(real));
	int order = tds_bigint_compare(number, strcmp(whole, "-0") == 0 ? "0" : whole);
	double rest = real - trunc(real);
	return order != 0 ? order : (rest < 0) - (rest > 0);
}

bool tds_number_compare(const struct tds_value *a, const struct tds_value *b, int *order)
{
	if (isnan(a->real) || isnan(b->real))
		return false;
	if (a->type != TDS_VALUE_FLOAT && b->type != TDS_VALUE_FLOAT)
		*order = tds_bigint_compare(tds_eval_int_text(a), tds_eval_int_text(b));
	else if (a->type != TDS_VALUE_FLOAT)
		*order = compare_mixed(tds_eval_int_text(a), b->real);
	else if (b->type != TDS_VALUE_FLOAT)
		*order = -compare_mixed(tds_eval_int_text(b), a->real);
	else
		*order = (a->real > b->real) - (a->real < b->real);
	return true;
}
