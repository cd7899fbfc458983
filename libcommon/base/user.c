/* SPDX-License-Identifier: MIT */
/* Looking up a user, and becoming one. */
#include "user.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "text.h"

static int take_entry(const struct passwd *entry, struct tds_user *user, struct tds_err *err)
{
	*user = (struct tds_user){ .uid = entry->pw_uid,
				   .gid = entry->pw_gid,
				   .name = strdup(entry->pw_name),
				   .home = strdup(entry->pw_dir ? entry->pw_dir : "/") };
	if (user->name && user->home)
		return 0;
	tds_user_fini(user);
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int tds_user_find(const char *text, struct tds_user *user, struct tds_err *err)
{
	uint64_t number;
	bool is_number = tds_parse_uint(text, strlen(text), UINT32_MAX - 1, &number);
	const struct passwd *entry = is_number ? getpwuid((uid_t)number) : getpwnam(text);

	*user = (struct tds_user){ 0 };
	if (entry)
		return take_entry(entry, user, err);
	if (!is_number)
		return tds_err_set(err, TDS_E_UNUSABLE, "no such user: %s", text);
	*user = (struct tds_user){ .uid = (uid_t)number, .gid = (gid_t)number };
	return 0;
}

void tds_user_fini(struct tds_user *user)
{
	free(user->name);
	free(user->home);
	*user = (struct tds_user){ 0 };
}

static bool is_user(const struct tds_user *user)
{
	uid_t uid[3];
	gid_t gid[3];

	return getresuid(&uid[0], &uid[1], &uid[2]) == 0 &&
	       getresgid(&gid[0], &gid[1], &gid[2]) == 0 && uid[0] == user->uid &&
	       uid[1] == user->uid && uid[2] == user->uid && gid[0] == user->gid &&
	       gid[1] == user->gid && gid[2] == user->gid;
}

int tds_user_become(const struct tds_user *user, struct tds_err *err)
{
	if (getuid() == user->uid && geteuid() == user->uid)
		return 0;
	if ((user->name ? initgroups(user->name, user->gid) : setgroups(0, NULL)) != 0)
		return tds_err_sys(err, TDS_E_REFUSED, "the groups of uid %u cannot be had",
				   (unsigned)user->uid);
	if (setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0)
		return tds_err_sys(err, TDS_E_REFUSED, "uid %u cannot be had", (unsigned)user->uid);
	if (!is_user(user) || (user->uid != 0 && setuid(0) == 0))
		return tds_err_set(err, TDS_E_REFUSED, "uid %u is had, but not alone",
				   (unsigned)user->uid);
	return 0;
}
