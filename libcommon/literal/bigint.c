/* SPDX-License-Identifier: MIT */
/* Integers of any size: OpenSSL's, rounded and complemented as Python does. */
#include "bigint.h"

#include <math.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_BITS (TDS_LITERAL_MAX_DIGITS * 10 / 3) /* a few more than the digits have */

/* Numbers on their way, all freed together. */
struct work {
	BN_CTX *ctx;
	BIGNUM *a;
	BIGNUM *b;
	BIGNUM *r;
	BIGNUM *rest;
};

static void work_fini(struct work *w)
{
	BN_free(w->a);
	BN_free(w->b);
	BN_free(w->r);
	BN_free(w->rest);
	BN_CTX_free(w->ctx);
}
#define tds_work_cleanup work_fini

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int too_long(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_SYNTAX, "int of more than %d digits", TDS_LITERAL_MAX_DIGITS);
}

static bool work_init(struct work *w, const char *a, const char *b)
{
	*w = (struct work){ .ctx = BN_CTX_new(), .r = BN_new(), .rest = BN_new() };
	return w->ctx && w->r && w->rest && BN_dec2bn(&w->a, a) > 0 && BN_dec2bn(&w->b, b) > 0;
}

static int take_result(const BIGNUM *number, char **result, struct tds_err *err)
{
	if (BN_num_bits(number) > MAX_BITS)
		return too_long(err);
	char *text = BN_bn2dec(number);
	if (!text)
		return no_memory(err);
	bool fits = strlen(text) <= TDS_LITERAL_MAX_DIGITS + (size_t)(*text == '-');
	if (fits)
		*result = strdup(text);
	OPENSSL_free(text);
	return !fits ? too_long(err) : *result ? 0 : no_memory(err);
}

/* The quotient, rounded down, in r, and what is left, with the sign of b, in rest. */
static bool divide(struct work *w)
{
	if (BN_div(w->r, w->rest, w->a, w->b, w->ctx) != 1)
		return false;
	if (BN_is_zero(w->rest) || BN_is_negative(w->rest) == BN_is_negative(w->b))
		return true;
	return BN_add(w->rest, w->rest, w->b) == 1 && BN_sub_word(w->r, 1) == 1;
}

/* The low 8 * n bits of a number's two's complement, the lowest byte last. */
static bool complement(const BIGNUM *number, unsigned char *bytes, size_t n)
{
	if (BN_bn2binpad(number, bytes, (int)n) < 0)
		return false;
	for (size_t i = n, carry = 1; BN_is_negative(number) && i-- > 0;) {
		carry += (unsigned char)~bytes[i];
		bytes[i] = (unsigned char)carry;
		carry >>= 8;
	}
	return true;
}

static unsigned char combine(enum tds_operator_type type, unsigned char a, unsigned char b)
{
	return type == TDS_OP_AND ? a & b : type == TDS_OP_OR ? a | b : a ^ b;
}

/* Bit by bit, as if negative numbers had infinitely many ones before them. */
static bool combine_bits(struct work *w, enum tds_operator_type type)
{
	unsigned char a[MAX_BITS / 8 + 3];
	unsigned char b[sizeof(a)];

	if (!complement(w->a, a, sizeof(a)) || !complement(w->b, b, sizeof(b)))
		return false;
	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = combine(type, a[i], b[i]);
	bool negative = a[0] & 0x80;
	for (size_t i = sizeof(a), carry = 1; negative && i-- > 0;) {
		carry += (unsigned char)~a[i];
		a[i] = (unsigned char)carry;
		carry >>= 8;
	}
	if (!BN_bin2bn(a, sizeof(a), w->r))
		return false;
	BN_set_negative(w->r, negative);
	return true;
}

/* By how many bits to shift, or -1: beyond all numbers that there may be. */
static int shift_of(const struct work *w)
{
	BN_ULONG bits = BN_get_word(w->b);

	return bits > MAX_BITS ? -1 : (int)bits;
}

static int shift_left(struct work *w, struct tds_err *err)
{
	int bits = shift_of(w);

	if (BN_is_zero(w->a))
		return BN_copy(w->r, w->a) ? 0 : no_memory(err);
	if (bits < 0 || BN_num_bits(w->a) + bits > MAX_BITS)
		return too_long(err);
	return BN_lshift(w->r, w->a, bits) == 1 ? 0 : no_memory(err);
}

/* Rounded down: -1 >> 5 is -1. */
static int shift_right(struct work *w, struct tds_err *err)
{
	int bits = shift_of(w);

	BN_zero(w->b);
	if (BN_set_bit(w->b, bits < 0 ? MAX_BITS : bits) != 1 || !divide(w))
		return no_memory(err);
	return 0;
}

static int power(struct work *w, struct tds_err *err)
{
	bool small = BN_is_zero(w->a) || BN_abs_is_word(w->a, 1);
	BN_ULONG exponent = BN_get_word(w->b);

	if (small && !BN_is_zero(w->b)) {
		BN_set_negative(w->a, BN_is_negative(w->a) && BN_is_odd(w->b));
		return BN_copy(w->r, w->a) ? 0 : no_memory(err);
	}
	if (exponent > MAX_BITS || (BN_ULONG)(BN_num_bits(w->a) - 1) * exponent > MAX_BITS)
		return too_long(err);
	return BN_exp(w->r, w->a, w->b, w->ctx) == 1 ? 0 : no_memory(err);
}

static int done(bool well, struct tds_err *err)
{
	return well ? 0 : no_memory(err);
}

/* The result in r. */
static int compute(struct work *w, enum tds_operator_type type, struct tds_err *err)
{
	bool shift = type == TDS_OP_LSHIFT || type == TDS_OP_RSHIFT;

	if (shift && BN_is_negative(w->b))
		return tds_err_set(err, TDS_E_SYNTAX, "a shift by a negative number");
	if ((type == TDS_OP_FLOORDIV || type == TDS_OP_MOD) && BN_is_zero(w->b))
		return tds_err_set(err, TDS_E_SYNTAX, "division by zero");
	switch (type) {
	case TDS_OP_ADD:
		return done(BN_add(w->r, w->a, w->b) == 1, err);
	case TDS_OP_SUB:
		return done(BN_sub(w->r, w->a, w->b) == 1, err);
	case TDS_OP_MUL:
		return done(BN_mul(w->r, w->a, w->b, w->ctx) == 1, err);
	case TDS_OP_FLOORDIV:
		return done(divide(w), err);
	case TDS_OP_MOD:
		return done(divide(w) && BN_copy(w->r, w->rest), err);
	case TDS_OP_POW:
		return power(w, err);
	case TDS_OP_LSHIFT:
		return shift_left(w, err);
	case TDS_OP_RSHIFT:
		return shift_right(w, err);
	default:
		return done(combine_bits(w, type), err);
	}
}

int tds_bigint_compute(enum tds_operator_type type, const char *a, const char *b, char **result,
		       struct tds_err *err)
{
	tds_auto(work) struct work w = { 0 };

	*result = NULL;
	int rc = work_init(&w, a, b) ? compute(&w, type, err) : no_memory(err);
	return rc == 0 ? take_result(w.r, result, err) : rc;
}

/*
 * So many bits of the quotient that a double's 53 can be rounded from them and from whether anything is left; fewer where
 * the result is too small to have 53.
 */
static bool scale(struct work *w, int *exponent)
{
	int shift = 55 - (BN_num_bits(w->a) - BN_num_bits(w->b));

	if (shift > 1076)
		shift = 1076;
	*exponent = -shift;
	BIGNUM *larger = shift > 0 ? w->a : w->b;
	return BN_lshift(larger, larger, abs(shift)) == 1 &&
	       BN_div(w->r, w->rest, w->a, w->b, w->ctx) == 1;
}

/* A word of OpenSSL's may be too small for them. */
static uint64_t low_bits(const BIGNUM *number)
{
	unsigned char bytes[8] = { 0 };
	uint64_t bits = 0;

	if (BN_bn2lebinpad(number, bytes, sizeof(bytes)) < 0)
		return 0;
	for (size_t i = sizeof(bytes); i-- > 0;)
		bits = bits << 8 | bytes[i];
	return bits;
}

int tds_bigint_ratio(const char *a, const char *b, double *result, struct tds_err *err)
{
	tds_auto(work) struct work w = { 0 };
	int exponent;

	if (!work_init(&w, a, b))
		return no_memory(err);
	if (BN_is_zero(w.b))
		return tds_err_set(err, TDS_E_SYNTAX, "division by zero");
	if (!scale(&w, &exponent))
		return no_memory(err);
	*result = ldexp((double)(low_bits(w.r) | !BN_is_zero(w.rest)), exponent);
	if (isinf(*result))
		return tds_err_set(err, TDS_E_SYNTAX, "the result of a division is too large");
	if ((*a == '-') != (*b == '-'))
		*result = -*result;
	return 0;
}

int tds_bigint_compare(const char *a, const char *b)
{
	bool negative = *a == '-';

	if (negative != (*b == '-'))
		return negative ? -1 : 1;
	size_t m = strlen(a);
	size_t n = strlen(b);
	int order = m != n ? (m > n) - (m < n) : strcmp(a, b);
	return negative ? -order : order;
}

static unsigned digit_value(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

int tds_bigint_read(const char *digits, unsigned base, char **result, struct tds_err *err)
{
	bool negative = *digits == '-';
	BIGNUM *number = BN_new();
	bool well = number != NULL;

	*result = NULL;
	digits += negative || *digits == '+';
	digits += strspn(digits, "0");
	if (strlen(digits) > MAX_BITS) {
		BN_free(number);
		return too_long(err);
	}
	for (; well && *digits && BN_num_bits(number) <= MAX_BITS; digits++)
		well = BN_mul_word(number, base) == 1 &&
		       BN_add_word(number, digit_value(*digits)) == 1;
	if (well)
		BN_set_negative(number, negative);
	int rc = well ? take_result(number, result, err) : no_memory(err);
	BN_free(number);
	return rc;
}

char *tds_bigint_write(const char *number, unsigned base)
{
	int width = base == 16 ? 4 : base == 8 ? 3 : 1;
	BIGNUM *bits = NULL;
	char *text = BN_dec2bn(&bits, number) > 0 ? malloc((size_t)BN_num_bits(bits) + 2) : NULL;
	char *out = text;

	for (int i = text ? (BN_num_bits(bits) - 1) / width : -1; i >= 0; i--) {
		int digit = 0;

		for (int j = width - 1; j >= 0; j--)
			digit = digit << 1 | BN_is_bit_set(bits, i * width + j);
		*out++ = "0123456789abcdef"[digit];
	}
	if (text && out == text)
		*out++ = '0';
	if (text)
		*out = '\0';
	BN_free(bits);
	return text;
}
