/* SPDX-License-Identifier: MIT */
/* What a load would do, and why, without the admin: from the directory, loaded.json and the verdict of tds-verify. */
#ifndef TDS_LOAD_PLAN_H
#define TDS_LOAD_PLAN_H

#include <stdbool.h>

#include "cli.h"
#include "dir.h"

/* The other tools are in the folder of this one. Caller frees; NULL: not found, or out of memory. */
char *tool_path(const char *name);

/* Print for each name (of groups or package files; all: every group with packages) what would be done. */
void plan(struct tds_cli *cli, const struct tds_dir *dir, const struct tds_names *names, bool all);

#endif
