/* SPDX-License-Identifier: MIT */
/* Which package a load is of: what is named, the newest, what its group is held at, or the version before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "change.h"
#include "desired.h"
#include "package/version.h"
#include "rules.h"

/* A package that is known by its SHA-256. Texts are borrowed. */
struct known {
	const char *sha256;
	const char *file;
	const char *path; /* where it was; NULL: in the director directory */
};

static int nowhere(const struct known *known, struct tds_err *err)
{
	return tds_err_set(err, TDS_E_MISSING,
			   "%s is neither in the store nor in the director directory", known->file);
}

/* From the store, else where it was; the verdict tells whether it is still the one. */
static int find_known(struct change *change, const struct known *known, struct tds_err *err)
{
	const struct means *means = change->director->means;
	struct candidate *found = &change->found;

	(void)snprintf(change->wanted, sizeof(change->wanted), "%s", known->sha256);
	int rc = means->find_stored(means->ctx, known->sha256, &found->fd, err);
	if (rc == TDS_E_MISSING) {
		rc = means->find(means->ctx, known->path ? known->path : known->file,
				 change->group->name, found, err);
		return rc == TDS_E_MISSING ? nowhere(known, err) : rc;
	}
	if (rc != 0)
		return rc;
	found->is_kept = true;
	found->file = strdup(known->file);
	found->path = known->path ? strdup(known->path) : means->path_of(means->ctx, known->file);
	if (found->file && found->path)
		return 0;
	candidate_fini(found);
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int choose_source(struct change *change, const struct source *source, struct tds_err *err)
{
	const struct known known = { source->sha256, source->file, source->path };

	return find_known(change, &known, err);
}

static int find_held(struct change *change, struct tds_err *err)
{
	const json_t *held = change->group->held;
	const struct known known = { tds_json_string(held, "SHA256"), tds_json_string(held, "File"),
				     tds_json_string(held, "Path") };

	return find_known(change, &known, err);
}

static int find_remembered(struct change *change, const json_t *package, struct tds_err *err)
{
	tds_autofree char *file =
		tds_group_file(change->group->name, tds_json_string(package, "Version"));
	const struct known known = { tds_json_string(package, "SHA256"), file, NULL };

	return file ? find_known(change, &known, err)
		    : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int find_target(struct change *change, struct tds_err *err)
{
	const struct means *means = change->director->means;

	return means->find(means->ctx, change->target, change->group->name, &change->found, err);
}

/* --- what is named; and the newest --- */

/* GROUP, or GROUP.tli wherever it is. */
static bool is_group(const struct change *change)
{
	const char *base = tds_text_base(change->target);
	size_t len = strlen(change->group->name);

	return strncmp(base, change->group->name, len) == 0 &&
	       (base[len] == '\0' || strcmp(base + len, TDS_TLI_SUFFIX) == 0);
}

/* A group that is held, and of which something else or nothing is active, is what it is held at. */
static int choose_named(struct change *change, struct tds_err *err)
{
	const struct group *group = change->group;
	bool is_there = group->active && group_is_held_at(group, group->active->sha256);

	if (group->held && !is_there && is_group(change))
		return find_held(change, err);
	change->is_chosen = is_group(change);
	return find_target(change, err);
}

static int choose_refreshed(struct change *change, struct tds_err *err)
{
	if (change->group->held)
		return find_held(change, err);
	change->is_chosen = is_group(change);
	return find_target(change, err);
}

/* --- a version to be held --- */

static const struct source *loaded_of(const struct group *group, const char *version)
{
	const struct source *s = group->sources;

	while (s && (s->state != SOURCE_LOADED || strcmp(s->version, version) != 0))
		s = s->next;
	return s;
}

static const json_t *remembered_of(const struct group *group, const char *version)
{
	for (size_t i = json_array_size(group->was_active); i-- > 0;) {
		const json_t *package = json_array_get(group->was_active, i);

		if (strcmp(tds_json_string(package, "Version"), version) == 0)
			return package;
	}
	return NULL;
}

/* As it is loaded, else as the director directory has it, else as it was when it was active. */
static int choose_version(struct change *change, struct tds_err *err)
{
	const struct means *means = change->director->means;
	const struct group *group = change->group;
	const struct source *loaded = loaded_of(group, change->version);
	const json_t *remembered = remembered_of(group, change->version);

	if (loaded)
		return choose_source(change, loaded, err);
	tds_autofree char *file = tds_group_file(group->name, change->version);
	if (!file)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = means->find(means->ctx, file, group->name, &change->found, err);
	if (rc != TDS_E_MISSING)
		return rc;
	return remembered ? find_remembered(change, remembered, err)
			  : tds_err_set(err, rc, "there is no %s", file);
}

static int choose_held(struct change *change, struct tds_err *err)
{
	const struct group *group = change->group;

	if (change->version)
		return choose_version(change, err);
	if (group->active)
		return choose_source(change, group->active, err);
	return group->held ? find_held(change, err) : find_target(change, err);
}

/* --- the version before --- */

/* The file name of what the version before is before of: what is active, or will be, or was last. NULL: nothing ever was. */
static char *reference(const struct group *group)
{
	const struct source *s = group->active;
	size_t n = json_array_size(group->was_active);

	for (const struct source *lost = group->sources; lost && !s; lost = lost->next)
		if (lost->returns_active)
			s = lost;
	if (s)
		return strdup(s->file);
	if (group->held)
		return strdup(tds_json_string(group->held, "File"));
	return n > 0 ? tds_group_file(
			       group->name,
			       tds_json_string(json_array_get(group->was_active, n - 1), "Version"))
		     : NULL;
}

static const struct source *loaded_below(const struct group *group, const char *file)
{
	const struct source *best = NULL;

	for (const struct source *s = group->sources; s; s = s->next)
		if (s->state == SOURCE_LOADED && tds_version_cmp(group->name, s->file, file) < 0 &&
		    (!best || tds_version_cmp(group->name, s->file, best->file) > 0))
			best = s;
	return best;
}

static const json_t *remembered_below(const struct group *group, const char *file)
{
	tds_autofree char *best = NULL;
	const json_t *found = NULL;
	const json_t *package;
	size_t i;

	json_array_foreach(group->was_active, i, package)
	{
		tds_autofree char *its =
			tds_group_file(group->name, tds_json_string(package, "Version"));

		if (!its || tds_version_cmp(group->name, its, file) >= 0 ||
		    (best && tds_version_cmp(group->name, its, best) < 0))
			continue;
		free(best);
		best = tds_steal(&its);
		found = package;
	}
	return found;
}

static int choose_before(struct change *change, struct tds_err *err)
{
	const struct group *group = change->group;
	tds_autofree char *file = reference(group);
	const struct source *loaded = file ? loaded_below(group, file) : NULL;
	const json_t *remembered = file ? remembered_below(group, file) : NULL;

	if (loaded)
		return choose_source(change, loaded, err);
	if (remembered)
		return find_remembered(change, remembered, err);
	return tds_err_set(err, TDS_E_MISSING, "no version%s%s was active", file ? " before " : "",
			   file ? file : "");
}

int choose_package(struct change *change, struct tds_err *err)
{
	static int (*const chooses[])(struct change * change, struct tds_err * err) = {
		[LOAD_NAMED] = choose_named,
		[LOAD_REFRESH] = choose_refreshed,
		[LOAD_HOLD] = choose_held,
		[LOAD_ROLLBACK] = choose_before,
	};

	return chooses[change->purpose](change, err);
}
