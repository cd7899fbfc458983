/* SPDX-License-Identifier: MIT */
/* "Did you mean": of many names the one that is nearly what was typed. */
#ifndef TDS_NEAREST_H
#define TDS_NEAREST_H

#include <stddef.h>

#define TDS_NEAREST_WORD_MAX 64  /* bytes; nobody mistypes a longer word so that we could tell */
#define TDS_NEAREST_HINT_MAX 320 /* of tds_nearest_hint, with the NUL */

struct tds_nearest {
	const char *word;  /* what was typed; borrowed */
	const char *found; /* the nearest candidate so far, borrowed; NULL: none is near */
	unsigned distance; /* of found: edits that make word of it */
};

/*
 * How many characters (bytes) have to be left out, put in, replaced or exchanged with their neighbour to make b of a;
 * limit + 1 where it is more than limit, or one of the words is longer than TDS_NEAREST_WORD_MAX.
 */
unsigned tds_nearest_distance(const char *a, const char *b, unsigned limit);

/*
 * Offer a candidate, or NULL, which is none. It is near where at most a third of the word's characters, and never more
 * than three, differ. Of equally near ones the first stays; one that is the word itself is no hint and is left out.
 */
void tds_nearest_offer(struct tds_nearest *nearest, const char *candidate);

/* Write ' (did you mean "FOUND"?)', or nothing where none is near. Returns hint. */
const char *tds_nearest_hint(const struct tds_nearest *nearest, char hint[TDS_NEAREST_HINT_MAX]);

#endif
