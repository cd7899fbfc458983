/* SPDX-License-Identifier: MIT */
/*
 * How much of the daemon one source, or all programs or clients of one user, may take. Over it, its own request fails or
 * waits, and nobody else notices.
 */
#ifndef TDS_DAEMON_BUDGET_H
#define TDS_DAEMON_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_NONE UINT64_MAX       /* no limit */
#define BUDGET_HALF (UINT64_MAX - 1) /* of descriptors: half of what is free */

#define BUDGET_HELD_MAX (16U << 20) /* bytes that are remembered of one */

/* budget.cfg */
struct budget_limits {
	uint64_t descriptors;
	uint64_t bytes; /* each way, that wait in the daemon */
	uint64_t
		operations; /* of all its links, or one client, in a turn of the loop, at least 1 */
	uint64_t actors;
	uint64_t clients; /* connections of a user, but of root and the admin's own */
};

#define BUDGET_DEFAULTS                                                            \
	{                                                                          \
		.descriptors = BUDGET_HALF, .bytes = 16U << 20, .operations = 256, \
		.actors = BUDGET_NONE, .clients = 32                               \
	}

/* Refusals, each of which is counted, and which are told of together once a minute. */
struct budget_refusals {
	int64_t told_mono_ms; /* the last time; 0: never */
	uint64_t untold;
};

struct link;

/* What is taken. */
struct budget {
	const struct budget_limits *limits;
	size_t descriptors; /* of its actors and programs, while they live */
	size_t passing;     /* descriptors of messages that wait, from it or for it */
	size_t actors;
	size_t directs;      /* direct links that its actors were the first to talk on */
	size_t bytes_out;    /* that wait to be sent */
	size_t bytes_in;     /* that were read, and of which not all is taken yet */
	size_t bytes_held;   /* of what is remembered of it while it lives, such as names */
	struct link *unread; /* its links that wait for bytes_in to have room */
	struct link *unsent; /* links of any that wait for bytes_out to have room */
	struct link *
		overdraw; /* of its own the one that is read all the same: what it has begun may end */
	uint64_t turn;    /* of the loop (loop_turn) in which so many operations were done */
	uint64_t operations;
	struct budget_refusals refusals;
};

/* Count one. Returns how many are to be told of now, with this one; 0: not now. */
uint64_t budget_refuse(struct budget_refusals *refusals, int64_t now_mono_ms);

/* The same of what is not counted. False: not now. */
bool budget_may_tell(int64_t *told_mono_ms, int64_t now_mono_ms);

/* What it may still do in this turn of the loop. */
uint64_t budget_operations_left(struct budget *budget, uint64_t turn);

/* May it take one more descriptor? newest: the highest that was just opened, the lowest free number then. */
bool budget_has_descriptor(const struct budget *budget, int newest);

/* The same of one that goes with a message: what actors have taken leaves room for these. */
bool budget_has_passing(const struct budget *budget, int newest);

static inline bool budget_has_actor(const struct budget *budget)
{
	return budget->actors < budget->limits->actors;
}

/* May so many bytes more be remembered? */
static inline bool budget_has_memory(const struct budget *budget, size_t bytes)
{
	return bytes <= BUDGET_HELD_MAX - budget->bytes_held;
}

static inline bool budget_has_in(const struct budget *budget)
{
	return budget->bytes_in < budget->limits->bytes;
}

static inline bool budget_has_out(const struct budget *budget)
{
	return budget->bytes_out < budget->limits->bytes;
}

/* Of a number of places that all share one may take half of what is free: so each leaves room for the next. */
static inline bool budget_has_place(size_t mine, size_t taken, size_t all)
{
	return taken < all && mine < all - taken;
}

#endif
