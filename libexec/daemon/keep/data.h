/* SPDX-License-Identifier: MIT */
/*
 * The data folders: one for each group, for what its actors keep, whatever version runs. They are in the run directory's data/,
 * or in what datadir.cfg names, which is opened without following a link, and must be ours alone.
 */
#ifndef TDS_DAEMON_DATA_H
#define TDS_DAEMON_DATA_H

#include <event2/event.h>
#include <sys/types.h>

#include "base/err.h"

struct removal;

/* All but removals is borrowed. */
struct data_place {
	int rundir;
	const char *rundir_path; /* absolute */
	const char *name;        /* in the run directory */
	const char *configured;  /* an absolute path instead; NULL: none */
	const char *remover;     /* the program */
	struct event_base *base;
	struct removal *removals; /* under way */
};

/* Whose a folder is to be. */
struct data_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * Look whether the folder that datadir.cfg names, made where it is missing, can have those of groups.
 * Errors:  TDS_E_WRITE, TDS_E_UNUSABLE, as of data_folder.
 */
int data_look(const struct data_place *place, struct tds_err *err) TDS_MUST_CHECK;

/*
 * The folder of a group, made where it is missing.
 * Owner:   caller frees *path, as actors are to know it.
 * Errors:  TDS_E_WRITE, TDS_E_UNUSABLE: what is there is no folder, or is not the actors' or not ours; TDS_E_NOMEM.
 */
int data_folder(const struct data_place *place, const char *group, const struct data_owner *owner,
		char **path, struct tds_err *err) TDS_MUST_CHECK;

/* The folder that the groups' folders are in, made where it is missing; the caller closes it. -1 with the reason in err. */
int data_open(const struct data_place *place, struct tds_err *err) TDS_MUST_CHECK;

/* Its path, whether or not it is there. NULL: out of memory; caller frees. */
char *data_path(const struct data_place *place, const char *group);

/*
 * Remove the folder of a group: from the call on it is not there any more, and another may be made. done is called later, once,
 * when nothing of it is left, or with what cannot be removed, which is there again then. Of owner, where not NULL, nothing is
 * left on the whole machine then: no process, no file.
 * Errors:  TDS_E_MISSING: there is none; TDS_E_WRITE, TDS_E_NOMEM. done is not called then.
 */
typedef void removal_done_fn(void *ctx, const char *error);
int data_remove(struct data_place *place, const char *group, const uid_t *owner,
		removal_done_fn *done, void *ctx, struct tds_err *err) TDS_MUST_CHECK;

/* What a removal that was cut off has left goes, by and by. */
void data_sweep(struct data_place *place);

/* The same, and all folders of groups. Nothing may use them. */
void data_clear(struct data_place *place);

/* Nobody waits any more; what is left of removals is for the next sweep. */
void data_close(struct data_place *place);

#endif
