/* SPDX-License-Identifier: MIT */
/*
 * adminuser.cfg: the user that the admin process of a director directory runs as, where that is another than who starts it.
 * Whoever may write the file decides whose rights that process has, and whose socket clients believe: so it counts only
 * where nobody but root and the owner of the directory can have written it.
 */
#ifndef TDS_ADMINUSER_H
#define TDS_ADMINUSER_H

#include <stdbool.h>

#include "base/dir.h"
#include "base/err.h"
#include "base/user.h"

#define TDS_ADMINUSER_CFG "adminuser.cfg" /* holds one user */

struct tds_adminuser {
	bool is_named;        /* false: there is no such file, and all else is zero */
	struct tds_user user; /* whom it names */
};

/*
 * Owner:   caller frees with tds_adminuser_fini, on success only.
 * Errors:  TDS_E_UNUSABLE: the file or the directory can be written by others than root and the directory's owner, or
 *          the file names no user, or several; TDS_E_NOMEM. The reason does not name the file.
 */
int tds_adminuser_read(const struct tds_dir *dir, struct tds_adminuser *adminuser,
		       struct tds_err *err) TDS_MUST_CHECK;

void tds_adminuser_fini(struct tds_adminuser *adminuser);
#define tds_adminuser_cleanup tds_adminuser_fini

#endif
