/* SPDX-License-Identifier: MIT */
/* Names that mean nothing, and what was meant. */
#include "unknown.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/text.h"

/* A package that would be the group's if that were declared. Caller frees; NULL: none. */
static char *find_package(const struct tds_dir *dir, const char *group)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char *found = NULL;

	if (!stream) {
		tds_close_fd(&fd);
		return NULL;
	}
	while (!found && (entry = readdir(stream)))
		if (tds_group_fits(group, entry->d_name, NULL))
			found = strdup(entry->d_name);
	(void)closedir(stream);
	return found;
}

/* The group that a package's name most likely means: what stands before its last dash. Caller frees. */
static char *likely_group(const char *file)
{
	const char *dash = strrchr(file, '-');
	size_t len = strlen(file) - strlen(TDS_TLS_SUFFIX);

	return strndup(file, dash && dash > file ? (size_t)(dash - file) : len);
}

static int tell_file(const char *file, struct tds_err *err)
{
	tds_autofree char *group = likely_group(file);

	return tds_err_set(err, TDS_E_MISSING,
			   "belongs to no declared group: there is no %s" TDS_TLI_SUFFIX,
			   group ? group : "GROUP");
}

int tds_unknown_group(const struct tds_dir *dir, const struct tds_groups *groups, const char *name,
		      struct tds_err *err)
{
	struct tds_nearest nearest = { .word = name };
	char hint[TDS_NEAREST_HINT_MAX];

	for (size_t i = 0; i < groups->n; i++)
		tds_nearest_offer(&nearest, groups->v[i].name);
	if (!nearest.found && tds_text_has_suffix(name, TDS_TLS_SUFFIX) &&
	    !tds_groups_owner(groups, tds_text_base(name)))
		return tell_file(tds_text_base(name), err);
	tds_autofree char *package = name[0] ? find_package(dir, name) : NULL;
	if (package)
		return tds_err_set(err, TDS_E_MISSING,
				   "no such group: %s is there, but no %s" TDS_TLI_SUFFIX, package,
				   name);
	return tds_err_set(err, TDS_E_MISSING, "no such group%s", tds_nearest_hint(&nearest, hint));
}

void tds_unknown_package(const struct tds_groups *groups, const char *name, struct tds_err *err)
{
	struct tds_nearest nearest = { .word = tds_text_base(name) };
	char hint[TDS_NEAREST_HINT_MAX];

	for (size_t i = 0; i < groups->n; i++)
		tds_nearest_offer(&nearest, groups->v[i].name);
	for (size_t i = 0; i < groups->nfiles; i++)
		tds_nearest_offer(&nearest, groups->files[i].name);
	(void)tds_nearest_hint(&nearest, hint);
	(void)strncat(err->reason, hint, sizeof(err->reason) - strlen(err->reason) - 1);
}
