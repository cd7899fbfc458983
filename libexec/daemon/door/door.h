/* SPDX-License-Identifier: MIT */
/*
 * The two doors to the Director: admin.sock for clients (JSON Lines, tds-protocol(7)), and the actor "Director" for actors and
 * programs. Behind both is one table of requests, which says who may ask for what. Beside them a port tells that they are there.
 */
#ifndef TDS_DAEMON_DOOR_H
#define TDS_DAEMON_DOOR_H

#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/base/settings.h"
#include "daemon/director/director.h"

/* What who may not ask is told. */
#define DOOR_NOT_ALLOWED "not allowed: adminusers.cfg names who may"

struct door;

/* All is borrowed. */
struct door_settings {
	uid_t uid;                         /* the admin's */
	const struct settings *configured; /* who else may, and what, and budgets */
	const char *cgroup;                /* below which each source has its own; NULL: none */
	uint16_t port;                     /* that is open while we are; 0: none */
	struct engine *engine;             /* for programs that join, and answers to actors */
	/* grace_ms negative: not given; by: who asks, for the event log; NULL: the last program has gone. Borrowed. */
	void (*shutdown)(void *ctx, int64_t grace_ms, json_t *by);
	/* End to be started again; program NULL: the same. Errors: see libexec/daemon/inside.h. */
	int (*restart)(void *ctx, int64_t grace_ms, const char *program, json_t *by,
		       struct tds_err *err);
	/* Read again what can be read again, and answer: a reference. False: out of memory. */
	bool (*reload)(void *ctx, void (*done)(void *ctx, json_t *answer), void *done_ctx);
	void (*describe)(void *ctx, json_t *status); /* what the answer to Status says besides */
	json_t *(*members)(
		void *ctx); /* each system of the convention, by name; NULL: there is none */
	void (*output)(void *ctx, const struct line *line);
	/* Clients were refused or cut off, so many times; once a minute. */
	void (*over_budget)(void *ctx, uid_t uid, uint64_t times, const char *why);
	void (*no_port)(void *ctx, const char *why); /* it cannot be had, which ends nothing */
	void *ctx;
};

/* Watches the Director from now on. listener is a listening socket, taken over. NULL: out of memory. */
struct door *door_open(struct event_base *base, int listener, struct director *director,
		       const struct door_settings *settings);
void door_close(struct door *door); /* accepts NULL */

/* Something has happened: those who watch are told. */
void door_tell(struct door *door, const json_t *event);

/* The settings have changed: whoever may not be here any more goes. */
void door_reloaded(struct door *door);

/* All that was loaded is back: from now on what is not there is not on its way either. */
void door_opened(struct door *door);

/*
 * From now on it ends to be started again: whoever asks is told to ask later, and so is whoever asked already and would be told
 * that it failed, since that may be the restart's doing.
 */
void door_restarting(struct door *door);

/* Tell those who asked for the shutdown what has come of it: status 0, or why not all of it is so; and in a restart those whose
 * answers are still to come that they are to ask later. */
void door_farewell(struct door *door, int status, const char *why);

#endif
