/* SPDX-License-Identifier: MIT */
/* Who starts the admin process, and as whom it runs. */
#ifndef TDS_ADMIN_BECOME_H
#define TDS_ADMIN_BECOME_H

#include "admin.h"

/*
 * Become the user that adminuser.cfg names, for good, before anything is made; and open the director directory as that user.
 * Shape:   dir->path is absolute: the daemon is at home nowhere.
 * Owner:   caller closes *dir, also on error.
 * Errors:  TDS_E_REFUSED: neither root nor that user starts it; TDS_E_MISSING, TDS_E_UNUSABLE (the directory,
 *          adminuser.cfg), TDS_E_NOMEM.
 */
int become_open_dir(struct admin *admin, struct tds_dir *dir, struct tds_err *err) TDS_MUST_CHECK;

#endif
