/* SPDX-License-Identifier: MIT */
/* A clock that goes on when the test says so. */
#ifndef TDS_TESTS_FAKE_CLOCK_H
#define TDS_TESTS_FAKE_CLOCK_H

#include "daemon/base/clock.h"

#define FAKE_WALL_MS 1700000000000 /* when the clock begins */

struct fake_clock {
	struct clock clock;
	int64_t now_mono_ms;
};

void fake_clock_init(struct fake_clock *clock);

/* So much time passes: all timers that are due in it fire, each at its time. */
void fake_clock_go(struct fake_clock *clock, int64_t ms);

/* Time passes until the next timer is due, which fires, with all others of that moment. False: none runs. */
bool fake_clock_next(struct fake_clock *clock);

/* When the first timer is due, from now; -1: none runs. */
int64_t fake_clock_due_ms(const struct fake_clock *clock);

#endif
