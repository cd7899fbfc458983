/* SPDX-License-Identifier: MIT */
/* A listening socket, which neither spins nor gives up where descriptors or memory run out. */
#ifndef TDS_DAEMON_LISTENER_H
#define TDS_DAEMON_LISTENER_H

#include <event2/event.h>
#include <stdbool.h>

#define LISTENER_TURN_MAX 16     /* connections taken in a turn of the loop */
#define LISTENER_PAUSE_MS 100    /* until it tries again where the system has no room */
#define LISTENER_REFUSAL_MAX 256 /* bytes of a refusal */

struct listener;

/*
 * Called with a new connection, nonblocking, which is its own from now on. scarce: it has the last descriptor, which is not for
 * it: it is to be refused, or another one closed.
 */
typedef void listener_accepted(void *ctx, int fd, bool scarce);

/* fd is a listening socket, taken over in any case. NULL: out of memory. */
struct listener *listener_new(struct event_base *base, int fd, listener_accepted *accepted,
			      void *ctx);

/* From now on take nothing where only the reserve of descriptors is left: for who does not need to be served. */
void listener_be_modest(struct listener *listener);

void listener_free(struct listener *listener);

/* By this kind a program tells that it is refused for good, and not for the moment. */
#define LISTENER_DENIED "denied"

/* Say why a connection is not served (why needs no escaping in JSON; kind may be NULL), and end it. */
void listener_tell(int fd, const char *why, const char *kind); /* the same, and it goes on */
void listener_refuse(int fd, const char *why, const char *kind);

#endif
