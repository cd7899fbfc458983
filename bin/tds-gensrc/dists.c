/* SPDX-License-Identifier: MIT */
/*
 * Distributions: what was installed with a module besides its code. What that is, its record says, which a Python has
 * read; nothing else of the folder is packed.
 */
#include "gensrc.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static bool has_name(const struct tds_names *names, const char *name, size_t len)
{
	for (size_t i = 0; i < names->n; i++)
		if (strlen(names->v[i]) == len && memcmp(names->v[i], name, len) == 0)
			return true;
	return false;
}

/* Is it of the folder in which importlib.metadata looks for what is known of a distribution? */
static bool is_metadata(const char *file)
{
	size_t n = strcspn(file, "/");
	static const char *const suffixes[] = { ".dist-info", ".egg-info" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t len = strlen(suffixes[i]);

		if (n > len && memcmp(file + n - len, suffixes[i], len) == 0)
			return true;
	}
	return false;
}

/* Where the name in the archive begins in the path of a file; NULL: it is not packed. */
static const char *name_in(const char *path, const char *file, const char *folder)
{
	size_t len = folder ? strlen(folder) : 0;

	if (is_metadata(file))
		return path + strlen(path) - strlen(file);
	if (folder && strncmp(path, folder, len) == 0 && path[len] == '/')
		return path + (strrchr(folder, '/') + 1 - folder);
	return NULL;
}

bool ends_in_so(const char *name)
{
	return tds_text_has_suffix(name, ".so") || strstr(name, ".so.");
}

void warn_of_library(struct opts *o, const char *path)
{
	tds_cli_warn(
		&o->cli, path,
		"is a compiled library, which cannot be packed: it must be installed where the "
		"actors run");
}

/* One file of a distribution. */
static bool add_file(struct opts *o, const char *path, const char *name, struct members *members)
{
	if (name && o->cli.verbose)
		(void)fprintf(o->cli.err, "%s: dependency %s\n", o->cli.tool, path);
	return !name || members_add(o, members, strdup(name), strdup(path), strdup(path));
}

static bool add_files(struct opts *o, struct dist *dist, const char *folder,
		      struct members *members)
{
	for (size_t i = 0; i < dist->file.n; i++) {
		tds_autofree char *path = NULL;

		if (asprintf(&path, "%s/%s", dist->folder, dist->file.v[i]) < 0) {
			path = NULL;
			return fail_nomem(o);
		}
		const char *name = name_in(path, dist->file.v[i], folder);
		/* The libraries below the folder are found with its sources. */
		if (!ends_in_so(path) && !add_file(o, path, name, members))
			return false;
		if (ends_in_so(path) && !name && !dist->named)
			warn_of_library(o, path);
	}
	dist->named = true;
	return true;
}

bool add_data(struct opts *o, struct search_path *path, const char *top, const char *parent,
	      const char *folder, struct members *members)
{
	for (size_t i = 0; i < path->ndist; i++) {
		struct dist *dist = &path->dist[i];

		if (strcmp(dist->folder, parent) == 0 &&
		    has_name(&dist->module, top, strcspn(top, ".")) &&
		    !add_files(o, dist, folder, members))
			return false;
	}
	return true;
}

const struct dist *find_dist(const struct search_path *path, const char *name)
{
	for (size_t i = 0; i < path->ndist; i++)
		if (has_name(&path->dist[i].called, name, strlen(name)))
			return &path->dist[i];
	return NULL;
}
