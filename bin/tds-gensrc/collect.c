/* SPDX-License-Identifier: MIT */
/* Which files are packed: those that the SOURCEs match below SRCDIR, and those of the dependencies. */
#include "gensrc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/zipwrite.h"
#include "base/io.h"
#include "base/mem.h"
#include "tool/expand.h"
#include "tool/glob.h"

/* The length of SRCDIR without the slashes at its end; of "/" it is 0. */
static size_t srcdir_len(const struct opts *o)
{
	size_t len = strlen(o->srcdir);

	while (len > 0 && o->srcdir[len - 1] == '/')
		len--;
	return len;
}

char *below_srcdir(const struct opts *o, const char *path)
{
	char *joined = NULL;

	if (asprintf(&joined, "%.*s/%s", (int)srcdir_len(o), o->srcdir, path) < 0)
		return NULL;
	return joined;
}

/* What follows "SRCDIR/" at the beginning of path, or path. */
static const char *cut_srcdir(const struct opts *o, const char *path)
{
	size_t len = srcdir_len(o);

	if (strncmp(path, o->srcdir, len) != 0 || path[len] != '/')
		return path;
	return path + len + strspn(path + len, "/");
}

/* A path as the Director reads it: cut, then expanded. Caller frees; NULL: out of memory. */
static char *clean_path(const struct opts *o, const char *path)
{
	tds_autofree char *home = tds_expand_user(cut_srcdir(o, path));
	tds_autofree char *expanded = home ? tds_expand_vars(home) : NULL;

	return expanded ? strdup(cut_srcdir(o, expanded)) : NULL;
}

static bool is_inside(const char *path)
{
	if (path[0] == '/')
		return false;
	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t n = strcspn(part, "/");

		if (n == 2 && part[0] == '.' && part[1] == '.')
			return false;
		part += n;
	}
	return true;
}

bool members_add(struct opts *o, struct members *members, char *name, char *path, char *shown)
{
	if (members->n == members->room) {
		size_t room = members->room ? 2 * members->room : 64;
		void *more = reallocarray(members->v, room, sizeof(*members->v));

		if (more) {
			members->v = more;
			members->room = room;
		}
	}
	if (!name || !path || !shown || members->n == members->room) {
		free(name);
		free(path);
		free(shown);
		return fail_nomem(o);
	}
	members->v[members->n++] = (struct member){ .name = name, .path = path, .shown = shown };
	return true;
}

/* A SOURCE without any file. */
static void warn_of_source(struct opts *o, const char *source, bool folders)
{
	if (folders)
		tds_cli_warn(&o->cli, source, "matches only folders");
	else
		tds_cli_warn(&o->cli, source, "matches nothing%s",
			     find_operand_option(source) < 0
				     ? ""
				     : " (options come before the first SOURCE)");
}

/* Add what one SOURCE matches. */
static bool collect_source(struct opts *o, const char *source, struct members *members)
{
	tds_autofree char *pattern = clean_path(o, source);
	tds_auto(matches) struct tds_matches found = { 0 };
	struct tds_err err = { 0 };
	size_t before = members->n;

	if (!pattern)
		return fail_nomem(o);
	if (!is_inside(pattern))
		return misuse(o, "%s: lies outside %s", source, o->srcdir);
	if (tds_glob(o->srcfd, pattern, &found, &err) != 0)
		return fail(o, source, &err);
	for (size_t i = 0; i < found.n; i++) {
		const char *path = found.v[i].path;

		if (!found.v[i].folder &&
		    !members_add(o, members, strdup(path), strdup(path), below_srcdir(o, path)))
			return false;
	}
	if (members->n == before)
		warn_of_source(o, source, found.n > 0);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void member_fini(struct member *m)
{
	free(m->name);
	free(m->path);
	free(m->shown);
}

static bool same_file(const struct opts *o, const struct member *a, const struct member *b)
{
	struct stat x;
	struct stat y;

	return strcmp(a->path, b->path) == 0 ||
	       (fstatat(o->srcfd, a->path, &x, 0) == 0 && fstatat(o->srcfd, b->path, &y, 0) == 0 &&
		x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* Sort by name, refuse two files of one name, and keep one where several names are of the same file. */
static bool unify_members(struct opts *o, struct members *members)
{
	struct member *v = members->v;
	size_t kept = 0;

	qsort(v, members->n, sizeof(*v), by_name);
	for (size_t i = 1; i < members->n; i++) {
		struct tds_err err;

		if (strcmp(v[i - 1].name, v[i].name) != 0 || same_file(o, &v[i - 1], &v[i]))
			continue;
		tds_err_set(&err, TDS_E_UNUSABLE, "would be the member %s, which %s is too",
			    v[i].name, v[i - 1].shown);
		return fail(o, v[i].shown, &err);
	}
	for (size_t i = 1; i < members->n; i++) {
		if (strcmp(v[kept].name, v[i].name) == 0)
			member_fini(&v[i]);
		else
			v[++kept] = v[i];
	}
	members->n = kept + 1;
	return true;
}

static int compare_to_name(const void *name, const void *member)
{
	return strcmp(name, ((const struct member *)member)->name);
}

/* Refuse the names that no reader takes: those libcommon knows, and a file with others below it. */
static bool check_names(struct opts *o, const struct members *members)
{
	struct tds_err err = { 0 };

	for (size_t i = 0; i < members->n; i++) {
		const struct member *m = &members->v[i];
		tds_autofree char *above = strdup(m->name);

		if (!above)
			return fail_nomem(o);
		if (tds_zip_member_name(m->name, &err) != 0)
			return fail(o, m->shown, &err);
		for (char *slash; o->deps && (slash = strrchr(above, '/'));) {
			*slash = '\0';
			if (!bsearch(above, members->v, members->n, sizeof(*members->v),
				     compare_to_name))
				continue;
			tds_err_set(&err, TDS_E_UNUSABLE,
				    "cannot be packed: the file %s is packed too", above);
			return fail(o, m->shown, &err);
		}
	}
	return true;
}

bool collect_members(struct opts *o, struct members *members)
{
	struct tds_err err;

	for (size_t i = 0; i < o->sources.n; i++)
		if (!collect_source(o, o->sources.v[i], members))
			return false;
	if (members->n == 0) {
		tds_err_set(&err, TDS_E_MISSING, "no SOURCE matches a file");
		return fail(o, o->srcdir, &err);
	}
	return (!o->deps || collect_deps(o, members)) && unify_members(o, members) &&
	       check_names(o, members);
}

void members_fini(struct members *members)
{
	for (size_t i = 0; i < members->n; i++)
		member_fini(&members->v[i]);
	free(members->v);
	*members = (struct members){ 0 };
}

static int read_any_file(int dirfd, const char *name, size_t max, char **text, size_t *len,
			 struct tds_err *err)
{
	tds_autofd int fd = -1;
	int rc = tds_io_open(dirfd, name, true, &fd, NULL, err);

	return rc != 0 ? rc : tds_io_slurp_fd(fd, max, text, len, err);
}

int read_named_file(const struct opts *o, const char *name, size_t max, char **text, size_t *len,
		    char **shown, struct tds_err *err)
{
	int rc = read_any_file(AT_FDCWD, name, max, text, len, err);

	*shown = strdup(name);
	if (rc == TDS_E_MISSING) {
		tds_autofree char *path = clean_path(o, name);
		struct tds_err second;

		if (path && read_any_file(o->srcfd, path, max, text, len, &second) == 0) {
			free(*shown);
			*shown = path[0] == '/' ? tds_steal(&path) : below_srcdir(o, path);
			rc = 0;
		}
	}
	return rc;
}
