/* SPDX-License-Identifier: MIT */
/* What a load would do, and why: from the directory, loaded.json, tds-verify, and the admin where it runs. */
#ifndef TDS_LOAD_PLAN_H
#define TDS_LOAD_PLAN_H

#include <stdbool.h>

#include "base/dir.h"
#include "tool/cli.h"

struct plan_request {
	bool all;             /* every group with packages, and no names */
	bool retry;           /* also a package whose last load was undone */
	bool allow_downgrade; /* also one below the floor of its group */
};

/* Print for each name (of groups or package files) what would be done. */
void plan(struct tds_cli *cli, const struct tds_dir *dir, const struct tds_names *names,
	  const struct plan_request *request);

/*
 * One line on stderr, "tds-load: NAME: PACKAGE: reason"; the status rises. The package's name is left out where path is
 * NULL or name is the package itself.
 */
void complain(struct tds_cli *cli, const char *name, const char *path, struct tds_err *err);

#endif
