/* SPDX-License-Identifier: MIT */
/* What is kept of a group goes: the folder of its actors, and what was active before. */
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "desired.h"
#include "package/version.h"
#include "rules.h"

/* While its folder is removed. The group may be loaded meanwhile, or be none any more. */
struct forgetting {
	struct director *director;
	struct forgetting *next;
	char *group;
	json_t *by; /* who wants it; NULL: the admin itself */
	change_done_fn *done;
	void *ctx;
};

static void forgetting_free(struct forgetting *f)
{
	struct forgetting **p;

	if (!f)
		return;
	for (p = &f->director->forgettings; *p != f; p = &(*p)->next)
		continue;
	*p = f->next;
	json_decref(f->by);
	free(f->group);
	free(f);
}

void forgetting_free_all(struct director *director)
{
	while (director->forgettings)
		forgetting_free(director->forgettings);
}

static void answer(const struct forgetting *f, int status, const char *error)
{
	f->done(f->ctx, &(struct outcome){ .status = status,
					   .error = error,
					   .group = f->group,
					   .changed = status == 0 });
}

/* A group of which anything is loaded needs what is remembered of it. */
static int forget_remembered(const struct forgetting *f, struct tds_err *err)
{
	struct group *group = group_find(f->director, f->group);

	return group && !group->sources ? desired_forget(group, err) : 0;
}

static void on_removed(void *ctx, const char *error)
{
	struct forgetting *f = ctx;
	struct group *group = group_find(f->director, f->group);
	struct tds_err err = { 0 };

	if (!error && forget_remembered(f, &err) != 0)
		error = err.reason;
	if (!error)
		audit_and_tell(f->director, &(struct happening){ .what = "Forgotten",
								 .group = group,
								 .target = group ? NULL : f->group,
								 .by = f->by });
	answer(f, error ? 5 : 0, error);
	if (group)
		group_tidy(group);
	forgetting_free(f);
}

/* Errors: what it is refused for. */
static int check(struct director *director, const char *name, const struct group *group,
		 struct tds_err *err)
{
	if (!tds_group_name_ok(name))
		return tds_err_set(err, TDS_E_MISSING, "no such group");
	int rc = desired_known(director, err);
	if (rc == 0 && group && (group->sources || group->changes))
		rc = tds_err_set(err, TDS_E_REFUSED, "group %s is loaded", name);
	return rc;
}

static struct forgetting *forgetting_new(struct director *director, const char *group,
					 const struct requester *by, change_done_fn *done,
					 void *ctx)
{
	struct forgetting *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	*f = (struct forgetting){
		.director = director, .group = strdup(group), .done = done, .ctx = ctx
	};
	f->by = json_incref(by ? by->by : NULL);
	f->next = director->forgettings;
	director->forgettings = f;
	if (f->group)
		return f;
	forgetting_free(f);
	return NULL;
}

void director_forget_group(struct director *director, const char *name, const struct requester *by,
			   change_done_fn *done, void *ctx)
{
	const struct means *means = director->means;
	struct group *group = group_find(director, name);
	struct forgetting *f = forgetting_new(director, name, by, done, ctx);
	struct tds_err err = { 0 };
	int rc = f ? director_check(director, by, TDS_ASKED_FORGET, name, &err)
		   : tds_err_set(&err, TDS_E_NOMEM, "out of memory");

	if (rc == 0)
		rc = check(director, name, group, &err);
	if (rc == 0)
		rc = means->remove_home(means->ctx, name, on_removed, f, &err);
	if (rc == 0)
		return;
	/* One that never had a folder may be remembered all the same. */
	if (rc == TDS_E_MISSING && f && group && group->was_active) {
		on_removed(f, NULL);
		return;
	}
	done(ctx, &(struct outcome){ .status = tds_code_status(err.code),
				     .error = err.reason,
				     .group = name });
	forgetting_free(f);
}
