/* SPDX-License-Identifier: MIT */
/*
 * The floor of a group: the highest version that was ever active. It binds where a version is chosen for the user, and
 * outlives everything, in floor.json (director/floor.h of libcommon has its form).
 *
 * What is active when a crash comes raises the floor at the restore: so loaded.json, which is written first, completes it.
 */
#ifndef TDS_DAEMON_FLOOR_H
#define TDS_DAEMON_FLOOR_H

#include <stdbool.h>

#include "base/err.h"
#include "model.h"

/*
 * Are the floors known? floor.json is read, where it could not be read before.
 * Errors:  TDS_E_UNUSABLE: it is damaged; the reason names it.
 */
int floors_known(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/*
 * May a package of this file's name be chosen for the user? Errors: TDS_E_REFUSED: it is below the floor, or that is lost;
 * those of floors_known.
 */
int floor_check(const struct group *group, const char *file, struct tds_err *err) TDS_MUST_CHECK;

/*
 * An upgrade from a version that kept none: where the floors and what is wanted are known, what was active last is the floor.
 * A floor.json that was deleted is no upgrade: what is wanted was written with a mark then.
 */
void floors_upgrade(struct director *director);

/* The source is active: its group's floor is raised to it or, where that is what was asked for, set to it. */
void floor_activated(const struct source *source, bool sets);

/* Write floor.json, where anything is not on disk. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int floors_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

#endif
