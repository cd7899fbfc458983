/* SPDX-License-Identifier: MIT */
/*
 * floor.json, the highest version of each group that was ever active:
 *
 *     {"Version": 1, "Groups": {GROUP: {"Version", "SinceMs"}}}
 *
 * Nothing below it is chosen for a user: what is older than what ran already comes back only where somebody says so.
 */
#ifndef TDS_FLOOR_H
#define TDS_FLOOR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Is it such a document, in all that is read of it? */
bool tds_floor_fits(const json_t *document);

/* The floor of a group, borrowed; NULL: it has none. */
const json_t *tds_floor_of(const json_t *document, const char *group);

/* How a package of the group, by its file's name, stands to the floor: <0 below, in doubt too, 0 at it. */
int tds_floor_compare(const json_t *floor, const char *group, const char *file);

/* Is the floor lower than another one was? In doubt it is not. */
bool tds_floor_is_lower(const json_t *floor, const json_t *before, const char *group);

/*
 * What binds a group after a version that kept no floors (tds_desired_keeps_floors), with the Version of a floor, borrowed:
 * the package that was active last, or the floor where that is no lower. NULL: none was active.
 */
const json_t *tds_floor_or_last(const json_t *floor, const json_t *was_active, const char *group);

/* Is the floor of a group lost: has it none, though packages of it were active, as desired.json has them? */
bool tds_floor_is_lost(const json_t *floor, const json_t *was_active);

/*
 * May a package of this file's name be chosen for the user, who has only named the group? file NULL: any of them?
 * Errors:  TDS_E_REFUSED: it is below the floor, or that is lost and everything may be; the reason names the way out.
 */
int tds_floor_check(const json_t *floor, const json_t *was_active, const char *group,
		    const char *file, struct tds_err *err) TDS_MUST_CHECK;

#endif
