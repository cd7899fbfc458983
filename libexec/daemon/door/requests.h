/* SPDX-License-Identifier: MIT */
/* Inside the clients: a connection, the requests that come by it (requests.c), and those to actors (asks.c). */
#ifndef TDS_ADMIN_REQUESTS_H
#define TDS_ADMIN_REQUESTS_H

#include <event2/bufferevent.h>

#include "clients.h"

struct client {
	struct clients *clients;
	struct client *next;
	struct client **self;
	struct bufferevent *bev; /* NULL: gone, and only jobs still know it */
	uid_t uid;
	bool served;     /* has completed a request */
	bool serving;    /* client_serve looks at it: it is not to be freed */
	bool busy;       /* an answer is still to come; further requests wait */
	bool watching;   /* gets changes */
	bool following;  /* gets output */
	bool notify;     /* RequestNotification: the next change of what is active */
	bool leaving;    /* asked for the shutdown: is told what has come of it */
	bool silent;     /* has shut its writing side: goes when all is answered */
	bool ending;     /* goes when its output is sent */
	bool guest;      /* may join, and do nothing else */
	bool joined;     /* its connection is a link of the engine's now */
	unsigned refs;   /* jobs that will still call back */
	uint64_t ticket; /* of its Tell or Ask, and where the answer comes to; 0: none */
	bool asking;     /* it is an Ask */
	struct event *deadline;
};

struct clients {
	struct event_base *base;
	struct listener *listener;
	struct hangups *hangups;
	struct director *director;
	const struct clients_settings *settings;
	struct client *first; /* newest first */
	size_t n;             /* that are connected */
};

struct operation {
	const char *name;
	const char *response;
	/* Answers with finish(), now or, having set busy, later. */
	void (*run)(struct client *client, const struct operation *op, const json_t *request);
};

/* clients.c */
void client_reply(struct client *client, json_t *doc);

/* The answer that the client waited for; the next request may come. */
void client_finish(struct client *client, json_t *doc);

/* The same of one that a job was asked for: it may be gone by now. May free it. */
void client_finish_later(struct client *client, json_t *doc);

/* Requests one after the other, as long as each is answered at once. May free the client. */
void client_serve(struct client *client);

/* requests.c */
void client_dispatch(struct client *client, const char *line, size_t len);
json_t *failure_json(const char *response, int status, const char *why);
void client_refuse(struct client *client, const struct operation *op, int status, const char *why);
const char *request_text(const json_t *request, const char *key); /* NULL: none, or an empty one */

/* asks.c */
void run_tell(struct client *client, const struct operation *op, const json_t *request);
void run_ask(struct client *client, const struct operation *op, const json_t *request);

/* What becomes of a message, and an actor's message to an endpoint (false: no client waits there). */
void clients_delivered(void *ctx, uint64_t ticket, const char *error);
bool clients_answer(void *ctx, uint64_t endpoint, const struct payload *payload);

#endif
