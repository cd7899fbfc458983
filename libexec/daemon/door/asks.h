/* SPDX-License-Identifier: MIT */
/* Messages of clients to actors. */
#ifndef TDS_DAEMON_ASKS_H
#define TDS_DAEMON_ASKS_H

#include "asker.h"

/* Rows of the table; their askers are clients. */
void answer_tell(struct asker *asker, const struct request *row, const json_t *request);
void answer_ask(struct asker *asker, const struct request *row, const json_t *request);

/* What becomes of a message, and an actor's message to an endpoint (false: no client waits there). */
void asks_delivered(struct clients *clients, uint64_t ticket, const char *error);
bool asks_answer(struct clients *clients, uint64_t endpoint, const struct payload *payload);

#endif
