/* SPDX-License-Identifier: MIT */
/* The daemon's clients: JSON Lines over admin.sock, as tds-protocol(7) has them. */
#ifndef TDS_ADMIN_CLIENTS_H
#define TDS_ADMIN_CLIENTS_H

#include <event2/event.h>
#include <stdbool.h>
#include <sys/types.h>

#include "daemon/director/director.h"

#define CLIENTS_MAX 256
#define CLIENTS_KEPT 8              /* of them for root and the admin's own user alone */
#define CLIENTS_PER_UID_MAX 64      /* of those that are not the admin's own or root */
#define CLIENT_LINE_MAX (1 << 20)   /* bytes of a request */
#define CLIENT_UNREAD_MAX (4 << 20) /* bytes that a watching client may leave unread */

struct clients;

struct clients_settings {
	const struct tds_dir *dir;
	uid_t uid;          /* the admin's */
	const uid_t *users; /* who else may */
	size_t nusers;
	const char *cgroup;          /* below which each source has its own; NULL: none */
	struct engine *engine;       /* for programs that join */
	struct directoractor *actor; /* gets what actors ask the Director */
	struct actorlog *log;        /* what actors print goes there; NULL: nowhere */
	void (*shutdown)(void *ctx, int64_t grace_ms); /* negative: not given */
	void (*describe)(void *ctx, json_t *status);   /* what the answer to Status says besides */
	void *ctx;
};

/* listener is a listening socket, taken over. NULL: out of memory. */
struct clients *clients_new(struct event_base *base, int listener, struct director *director,
			    const struct clients_settings *settings);
void clients_free(struct clients *clients);

/* Tell those who asked for the shutdown what has come of it: status 0, or why not all of it is so. */
void clients_farewell(struct clients *clients, int status, const char *why);

#endif
