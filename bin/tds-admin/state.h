/* SPDX-License-Identifier: MIT */
/* What outlives a crash of the admin: loaded.json, the packages in the store, and the audit log. */
#ifndef TDS_ADMIN_STATE_H
#define TDS_ADMIN_STATE_H

#include <jansson.h>

#include "err.h"

struct director;
struct group;
struct source;

/* Write loaded.json, whole. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int state_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/* What it says, a new reference. NULL with err->code TDS_OK: there is none. */
json_t *state_read(int rundir, struct tds_err *err);

/* Keep the verified bytes of a package, as store/SHA256.tls. Errors: TDS_E_WRITE. */
int store_put(int rundir, const char *sha256, int package, struct tds_err *err) TDS_MUST_CHECK;
int store_open(int rundir, const char *sha256); /* -1: not there */
void store_remove(int rundir, const char *sha256);

/* Remove what state (loaded.json; NULL: nothing is loaded) does not name, and what a crash left. */
void store_sweep(int rundir, const json_t *state);

/* One line in the audit log, chained to the one before. group, source, error may be NULL. */
void audit(struct director *director, const char *what, const struct group *group,
	   const struct source *source, const char *error);

#endif
