/* SPDX-License-Identifier: MIT */
#include "fake_clock.h"

#include <assert.h>

#define TURNS_MAX 10000 /* a rule that sets timers of no time for ever hangs the daemon */

static int64_t wall_ms(const struct clock *clock)
{
	return FAKE_WALL_MS + ((const struct fake_clock *)clock)->now_mono_ms;
}

static int64_t mono_ms(const struct clock *clock)
{
	return ((const struct fake_clock *)clock)->now_mono_ms;
}

static void arm(struct clock *clock, int64_t in_ms)
{
	(void)clock;
	(void)in_ms;
}

void fake_clock_init(struct fake_clock *clock)
{
	*clock = (struct fake_clock){
		.clock = { .wall_ms = wall_ms, .mono_ms = mono_ms, .arm = arm },
		.now_mono_ms = 1000000,
	};
}

int64_t fake_clock_due_ms(const struct fake_clock *clock)
{
	const struct timer *first = clock->clock.first;
	int64_t in_ms = first ? first->due_mono_ms - clock->now_mono_ms : -1;

	return first && in_ms < 0 ? 0 : in_ms;
}

bool fake_clock_next(struct fake_clock *clock)
{
	int64_t in_ms = fake_clock_due_ms(clock);

	if (in_ms < 0)
		return false;
	clock->now_mono_ms += in_ms;
	clock_run(&clock->clock);
	return true;
}

void fake_clock_go(struct fake_clock *clock, int64_t ms)
{
	int64_t end = clock->now_mono_ms + ms;
	int turns = 0;

	while (clock->clock.first && clock->clock.first->due_mono_ms <= end) {
		assert(++turns < TURNS_MAX);
		(void)fake_clock_next(clock);
	}
	clock->now_mono_ms = end;
}
