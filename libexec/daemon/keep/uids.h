/* SPDX-License-Identifier: MIT */
/*
 * The uids of groups, where each group has one of its own: given out once, written down before anything is made that the uid
 * owns, and given to another group only after nothing of that is left.
 */
#ifndef TDS_DAEMON_UIDS_H
#define TDS_DAEMON_UIDS_H

#include <jansson.h>
#include <sys/types.h>

#include "base/err.h"
#include "director/uids.h"

#define UIDS_NONE ((uid_t)-1)

struct uids {
	int rundir; /* borrowed */
	struct tds_uidrange range;
	json_t *groups;
};

/*
 * Read which there are.
 * Owner:   uids_close, in any case.
 * Errors:  TDS_E_UNUSABLE, TDS_E_NOMEM.
 */
int uids_open(struct uids *uids, int rundir, const struct tds_uidrange *range,
	      struct tds_err *err) TDS_MUST_CHECK;
void uids_close(struct uids *uids);

/* The uid of a group; UIDS_NONE: it has none. */
uid_t uids_of(const struct uids *uids, const char *group);

/*
 * The same, and where it has none, that of its folder in the folder base (-1: there is none), else one that nobody has: no group,
 * no user or group of /etc, no process, and nothing in base.
 * Errors:  TDS_E_REFUSED: all of the range is taken; TDS_E_WRITE: it cannot be written down; TDS_E_NOMEM.
 */
int uids_give(struct uids *uids, const char *group, int base, uid_t *uid,
	      struct tds_err *err) TDS_MUST_CHECK;

/* Nothing of the group is left. Errors: TDS_E_WRITE, TDS_E_NOMEM: it keeps the uid. */
int uids_take(struct uids *uids, const char *group, struct tds_err *err) TDS_MUST_CHECK;

#endif
