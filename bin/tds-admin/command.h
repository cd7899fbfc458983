/* SPDX-License-Identifier: MIT */
/* Running another program, and waiting for its end. */
#ifndef TDS_ADMIN_COMMAND_H
#define TDS_ADMIN_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "base/user.h"

/*
 * Run argv (searched in PATH, ends with NULL) and wait for it; what it prints goes to standard error.
 * Errors:  TDS_E_REFUSED: it cannot be run, or failed.
 */
int command_run(const char *const *argv, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Run argv as this user, with input as its standard input, and wait for its end, at most for so long.
 * Shape:   *said is what it printed, of which there may be 64 KiB, and where it cannot be run why; NUL-terminated.
 * Owner:   caller frees *said, also on error; NULL: nothing could be read.
 * Errors:  TDS_E_REFUSED: it ended with another status than 0; TDS_E_TIMEOUT: it did not, and is dead now; TDS_E_WRITE: no
 *          process, or no memory for one.
 */
int command_talk(const char *const *argv, const struct tds_user *user, const char *input,
		 int wait_ms, char **said, struct tds_err *err) TDS_MUST_CHECK;

/* Have PATH end with the folders of the administrator's programs, which a user's does not always name. False: out of memory. */
bool command_extend_path(void);

/* Is there a program of this name in PATH? */
bool command_exists(const char *name);

#endif
