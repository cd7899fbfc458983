/* SPDX-License-Identifier: MIT */
/* What a number's token means. */
#include "literal_parse.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A number's text without its underscores; caller frees. */
static char *plain_digits(const struct tds_token *token)
{
	char *text = malloc(token->len + 1);
	char *out = text;

	for (size_t i = 0; text && i < token->len; i++)
		if (token->text[i] != '_')
			*out++ = token->text[i];
	if (text)
		*out = '\0';
	return text;
}

static unsigned digit_value(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

#define LIMBS (TDS_LITERAL_MAX_DIGITS / 9 + 2)

/*
 * The decimal text of digits of so many bits each; "" where it would be much longer than allowed.
 * As many digits are taken at once as fit into 28 bits.
 */
static void radix_to_decimal(const char *digits, unsigned bits, char *text, size_t size)
{
	uint32_t limbs[LIMBS] = { 0 }; /* base 10^9, lowest first */
	size_t n = 1;

	*text = '\0';
	while (*digits) {
		uint64_t carry = 0;
		unsigned shift = 0;

		for (; *digits && shift + bits <= 28; digits++, shift += bits)
			carry = carry << bits | digit_value(*digits);
		for (size_t i = 0; i < n; i++) {
			carry += (uint64_t)limbs[i] << shift;
			limbs[i] = (uint32_t)(carry % 1000000000);
			carry /= 1000000000;
		}
		if (carry)
			limbs[n++] = (uint32_t)carry;
		if (n == LIMBS)
			return;
	}
	size_t len = (size_t)snprintf(text, size, "%u", limbs[n - 1]);
	for (size_t i = n - 1; i-- > 0;)
		len += (size_t)snprintf(text + len, size - len, "%09u", limbs[i]);
}

/* Bits of a digit; 0: it is decimal. */
static unsigned bits_of(const char *text)
{
	switch (text[0] == '0' ? text[1] | 0x20 : '\0') {
	case 'x':
		return 4;
	case 'o':
		return 3;
	case 'b':
		return 1;
	default:
		return 0;
	}
}

static int set_int(struct tds_value *value, const char *text, struct tds_err *err)
{
	char decimal[9 * LIMBS + 1];
	unsigned bits = bits_of(text);

	if (bits)
		text += 2;
	text += strspn(text, "0");
	if (*text == '\0') {
		text = "0";
	} else if (bits) {
		radix_to_decimal(text, bits, decimal, sizeof(decimal));
		text = decimal;
	}
	if (*text == '\0' || strlen(text) > TDS_LITERAL_MAX_DIGITS)
		return tds_err_at(err, TDS_E_SYNTAX, value->line, value->column,
				  "int of more than %d digits", TDS_LITERAL_MAX_DIGITS);
	return tds_value_set_text(value, text, strlen(text))
		       ? 0
		       : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int tds_literal_number(const struct tds_token *token, struct tds_value *value, struct tds_err *err)
{
	tds_autofree char *text = plain_digits(token);

	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	switch (token->type) {
	case TDS_TOKEN_INT:
		value->type = TDS_VALUE_INT;
		return set_int(value, text, err);
	case TDS_TOKEN_FLOAT:
		value->type = TDS_VALUE_FLOAT;
		value->real = strtod(text, NULL);
		return 0;
	default:
		value->type = TDS_VALUE_COMPLEX;
		value->imag = strtod(text, NULL);
		return 0;
	}
}
