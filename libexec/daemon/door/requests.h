/* SPDX-License-Identifier: MIT */
/* What may be asked: the one table behind both doors. */
#ifndef TDS_DAEMON_REQUESTS_H
#define TDS_DAEMON_REQUESTS_H

#include "asker.h"

/* Answers at once or later; refuses what the asker may not ask for, and what is no request. */
void request_dispatch(struct asker *asker, const json_t *request, const char *why);

#endif
