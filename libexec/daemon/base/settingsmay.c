/* SPDX-License-Identifier: MIT */
/* Who may have what, of the daemon's configuration: adminusers.cfg and may.cfg. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/user.h"
#include "settings.h"
#include "settingsparts.h"

/* The first line of a user is the one that counts. */
static int read_adminuser(const struct tds_dir *dir, const struct tds_grant *grant,
			  struct admin_user *admin, struct tds_err *err)
{
	tds_auto(user) struct tds_user user = { 0 };
	int rc = tds_user_find(grant->name, &user, err);

	if (rc != 0)
		return tds_err_prefix(err, "%s/adminusers.cfg:%u:%u", dir->path, grant->line,
				      grant->column);
	*admin = (struct admin_user){ .uid = user.uid, .rights = tds_rights_ref(grant->rights) };
	return 0;
}

int settings_read_adminusers(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *list = NULL;
	tds_auto(grants) struct tds_grants grants = { 0 };
	int rc = settings_value(dir, "adminusers.cfg", &list, err);

	if (rc == 0 && list)
		rc = tds_grants_of_value(list, TDS_HELD_BY_USERS, &grants, err);
	if (rc != 0 || !list)
		return rc;
	s->users = calloc(grants.n ? grants.n : 1, sizeof(*s->users));
	if (!s->users)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (; s->nusers < grants.n && rc == 0; s->nusers++)
		rc = read_adminuser(dir, &grants.v[s->nusers], &s->users[s->nusers], err);
	return rc;
}

int settings_read_may(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *list = NULL;
	int rc = settings_value(dir, "may.cfg", &list, err);

	s->narrows = list != NULL;
	return rc == 0 && list ? tds_grants_of_value(list, TDS_HELD_BY_ACTORS, &s->may, err) : rc;
}

struct admin_user *settings_user(const struct settings *settings, uid_t uid)
{
	for (size_t i = 0; i < settings->nusers; i++)
		if (settings->users[i].uid == uid)
			return &settings->users[i];
	return NULL;
}

const struct tds_rights *settings_narrowed(const struct settings *settings, const char *group)
{
	return settings->narrows ? tds_grants_for_group(&settings->may, group, NULL)
				 : tds_rights_all();
}
