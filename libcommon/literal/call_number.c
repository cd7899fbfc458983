/* SPDX-License-Identifier: MIT */
/* Numbers from texts, as int() and float() read them: with blanks around them, in digits of any script. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bigint.h"
#include "call.h"
#include "pytext.h"

static int no_number(struct tds_eval *e, const char *what, const struct tds_value *text)
{
	return TDS_EVAL_REFUSE(e, "'%.60s' is no %s", text->text, what);
}

/* The text in ASCII without the blanks around it; caller frees. NULL: it cannot be a number, or (rc) an error. */
static char *plain(struct tds_eval *e, const struct tds_value *text, int *rc)
{
	size_t len = text->len;
	const char *p = tds_pytext_strip(text->text, &len);
	const char *end = p + len;
	char *out = malloc(len + 1);
	char *to = out;

	*rc = tds_eval_pay_bytes(e, 16 * len);
	if (*rc == 0 && !out)
		*rc = tds_eval_no_memory(e);
	while (*rc == 0 && p < end) {
		int digit = (unsigned char)*p < 0x80 ? -1 : tds_pytext_digit(&p, end);

		if (digit < 0 && (*p == '\0' || (unsigned char)*p >= 0x80))
			break;
		*to++ = (char)(digit < 0 ? *p++ : '0' + digit);
	}
	if (*rc == 0 && p == end) {
		*to = '\0';
		return out;
	}
	free(out);
	return NULL;
}

static int digit_of(char c)
{
	return isdigit((unsigned char)c)   ? c - '0'
	       : isalpha((unsigned char)c) ? (c | 0x20) - 'a' + 10
					   : 36;
}

/* Take the underscores between digits of a base out, in place. false: it is not only such. */
static bool take_digits(char *text, unsigned base)
{
	char *to = text;
	bool after = false; /* a digit is before this */

	for (const char *p = text; *p; p++) {
		if (*p == '_' && after) {
			after = false;
			continue;
		}
		if ((unsigned)digit_of(*p) >= base)
			return false;
		after = true;
		*to++ = *p;
	}
	*to = '\0';
	return after;
}

/* Skip the prefix of a base, and what base 0 leaves open; base becomes what it is. false: no int begins so. */
static bool skip_prefix(char **digits, unsigned *base)
{
	static const char letters[] = "bbxxoo";
	static const unsigned bases[] = { 2, 2, 16, 16, 8, 8 };
	char letter = **digits == '0' ? (char)((*digits)[1] | 0x20) : '\0';
	const char *found = letter ? strchr(letters, letter) : NULL;

	if (found && (*base == 0 || *base == bases[found - letters])) {
		*base = bases[found - letters];
		*digits += 2;
		*digits += **digits == '_';
		return true;
	}
	if (*base != 0)
		return true;
	*base = 10;
	return **digits != '0' || (*digits)[strspn(*digits, "0_")] == '\0';
}

int tds_call_read_int(struct tds_eval *e, const struct tds_value *text, unsigned base,
		      struct tds_value **result)
{
	int rc;
	tds_autofree char *number = plain(e, text, &rc);
	char *digits = number;

	if (!number)
		return rc ? rc : no_number(e, "int", text);
	bool negative = *digits == '-';
	digits += negative || *digits == '+';
	if (!skip_prefix(&digits, &base) || !take_digits(digits, base))
		return no_number(e, "int", text);
	if (negative)
		*--digits = '-';
	rc = tds_eval_pay(e, strlen(digits) / 4);
	if (rc == 0)
		rc = tds_eval_make(e, TDS_VALUE_INT, result);
	if (rc == 0)
		rc = tds_bigint_read(digits, base, &(*result)->text, e->err);
	if (rc == 0)
		(*result)->len = strlen((*result)->text);
	return rc;
}

/* Is it digits with at most one point and an exponent? Underscores between digits are taken out. */
static bool take_decimal(char *text)
{
	char *to = text;
	bool digits = false;

	for (const char *p = text; *p; p++) {
		bool between =
			p > text && isdigit((unsigned char)p[-1]) && isdigit((unsigned char)p[1]);

		if (*p == '_' && !between)
			return false;
		if (!isdigit((unsigned char)*p) && !strchr("_.eE+-", *p))
			return false;
		digits |= isdigit((unsigned char)*p) != 0;
		if (*p != '_')
			*to++ = *p;
	}
	*to = '\0';
	return digits;
}

static bool is_word(const char *text)
{
	return strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0 ||
	       strcasecmp(text, "nan") == 0;
}

int tds_call_read_float(struct tds_eval *e, const struct tds_value *text, struct tds_value **result)
{
	int rc;
	char *end = NULL;
	tds_autofree char *number = plain(e, text, &rc);

	if (!number)
		return rc ? rc : no_number(e, "float", text);
	const char *unsigned_part = number + (*number == '-' || *number == '+');
	if (!is_word(unsigned_part) && !take_decimal(number))
		return no_number(e, "float", text);
	double real = strtod(number, &end);
	if (*end != '\0')
		return no_number(e, "float", text);
	return tds_eval_make_float(e, real, result);
}
