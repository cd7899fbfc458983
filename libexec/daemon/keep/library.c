/* SPDX-License-Identifier: MIT */
/* Packages and declarations of the director directory, found and opened. */
#include "library.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "director/prune.h"
#include "director/rundir.h"
#include "director/strictmodes.h"
#include "tool/cli.h"
#include "director/unknown.h"

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name);
	size_t s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

/* A package file, here or, by an absolute path, elsewhere; a group may have such a name, too, and is meant then. */
static bool is_file(const struct tds_groups *groups, const char *target)
{
	return ends_in(target, ".tls") && !tds_groups_find(groups, target);
}

int library_group_of(struct library *library, const char *target, char **group, struct tds_err *err)
{
	const struct tds_groups *groups;
	const struct tds_group *owner;
	int rc = listing_read(&library->listing, library->dir, &groups, err);

	if (rc != 0)
		return rc;
	const char *base = tds_text_base(target);
	if (is_file(groups, target)) {
		owner = tds_groups_owner(groups, base);
		if (!owner)
			return tds_unknown_group(library->dir, groups, base, err);
	} else {
		tds_autofree char *name = strdup(base);

		if (name && ends_in(name, ".tli"))
			name[strlen(name) - 4] = '\0';
		owner = name ? tds_groups_find(groups, name) : NULL;
		if (!owner)
			return tds_unknown_group(library->dir, groups, name ? name : base, err);
	}
	*group = strdup(owner->name);
	return *group ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int open_file(const struct tds_dir *dir, const char *target, struct candidate *found,
		     struct tds_err *err)
{
	bool whole = target[0] == '/';
	struct candidate opened = { .fd = -1 };
	int rc = tds_io_open(whole ? AT_FDCWD : dir->fd, target, false, &opened.fd, NULL, err);

	if (rc != 0)
		return rc;
	opened.file = strdup(tds_text_base(target));
	opened.path = whole ? strdup(target) : tds_dir_join(dir, target);
	if (opened.file && opened.path) {
		*found = opened;
		return 0;
	}
	candidate_fini(&opened);
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int library_find(struct library *library, const char *target, const char *group,
		 struct candidate *found, struct tds_err *err)
{
	const struct tds_groups *groups;
	int rc = listing_read(&library->listing, library->dir, &groups, err);

	if (rc != 0)
		return rc;
	const struct tds_group *known = tds_groups_find(groups, group);
	if (is_file(groups, target)) {
		/* A request that names the group may name a file that would be another one's. */
		if (!tds_group_fits(group, tds_text_base(target), NULL))
			return tds_err_set(err, TDS_E_MISSING,
					   "is not the name of a package of group %s", group);
		rc = open_file(library->dir, target, found, err);
		if (rc == TDS_E_MISSING)
			tds_unknown_package(groups, target, err);
		return rc;
	}
	if (!known || known->n == 0)
		return tds_err_set(err, TDS_E_MISSING, "the group has no package");
	return open_file(library->dir, known->files[0].name, found, err);
}

int library_declaration(struct library *library, const char *group, struct tds_tli *tli,
			struct tds_err *err)
{
	const struct tds_tli_watcher nobody = { 0 };
	tds_autofree char *name = NULL;

	if (asprintf(&name, "%s.tli", group) < 0) {
		name = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	int rc = tds_strictmodes_judge_declaration(library->dir, name, err);
	if (rc == 0)
		rc = tds_tli_read(library->dir->fd, name, nobody, tli, err);
	return rc == 0 ? 0 : tds_err_name(err, name);
}

json_t *library_groups(struct library *library)
{
	const struct tds_groups *groups;
	json_t *names;

	if (listing_read(&library->listing, library->dir, &groups, NULL) != 0)
		return NULL;
	names = json_array();
	for (size_t i = 0; i < groups->n; i++)
		if (groups->v[i].n > 0)
			(void)json_array_append_new(names, json_string(groups->v[i].name));
	return names;
}

static void note_deleted(const struct tds_dir *dir, const char *file, json_t *deleted)
{
	tds_autofree char *path = tds_dir_join(dir, file);

	if (path)
		(void)json_array_append_new(deleted, tds_cli_json_text(path));
}

int library_prune(struct library *library, const char *name, int64_t keep_limit, json_t *deleted,
		  struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	tds_auto(loaded) struct tds_loaded loaded = { 0 };
	bool removed;

	/* A directory of its own: the lock is held until it is closed. What cannot be deleted now, the next load will. */
	if (tds_dir_open(library->dir->path, &dir, NULL) != 0 ||
	    tds_prune_lock(&dir, 0, NULL) != 0 || tds_groups_scan(&dir, &groups, NULL) != 0 ||
	    tds_loaded_read(&dir, &loaded, NULL) != 0)
		return 0;
	const struct tds_group *group = tds_groups_find(&groups, name);
	for (size_t i = 0; group && i < group->n; i++) {
		const char *file = group->files[i].name;
		struct tds_identity identity = tds_prune_identify(&dir, file);

		if (!tds_prune_excess(group, i, keep_limit, &loaded))
			continue;
		int rc = tds_prune_remove(&dir, file, &identity, &removed, err);
		if (rc != 0)
			return rc;
		if (removed)
			note_deleted(&dir, file, deleted);
	}
	return tds_prune_sync(&dir, err);
}

void library_fini(struct library *library)
{
	listing_fini(&library->listing);
}
