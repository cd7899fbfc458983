/* SPDX-License-Identifier: MIT */
/* GROUP.tli: the declaration of a group, one Python dictionary, with the keys that tli(5) names. */
#ifndef TDS_TLI_H
#define TDS_TLI_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "literal/literal.h"

/* The i-th key that a declaration may have; NULL behind the last. */
const char *tds_tli_key(size_t i);

/* Why a package is refused where what is signed with it is to define it alone. */
#define TDS_TLI_SIGNED_CFG "signedtli.cfg"
#define TDS_TLI_UNSIGNED "no declaration is signed with it, and " TDS_TLI_SIGNED_CFG " wants one"

struct tds_tli {
	struct tds_value *value; /* the whole dictionary */
	int64_t keep_limit;      /* TLS_Keep_Limit where it is positive, else 0: keep all */
};

/*
 * Told of what is odd in a declaration without making it unusable (an unknown key, say). A zeroed
 * one ignores it.
 */
struct tds_tli_watcher {
	void (*warn)(void *ctx, unsigned line, unsigned column, const char *text);
	void *ctx;
};

/*
 * Parse a declaration and check it.
 * Source:  text is untrusted; the environment is read where it asks for it.
 * Owner:   caller frees *tli with tds_tli_fini, on success only.
 * Errors:  TDS_E_SYNTAX with the place; TDS_E_NOMEM.
 */
int tds_tli_parse(const char *text, size_t len, struct tds_tli_watcher watcher, struct tds_tli *tli,
		  struct tds_err *err) TDS_MUST_CHECK;

/*
 * The same for a declaration that came with a package, which asks no files and is told what the surroundings say
 * (literal_env.h); and for one that is evaluated already: a literal, in which nothing is asked any more.
 */
struct tds_surroundings;
int tds_tli_parse_packed(const char *text, size_t len, const struct tds_surroundings *around,
			 struct tds_tli_watcher watcher, struct tds_tli *tli,
			 struct tds_err *err) TDS_MUST_CHECK;
int tds_tli_parse_literal(const char *text, size_t len, struct tds_tli *tli,
			  struct tds_err *err) TDS_MUST_CHECK;

/* The same as tds_tli_parse for a file (relative to dirfd). Errors also: those of tds_io_slurp. */
int tds_tli_read(int dirfd, const char *name, struct tds_tli_watcher watcher, struct tds_tli *tli,
		 struct tds_err *err) TDS_MUST_CHECK;

/* AutoUnload: how many other sources of the group stay when one of it becomes active; -1: all. */
int tds_tli_keeps(const struct tds_tli *tli);

/* What a declaration says of a key. NULL: nothing, which None is too, or there is no declaration. Borrowed. */
const struct tds_value *tds_tli_said(const struct tds_tli *tli, const char *key);

/*
 * The keys (tds_tli_key) that two declarations do not have the same value for, "Actors, May"; NULL: there is none.
 * Caller frees.
 * Errors: TDS_E_NOMEM.
 */
int tds_tli_compare(const struct tds_tli *a, const struct tds_tli *b, char **keys,
		    struct tds_err *err) TDS_MUST_CHECK;

void tds_tli_fini(struct tds_tli *tli);
#define tds_tli_cleanup tds_tli_fini

/* What a declaration had, which has nothing any more. */
struct tds_tli tds_tli_steal(struct tds_tli *tli);

#endif
