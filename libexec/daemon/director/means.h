/* SPDX-License-Identifier: MIT */
/*
 * What the Director asks of the world besides its engine and its clock: packages and declarations, the verifier, and
 * what is kept on disk. Main hands it the table; tests hand it another.
 */
#ifndef TDS_DAEMON_MEANS_H
#define TDS_DAEMON_MEANS_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "daemon/base/home.h"
#include "director/sandbox.h"
#include "director/may.h"
#include "director/tli.h"

/* A package that was found, and is not believed. Zeroed but for fd (-1) where there is none. */
struct candidate {
	char *file;   /* its name, without folder */
	char *path;   /* for people */
	int fd;       /* open for reading */
	bool is_kept; /* it comes from the store, and need not be written there */
};

/* What the verifier says. Texts are borrowed for the call. */
struct verdict {
	int status; /* 0: it is what its name says, and a key validates it; else the exit status */
	const char *error; /* where status is not 0 */
	bool is_none; /* the verifier failed, or did not get to it: nothing is known of the package; status is not 0 */
	const char *md5; /* of one that is refused, too, as far as they are known; else NULL */
	const char *sha256;
	const char *version;    /* that is signed; NULL: none */
	const char *key;        /* path of the key file; NULL: none is known */
	const char *key_sha256; /* of the key, and of its file; NULL: not known */
	const char *key_file_sha256;
	const json_t *warnings; /* an array of texts; NULL: none */
	struct tds_tli *
		signed_tli; /* declared with the package; the callee may take what is in it; NULL: nothing is */
	int archive; /* a sealed memory file, the callee's; -1: none */
	struct stored *
		package; /* the verified bytes on their way to the store, the callee's; NULL: none */
	void *vouch; /* what the verdict rests on, as far as files go; the callee's, free()d; NULL: not known */
};
typedef void verdict_fn(void *ctx, const struct verdict *verdict);

struct verification;
struct stored;

struct means {
	/*
	 * Whose package a target means: a package file (named here, or by an absolute path), a TLI file or a group.
	 * group is set (caller frees) where it is known, even if there is no package.
	 * Errors: TDS_E_MISSING: no such group, or a file of none; TDS_E_UNUSABLE, TDS_E_NOMEM.
	 */
	int (*group_of)(void *ctx, const char *target, char **group, struct tds_err *err);

	/*
	 * The package that a target means for a group now. Owner: caller closes with candidate_fini, on success only.
	 * Errors: TDS_E_MISSING: none; those of opening it.
	 */
	int (*find)(void *ctx, const char *target, const char *group, struct candidate *found,
		    struct tds_err *err);

	/* GROUP.tli as it is now; the reason names file and place. Errors: TDS_E_MISSING, those of tds_tli_read. */
	int (*declaration)(void *ctx, const char *group, struct tds_tli *tli, struct tds_err *err);

	/* What this machine lets the group's actors have at most: may.cfg. Borrowed until the next reload. */
	const struct tds_rights *(*narrowed)(void *ctx, const char *group);

	/* The name of a user that a setting names, root's, or the admin's own; borrowed. NULL: not known. */
	const char *(*user_name)(void *ctx, uid_t uid);

	/* The groups that have packages, to be refreshed: an array of texts. NULL: the directory cannot be read. */
	json_t *(*groups)(void *ctx);

	/* Is it, as far as files tell, the very package of that file that was verified, and would be again? */
	bool (*is_unchanged)(void *ctx, const struct candidate *found, const void *vouch);

	/* done is called later, once, unless it is cancelled. NULL: it could not be started. */
	struct verification *(*verify)(void *ctx, const struct candidate *found, const char *group,
				       verdict_fn *done, void *done_ctx);
	void (*cancel)(struct verification *verification); /* accepts NULL */

	/* What was loaded: the stored package and its declaration, by digest. */
	int (*find_stored)(void *ctx, const char *sha256, int *fd, struct tds_err *err);

	/* The path that a package of this name has in the director directory, for people. Caller frees; NULL: out of memory. */
	char *(*path_of)(void *ctx, const char *file);
	int (*stored_declaration)(void *ctx, const char *sha256, struct tds_tli *tli,
				  struct tds_err *err);

	/*
	 * Keep a package with its declaration, for as long as it is loaded or desired.json wants it stored; think better of
	 * it before (accepts NULL); forget it afterwards. keep takes the package over, whatever comes of it; of one that
	 * is kept already only the declaration is written.
	 */
	int (*keep)(void *ctx, struct stored *package, const char *sha256,
		    const struct tds_tli *tli, struct tds_err *err);
	void (*discard)(void *ctx, struct stored *package);
	void (*forget)(void *ctx, const char *sha256);

	/*
	 * What the group's actors have of their own, made where it is missing; the caller's to free.
	 * Errors: TDS_E_REFUSED, TDS_E_WRITE, TDS_E_UNUSABLE, TDS_E_NOMEM.
	 */
	int (*home)(void *ctx, const char *group, struct actor_home *home, struct tds_err *err);

	/*
	 * What a source of the group is granted, which the caller gives back: it asks for signed_value in its signed declaration,
	 * and for defined in its definition (NULL: for nothing). *note, which the caller frees, says what does not count; NULL:
	 * all does. Errors: TDS_E_REFUSED: asked for and not allowed, or not to be held to here; TDS_E_NOMEM.
	 */
	int (*sandbox)(void *ctx, const char *group, const struct tds_value *signed_value,
		       const struct tds_value *defined, struct tds_sandbox **granted, char **note,
		       struct tds_err *err);

	/*
	 * Remove it, with all that is in it. done is called later, once, with what could not be removed (NULL: all is
	 * gone), but for a failure that is told at once. Errors: TDS_E_MISSING: there is nothing; TDS_E_REFUSED: it is under way;
	 * TDS_E_WRITE, TDS_E_NOMEM.
	 */
	int (*remove_home)(void *ctx, const char *group, void (*done)(void *ctx, const char *error),
			   void *done_ctx, struct tds_err *err);

	/*
	 * Write the sources of loaded.json, the groups of groups.json and those of desired.json; take the reference.
	 * Errors: TDS_E_WRITE, TDS_E_NOMEM.
	 */
	int (*save_sources)(void *ctx, json_t *sources, struct tds_err *err);
	int (*save_groups)(void *ctx, json_t *groups, struct tds_err *err);
	int (*save_desired)(void *ctx, json_t *groups, struct tds_err *err);

	/* The same for floor.json. */
	int (*save_floors)(void *ctx, json_t *groups, struct tds_err *err);
	int (*floors)(void *ctx, json_t **document, struct tds_err *err);

	/* desired.json, a new reference; NULL: there is none. Errors: TDS_E_UNUSABLE: it is damaged; the reason names it. */
	int (*desired)(void *ctx, json_t **document, struct tds_err *err);

	/* The return of a stored package begins, or ends, however that is. NULL: nobody wants to know. */
	void (*returning)(void *ctx, const char *sha256, bool under_way);

	/* Something has happened: a line of the event log, for those who watch too; takes the reference (NULL: none). */
	void (*event)(void *ctx, json_t *event);

	/*
	 * A line of the audit log; takes the reference (NULL: none). What is not done where that cannot be written is audited
	 * before it is; what is done anyway has a line that is kept until there is room. Errors: TDS_E_WRITE, TDS_E_NOMEM.
	 */
	int (*audit)(void *ctx, json_t *line, struct tds_err *err);
	void (*audit_anyway)(void *ctx, json_t *line);

	/* Delete the group's packages beyond its limit; their paths are added to deleted, an array. Errors: TDS_E_WRITE. */
	int (*prune)(void *ctx, const char *group, int64_t keep_limit, json_t *deleted,
		     struct tds_err *err);

	/* A record of logging that an actor wrote; an empty address: the process of a source. */
	void (*record)(void *ctx, const char *address, const json_t *record);

	void *ctx;
};

void candidate_fini(struct candidate *found);

#endif
