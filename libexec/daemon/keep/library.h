/* SPDX-License-Identifier: MIT */
/* The director directory as a library: which package a target means, and what its group declares. */
#ifndef TDS_DAEMON_LIBRARY_H
#define TDS_DAEMON_LIBRARY_H

#include <jansson.h>

#include "base/dir.h"
#include "base/err.h"
#include "daemon/director/means.h"
#include "director/tli.h"
#include "listing.h"

struct library {
	const struct tds_dir *dir; /* borrowed */
	struct listing listing;
};

/* As the means of the same names. */
int library_group_of(struct library *library, const char *target, char **group,
		     struct tds_err *err) TDS_MUST_CHECK;
int library_find(struct library *library, const char *target, const char *group,
		 struct candidate *found, struct tds_err *err) TDS_MUST_CHECK;
int library_declaration(struct library *library, const char *group, struct tds_tli *tli,
			struct tds_err *err) TDS_MUST_CHECK;
json_t *library_groups(struct library *library);
int library_prune(struct library *library, const char *group, int64_t keep_limit, json_t *deleted,
		  struct tds_err *err) TDS_MUST_CHECK;
void library_fini(struct library *library);

#endif
