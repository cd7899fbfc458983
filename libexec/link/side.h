/* SPDX-License-Identifier: MIT */
/*
 * A connection to NATS, for ever: libnats tries again until a login is refused twice. What it tells comes in threads of its
 * own, and is handed to the one thread that decides through a pipe of events; messages of the bus alone go out by themselves.
 */
#ifndef TDS_LINK_SIDE_H
#define TDS_LINK_SIDE_H

#include <nats/nats.h>
#include <stdbool.h>

#include "base/err.h"
#include "convention/linkconfig.h"
#include "convention/linkframe.h"

enum side_event_kind {
	SIDE_UP,
	SIDE_DOWN,
	SIDE_CLOSED, /* for good */
	SIDE_ERROR,
	SIDE_MESSAGE,
};

/* One event; what it has is the taker's. */
struct side_event {
	enum side_event_kind kind;
	enum tds_link_side side;
	natsStatus status;
	char *text;   /* of an error, NULL: none */
	natsMsg *msg; /* SIDE_MESSAGE */
};

/* Make the pipe; the descriptor that events are read from, -1 with errno. */
int side_events_open(void);
bool side_event_read(int fd, struct side_event *event); /* false: there is none */
void side_event_fini(struct side_event *event);

/* Where to connect: numeric, for libnats must not ask a resolver any more. */
struct side_servers {
	char **urls;
	int n;
	const char *host; /* that their certificates have; borrowed */
};

/*
 * Connect, and begin to be told: SIDE_UP when it stands, now or later.
 * Owner:   *nc is the caller's until the process ends.
 * Errors:  TDS_E_REFUSED: it can never be, as the certificates or the login are refused; TDS_E_NOMEM.
 */
int side_connect(enum tds_link_side side, const struct side_servers *servers,
		 const struct tds_linkconfig *config, natsConnection **nc,
		 struct tds_err *err) TDS_MUST_CHECK;

/* For subscriptions whose messages come as SIDE_MESSAGE. */
void side_on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *side);

#endif
