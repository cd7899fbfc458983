/* SPDX-License-Identifier: MIT */
/*
 * The run directory of the admin process, as its clients see it: where it is, and which packages its
 * loaded.json and desired.json name. Nothing here writes, or asks whether the admin runs.
 */
#ifndef TDS_RUNDIR_H
#define TDS_RUNDIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dir.h"
#include "base/err.h"

#define TDS_RUNDIR_NAME \
	".tds" /* in the director directory, unless TDS_RUNDIR_CFG names another place */
#define TDS_RUNDIR_CFG "rundir.cfg"     /* holds one absolute path */
#define TDS_LOADED_MAX_BYTES (64 << 20) /* of loaded.json */

/* Files in the run directory. */
#define TDS_RUNDIR_LOCK \
	"lock" /* held as long as a guardian lives, and holds the next line while it restarts the daemon */
#define TDS_RUNDIR_RESTARTING "restarting\n"
#define TDS_RUNDIR_SOCKET "admin.sock"
#define TDS_LOADED_NAME "loaded.json"
#define TDS_DESIRED_NAME "desired.json"       /* what groups are held at, and were at before */
#define TDS_FLOOR_NAME "floor.json"           /* the highest versions that were ever active */
#define TDS_GROUPS_NAME "groups.json"         /* definitions that came by DefineGroup */
#define TDS_RETURNING_NAME "restoring.json"   /* what is on its way back */
#define TDS_MEMBERSHIP_NAME "membership.json" /* who it was last in its convention */
#define TDS_DATA_NAME "data" /* folders of groups, unless datadir.cfg names another place */
#define TDS_TMP_NAME "tmp" /* folders of groups that have a uid of their own, for temporary files */
#define TDS_STORE_NAME "store" /* packages that are loaded, and their definitions */
#define TDS_AUDIT_NAME "audit.log"
#define TDS_EVENTS_NAME "events.jsonl"
#define TDS_ACTORLOG_NAME "actors.log"
#define TDS_ACTORLOG_MORE "actors.more.log" /* of sources that write more than their share */

/*
 * The path of the run directory, which need not exist. Caller frees *path.
 * Errors:  TDS_E_UNUSABLE where rundir.cfg is there but is not one absolute path; TDS_E_NOMEM.
 */
int tds_rundir_path(const struct tds_dir *dir, char **path, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Open the run directory, for one who asks what listens there or believes what is written there.
 * Source:  it is believed where it belongs to root, the caller, the owner of the director directory or the user that
 *          adminuser.cfg names, and nobody else may write it; a symbolic link in its place is not followed.
 * Owner:   caller closes *rundir, whose descriptor is O_PATH, on success only.
 * Errors:  TDS_E_MISSING: there is none; TDS_E_NO_ADMIN: it cannot be opened, or not be believed; TDS_E_UNUSABLE:
 *          rundir.cfg, or adminuser.cfg where it decides; TDS_E_NOMEM.
 */
int tds_rundir_open(const struct tds_dir *dir, struct tds_dir *rundir,
		    struct tds_err *err) TDS_MUST_CHECK;

/*
 * The network file system that a type of statfs(2) stands for; NULL: a local one, or one that may be. Locks and the mtime of
 * one machine are another's there, and two machines could each have an admin. FUSE may be either, so it is not named.
 */
const char *tds_rundir_network(uint64_t type);

/* What loaded.json and desired.json name. A zeroed one names nothing. */
struct tds_loaded {
	json_t *document;   /* loaded.json; NULL: nothing is loaded. Both own the names */
	json_t *desired;    /* desired.json (desired.h); NULL: nothing is wanted */
	const char **names; /* the last path component of each string in the documents, sorted */
	size_t n;
	size_t room;
};

/*
 * Read both, so that nothing that they name gets deleted: every string anywhere in them counts, whatever the key. Where
 * there is no such file, or no run directory, nothing is loaded or wanted.
 * Source:  the files are believed where their directory is, by the same rule; the content is untrusted all the same.
 * Owner:   caller frees with tds_loaded_fini, on success only.
 * Errors:  TDS_E_WRITE: it cannot be told what is named, so nothing may be deleted; TDS_E_NOMEM.
 */
int tds_loaded_read(const struct tds_dir *dir, struct tds_loaded *loaded,
		    struct tds_err *err) TDS_MUST_CHECK;
/*
 * Another JSON document of the run directory, believed by the same rule: a new reference, NULL: there is none.
 * Errors:  TDS_E_WRITE: it cannot be read, or not be believed; TDS_E_NOMEM.
 */
int tds_rundir_json(const struct tds_dir *dir, const char *name, json_t **document,
		    struct tds_err *err) TDS_MUST_CHECK;
void tds_loaded_fini(struct tds_loaded *loaded);
#define tds_loaded_cleanup tds_loaded_fini

/* Do they name this package file, alone or behind a path? A name that JSON cannot hold is found as it is escaped. */
bool tds_loaded_has(const struct tds_loaded *loaded, const char *file);

#endif
