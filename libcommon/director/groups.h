/* SPDX-License-Identifier: MIT */
/*
 * The groups of a director directory: which it declares, which packages belong to them, and in which order. The
 * names are read, never what a file holds.
 */
#ifndef TDS_GROUPS_H
#define TDS_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dir.h"
#include "base/err.h"
#include "package/version.h"

#define TDS_DIR_MAX_BYTES (256 << 20) /* of all names of groups and packages together */

/* A package file of a group. */
struct tds_file {
	const char *name; /* in the director directory */
};

/* A declared group. */
struct tds_group {
	const char *name;
	struct tds_file *files; /* newest first */
	size_t n;
};

/* All declared groups, sorted by name (strcmp). */
struct tds_groups {
	struct tds_group *v;
	size_t n;
	struct tds_file *files; /* of all groups; each group points into it */
	size_t nfiles;
	char *names;         /* of groups and files */
	uint64_t lengths[4]; /* a bit for each length that a group's name has */
};

/*
 * Read the directory's names. A group is declared by GROUP.tli (a regular file or a link to one); a package
 * belongs to the longest declared group whose name fits it. Packages are regular files, and symbolic links to one
 * or to nothing; a folder, FIFO or device named like a package is left out.
 * Owner:   caller frees with tds_groups_fini, on success only.
 * Errors:  TDS_E_UNUSABLE, TDS_E_NOMEM.
 */
int tds_groups_scan(const struct tds_dir *dir, struct tds_groups *groups,
		    struct tds_err *err) TDS_MUST_CHECK;
void tds_groups_fini(struct tds_groups *groups);
#define tds_groups_cleanup tds_groups_fini

/* The group of that name, and the group that file belongs to; NULL: none. Borrowed from groups. */
const struct tds_group *tds_groups_find(const struct tds_groups *groups, const char *name);
const struct tds_group *tds_groups_owner(const struct tds_groups *groups, const char *file);

/*
 * The same as tds_groups_owner for one file name, without reading the directory: it looks for the .tli files that
 * the name could belong to.
 * Owner:  caller frees *group, which is NULL where there is none.
 * Errors: TDS_E_NOMEM.
 */
int tds_dir_owner(const struct tds_dir *dir, const char *file, char **group,
		  struct tds_err *err) TDS_MUST_CHECK;

#endif
