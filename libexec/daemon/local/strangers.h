/* SPDX-License-Identifier: MIT */
/*
 * Strangers: processes of a confined source that are none of its actors. Code that is imported could fork them, since the
 * source's process forks actors; they are looked for a few times a second, killed, and told of.
 */
#ifndef TDS_DAEMON_STRANGERS_H
#define TDS_DAEMON_STRANGERS_H

#include <stdbool.h>
#include <sys/types.h>

struct local;
struct realm;

/* From now on; realm->watch is its own to free. False: out of memory. */
bool strangers_watch(struct realm *realm);

/* The source's process has one ahead that will be an actor. */
void strangers_expect(struct realm *realm, pid_t spare);

/* The engine ends. */
void strangers_stop(struct local *engine);

#endif
