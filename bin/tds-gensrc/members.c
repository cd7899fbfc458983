/* SPDX-License-Identifier: MIT */
/* The members of a package: a list that ends up sorted, each name once, and of names that readers take. */
#include "gensrc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/zip.h"
#include "archive/zipwrite.h"
#include "base/mem.h"

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

bool members_unify(struct opts *o, struct members *members)
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

bool check_not_inf(struct opts *o, const char *name, const char *shown)
{
	return strncmp(name, TDS_ZIP_INF, strlen(TDS_ZIP_INF)) != 0 ||
	       misuse(o, "%s: " TDS_ZIP_INF " is for what a package says of itself", shown);
}

bool members_check(struct opts *o, const struct members *members)
{
	struct tds_err err = { 0 };

	for (size_t i = 0; i < members->n; i++) {
		const struct member *m = &members->v[i];
		tds_autofree char *above = strdup(m->name);

		if (!above)
			return fail_nomem(o);
		if (tds_zip_member_name(m->name, &err) != 0)
			return fail(o, m->shown, &err);
		if (!check_not_inf(o, m->name, m->shown))
			return false;
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

void members_fini(struct members *members)
{
	for (size_t i = 0; i < members->n; i++)
		member_fini(&members->v[i]);
	free(members->v);
	*members = (struct members){ 0 };
}
