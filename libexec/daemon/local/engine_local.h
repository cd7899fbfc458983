/* SPDX-License-Identifier: MIT */
/* The engine of this machine: each source is a process that forks its actors, each actor a process of its own. */
#ifndef TDS_DAEMON_ENGINE_LOCAL_H
#define TDS_DAEMON_ENGINE_LOCAL_H

#include <event2/event.h>

#include "base/cgroup.h"
#include "daemon/base/settings.h"
#include "daemon/engine/engine.h"

/* How processes of the engine are started; borrowed for the engine's life. */
struct engine_config {
	const struct settings *settings;
	const char *python;              /* the interpreter */
	const char *host;                /* the folder of the host's program */
	const char *dir;                 /* the director directory: the actors' working folder */
	unsigned grace_ms;               /* from an exit request to SIGKILL */
	bool transient;                  /* the system was begun by a program, for programs */
	const struct tds_cgroup *cgroup; /* for one below it to each realm; NULL: none */
};

/* NULL: out of memory. The end of it is ops->close(). */
struct engine *local_engine_open(struct event_base *base, const struct engine_config *config,
				 const struct engine_events *events, void *ctx);

#endif
