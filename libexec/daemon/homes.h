/* SPDX-License-Identifier: MIT */
/*
 * What the actors of a group have of their own: a folder for what they keep, and where each group has a uid, that and a folder for
 * temporary files. It is given before a source of the group is loaded, and taken when the group is forgotten.
 */
#ifndef TDS_DAEMON_HOMES_H
#define TDS_DAEMON_HOMES_H

#include <stdbool.h>

#include "daemon/base/actorenv.h"
#include "daemon/keep/data.h"
#include "daemon/keep/uids.h"

struct taking;

struct homes {
	struct data_place data;
	struct data_place tmp;
	struct data_owner owner; /* of what groups without a uid have */
	bool is_dynamic;         /* each has a uid */
	struct uids uids;
	struct taking *takings; /* under way */
};

/* All of it is borrowed, for as long as there are homes. */
struct homes_plan {
	const struct settings *settings;
	int rundir;
	const char *rundir_path; /* absolute */
	const char *remover;     /* the program */
	bool transient; /* nothing is left behind: data are in the run directory, wherever datadir.cfg would have them */
};

/*
 * Owner:   homes_close, in any case. Who removes sets base of data and tmp before.
 * Errors:  TDS_E_UNUSABLE: uids.json is damaged; TDS_E_NOMEM.
 */
int homes_open(struct homes *homes, const struct homes_plan *plan,
	       struct tds_err *err) TDS_MUST_CHECK;
void homes_close(struct homes *homes);

/* Nothing runs yet: what was to be removed goes, and all temporary files. */
void homes_sweep(struct homes *homes);

/*
 * All of it, made where it is missing.
 * Owner:   caller frees with actor_home_fini, on success only.
 * Errors:  TDS_E_REFUSED: it is just taken away, or no uid is left; TDS_E_WRITE, TDS_E_UNUSABLE, as of data_folder; TDS_E_NOMEM.
 */
int homes_give(struct homes *homes, const char *group, struct actor_home *home,
	       struct tds_err *err) TDS_MUST_CHECK;

/* What would be given, without making a folder. Errors as before. */
int homes_foresee(struct homes *homes, const char *group, struct actor_home *home,
		  struct tds_err *err) TDS_MUST_CHECK;

/*
 * Take all of it away; then the uid is nobody's. done is called as by data_remove.
 * Errors:  TDS_E_MISSING: the group has nothing; TDS_E_REFUSED: it is being taken; TDS_E_WRITE, TDS_E_NOMEM.
 */
int homes_take(struct homes *homes, const char *group, removal_done_fn *done, void *ctx,
	       struct tds_err *err) TDS_MUST_CHECK;

#endif
