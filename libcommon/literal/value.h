/* SPDX-License-Identifier: MIT */
/*
 * The tree of a Python value: building it, looking into it, writing it as JSON. How one is read
 * from text is literal.h's.
 */
#ifndef TDS_VALUE_H
#define TDS_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum tds_value_type {
	TDS_VALUE_NONE,
	TDS_VALUE_BOOL,
	TDS_VALUE_INT, /* text: decimal, with '-' where negative, of any length */
	TDS_VALUE_FLOAT,
	TDS_VALUE_COMPLEX,
	TDS_VALUE_STR,   /* text, len: UTF-8, may hold NUL */
	TDS_VALUE_BYTES, /* text, len: the bytes */
	TDS_VALUE_ELLIPSIS,
	TDS_VALUE_LIST, /* items, n */
	TDS_VALUE_TUPLE,
	TDS_VALUE_SET, /* in order of first appearance, no equal ones twice */
	TDS_VALUE_FROZENSET,
	TDS_VALUE_DICT, /* items: key, value, key, value, ...; n counts pairs */
};
#define TDS_VALUE_TYPES 13

struct tds_value {
	enum tds_value_type type;
	unsigned line;   /* where it begins in the text, 1-based */
	unsigned column; /* in characters, 1-based */
	bool boolean;
	double real; /* TDS_VALUE_FLOAT; the real part of TDS_VALUE_COMPLEX */
	double imag;
	char *text; /* owned; NUL behind len bytes; NULL: not a type with text */
	size_t len;
	struct tds_value **items; /* owned */
	size_t n;
	size_t room; /* of items, in pointers, or of text, in bytes; for building only */
};

/* A new value without contents. NULL: out of memory. */
struct tds_value *tds_value_new(enum tds_value_type type, unsigned line, unsigned column);

void tds_value_free(struct tds_value *value);
static inline void tds_value_cleanup(struct tds_value **value)
{
	tds_value_free(*value);
}

/* A copy of it and all that it holds. NULL: out of memory. */
struct tds_value *tds_value_copy(const struct tds_value *value);

/* Set its text to a copy, or add one to its end: a chain of these costs no more than its result. false: out of memory. */
bool tds_value_set_text(struct tds_value *value, const char *text, size_t len) TDS_MUST_CHECK;
bool tds_value_add_text(struct tds_value *value, const char *text, size_t len) TDS_MUST_CHECK;

/* How many items it has: of a dictionary keys and values. */
size_t tds_value_items(const struct tds_value *value);

/*
 * Add an item to a list, tuple or set, which owns it then. false: out of memory, and item stays the
 * caller's.
 */
bool tds_value_add(struct tds_value *value, struct tds_value *item) TDS_MUST_CHECK;

/* Add a pair to a dictionary, in the same way. */
bool tds_value_add_pair(struct tds_value *value, struct tds_value *key,
			struct tds_value *item) TDS_MUST_CHECK;

/*
 * Move what other holds to the end of value: both are texts, or containers, of the same kind.
 * A chain of these costs no more than its result. false: out of memory, and nothing is moved.
 */
bool tds_value_append(struct tds_value *value, struct tds_value *other) TDS_MUST_CHECK;

/* The part of value that cannot be a key or in a set (a list, dictionary or set); NULL: none. */
const struct tds_value *tds_value_unhashable(const struct tds_value *value);

/* The part of value that no literal writes (a frozenset, a nan); NULL: none. */
const struct tds_value *tds_value_unwritable(const struct tds_value *value);

/*
 * Take out what a set or dictionary holds twice, as Python does: of equal keys (1, 1.0 and True
 * too) the first key and the last value stay. All keys are hashable. Takes n log n time, whatever
 * they are.
 * Errors: TDS_E_NOMEM.
 */
int tds_value_unique(struct tds_value *value, struct tds_err *err) TDS_MUST_CHECK;

/* Are they equal, as Python's == has it? 1, 1.0 and True are; nan is equal to nothing. Errors: TDS_E_NOMEM. */
int tds_value_equal(const struct tds_value *a, const struct tds_value *b, bool *equal,
		    struct tds_err *err) TDS_MUST_CHECK;

/*
 * Add bytes that are the same for equal values, and different for all others; a nan has the same as another. false: out
 * of memory.
 */
bool tds_value_identity(struct tds_buf *buf, const struct tds_value *value) TDS_MUST_CHECK;

/* Is a nan in it? */
bool tds_value_has_nan(const struct tds_value *value);

/*
 * The value of key in a dictionary; NULL where there is none, or value is no dictionary. Borrowed.
 */
const struct tds_value *tds_value_get(const struct tds_value *value, const char *key);

/* What Python calls the type: "int", "NoneType". */
const char *tds_value_type_name(const struct tds_value *value);

/*
 * A float and a complex number as Python's repr writes them: the shortest text that reads back the
 * same.
 */
#define TDS_FLOAT_TEXT_MAX 64
#define TDS_COMPLEX_TEXT_MAX 160
void tds_float_text(double value, char text[TDS_FLOAT_TEXT_MAX]);
void tds_complex_text(double real, double imag, char text[TDS_COMPLEX_TEXT_MAX]);

/* Typed JSON, one object a value: {"t":"int","v":"5"}; a new reference, NULL: out of memory. */
json_t *tds_value_typed_json(const struct tds_value *value);

/* Has the value a plain JSON form: see below? */
bool tds_value_is_plain(const struct tds_value *value);

/*
 * Plain JSON where the value has one (None, bool, int within 2^53, finite float, str, list, dict
 * with str keys), else NULL. A new reference.
 */
json_t *tds_value_plain_json(const struct tds_value *value);

#endif
