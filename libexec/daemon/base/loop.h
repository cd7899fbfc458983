/* SPDX-License-Identifier: MIT */
/*
 * The daemon's loop, and in which of its turns it is, for what several share in a turn. (The time that libevent keeps for a
 * turn is no name for it: it comes from a coarse clock, and is the same for hundreds of them.)
 */
#ifndef TDS_DAEMON_LOOP_H
#define TDS_DAEMON_LOOP_H

#include <event2/event.h>
#include <stdint.h>

/* One turn, with the flags of event_base_loop(3), and its result. */
int loop_once(struct event_base *base, int flags);

/* Turn for turn, until event_base_loopbreak(3), or until there is nothing to wait for. */
void loop_run(struct event_base *base);

/* The number of this turn. A process has one loop, and nothing else moves this. */
uint64_t loop_turn(void);

#endif
