/* SPDX-License-Identifier: MIT */
/* The door for clients: connections to admin.sock, JSON Lines, as tds-protocol(7) has them. */
#ifndef TDS_DAEMON_CLIENTS_H
#define TDS_DAEMON_CLIENTS_H

#include <event2/bufferevent.h>
#include <stddef.h>

#include "asker.h"
#include "daemon/base/budget.h"

#define CLIENT_LINE_MAX (1 << 20) /* bytes of a request */
/* Bytes that a client may leave unread before it is served no further; one that watches is cut off. */
#define CLIENT_UNREAD_MAX (4 << 20)

struct client {
	struct asker asker;
	struct clients *clients;
	struct client *next;
	struct client **self;
	struct bufferevent *bev; /* NULL: gone, and only a change still knows it */
	uid_t uid;
	struct user *user; /* whose it is */
	bool served;       /* has completed a request */
	bool serving;      /* its requests are looked at: it is not to be freed */
	bool busy;         /* an answer is still to come; further requests wait */
	bool watching;     /* gets changes */
	bool following;    /* gets output */
	bool leaving;      /* asked for the shutdown: is told what has come of it */
	bool silent;       /* has shut its writing side: goes when all is answered */
	bool ending;       /* goes when its output is sent */
	bool joined;       /* its connection is a link of the engine's now */
	uint64_t ticket;   /* of its Tell or Ask, and where the answer comes to; 0: none */
	bool asking;       /* it is an Ask */
	uint32_t asked;    /* the source whose actor is asked, and may answer; 0: none yet */
	struct event *deadline;
	struct client *next_waiting; /* for its turn (turns.h) */
	struct client **waits_in;    /* NULL: it does not */
	unsigned turn;               /* the last one that it had after it waited */
};

struct clients {
	struct door *door;
	struct event_base *base;
	dispatch_fn *dispatch;
	struct listener *listener;
	struct hangups *hangups;
	struct turns *turns;
	struct client *first; /* newest first */
	size_t n;             /* that are connected */
	struct user *users;   /* that have any */
	struct budget_refusals refusals;
};

/* The client that an asker is part of. */
static inline struct client *client_of(struct asker *asker)
{
	return (struct client *)(void *)((char *)asker - offsetof(struct client, asker));
}

/*
 * Let it be told something, unasked, or an answer, which says what protocol it is of. One that cannot be told, for want of
 * memory, is not left to wait: it is cut off. It is still there then.
 */
void client_reply(struct client *client, json_t *doc);
void client_answer(struct client *client, json_t *doc);

/* One that does not read is served again when it has read all that it was answered. */
bool client_is_behind(const struct client *client);

/* Its connection ends at once; and it, where nothing is to come for it any more. */
void client_cut(struct client *client);
void client_free_if_over(struct client *client);
void clients_cut_gluttons(struct clients *clients); /* places_glutton() */

/* Requests go to dispatch. listener is a listening socket, taken over. NULL: out of memory. */
struct clients *clients_new(struct door *door, struct event_base *base, int listener,
			    dispatch_fn *dispatch);
void clients_free(struct clients *clients); /* accepts NULL */
size_t clients_count(const struct clients *clients);

/* Who may use the socket has changed. */
void clients_reloaded(struct clients *clients);

/* A change, and whether it is one of what is active; a line of an actor; the end. */
void clients_changed(struct clients *clients, json_t *event, bool active);
void clients_output(struct clients *clients, const struct line *line);
void clients_farewell(struct clients *clients, int status, const char *why);

#endif
