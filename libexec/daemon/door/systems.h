/* SPDX-License-Identifier: MIT */
/* What is asked about the systems of the convention. */
#ifndef TDS_DAEMON_SYSTEMS_H
#define TDS_DAEMON_SYSTEMS_H

#include "asker.h"

/* A row of the table. */
void answer_members(struct asker *asker, const struct request *row, const json_t *request);

#endif
