/* SPDX-License-Identifier: MIT */
/*
 * Whom a file gives which rights: adminusers.cfg names users, may.cfg patterns of groups. A line is NAME, which has all
 * of them, or NAME: RIGHT, ... as may.h reads them. The first line that fits is the one that counts.
 */
#ifndef TDS_GRANTS_H
#define TDS_GRANTS_H

#include "may.h"

struct tds_grant {
	char *name;                /* of a user, a uid, or a pattern of group names */
	struct tds_rights *rights; /* tds_rights_all where the line has the name alone */
	unsigned line;             /* where the name stands */
	unsigned column;
};

/* The zero state has none. */
struct tds_grants {
	struct tds_grant *v;
	size_t n;
};

/*
 * Split a line without blanks around it: *len becomes that of the name, and *rights what stands behind its colon, NULL: there
 * is none.
 */
void tds_grant_split(const char *line, size_t *len, const char **rights);

/*
 * What a configuration file of such lines says: its value is a list of str, a line each.
 * Owner:   caller frees with tds_grants_fini, on success only.
 * Errors:  TDS_E_SYNTAX with the place, of a value that no file was read into; TDS_E_NOMEM.
 */
int tds_grants_of_value(const struct tds_value *value, enum tds_right_holder holder,
			struct tds_grants *grants, struct tds_err *err) TDS_MUST_CHECK;

/* Of patterns: what the group may have; NULL: no line fits it, and it may have nothing. line: NULL, or which that is. */
const struct tds_rights *tds_grants_for_group(const struct tds_grants *grants, const char *group,
					      unsigned *line);

void tds_grants_fini(struct tds_grants *grants);
#define tds_grants_cleanup tds_grants_fini

#endif
