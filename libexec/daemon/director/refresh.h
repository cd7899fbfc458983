/* SPDX-License-Identifier: MIT */
/* Refresh: the newest package of every group, one group's failure stopping no other. */
#ifndef TDS_ADMIN_REFRESH_H
#define TDS_ADMIN_REFRESH_H

#include <jansson.h>

#include "director.h"

/* results: an array with an object for each group, the callee's; status: the highest of them. */
typedef void refresh_done_fn(void *ctx, json_t *results, int status);

void refresh(struct director *director, const struct tds_dir *dir, unsigned wait_s, bool retry,
	     refresh_done_fn *done, void *ctx);

/* How a job ended, as the protocol says it. A new reference. */
json_t *outcome_json(const char *response, const struct outcome *outcome);

#endif
