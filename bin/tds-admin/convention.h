/* SPDX-License-Identifier: MIT */
/* The commands of tds-admin convention. */
#ifndef TDS_ADMIN_CONVENTION_H
#define TDS_ADMIN_CONVENTION_H

#include "admin.h"

void convention_init(struct admin *admin, int argc, char **argv);
void convention_remove(struct admin *admin, int argc, char **argv);
void convention_join(struct admin *admin, int argc, char **argv);
void convention_leave(struct admin *admin, int argc, char **argv);
void convention_status(struct admin *admin, int argc, char **argv);

#endif
