/* SPDX-License-Identifier: MIT */
/*
 * What the name of a package says: its group, its version, and which of two is newer. Names are bytes; nothing
 * here looks at files.
 */
#ifndef TDS_VERSION_H
#define TDS_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#define TDS_TLS_SUFFIX ".tls" /* of a package */
#define TDS_TLI_SUFFIX ".tli" /* of a group's declaration */

/*
 * May it be the name of a group: not empty, no '/', no control character (C0, DEL, and C1 in UTF-8), neither
 * '.' nor '-' first?
 */
bool tds_group_name_ok(const char *group);

/*
 * Is file the name of a package of group: GROUP.tls or GROUP-VERSION.tls? Then *version, where not NULL, gets
 * a pointer into file to the version (its end is 4 bytes before file's), or NULL for GROUP.tls.
 */
bool tds_group_fits(const char *group, const char *file, const char **version);

/* The name of a package of group with this version; "": without one. Caller frees; NULL: out of memory. */
char *tds_group_file(const char *group, const char *version);

/*
 * Compare two package file names of one group by version: <0 where a is older than b. Names of equal versions
 * ("1", "01") compare by name, so 0 means the same name.
 */
int tds_version_cmp(const char *group, const char *a, const char *b);

#endif
