/* SPDX-License-Identifier: MIT */
/* The world that the Director is put into: a director directory, a run directory, a verifier. */
#ifndef TDS_DAEMON_WORLD_H
#define TDS_DAEMON_WORLD_H

#include <event2/event.h>

#include "base/dir.h"
#include "daemon/authority/verify.h"
#include "daemon/director/means.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/events.h"
#include "daemon/keep/library.h"
#include "daemon/keep/returning.h"
#include "director/sandboxcfg.h"
#include "homes.h"

struct clock;
struct logger;
struct settings;

/* All that is a pointer or a descriptor is borrowed. */
struct world {
	const struct tds_dir *dir;
	int rundir;
	struct event_base *base;
	const struct clock *clock;
	const char *verifier; /* the program */
	struct homes homes;   /* opened by who fills it in */
	const struct log_limits *logs;
	const struct tds_sandbox_policy *sandbox;
	const struct settings *settings; /* as they are in force */
	json_t *users; /* names of those whom settings name, by uid; a reference of its own */
	struct logger *logger; /* gets what actors log; NULL: there is none */
	struct library library;
	struct audit audit;
	struct events events;       /* who is to be told, main says */
	struct returning returning; /* opened when loaded.json is read */
	struct means means;         /* for the Director */
};

/* The settings were read: whom they name is looked up, which may take a while. */
void world_know_users(struct world *world);

/* Make the means out of what is filled in: dir, rundir, base, verifier, homes, logger. */
void world_open(struct world *world);
void world_close(struct world *world);

/* What the daemon itself has to tell: a line of the audit log and of the event log. Takes the reference. */
void world_note(struct world *world, json_t *event);

#endif
