/* SPDX-License-Identifier: MIT */
/* Bus and store (bus.h) over the frames of tds-link, and how its two connections are. */
#ifndef TDS_DAEMON_CONVENTION_LINKBUS_H
#define TDS_DAEMON_CONVENTION_LINKBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "convention/linkframe.h"
#include "daemon/base/clock.h"

#define LINKBUS_WHY_MAX 256

struct linkprocess;

/* A connection, as tds-link told last; it is lost where that does not run. */
struct linkbus_side {
	enum tds_link_state state;
	int64_t since_wall_ms;
	char why[LINKBUS_WHY_MAX]; /* of what is not up; hostile */
};

struct linkbus {
	struct bus bus; /* the head */
	struct bus_store store;
	struct linkprocess *process;
	struct clock *clock;
	const char *system;
	uint64_t asked; /* number of the last request to the store */
	struct linkbus_side sides[TDS_LINK_SIDES];
};

void linkbus_init(struct linkbus *linkbus, struct clock *clock, const char *system);

/* A connection is so by now. True: that is news, and not only another reason. */
bool linkbus_set(struct linkbus *linkbus, enum tds_link_side side, enum tds_link_state state,
		 const char *why, size_t len);
bool linkbus_is_up(const struct linkbus *linkbus, enum tds_link_side side);

/* What a frame says that is an answer of the store. */
struct bus_answer linkbus_answer(const struct tds_linkframe *frame);

#endif
