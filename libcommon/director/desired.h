/* SPDX-License-Identifier: MIT */
/*
 * desired.json, what is wanted of groups whatever is loaded:
 *
 *     {"Version": 1, "Floors": true,
 *      "Groups": {GROUP: {"Held": PACKAGE and "File", "Path", "SinceMs", "WasActive": [PACKAGE, ...]}}}
 *
 * A PACKAGE is {"Version", "MD5", "SHA256"}. WasActive begins with the package that was active longest ago, and ends with the
 * one that was active last, or is. Held alone names a file: that one is not deleted. Floors is there where the version that
 * wrote it keeps floor.json (floor.h); what an older version wrote is without.
 */
#ifndef TDS_DESIRED_H
#define TDS_DESIRED_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

#define TDS_DESIRED_WAS_ACTIVE_MAX 16 /* packages of a group that are remembered */
#define TDS_DESIRED_STORED 2 /* of these, from the last on: in the store, through a shutdown too */

/* Is it such a document, in all that is read of it? */
bool tds_desired_fits(const json_t *document);

/* Does the version that wrote the document keep floors? It does, too, where there is no document, NULL. */
bool tds_desired_keeps_floors(const json_t *document);

/* The package that a group is held at, borrowed; NULL: none. */
const json_t *tds_desired_held(const json_t *document, const char *group);

/* Why nothing else than held is loaded in the group: TDS_E_REFUSED, the reason naming the way out. */
int tds_desired_refuse(const json_t *held, const char *group, struct tds_err *err);

/* Is the package of this SHA-256 to be in the store, loaded or not: of a group of the document, or of one group's entry? */
bool tds_desired_stores(const json_t *document, const char *sha256);
bool tds_desired_group_stores(const json_t *held, const json_t *was_active, const char *sha256);

#endif
