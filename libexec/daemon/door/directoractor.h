/* SPDX-License-Identifier: MIT */
/*
 * The door for actors and programs: the global actor "Director". It is no process: what it is sent becomes a request, and the
 * answer a message.
 */
#ifndef TDS_DAEMON_DIRECTORACTOR_H
#define TDS_DAEMON_DIRECTORACTOR_H

#include <event2/event.h>

#include "asker.h"

struct directoractor;

/* Requests go to dispatch. NULL: out of memory. */
struct directoractor *directoractor_new(struct door *door, struct event_base *base,
					dispatch_fn *dispatch);
void directoractor_free(struct directoractor *actor); /* accepts NULL */

/*
 * A message from the actor or program with this id; it is taken in the next turn of the loop. What is no dictionary with a
 * DirectorOp is ignored.
 */
void directoractor_take(struct directoractor *actor, const struct engine_asker *from,
			const struct payload *payload);

/* What is active has changed. */
void directoractor_changed(struct directoractor *actor);

#endif
