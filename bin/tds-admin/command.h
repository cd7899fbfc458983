/* SPDX-License-Identifier: MIT */
/* Running another program, and waiting for its end. */
#ifndef TDS_ADMIN_COMMAND_H
#define TDS_ADMIN_COMMAND_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Run argv (searched in PATH, ends with NULL) and wait for it; what it prints goes to standard error.
 * Errors:  TDS_E_REFUSED: it cannot be run, or failed.
 */
int command_run(const char *const *argv, struct tds_err *err) TDS_MUST_CHECK;

/* Have PATH end with the folders of the administrator's programs, which a user's does not always name. False: out of memory. */
bool command_extend_path(void);

/* Is there a program of this name in PATH? */
bool command_exists(const char *name);

#endif
