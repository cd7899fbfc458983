/* SPDX-License-Identifier: MIT */
/* What to tell who names a group, or a package of one, that a director directory does not have. */
#ifndef TDS_UNKNOWN_H
#define TDS_UNKNOWN_H

#include "director/groups.h"

/*
 * Why a name is no group (or, where it ends in .tls, no package of one): packages are there, but no declaration; or there
 * is none, and which group may be meant. groups are those of dir.
 * Errors:  TDS_E_MISSING, always, with the reason.
 */
int tds_unknown_group(const struct tds_dir *dir, const struct tds_groups *groups, const char *name,
		      struct tds_err *err);

/* To a failure that says that a package is not there, add which package or group of the directory may be meant. */
void tds_unknown_package(const struct tds_groups *groups, const char *name, struct tds_err *err);

#endif
