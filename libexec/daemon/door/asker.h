/* SPDX-License-Identifier: MIT */
/* Who asks, at whichever door, and where the answer goes. */
#ifndef TDS_DAEMON_ASKER_H
#define TDS_DAEMON_ASKER_H

#include "door.h"

enum door_state {
	DOOR_RESTORING,  /* what was loaded is on its way back */
	DOOR_OPEN,       /* door_opened() */
	DOOR_RESTARTING, /* door_restarting() */
};

/* What all requests know. */
struct door {
	struct director *director;
	const struct door_settings *settings;
	struct clients *clients;
	struct directoractor *actor;
	struct beacon *beacon; /* NULL: none */
	enum door_state state;
};

/* Kinds of askers, as the table of requests adds them up. */
enum asker_kind {
	ASKER_USER = 1,    /* a client of the admin's user, of root, or of who may else */
	ASKER_GUEST = 2,   /* a client of somebody whose programs may join */
	ASKER_CHANGER = 4, /* an actor or a program that may change what is loaded */
	ASKER_ACTOR = 8,   /* any other */
	ASKER_CLIENTS = ASKER_USER | ASKER_GUEST,
	ASKER_ACTORS = ASKER_CHANGER | ASKER_ACTOR,
	IN_ANY_PROTOCOL =
		16, /* of a request, beside who may: it means the same in every protocol */
};

struct asker;

struct asker_ops {
	/* The answer, whose reference is taken over; the asker may be gone afterwards. */
	void (*answer)(struct asker *asker, json_t *doc);
	/* What it asked for comes by the way: notify. */
	void (*stay)(struct asker *asker);
	/* Who it is, for the event log: a new reference; NULL: out of memory. */
	json_t *(*who)(const struct asker *asker);
};

/* Part of what a door has of one who asks. It has one request at a time. */
struct asker {
	const struct asker_ops *ops;
	struct door *door;
	enum asker_kind kind;
	const struct request *row; /* of the table: what it asked last */
	bool pending; /* a change will answer: until then it stays, even if nobody is there to hear that */
	bool notify; /* RequestNotification: to be told of the next change of what is active */
};

/* A row of the table. */
struct request {
	const char *name;
	const char *response;
	unsigned may;      /* kinds of askers, and IN_ANY_PROTOCOL */
	const char *needs; /* a text that must be there; NULL: none */
	void (*answer)(struct asker *asker, const struct request *row, const json_t *request);
};

/* A door's way to the table (requests.c): request may be NULL, why then says what is wrong with it. */
typedef void dispatch_fn(struct asker *asker, const json_t *request, const char *why);

json_t *failure_json(const char *response, int status, const char *why);
json_t *success_json(const char *response);
json_t *notification_json(void);
json_t *later_json(const char *response); /* it restarts: ask again when it is up */
void asker_answer(struct asker *asker, json_t *doc);
void asker_refuse(struct asker *asker, const struct request *row, int status, const char *why);
const char *request_text(const json_t *request, const char *key); /* NULL: none, or an empty one */

#endif
