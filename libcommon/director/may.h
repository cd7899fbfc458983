/* SPDX-License-Identifier: MIT */
/*
 * Rights, as lists of them name them: May of a declaration, may.cfg, adminusers.cfg. A right is a word, and where it is
 * about groups a pattern of their names behind a colon, in which '*' is any text and '?' any character: load:web-*.
 * Without a pattern it is about all of them. Who may ask for what without any right is asking.h's.
 */
#ifndef TDS_MAY_H
#define TDS_MAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "literal/value.h"

#define TDS_RIGHTS_MAX 1000       /* of a list */
#define TDS_RIGHT_TEXT_MAX 300    /* bytes of one, with its NUL: a word and a pattern */
#define TDS_RIGHT_PATTERN_MAX 255 /* bytes of a pattern: no group has a longer name */

enum tds_right {
	TDS_RIGHT_NONE, /* what needs none, or is given by none */
	TDS_RIGHT_ASK,
	TDS_RIGHT_TELL,
	TDS_RIGHT_LIST,
	TDS_RIGHT_WATCH,
	TDS_RIGHT_LOAD,
	TDS_RIGHT_UNLOAD,
	TDS_RIGHT_HOLD,
	TDS_RIGHT_FORGET,
	TDS_RIGHT_DEFINE,
	TDS_RIGHT_RELOAD,
	TDS_RIGHT_RESTART,
	TDS_RIGHT_SHUTDOWN,
	TDS_RIGHT_CREATE,
	TDS_RIGHT_SOURCES,
	TDS_RIGHT_CAPABILITIES,
	TDS_RIGHT_DEADLETTERS,
	TDS_RIGHTS
};

/* Whose rights a list has: not each of them is of use to both. */
enum tds_right_holder {
	TDS_HELD_BY_USERS = 1,  /* adminusers.cfg */
	TDS_HELD_BY_ACTORS = 2, /* May of a declaration; may.cfg */
};

struct tds_right_word {
	const char *word; /* as lists have it */
	bool of_groups;   /* a pattern may follow */
	unsigned holders;
	const char *allows; /* for people: "load and refresh packages" */
};

/* The words of a right; of TDS_RIGHT_NONE word is NULL. */
const struct tds_right_word *tds_right_word(enum tds_right right);

/* A list of rights. Opaque; NULL is one that grants nothing. */
struct tds_rights;

/* The list that grants all. tds_rights_free leaves it alone, so that it can stand where an owned one can. */
struct tds_rights *tds_rights_all(void);

/*
 * Read "ask, load:web-*", as adminusers.cfg and may.cfg have it; nothing is a list that grants nothing.
 * Source:  text is untrusted, and has no NUL.
 * Owner:   caller frees *out with tds_rights_free.
 * Errors:  TDS_E_SYNTAX, the column counted from text's first character; TDS_E_NOMEM. On error *out is NULL.
 */
int tds_rights_parse(const char *text, size_t len, enum tds_right_holder holder,
		     struct tds_rights **out, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Read the value of 'May': a list or a tuple of str, or None.
 * Source:  value is untrusted; NULL is as None, a list that grants nothing.
 * Owner:   caller frees *out with tds_rights_free.
 * Errors:  TDS_E_SYNTAX with the place of what is wrong; TDS_E_NOMEM. On error *out is NULL.
 */
int tds_rights_of_value(const struct tds_value *value, struct tds_rights **out,
			struct tds_err *err) TDS_MUST_CHECK;

/* The same list once more, for another owner; NULL stays NULL. */
struct tds_rights *tds_rights_ref(const struct tds_rights *rights);
void tds_rights_free(struct tds_rights *rights); /* accepts NULL */
static inline void tds_rights_cleanup(struct tds_rights **rights)
{
	tds_rights_free(*rights);
}

/* Does the list grant the right for this group? group NULL: of a right that is about groups, for all of them. */
bool tds_rights_grant(const struct tds_rights *rights, enum tds_right right, const char *group);

/* Does the list grant the right for any group at all? */
bool tds_rights_grant_any(const struct tds_rights *rights, enum tds_right right);

/* The i-th of the list as it was written, "load:web-*"; NULL behind the last. What grants all has one: "all". */
size_t tds_rights_count(const struct tds_rights *rights);
const char *tds_rights_text(const struct tds_rights *rights, size_t i,
			    char text[TDS_RIGHT_TEXT_MAX]);

/* All rights of a list, as an array of texts: a new reference; NULL: out of memory. */
json_t *tds_rights_json(const struct tds_rights *rights);

/* Does a pattern of group names ('*', '?') fit a name? In time that grows with the product of their lengths. */
bool tds_group_pattern_fits(const char *pattern, const char *group);

#endif
