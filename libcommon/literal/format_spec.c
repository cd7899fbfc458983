/* SPDX-License-Identifier: MIT */
/* Format specifications: [[fill]align][sign][#][0][width][grouping][.precision][type]. */
#include <string.h>

#include "base/mem.h"
#include "eval_number.h"
#include "format.h"
#include "format_number.h"
#include "literal.h"
#include "pytext.h"
#include "unicode.h"

#define ALIGNMENTS "<>=^"

/* A specification being read. */
struct reading {
	struct tds_eval *e;
	const char *p;
	const char *end;
};

static bool at(const struct reading *r, const char *set)
{
	return r->p < r->end && *r->p && strchr(set, *r->p);
}

/* The flag at hand, of a set; NUL: there is none. */
static char take(struct reading *r, const char *set)
{
	return at(r, set) ? *r->p++ : '\0';
}

/* Digits of any script, if there are any. More than a text may hold is as good as one more than that. */
static bool take_number(struct reading *r, size_t *number)
{
	bool any = false;
	int digit;

	for (*number = 0; r->p < r->end; any = true) {
		digit = tds_pytext_digit(&r->p, r->end);
		if (digit < 0)
			break;
		if (*number <= TDS_LITERAL_MAX_TEXT)
			*number = *number * 10 + (size_t)digit;
	}
	return any;
}

/* [[fill]align]; false: none is given. */
static bool take_align(struct reading *r, struct tds_format *spec, bool *filled)
{
	size_t n = 0;

	if (r->p < r->end)
		(void)tds_unicode_at(r->p, &n);
	*filled = r->p + n < r->end && strchr(ALIGNMENTS, r->p[n]) && n > 0;
	if (*filled) {
		memcpy(spec->fill, r->p, n);
		spec->fill[n] = '\0';
		r->p += n;
	}
	if (!at(r, ALIGNMENTS))
		return false;
	spec->align = *r->p++;
	return true;
}

static int read_spec(struct reading *r, struct tds_format *spec, const struct tds_value *value)
{
	char align = value->type == TDS_VALUE_STR ? '<' : '>';
	bool filled;
	bool aligned;

	*spec = (struct tds_format){ .fill = " ", .align = align };
	aligned = take_align(r, spec, &filled);
	spec->sign = take(r, "+- ");
	spec->alternate = take(r, "#") != '\0';
	if (!filled && take(r, "0")) {
		strcpy(spec->fill, "0");
		if (!aligned && align == '>')
			spec->align = '=';
	}
	(void)take_number(r, &spec->width);
	spec->grouping = take(r, ",_");
	if (take(r, ".")) {
		spec->has_precision = take_number(r, &spec->precision);
		if (!spec->has_precision)
			return TDS_EVAL_REFUSE(r->e, "the precision of a format is missing");
	}
	/* A NUL is the type of a float that has none, and no other's. */
	if (r->p < r->end && (*r->p || value->type == TDS_VALUE_FLOAT))
		spec->type = *r->p++;
	if (r->p != r->end)
		return TDS_EVAL_REFUSE(r->e, "the format specification is not valid");
	return 0;
}

static int unknown_type(struct tds_eval *e, const struct tds_format *spec, const char *what)
{
	if (spec->type > ' ' && spec->type < 0x7f)
		return TDS_EVAL_REFUSE(e, "the format '%c' is not one of %s", spec->type, what);
	return TDS_EVAL_REFUSE(e, "the format is not one of %s", what);
}

static int refuse_with(struct tds_eval *e, const struct tds_format *spec, const char *what)
{
	return TDS_EVAL_REFUSE(e, "%s is not allowed with the format '%c'", what,
			       spec->type ? spec->type : 's');
}

static int format_str(struct tds_eval *e, struct tds_format *spec, const struct tds_value *value,
		      struct tds_buf *buf)
{
	if (spec->type && spec->type != 's')
		return unknown_type(e, spec, "a str");
	if (spec->sign || spec->alternate || spec->grouping || spec->align == '=')
		return refuse_with(e, spec,
				   spec->sign        ? "a sign"
				   : spec->alternate ? "'#'"
				   : spec->grouping  ? "grouping"
						     : "'='");
	return tds_format_padded(e, spec, value->text, value->len, buf);
}

/* The character of a number. */
static int format_char(struct tds_eval *e, struct tds_format *spec, const struct tds_value *value,
		       struct tds_buf *buf)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc;

	if (spec->sign || spec->alternate || spec->grouping)
		return refuse_with(e, spec, "a sign, '#' or grouping");
	rc = tds_format_character(e, value, &text);
	if (rc != 0)
		return rc;
	struct tds_number_text parts = { .sign = "", .prefix = "", .digits = "", .rest = "" };
	if (text.data[0] == '\0')
		return tds_format_padded(e, spec, text.data, text.len, buf);
	parts.rest = text.data;
	spec->width += spec->width ? text.len - 1 : 0; /* rest is measured in bytes */
	return tds_format_number(e, spec, &parts, buf);
}

static int format_float(struct tds_eval *e, struct tds_format *spec, const struct tds_value *value,
			struct tds_buf *buf)
{
	double number;

	if (spec->type == 'n') {
		if (spec->grouping)
			return refuse_with(e, spec, "grouping");
		spec->type = 'g';
	}
	if (spec->type && !strchr("eEfFgG%", spec->type))
		return unknown_type(e, spec, "a float");
	int rc = tds_number_float(e, value, &number);
	return rc == 0 ? tds_format_float(e, spec, number, buf) : rc;
}

static int format_int(struct tds_eval *e, struct tds_format *spec, const struct tds_value *value,
		      struct tds_buf *buf)
{
	char type = spec->type ? spec->type : 'd';

	if (strchr("eEfFgG%", type))
		return format_float(e, spec, value, buf);
	if (!strchr("dnboxXc", type))
		return unknown_type(e, spec, "an int");
	if (spec->has_precision)
		return refuse_with(e, spec, "a precision");
	if (spec->grouping && (type == 'n' || (spec->grouping == ',' && type != 'd')))
		return refuse_with(e, spec, "such grouping");
	if (type == 'c')
		return format_char(e, spec, value, buf);
	spec->type = type == 'n' ? 'd' : type;
	return tds_format_int(e, spec, tds_eval_int_text(value), buf);
}

int tds_format_spec(struct tds_eval *e, const struct tds_value *value, const char *text, size_t len,
		    struct tds_buf *buf)
{
	struct tds_format spec;

	if (len == 0)
		return tds_format_text(e, 's', value, buf);
	struct reading r = { .e = e, .p = text, .end = text + len };
	if (value->type != TDS_VALUE_STR && !tds_eval_is_int(value) &&
	    value->type != TDS_VALUE_FLOAT)
		return TDS_EVAL_REFUSE(e, "a format of a %s is not allowed",
				       tds_value_type_name(value));
	int rc = read_spec(&r, &spec, value);
	if (rc != 0)
		return rc;
	if (value->type == TDS_VALUE_STR)
		return format_str(e, &spec, value, buf);
	return value->type == TDS_VALUE_FLOAT ? format_float(e, &spec, value, buf)
					      : format_int(e, &spec, value, buf);
}
