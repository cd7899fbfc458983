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

struct asker;

/* Who asks, and what that may; borrowed from where that stands, but by.by. */
struct who {
	struct requester by;
	struct tds_asking asking;
};

static inline void who_fini(struct who *who)
{
	json_decref(who->by.by);
}

struct asker_ops {
	/* The answer, whose reference is taken over; the asker may be gone afterwards. */
	void (*answer)(struct asker *asker, json_t *doc);
	/* What it asked for comes by the way: notify. */
	void (*stay)(struct asker *asker);
	/* What it may; borrowed from where that stands. */
	struct tds_asking (*asking)(struct asker *asker);
	/* Who it is, but what it may: by->by is a new reference. */
	void (*identify)(struct asker *asker, struct requester *by);
};

/* Part of what a door has of one who asks. It has one request at a time. */
struct asker {
	const struct asker_ops *ops;
	struct door *door;
	bool guest; /* a client of somebody whose programs may join, and who may nothing else */
	const struct request *row; /* of the table: what it asked last */
	bool pending; /* a change will answer: until then it stays, even if nobody is there to hear that */
	bool notify; /* RequestNotification: to be told of the next change of what is active */
};

/* A row of the table. */
struct request {
	const char *name;
	const char *response;
	enum tds_asked what;  /* who may is in the table of director/asking.h */
	bool in_any_protocol; /* it means the same in every one */
	const char *needs;    /* a text that must be there; NULL: none */
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

/* Caller ends it with who_fini, before it answers or after. */
void asker_identify(struct asker *asker, struct who *who);

/* False: it may not have that (group NULL: none, or all), and is refused already. */
bool asker_check(struct asker *asker, const struct request *row, enum tds_asked what,
		 const char *group);

const char *request_text(const json_t *request, const char *key); /* NULL: none, or an empty one */

#endif
