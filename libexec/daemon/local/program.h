/* SPDX-License-Identifier: MIT */
/*
 * A user's own programs and their actors. All of one user's make one realm, whose process is no child of the admin but
 * came by its socket, and whose programs have addresses in it.
 */
#ifndef TDS_DAEMON_PROGRAM_H
#define TDS_DAEMON_PROGRAM_H

#include <sys/socket.h>

#include "local.h"

/* A program's connection, with an address of its own in the realm of its user. */
struct endpoint {
	struct endpoint *next;
	struct endpoint **self;
	struct realm *realm;
	struct bearer bearer;
	struct link link;
	bool within;        /* an actor's: its program is not there because of it */
	struct event *over; /* a link may end deep in a call: what goes with it goes later */
};

/* The part of a realm that only programs have. */
struct program {
	uid_t uid;
	struct endpoint *endpoints;
	size_t nendpoints;
	struct event *over; /* the link of its process is, as with an endpoint's */
};

/* program.c */
extern const struct link_events program_link;
struct endpoint *program_endpoint_new(struct realm *realm); /* NULL: out of memory */
void program_endpoint_free(struct endpoint *endpoint);
void program_changed(struct realm *realm);
void program_kill(struct realm *realm);
void program_free(struct realm *realm);
void program_created(struct actor *actor, enum failure failure, const char *error);
void program_close(struct realm *realm); /* there is no loop any more: all at once */

/* Ask all programs to exit; source_gone() tells. No others may join. */
void programs_stop(struct local *engine);

/* join.c. May this user's programs join? */
bool program_allowed(const struct local *engine, uid_t uid);

/*
 * Take a connection over, as a Join request asks: fd becomes a link, and the answer is written to it.
 * Owner:   fd is taken over on success only.
 * Errors:  TDS_E_USAGE: a wrong field; TDS_E_REFUSED: not allowed, or no room; TDS_E_NO_ADMIN: it is ending;
 *          TDS_E_NOMEM. *kind is left alone, or names a failure that a program may decide by.
 */
int program_join(struct local *engine, int fd, const struct ucred *peer, const json_t *request,
		 const char **kind, struct tds_err *err) TDS_MUST_CHECK;

#endif
