/* SPDX-License-Identifier: MIT */
/* What the files of tds-admin may share. */
#ifndef TDS_ADMIN_MAY_H
#define TDS_ADMIN_MAY_H

#include "admin.h"
#include "director/grants.h"
#include "director/groups.h"

/* An array of rights, comma-separated, with the end of the line. */
void may_list_print(FILE *out, const json_t *list);

/* What the newest package of a group may, and the active one, where an admin process runs. Errors: what is reported. */
int may_show_group(struct admin *admin, const struct tds_dir *dir, const struct tds_group *group,
		   struct tds_err *err) TDS_MUST_CHECK;

#endif
