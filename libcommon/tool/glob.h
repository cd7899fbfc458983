/* SPDX-License-Identifier: MIT */
/*
 * Patterns for file names, as Python's glob.glob(pattern, recursive=True) and fnmatch read them, on names of
 * any bytes. Characters are UTF-8; a byte that is not counts as one character. No environment and no '~' here:
 * expand.h has those.
 */
#ifndef TDS_GLOB_H
#define TDS_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TDS_GLOB_MAX_MATCHES 1000000
#define TDS_GLOB_MAX_LINKED \
	100000 /* folders entered through links: a few links can make a small tree endless */
#define TDS_GLOB_MAX_PARTS 1024 /* between the slashes of one pattern */

struct tds_match {
	char *path;  /* relative; without "./", "//" or a slash at the end */
	bool folder; /* or a symbolic link to one */
};

struct tds_matches {
	struct tds_match *v; /* sorted by path (strcmp), each once */
	size_t n;
};

/*
 * Find what pattern matches below dirfd.
 * Source:  pattern is relative, without ".." (the caller refuses others; ".." is taken literally here).
 * Shape:   as Python finds them, but each path once, and "." as nothing. "**" enters symbolic links to folders,
 *          but none that leads to a folder it is in already.
 * Owner:   caller frees with tds_matches_fini, on success only.
 * Errors:  TDS_E_UNUSABLE: a folder that cannot be read (Python leaves it out and says nothing), more than the
 *          maxima above; TDS_E_NOMEM.
 */
int tds_glob(int dirfd, const char *pattern, struct tds_matches *matches,
	     struct tds_err *err) TDS_MUST_CHECK;
void tds_matches_fini(struct tds_matches *matches);
#define tds_matches_cleanup tds_matches_fini

/* Does the name match, as fnmatch.fnmatchcase says? */
bool tds_fnmatch(const char *pattern, const char *name);

#endif
