/* SPDX-License-Identifier: MIT */
/* Turns of the loop. */
#include "loop.h"

static uint64_t turn = 1;

int loop_once(struct event_base *base, int flags)
{
	turn++;
	return event_base_loop(base, flags | EVLOOP_ONCE);
}

void loop_run(struct event_base *base)
{
	while (loop_once(base, 0) == 0 && !event_base_got_break(base))
		;
}

uint64_t loop_turn(void)
{
	return turn;
}
