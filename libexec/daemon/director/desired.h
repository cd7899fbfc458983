/* SPDX-License-Identifier: MIT */
/*
 * What is wanted of a group, whatever is loaded: where it is held, and what was active before. It outlives the admin
 * process, in desired.json (director/desired.h of libcommon has its form).
 *
 * A hold counts when loaded.json has it, by HeldMs of the source that is active: that file is written first, and where a crash
 * comes between the two, the restore completes the other.
 */
#ifndef TDS_DAEMON_DESIRED_H
#define TDS_DAEMON_DESIRED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "model.h"

/* What was wanted of a group before it was changed. */
struct wish {
	json_t *held;
	json_t *was_active;
	json_t *floor;
	bool unsaved; /* what is wanted of all groups was not on disk */
	bool floors_unsaved;
};

/*
 * Is it known what is wanted? desired.json is read, where it could not be read before.
 * Errors:  TDS_E_UNUSABLE: it is damaged, and nothing that it may forbid is done; the reason names it.
 */
int desired_known(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/* Why nothing else is loaded in a group that is held: TDS_E_REFUSED. */
int group_refuse_held(const struct group *group, struct tds_err *err);

/* Does the store keep the package of this SHA-256 for the group, loaded or not? */
bool group_stores(const struct group *group, const char *sha256);

/* What comes of it that a source is active. */
enum settling {
	SETTLES_NOTHING, /* but that it was active; the floor is raised where it is higher */
	SETTLES_FLOOR,   /* the floor is set to it */
	SETTLES_HOLD,    /* the same, and its group is held there */
};

/*
 * The source is active now, or about to be. That is to be saved; either it is undone, or done: what the store had for the wish
 * before goes. Where it could not be saved and is done all the same, the next save does it.
 */
struct wish wish_activated(const struct source *source, enum settling settling);
void wish_undo(struct group *group, struct wish *before);
void wish_done(struct group *group, struct wish *before);

/* The version of the floor before, which is a higher one than now; NULL: it was not. Borrowed from before. */
const char *wish_lowers(const struct group *group, const struct wish *before);

/* Write floor.json and desired.json, where anything is not on disk. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int desired_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/* Let the floor of the group be what is active of it. Errors: TDS_E_WRITE; all is as it was. */
int group_set_floor(struct group *group, struct tds_err *err) TDS_MUST_CHECK;

/* Hold the group at a source of it that is active, or (NULL) nowhere. Errors: TDS_E_WRITE; all is as it was. */
int group_hold(struct group *group, const struct source *source,
	       struct tds_err *err) TDS_MUST_CHECK;

/* What a crash has cut off: the source was held, as loaded.json has it. */
void desired_complete(struct source *source, int64_t held_ms);

/* Forget what was active before, and what the store has of it. Errors: TDS_E_WRITE; all is as it was. */
int desired_forget(struct group *group, struct tds_err *err) TDS_MUST_CHECK;

/* The packages of a group that it remembers, as loaded.json and desired.json have them. A new reference; NULL: no memory. */
json_t *package_json(const struct source *source);

void desired_free(struct group *group);

#endif
