/* SPDX-License-Identifier: MIT */
/* What a number's token means. */
#include "literal_number.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bigint.h"

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

static unsigned base_of(const char *text)
{
	switch (text[0] == '0' ? text[1] | 0x20 : '\0') {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 10;
	}
}

static int set_int(struct tds_value *value, const char *text, struct tds_err *err)
{
	unsigned base = base_of(text);
	int rc = tds_bigint_read(text + (base == 10 ? 0 : 2), base, &value->text, err);

	if (rc == TDS_E_SYNTAX)
		return tds_err_at(err, TDS_E_SYNTAX, value->line, value->column,
				  "int of more than %d digits", TDS_LITERAL_MAX_DIGITS);
	value->len = value->text ? strlen(value->text) : 0;
	return rc;
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
