/* SPDX-License-Identifier: MIT */
/* The audit log, checked. */
#ifndef TDS_ADMIN_AUDIT_H
#define TDS_ADMIN_AUDIT_H

#include "admin.h"

/* Check the chain of the run directory's audit log, over all files that are kept, and print its head. */
void audit_show(struct admin *admin, const struct tds_dir *rundir);

#endif
