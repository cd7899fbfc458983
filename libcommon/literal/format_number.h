/* SPDX-License-Identifier: MIT */
/* Numbers as the two formatting languages of Python write them. */
#ifndef TDS_FORMAT_NUMBER_H
#define TDS_FORMAT_NUMBER_H

#include <stdint.h>

#include "eval.h"

/* What either language asks of one field. */
struct tds_format {
	char fill[5];   /* one character, UTF-8 */
	char align;     /* '<', '>', '^', '=': between sign and digits */
	char sign;      /* '+', ' '; '-' or NUL: of negative ones alone */
	bool alternate; /* '#' */
	char grouping;  /* ',' or '_'; NUL: none */
	size_t width;   /* in characters */
	size_t precision;
	bool has_precision;
	char type; /* NUL: not given */
};

/* A number in parts, before it is filled up. */
struct tds_number_text {
	const char *sign;
	const char *prefix; /* "0x" */
	const char *digits; /* those before a point; "": none, as in "inf" */
	size_t digits_len;
	size_t zeros;     /* more digits before them */
	const char *rest; /* the point and what is behind it */
};

/* Add it to buf, grouped and filled up as spec says. */
int tds_format_number(struct tds_eval *e, const struct tds_format *spec,
		      const struct tds_number_text *number, struct tds_buf *buf) TDS_MUST_CHECK;

/* Add a text, which fills up to the width by spec's fill and align; the text is cut to the precision. */
int tds_format_padded(struct tds_eval *e, const struct tds_format *spec, const char *text,
		      size_t len, struct tds_buf *buf) TDS_MUST_CHECK;

/*
 * Add an int, of a decimal text, by spec->type: 'd', 'b', 'o', 'x', 'X'. A precision is the least number of digits.
 */
int tds_format_int(struct tds_eval *e, const struct tds_format *spec, const char *number,
		   struct tds_buf *buf) TDS_MUST_CHECK;

/* Add a float by spec->type: 'e', 'f', 'g', each also as a capital, '%'; NUL: as repr, or as short as the precision. */
int tds_format_float(struct tds_eval *e, const struct tds_format *spec, double number,
		     struct tds_buf *buf) TDS_MUST_CHECK;

#endif
