/* SPDX-License-Identifier: MIT */
/*
 * The memory file of ours that is on its way to a host. What is in a socket counts for nobody, and a memory file may be a
 * thousand times as large as the frame that it goes with: so one at most is in the socket of a link, and it is charged to who
 * asked for it until it is taken. No event tells that: it is looked for.
 */
#ifndef TDS_DAEMON_LENT_H
#define TDS_DAEMON_LENT_H

#include "link.h"

/* The first bytes of a frame that lends one were sent; its charge is the link's now. */
void lent_begin(struct link *link, struct frame *frame);

/* Is one there that was not taken yet, as far as can be told? */
bool lent_is_there(struct link *link);

/* Have this looked for, each time after twice as long. False: there is no memory for a timer, and it counts as taken. */
bool lent_look(struct link *link, event_callback_fn on_look);

void lent_end(struct link *link); /* there is none any more */
void lent_fini(struct link *link);

#endif
