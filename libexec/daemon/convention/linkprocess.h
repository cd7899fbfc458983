/* SPDX-License-Identifier: MIT */
/*
 * The process tds-link: started, configured, fed with frames, and started anew when it ends, a little later each time. What
 * comes from it is hostile: one frame that is none, and it is killed. That it is gone is a bus that is lost, and no more.
 */
#ifndef TDS_DAEMON_CONVENTION_LINKPROCESS_H
#define TDS_DAEMON_CONVENTION_LINKPROCESS_H

#include <event2/event.h>
#include <stdbool.h>

#include "base/dir.h"
#include "convention/conventioncfg.h"
#include "convention/linkframe.h"
#include "daemon/base/clock.h"

#define LINKPROCESS_UNREAD_MAX \
	(16 << 20) /* bytes that it may be behind; what is said then is not sent */

/* Borrowed for the life of what is made of it. */
struct linkprocess_settings {
	const char *program;
	const struct tds_dir
		*dir; /* the certificates are read anew at each start, and kept nowhere */
	const struct tds_convention *convention;
	bool wants_store;
	/* A frame came; borrowed for the call. linkprocess_free is not called in it. */
	void (*heard)(void *ctx, const struct tds_linkframe *frame);
	/* It has ended, or could not be started, for this reason, and is started again by itself. */
	void (*ended)(void *ctx, const char *why);
	void *ctx;
};

struct linkprocess; /* opaque */

/* It starts in the next turn. NULL: out of memory. */
struct linkprocess *linkprocess_new(struct event_base *base, struct clock *clock,
				    const struct linkprocess_settings *settings);
void linkprocess_free(struct linkprocess *process); /* accepts NULL */

/* False: it does not run, or is too far behind: this was certainly not said to it. */
bool linkprocess_say(struct linkprocess *process, const struct tds_linkframe *frame);

/* Give what was said a moment to reach it. Blocking: all else has ended. */
void linkprocess_flush(struct linkprocess *process);

/* 0: it does not run. */
pid_t linkprocess_pid(const struct linkprocess *process);

#endif
