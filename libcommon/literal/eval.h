/* SPDX-License-Identifier: MIT */
/*
 * The evaluation of an expression: what its files share. Each operation pays for its work before it does it, in steps,
 * so that no expression, however written, takes much time or memory.
 */
#ifndef TDS_EVAL_H
#define TDS_EVAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "expr.h"
#include "value.h"

#define TDS_EVAL_STEP_BYTES 64 /* so many bytes made or looked at are one step */

struct tds_surroundings;

struct tds_eval {
	size_t steps;                          /* left */
	const struct tds_surroundings *around; /* NULL: what this process sees */
	struct tds_err *err; /* a refusal without a place gets that of the expression */
};

#define TDS_EVAL_REFUSE(e, ...) tds_err_set((e)->err, TDS_E_SYNTAX, __VA_ARGS__)

/* Refuse an operator between two values of their types. */
int tds_eval_not_allowed(struct tds_eval *e, enum tds_operator_type type, const struct tds_value *a,
			 const struct tds_value *b);

static inline int tds_eval_no_memory(struct tds_eval *e)
{
	return tds_err_set(e->err, TDS_E_NOMEM, "out of memory");
}

/* Pay for steps, or for bytes. Errors: TDS_E_SYNTAX: there are not so many left. */
int tds_eval_pay(struct tds_eval *e, size_t steps) TDS_MUST_CHECK;
int tds_eval_pay_bytes(struct tds_eval *e, size_t bytes) TDS_MUST_CHECK;

/* Pay for looking at a value, or copying it. */
int tds_eval_pay_value(struct tds_eval *e, const struct tds_value *value) TDS_MUST_CHECK;

/* Add len bytes to a text, which is paid for and gets at most TDS_LITERAL_MAX_TEXT bytes. */
int tds_eval_add(struct tds_eval *e, struct tds_buf *buf, const void *text,
		 size_t len) TDS_MUST_CHECK;
int tds_eval_add_fill(struct tds_eval *e, struct tds_buf *buf, const char *fill, size_t len,
		      size_t count) TDS_MUST_CHECK;

/*
 * New values; the caller frees *value, NULL on error. make_text takes over what buf holds; copy pays for it; append takes
 * item over, in any case.
 */
int tds_eval_make(struct tds_eval *e, enum tds_value_type type,
		  struct tds_value **value) TDS_MUST_CHECK;
int tds_eval_make_bool(struct tds_eval *e, bool boolean, struct tds_value **value) TDS_MUST_CHECK;
int tds_eval_make_float(struct tds_eval *e, double real, struct tds_value **value) TDS_MUST_CHECK;
int tds_eval_make_int(struct tds_eval *e, long long number,
		      struct tds_value **value) TDS_MUST_CHECK;
int tds_eval_make_str(struct tds_eval *e, const char *text, size_t len,
		      struct tds_value **value) TDS_MUST_CHECK;
int tds_eval_make_text(struct tds_eval *e, enum tds_value_type type, struct tds_buf *buf,
		       struct tds_value **value) TDS_MUST_CHECK;
int tds_eval_copy(struct tds_eval *e, const struct tds_value *value,
		  struct tds_value **copy) TDS_MUST_CHECK;
int tds_eval_append(struct tds_eval *e, struct tds_value *into,
		    struct tds_value *item) TDS_MUST_CHECK;

/*
 * A set or dictionary, to which something was added, becomes one again: what is in it must be hashable, and is there
 * once.
 */
int tds_eval_unique(struct tds_eval *e, struct tds_value *value) TDS_MUST_CHECK;

static inline bool tds_eval_is_text(enum tds_value_type type)
{
	return type == TDS_VALUE_STR || type == TDS_VALUE_BYTES;
}

/* Is it an int, or a bool, which counts as one; the decimal text of such. */
static inline bool tds_eval_is_int(const struct tds_value *value)
{
	return value->type == TDS_VALUE_INT || value->type == TDS_VALUE_BOOL;
}
static inline const char *tds_eval_int_text(const struct tds_value *value)
{
	return value->type == TDS_VALUE_INT ? value->text : value->boolean ? "1" : "0";
}

/* The nearest long long; false where it is not the number itself. */
bool tds_eval_int(const struct tds_value *value, long long *number);

/* Does Python take it for true? */
bool tds_eval_truth(const struct tds_value *value);

#endif
