/* SPDX-License-Identifier: MIT */
/*
 * How much of the daemon one source, or all programs of one user, may take. Over it, its own request fails or waits, and
 * nobody else notices.
 */
#ifndef TDS_DAEMON_BUDGET_H
#define TDS_DAEMON_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_NONE UINT64_MAX       /* no limit */
#define BUDGET_HALF (UINT64_MAX - 1) /* of descriptors: half of what is free */

/* budget.cfg */
struct budget_limits {
	uint64_t descriptors;
	uint64_t bytes;      /* each way, that wait in the daemon */
	uint64_t operations; /* of one link in a turn of the loop, at least 1 */
	uint64_t actors;
	uint64_t clients; /* connections of a user, but of root and the admin's own */
};

#define BUDGET_DEFAULTS                                                            \
	{                                                                          \
		.descriptors = BUDGET_HALF, .bytes = 16U << 20, .operations = 256, \
		.actors = BUDGET_NONE, .clients = 32                               \
	}

/* What is taken. */
struct budget {
	const struct budget_limits *limits;
	size_t descriptors;
	size_t actors;
	size_t bytes_out;     /* that wait to be sent */
	size_t bytes_in;      /* of frames that are not whole yet */
	int64_t told_mono_ms; /* when a refusal was told the last time; 0: never */
};

/* Whoever is refused again and again is told of once a minute. False: not now. */
bool budget_may_tell(int64_t *told_mono_ms, int64_t now_mono_ms);

/* May it take one more descriptor? newest: the highest that was just opened, the lowest free number then. */
bool budget_has_descriptor(const struct budget *budget, int newest);

static inline bool budget_has_actor(const struct budget *budget)
{
	return budget->actors < budget->limits->actors;
}

#endif
