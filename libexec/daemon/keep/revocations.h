/* SPDX-License-Identifier: MIT */
/*
 * revoked.cfg, watched: what it says is told when it changes. A change is seen at once where the kernel tells of it, else
 * within a second: the file may be a link to one elsewhere, or on another machine.
 */
#ifndef TDS_DAEMON_REVOCATIONS_H
#define TDS_DAEMON_REVOCATIONS_H

#include <event2/event.h>
#include <jansson.h>

#include "base/dir.h"

struct revocations;

/*
 * digests: hexadecimal, an object's keys, the callee's; empty where there is no such file. NULL: it is not understood, or not
 * in the right hands, as why says: what it said before is forgotten, and nothing is to be done for it.
 */
typedef void revoked_fn(void *ctx, json_t *digests, const char *why);

/* It is told at once, before this returns, and at each change. dir is borrowed. NULL: out of memory. */
struct revocations *revocations_open(struct event_base *base, const struct tds_dir *dir,
				     revoked_fn *told, void *ctx);
void revocations_close(struct revocations *revocations); /* accepts NULL */

#endif
