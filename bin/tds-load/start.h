/* SPDX-License-Identifier: MIT */
#ifndef TDS_LOAD_START_H
#define TDS_LOAD_START_H

#include <stdbool.h>

#include "tool/cli.h"

/*
 * Start the admin process by its own command, as a user would. *incomplete: not all of what was loaded came back, as it has
 * said; or that is damaged, and nothing runs.
 * Errors:  TDS_E_NO_ADMIN.
 */
int start_admin(struct tds_cli *cli, bool *incomplete, struct tds_err *err) TDS_MUST_CHECK;

#endif
