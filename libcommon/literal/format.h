/* SPDX-License-Identifier: MIT */
/* Values as people read them: str and repr, format specifications, % and str.format. */
#ifndef TDS_FORMAT_H
#define TDS_FORMAT_H

#include "eval.h"

/*
 * Add what Python's str ('s'), repr ('r') or ascii ('a') writes of a value.
 * Errors: TDS_E_SYNTAX (a set in it has several items, so an order that nothing decides), TDS_E_NOMEM.
 */
int tds_format_text(struct tds_eval *e, char how, const struct tds_value *value,
		    struct tds_buf *buf) TDS_MUST_CHECK;

/* Add the character that has an int's number. */
int tds_format_character(struct tds_eval *e, const struct tds_value *number,
			 struct tds_buf *buf) TDS_MUST_CHECK;

/* Add what Python's format(value, spec) writes: that of fields in f-strings and str.format. */
int tds_format_spec(struct tds_eval *e, const struct tds_value *value, const char *spec, size_t len,
		    struct tds_buf *buf) TDS_MUST_CHECK;

/* FORMAT % ARGUMENT. */
int tds_format_percent(struct tds_eval *e, const struct tds_value *format,
		       const struct tds_value *argument, struct tds_buf *buf) TDS_MUST_CHECK;

/* The arguments of a call: those by their place, then those by their names. */
struct tds_arguments {
	struct tds_value **v; /* borrowed */
	size_t n;
	const struct tds_value **names; /* of the last ones, each a str; borrowed */
	size_t n_names;
};

/* FORMAT.format(...), but for fields that look into attributes or items. */
int tds_format_braces(struct tds_eval *e, const struct tds_value *format,
		      const struct tds_arguments *arguments, struct tds_buf *buf) TDS_MUST_CHECK;

#endif
