/* SPDX-License-Identifier: MIT */
/* Settings that name users: who may use the admin process, and as whom, and with what, actors run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/user.h"
#include "director/actoruser.h"
#include "settingsparts.h"

/* The user that a value in a file names. */
static int find_user(const struct tds_dir *dir, const char *file, const struct tds_value *name,
		     struct tds_user *user, struct tds_err *err)
{
	int rc = tds_user_find(name->text, user, err);

	return rc == 0 ? 0
		       : tds_err_prefix(err, "%s/%s:%u:%u", dir->path, file, name->line,
					name->column);
}

int settings_read_guests(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *list = NULL;
	int rc = settings_value(dir, "guests.cfg", &list, err);

	if (rc != 0 || !list)
		return rc;
	s->guests = calloc(list->n ? list->n : 1, sizeof(*s->guests));
	if (!s->guests)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (; s->nguests < list->n && rc == 0; s->nguests++) {
		tds_auto(user) struct tds_user user = { 0 };

		rc = find_user(dir, "guests.cfg", list->items[s->nguests], &user, err);
		s->guests[s->nguests] = user.uid;
	}
	return rc;
}

/* As whom they run where nothing else is said. A uid without a name, or whose name cannot be found out, is one all the same. */
static void take_user(struct settings *s, struct tds_user *user)
{
	s->actor_uid = user->uid;
	s->actor_gid = user->gid;
	s->actor_name = tds_steal(&user->name);
	s->actor_home = tds_steal(&user->home);
}

static int take_admin(struct settings *s, struct tds_err *err)
{
	tds_auto(user) struct tds_user user = { 0 };
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", (unsigned)geteuid());
	int rc = tds_user_find(number, &user, err);
	user.gid = getegid();
	if (rc == 0)
		take_user(s, &user);
	return rc;
}

/* Only root can become another. */
static int take_actoruser(const struct tds_dir *dir, const struct tds_value *name,
			  struct settings *s, struct tds_err *err)
{
	tds_auto(user) struct tds_user user = { 0 };
	bool is_dynamic = strcmp(name->text, TDS_ACTORUSER_DYNAMIC) == 0;
	int rc = is_dynamic ? 0 : find_user(dir, TDS_ACTORUSER_CFG, name, &user, err);

	if (rc != 0)
		return rc;
	if (geteuid() != 0 && (is_dynamic || user.uid != geteuid()))
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "%s/" TDS_ACTORUSER_CFG
				   ": only root's admin process runs actors as another user",
				   dir->path);
	s->actors = is_dynamic ? ACTORS_DYNAMIC : ACTORS_AS_USER;
	if (is_dynamic)
		return take_admin(s, err);
	take_user(s, &user);
	return 0;
}

int settings_read_actoruser(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *name = NULL;
	int rc = settings_value(dir, TDS_ACTORUSER_CFG, &name, err);

	if (rc != 0)
		return rc;
	return name ? take_actoruser(dir, name, s, err) : take_admin(s, err);
}

int settings_read_uidrange(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *range = NULL;
	int rc = settings_value(dir, TDS_UIDRANGE_CFG, &range, err);

	/* What it may be was looked at when it was parsed. */
	if (rc == 0 && range)
		(void)tds_uidrange_parse(range->text, range->len, &s->uids);
	return rc;
}

int settings_read_env_names(const struct tds_dir *dir, struct settings *s, struct tds_err *err)
{
	tds_auto(value) struct tds_value *names = NULL;
	int rc = settings_value(dir, "actorenv.cfg", &names, err);

	if (rc != 0 || !names)
		return rc;
	s->env_names = calloc(names->n + 1, sizeof(*s->env_names));
	for (size_t i = 0; s->env_names && i < names->n; i++)
		if (!(s->env_names[i] = strdup(names->items[i]->text)))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return s->env_names ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}
