/* SPDX-License-Identifier: MIT */
/*
 * What a literal may ask its surroundings for: the closed list of os and sys, and % formatting of
 * what they say. For literal.c's use.
 */
#ifndef TDS_LITERAL_ENV_H
#define TDS_LITERAL_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "value.h"

/* What a dotted name may be used for. */
enum tds_env_use {
	TDS_ENV_NOTHING,
	TDS_ENV_CONSTANT,  /* os.sep */
	TDS_ENV_GET,       /* os.getenv(NAME, DEFAULT), os.environ.get */
	TDS_ENV_JOIN,      /* os.path.join(PATH, ...) */
	TDS_ENV_GETCWD,    /* os.getcwd() */
	TDS_ENV_SUBSCRIPT, /* os.environ[NAME] */
};
enum tds_env_use tds_env_use(const char *name);

/* Set value, an empty one, to what the constant is. false: out of memory. */
bool tds_env_constant(const char *name, struct tds_value *value) TDS_MUST_CHECK;

/*
 * The value of an environment variable; NULL: not set. name may be any text.
 * Errors: TDS_E_SYNTAX: it is not UTF-8.
 */
int tds_env_get(const struct tds_value *name, const char **text,
		struct tds_err *err) TDS_MUST_CHECK;

/*
 * Add one more part to a path, as os.path.join does; first: it is the first. false: out of memory.
 */
bool tds_env_join(struct tds_buf *path, bool first, const struct tds_value *part) TDS_MUST_CHECK;

/* The working folder. Errors: TDS_E_SYNTAX: it has no name, or one that is not UTF-8. */
int tds_env_getcwd(struct tds_buf *path, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Python's FORMAT % ARGUMENT for conversions %s %d %i %u %x %X %o %e %E %f %F %g %G %% with flags,
 * width, precision and (key); of other values than texts and numbers %s takes None, True, False and
 * Ellipsis.
 * Shape:   *out gets the text, at most max bytes.
 * Errors:  TDS_E_SYNTAX, without a place; TDS_E_NOMEM.
 */
int tds_env_format(const struct tds_value *format, const struct tds_value *argument, size_t max,
		   struct tds_buf *out, struct tds_err *err) TDS_MUST_CHECK;

#endif
