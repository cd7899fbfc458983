/* SPDX-License-Identifier: MIT */
/*
 * What comes into the director directory, watched: packages (.tls) and declarations (.tli), told of when none of them is
 * written any more. Where the kernel does not tell, as of what another machine writes, it is found out within some seconds.
 */
#ifndef TDS_DAEMON_ARRIVALS_H
#define TDS_DAEMON_ARRIVALS_H

#include <event2/event.h>

#include "base/dir.h"

struct arrivals;

/* Something came, went or changed, never before arrivals_open() returns. dir is borrowed. NULL: out of memory. */
struct arrivals *arrivals_open(struct event_base *base, const struct tds_dir *dir,
			       void (*told)(void *ctx), void *ctx);
void arrivals_close(struct arrivals *arrivals); /* accepts NULL; not within told */

#endif
