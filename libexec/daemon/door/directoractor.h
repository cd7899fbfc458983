/* SPDX-License-Identifier: MIT */
/*
 * The global actor "Director": answers the Director's messages to actors and programs. It is no process: what it is
 * sent becomes a request on the admin's own socket, and the answer a message.
 */
#ifndef TDS_ADMIN_DIRECTORACTOR_H
#define TDS_ADMIN_DIRECTORACTOR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/engine/engine.h"

struct directoractor;

/* rundir: descriptor of the run directory, borrowed. NULL: out of memory. */
struct directoractor *directoractor_new(struct event_base *base, struct engine *engine, int rundir);
void directoractor_free(struct directoractor *actor);

/* A message from the actor or program with this id. What is no dictionary with a DirectorOp is ignored. */
void directoractor_take(struct directoractor *actor, uint64_t from, bool may_change,
			const struct payload *payload);

#endif
