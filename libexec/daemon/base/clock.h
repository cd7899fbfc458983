/* SPDX-License-Identifier: MIT */
/*
 * Time, and timers that wait for it, for rules that must not know where time comes from: the daemon's clock is the
 * kernel's (clock_open), a test's goes on when the test says so.
 */
#ifndef TDS_DAEMON_CLOCK_H
#define TDS_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock;

/* A timer is part of what it belongs to; a zeroed one does not run. */
struct timer {
	struct clock *clock; /* NULL: not running */
	struct timer *next;  /* among those that run, by due time */
	int64_t due_mono_ms;
	void (*fire)(void *ctx);
	void *ctx;
};

/* The head of each clock. */
struct clock {
	int64_t (*wall_ms)(const struct clock *clock); /* since 1970, UTC */
	int64_t (*mono_ms)(const struct clock *clock); /* never goes back, goes on in suspend */

	/* The first timer is due in so many milliseconds (negative: none runs): clock_run is to be called then. */
	void (*arm)(struct clock *clock, int64_t in_ms);
	struct timer *first;
};

/* Fire once, in_ms from now (0: in the next turn, never at once). One that runs begins anew. */
void timer_start(struct clock *clock, struct timer *timer, int64_t in_ms, void (*fire)(void *ctx),
		 void *ctx);
void timer_stop(struct timer *timer);

static inline bool timer_runs(const struct timer *timer)
{
	return timer->clock != NULL;
}

/* Fire all that are due. A timer may start or stop any, itself too. */
void clock_run(struct clock *clock);

/* What the kernel says, for those who only measure: CLOCK_BOOTTIME, in milliseconds. */
int64_t clock_now_mono_ms(void);

struct event_base;

/* The clock of the loop. NULL: out of memory. */
struct clock *clock_open(struct event_base *base);
void clock_close(struct clock *clock); /* no timer may run any more */

#endif
