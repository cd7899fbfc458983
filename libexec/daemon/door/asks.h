/* SPDX-License-Identifier: MIT */
/* Messages of clients to actors. */
#ifndef TDS_DAEMON_ASKS_H
#define TDS_DAEMON_ASKS_H

#include "asker.h"

/* Rows of the table; their askers are clients. */
void answer_tell(struct asker *asker, const struct request *row, const json_t *request);
void answer_ask(struct asker *asker, const struct request *row, const json_t *request);

/* What becomes of a message, whom it went to, and an actor's message to an endpoint: as of a director_watch. */
void asks_delivered(struct clients *clients, uint64_t ticket, const char *error);
void asks_asked(const struct clients *clients, uint64_t ticket, uint32_t source);
enum answered asks_answer(const struct clients *clients, uint32_t source, uint64_t endpoint,
			  const struct payload *payload);

#endif
