/* SPDX-License-Identifier: MIT */
/* What outlives a crash of the admin: loaded.json, groups.json, the store, and the audit log. */
#ifndef TDS_ADMIN_STATE_H
#define TDS_ADMIN_STATE_H

#include <jansson.h>

#include "base/err.h"
#include "director/tli.h"

#define GROUPS_NAME "groups.json" /* in the run directory */

struct director;
struct group;
struct source;

/* Write loaded.json, whole. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int state_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/*
 * What it says, a new reference, checked with the definitions that it needs from the store. NULL with err->code TDS_OK:
 * there is none. Errors: TDS_E_UNUSABLE, the reason naming the file that is damaged.
 */
json_t *state_read(int rundir, struct tds_err *err);

/* What loaded.json says of one source. */
json_t *source_state(const struct group *group, const struct source *source);

/* The same for groups.json: the definitions that came by DefineGroup. */
int groups_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;
json_t *groups_read(int rundir, struct tds_err *err);

/*
 * Keep the verified bytes of a package, as store/SHA256.tls, once its definition is there; where that fails, the
 * definition goes as well, unless the package was there before. Errors: TDS_E_WRITE.
 */
int store_put(int rundir, const char *sha256, int package, struct tds_err *err) TDS_MUST_CHECK;
int store_open(int rundir, const char *sha256); /* -1: not there */

/*
 * The definition that a package was loaded with, as store/SHA256.tli: a literal, in which nothing is asked of the
 * environment any more. From store_put on it outlasts a loss of power.
 * Errors:  definition_put: TDS_E_WRITE, TDS_E_NOMEM, TDS_E_REFUSED for one that is too long; definition_read: those of
 *          tds_tli_read, the reason naming the file.
 */
int definition_put(int rundir, const char *sha256, const struct tds_tli *tli,
		   struct tds_err *err) TDS_MUST_CHECK;
int definition_read(int rundir, const char *sha256, struct tds_tli *tli,
		    struct tds_err *err) TDS_MUST_CHECK;

/* Both of them go. */
void store_remove(int rundir, const char *sha256);

/* Remove what state (loaded.json; NULL: nothing is loaded) does not name, and what a crash left. */
void store_sweep(int rundir, const json_t *state);

/* One line in the audit log, chained to the one before. group, source, error may be NULL. */
void audit(struct director *director, const char *what, const struct group *group,
	   const struct source *source, const char *error);

#endif
