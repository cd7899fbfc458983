/* SPDX-License-Identifier: MIT */
/* Timers in the order in which they are due, and the kernel's clock with one event of the loop for all of them. */
#include "clock.h"

#include <stdlib.h>
#include <time.h>

#include <event2/event.h>

void timer_stop(struct timer *timer)
{
	struct clock *clock = timer->clock;

	if (!clock)
		return;
	struct timer **p = &clock->first;
	while (*p != timer)
		p = &(*p)->next;
	*p = timer->next;
	timer->next = NULL;
	timer->clock = NULL;
}

static void arm_first(struct clock *clock)
{
	int64_t in_ms = clock->first ? clock->first->due_mono_ms - clock->mono_ms(clock) : -1;

	clock->arm(clock, clock->first && in_ms < 0 ? 0 : in_ms);
}

void timer_start(struct clock *clock, struct timer *timer, int64_t in_ms, void (*fire)(void *ctx),
		 void *ctx)
{
	struct timer **p = &clock->first;

	timer_stop(timer);
	timer->due_mono_ms = clock->mono_ms(clock) + (in_ms > 0 ? in_ms : 0);
	timer->fire = fire;
	timer->ctx = ctx;
	timer->clock = clock;
	while (*p && (*p)->due_mono_ms <= timer->due_mono_ms)
		p = &(*p)->next;
	timer->next = *p;
	*p = timer;
	if (clock->first == timer)
		arm_first(clock);
}

void clock_run(struct clock *clock)
{
	/* Those that are due now, and not what they start: that is for the next turn, whatever it waits for. */
	int64_t now = clock->mono_ms(clock);
	struct timer last = { .clock = clock, .due_mono_ms = now };
	struct timer **p = &clock->first;

	while (*p && (*p)->due_mono_ms <= now)
		p = &(*p)->next;
	last.next = *p;
	*p = &last;
	while (clock->first != &last) {
		struct timer *timer = clock->first;

		timer_stop(timer);
		timer->fire(timer->ctx);
	}
	timer_stop(&last);
	arm_first(clock);
}

/* --- the kernel's --- */

struct loop_clock {
	struct clock clock;
	struct event *event;
};

static int64_t kernel_ms(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now_mono_ms(void)
{
	return kernel_ms(CLOCK_BOOTTIME);
}

static int64_t loop_wall_ms(const struct clock *clock)
{
	(void)clock;
	return kernel_ms(CLOCK_REALTIME);
}

static int64_t loop_mono_ms(const struct clock *clock)
{
	(void)clock;
	return clock_now_mono_ms();
}

static void loop_arm(struct clock *clock, int64_t in_ms)
{
	struct event *event = ((struct loop_clock *)clock)->event;
	struct timeval tv = { .tv_sec = in_ms / 1000,
			      .tv_usec = (suseconds_t)(in_ms % 1000) * 1000 };

	if (in_ms < 0)
		(void)evtimer_del(event);
	else
		(void)evtimer_add(event, &tv);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	clock_run(arg);
}

struct clock *clock_open(struct event_base *base)
{
	struct loop_clock *clock = calloc(1, sizeof(*clock));

	if (!clock)
		return NULL;
	*clock = (struct loop_clock){
		.clock = { .wall_ms = loop_wall_ms, .mono_ms = loop_mono_ms, .arm = loop_arm }
	};
	clock->event = evtimer_new(base, on_due, clock);
	if (clock->event)
		return &clock->clock;
	free(clock);
	return NULL;
}

void clock_close(struct clock *clock)
{
	if (!clock)
		return;
	event_free(((struct loop_clock *)clock)->event);
	free(clock);
}
