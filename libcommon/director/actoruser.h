/* SPDX-License-Identifier: MIT */
/*
 * actoruser.cfg: as whom the actors of packages run. Root's admin process has to be told, since nobody else can know whether
 * what is loaded may run as root; that of another user runs them as that user.
 */
#ifndef TDS_ACTORUSER_H
#define TDS_ACTORUSER_H

#include <sys/types.h>

#include "base/dir.h"
#include "base/err.h"

#define TDS_ACTORUSER_CFG "actoruser.cfg"
#define TDS_ACTORUSER_DYNAMIC "dynamic" /* instead of a user's name: a uid for each group */

/*
 * May the admin process of this uid start, with the file or without?
 * Errors:  TDS_E_UNUSABLE: it is root's, and there is no file; the reason names the file, and what it may say.
 */
int tds_actoruser_judge(const struct tds_dir *dir, uid_t admin, struct tds_err *err) TDS_MUST_CHECK;

#endif
