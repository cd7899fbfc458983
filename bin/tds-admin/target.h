/* SPDX-License-Identifier: MIT */
/* Roles and global names that are nearly right. */
#ifndef TDS_ADMIN_TARGET_H
#define TDS_ADMIN_TARGET_H

#include "admin.h"

/*
 * Add to a refusal which role (or, behind '@', global name) of an active source may have been meant. answer: to
 * RetrieveAll, borrowed; nothing is added where the target is there, or nothing is near it.
 */
void target_hint(const struct admin *admin, const json_t *answer, const char *target,
		 struct tds_err *err);

#endif
