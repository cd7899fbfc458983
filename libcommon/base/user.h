/* SPDX-License-Identifier: MIT */
/* Users, as configuration names them: by name, or by number where nothing knows a name. */
#ifndef TDS_USER_H
#define TDS_USER_H

#include <sys/types.h>

#include "err.h"

struct tds_user {
	uid_t uid;
	gid_t gid;
	char *name; /* NULL: nobody has given the uid one */
	char *home; /* the same */
};

/*
 * The user that text, a name or a decimal uid, means. A uid that no name was given to is a user too, with a group of its own.
 * Owner:   caller frees with tds_user_fini, on success only.
 * Errors:  TDS_E_UNUSABLE: no such user; TDS_E_NOMEM.
 */
int tds_user_find(const char *text, struct tds_user *user, struct tds_err *err) TDS_MUST_CHECK;

void tds_user_fini(struct tds_user *user);
#define tds_user_cleanup tds_user_fini

/*
 * Become this user for good, in its groups: groups, gid and uid, each checked, and then that there is no way back. Where it is
 * this process's user already, nothing is done.
 * Errors:  TDS_E_REFUSED. The process may then be neither the one nor the other, and is to end.
 */
int tds_user_become(const struct tds_user *user, struct tds_err *err) TDS_MUST_CHECK;

#endif
