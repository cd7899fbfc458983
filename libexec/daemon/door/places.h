/* SPDX-License-Identifier: MIT */
/* Which user's clients have a place, how much of them waits in the daemon, and who makes room for whom. */
#ifndef TDS_DAEMON_PLACES_H
#define TDS_DAEMON_PLACES_H

#include "clients.h"
#include "daemon/base/budget.h"
#include "daemon/base/charge.h"

#define CLIENTS_MAX 256
#define CLIENTS_KEPT 8    /* of them for root and the admin's own user alone */
#define CLIENTS_OF_ROOT 4 /* of these for root alone */
#define CLIENTS_GONE 1024 /* of a user, whose changes are still under way */

/* All clients of a user, as long as there is one, or something that he told an actor is under way. */
struct user {
	struct user *next;
	struct user **self;
	uid_t uid;
	unsigned clients; /* with those that are gone, and whose change goes on */
	unsigned waiting; /* of them, for their turn (turns.h) */
	unsigned turn;    /* in which they had so much time */
	int64_t took_us;
	struct budget budget;
	struct account *told; /* to actors, and under way */
};

/* Is it root, or the admin's own? */
bool places_own(const struct clients *clients, uid_t uid);

/*
 * A place for one more of this user: there is one, or *displaced makes it. scarce: it takes one of theirs in any case, since no
 * descriptor is left. The oldest that never completed a request makes room; else, where there are too many clients, for root and
 * the admin's own the oldest that has no change under way. Nobody displaces whom he could not be displaced by.
 */
bool places_find(const struct clients *clients, uid_t uid, bool scarce, struct client **displaced);

/* Count it for its user, and what waits in its buffers. False: out of memory. */
bool places_take(struct client *client);
void places_unbuffer(struct client *client); /* its buffers are about to go */
void places_leave(struct client *client); /* it is about to be freed; nothing, where it has none */

/*
 * The user's clients leave more unread, or unfinished, than they may all together: the one that has most of it, but not that
 * one (NULL: any), nor one that is alone in it. NULL: there is none.
 */
struct client *places_glutton(const struct clients *clients, const struct user *user,
			      const struct client *but);

/* May its user tell an actor more? What he told is charged to him until it is taken, also when he has gone. */
bool places_may_tell(const struct client *client);

/* That a user was refused something is told, once a minute. */
void places_over_budget(struct clients *clients, uid_t uid, struct budget_refusals *refusals,
			const char *why);

void places_free(struct clients *clients); /* all that are left, when no client is */

/* What each user's clients take of their budget. A new reference. */
json_t *places_json(const struct clients *clients);

#endif
