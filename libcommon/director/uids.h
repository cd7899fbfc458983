/* SPDX-License-Identifier: MIT */
/*
 * The uids that groups have where actoruser.cfg says dynamic: out of which range they are, and which group has which, as
 * uids.json in the run directory has it:
 *
 *     {"Version": 1, "Groups": {GROUP: UID}}
 *
 * A group keeps its uid for as long as anything of it may be left that the uid owns.
 */
#ifndef TDS_UIDS_H
#define TDS_UIDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define TDS_UIDRANGE_CFG "uidrange.cfg"
#define TDS_UIDS_NAME "uids.json"

/* Both ends are part of the range. */
struct tds_uidrange {
	uid_t first;
	uid_t last;
};

/*
 * Above all that 16 bits hold, where distributions and systemd give uids to users and services, and below what is handed out
 * to containers.
 */
#define TDS_UIDRANGE_DEFAULT                  \
	{                                     \
		.first = 65536, .last = 99999 \
	}

/* "FIRST-LAST". False: it is not that, or has uids that mean something else. */
bool tds_uidrange_parse(const char *text, size_t len, struct tds_uidrange *range);

/* uids.json: is it such a document, in which no two groups have the same uid? */
bool tds_uids_fit(const json_t *document);

/*
 * Read uids.json of a run directory, without following a link.
 * Owner:   *groups, the object of groups, is the caller's reference; empty where there is no such file.
 * Errors:  TDS_E_UNUSABLE: it cannot be read, is not ours alone, or is not what the admin process writes; TDS_E_NOMEM. The reason names
 *          the file.
 */
int tds_uids_read(int rundir, json_t **groups, struct tds_err *err) TDS_MUST_CHECK;

#endif
