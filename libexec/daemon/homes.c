/* SPDX-License-Identifier: MIT */
/* Folders and uids of groups, given and taken together. */
#include "homes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "director/rundir.h"

int homes_open(struct homes *homes, const struct homes_plan *plan, struct tds_err *err)
{
	const struct settings *settings = plan->settings;
	const struct data_place tmp = { .rundir = plan->rundir,
					.rundir_path = plan->rundir_path,
					.name = TDS_TMP_NAME,
					.remover = plan->remover };

	*homes = (struct homes){ .data = tmp,
				 .tmp = tmp,
				 .owner = { settings->actor_uid, settings->actor_gid },
				 .is_dynamic = settings->actors == ACTORS_DYNAMIC };
	homes->data.name = TDS_DATA_NAME;
	homes->data.configured = plan->transient ? NULL : settings->data_dir;
	return uids_open(&homes->uids, plan->rundir, &settings->uids, err);
}

void homes_sweep(struct homes *homes)
{
	data_sweep(&homes->data);
	data_clear(&homes->tmp);
}

/* --- given --- */

static bool is_taken(const struct homes *homes, const char *group);

static int give_uid(struct homes *homes, const char *group, struct actor_home *home,
		    struct tds_err *err)
{
	tds_autofd int base = data_open(&homes->data, err);

	if (base < 0)
		return err->code;
	int rc = uids_give(&homes->uids, group, base, &home->uid, err);
	home->gid = (gid_t)home->uid;
	return rc;
}

static struct data_owner owner_of(const struct homes *homes, const struct actor_home *home)
{
	return homes->is_dynamic ? (struct data_owner){ home->uid, home->gid } : homes->owner;
}

static int make_folders(const struct homes *homes, const char *group, struct actor_home *home,
			struct tds_err *err)
{
	const struct data_owner owner = owner_of(homes, home);
	int rc = data_folder(&homes->data, group, &owner, &home->data, err);

	return rc == 0 && homes->is_dynamic
		       ? data_folder(&homes->tmp, group, &owner, &home->tmp, err)
		       : rc;
}

int homes_give(struct homes *homes, const char *group, struct actor_home *home, struct tds_err *err)
{
	int rc = 0;

	*home = (struct actor_home)ACTOR_HOME_NONE;
	if (is_taken(homes, group))
		return tds_err_set(err, TDS_E_REFUSED, "what is kept of group %s is being removed",
				   group);
	if (homes->is_dynamic)
		rc = give_uid(homes, group, home, err);
	if (rc == 0)
		rc = make_folders(homes, group, home, err);
	if (rc != 0)
		actor_home_fini(home);
	return rc;
}

int homes_foresee(struct homes *homes, const char *group, struct actor_home *home,
		  struct tds_err *err)
{
	int rc = 0;

	*home = (struct actor_home)ACTOR_HOME_NONE;
	if (homes->is_dynamic)
		rc = give_uid(homes, group, home, err);
	if (rc != 0)
		return rc;
	home->data = data_path(&homes->data, group);
	home->tmp = homes->is_dynamic ? data_path(&homes->tmp, group) : NULL;
	if (home->data && (home->tmp || !homes->is_dynamic))
		return 0;
	actor_home_fini(home);
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- taken: the temporary files, then all else, then the uid --- */

struct taking {
	struct homes *homes;
	struct taking *next;
	char *group;
	uid_t uid;
	removal_done_fn *done;
	void *ctx;
};

static bool is_taken(const struct homes *homes, const char *group)
{
	const struct taking *t = homes->takings;

	while (t && strcmp(t->group, group) != 0)
		t = t->next;
	return t != NULL;
}

static void taking_free(struct taking *t)
{
	struct taking **p = &t->homes->takings;

	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	free(t->group);
	free(t);
}

/* NULL: out of memory. */
static struct taking *taking_new(struct homes *homes, const char *group, removal_done_fn *done,
				 void *ctx)
{
	struct taking *t = calloc(1, sizeof(*t));
	char *copy = strdup(group);

	if (!t || !copy) {
		free(t);
		free(copy);
		return NULL;
	}
	*t = (struct taking){ .homes = homes,
			      .next = homes->takings,
			      .group = copy,
			      .uid = uids_of(&homes->uids, group),
			      .done = done,
			      .ctx = ctx };
	homes->takings = t;
	return t;
}

static void finish(struct taking *t, const char *error)
{
	removal_done_fn *done = t->done;
	void *ctx = t->ctx;

	taking_free(t);
	done(ctx, error);
}

static void on_data_removed(void *ctx, const char *error)
{
	struct taking *t = ctx;
	struct tds_err err;

	if (!error && uids_take(&t->homes->uids, t->group, &err) != 0)
		error = err.reason;
	finish(t, error);
}

/* What the uid has left elsewhere goes with the data folder, which is made where somebody has removed it. */
static int take_data(struct taking *t, struct tds_err *err)
{
	struct homes *homes = t->homes;
	const struct data_owner owner = { t->uid, (gid_t)t->uid };
	tds_autofree char *path = NULL;
	int rc = data_folder(&homes->data, t->group, &owner, &path, err);

	return rc == 0 ? data_remove(&homes->data, t->group, &t->uid, on_data_removed, t, err) : rc;
}

static void on_tmp_removed(void *ctx, const char *error)
{
	struct tds_err err;

	if (error)
		finish(ctx, error);
	else if (take_data(ctx, &err) != 0)
		finish(ctx, err.reason);
}

int homes_take(struct homes *homes, const char *group, removal_done_fn *done, void *ctx,
	       struct tds_err *err)
{
	if (is_taken(homes, group))
		return tds_err_set(err, TDS_E_REFUSED, "it is being removed");
	if (uids_of(&homes->uids, group) == UIDS_NONE)
		return data_remove(&homes->data, group, NULL, done, ctx, err);
	struct taking *t = taking_new(homes, group, done, ctx);
	if (!t)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = data_remove(&homes->tmp, group, NULL, on_tmp_removed, t, err);
	if (rc == TDS_E_MISSING)
		rc = take_data(t, err);
	if (rc != 0)
		taking_free(t);
	return rc;
}

void homes_close(struct homes *homes)
{
	data_close(&homes->tmp);
	data_close(&homes->data);
	while (homes->takings)
		taking_free(homes->takings);
	uids_close(&homes->uids);
}
