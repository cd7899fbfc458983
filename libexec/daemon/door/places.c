/* SPDX-License-Identifier: MIT */
/* Places of clients. */
#include "places.h"

#include <stdlib.h>

#include <event2/buffer.h>

#include "daemon/base/clock.h"

/* Whom one can displace: those of its own rank and of lower ones. */
enum rank { RANK_OTHER, RANK_OWN, RANK_ROOT };

static enum rank rank_of(const struct clients *clients, uid_t uid)
{
	return uid == 0 ? RANK_ROOT : uid == clients->door->settings->uid ? RANK_OWN : RANK_OTHER;
}

bool places_own(const struct clients *clients, uid_t uid)
{
	return rank_of(clients, uid) > RANK_OTHER;
}

static bool may_go(const struct client *client, enum rank for_whom)
{
	return client->bev && !client->asker.pending && !client->leaving && !client->serving &&
	       rank_of(client->clients, client->user->uid) <= for_whom;
}

/* The oldest that can make room, in the order in which they do. NULL: none. */
static struct client *find_displaced(const struct clients *clients, enum rank rank, bool scarce)
{
	struct client *silent = NULL;
	struct client *waiting = NULL;

	for (struct client *c = clients->first; c; c = c->next) {
		if (may_go(c, rank) && !c->served)
			silent = c;
		else if (may_go(c, rank))
			waiting = c;
	}
	return silent || rank == RANK_OTHER || scarce ? silent : waiting;
}

static struct user *find_user(const struct clients *clients, uid_t uid)
{
	struct user *user = clients->users;

	while (user && user->uid != uid)
		user = user->next;
	return user;
}

/* How many places users up to a rank may have together. */
static size_t places_of(enum rank rank)
{
	static const size_t kept[] = {
		[RANK_OTHER] = CLIENTS_KEPT, [RANK_OWN] = CLIENTS_OF_ROOT, [RANK_ROOT] = 0
	};

	return CLIENTS_MAX - kept[rank];
}

static bool has_place(const struct clients *clients, enum rank rank)
{
	size_t n = 0;

	for (const struct client *c = clients->first; c; c = c->next)
		n += (c->bev || rank == RANK_OTHER) && rank_of(clients, c->user->uid) <= rank;
	return clients->n < CLIENTS_MAX && n < places_of(rank);
}

bool places_find(const struct clients *clients, uid_t uid, bool scarce, struct client **displaced)
{
	const struct user *user = find_user(clients, uid);
	enum rank rank = rank_of(clients, uid);
	uint64_t most = rank == RANK_OTHER ? clients->door->settings->configured->budget.clients
					   : CLIENTS_MAX + CLIENTS_GONE;

	*displaced = NULL;
	if (user && user->clients >= most)
		return false;
	if (!scarce && has_place(clients, rank))
		return true;
	*displaced = find_displaced(clients, rank, scarce);
	return *displaced != NULL;
}

/* --- what waits --- */

static void on_output(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct user *user = arg;

	(void)buffer;
	user->budget.bytes_out += info->n_added - info->n_deleted;
}

static void on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct user *user = arg;

	(void)buffer;
	user->budget.bytes_in += info->n_added - info->n_deleted;
}

static size_t unread(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->bev));
}

static size_t unfinished(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_input(client->bev));
}

static struct user *user_of(struct clients *clients, uid_t uid)
{
	struct user *user = find_user(clients, uid);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	struct account *told = user ? account_new() : NULL;
	if (!told) {
		free(user);
		return NULL;
	}
	*user = (struct user){ .next = clients->users,
			       .self = &clients->users,
			       .uid = uid,
			       .told = told,
			       .budget = { .limits =
						   &clients->door->settings->configured->budget } };
	if (user->next)
		user->next->self = &user->next;
	clients->users = user;
	return user;
}

static void user_free(struct user *user)
{
	*user->self = user->next;
	if (user->next)
		user->next->self = user->self;
	account_unref(user->told);
	free(user);
}

/* No event tells that the last of what a user told was taken: he goes when the next one does. */
static void sweep(struct clients *clients)
{
	for (struct user *user = clients->users, *next; user; user = next) {
		next = user->next;
		if (user->clients == 0 && user->told->bytes == 0)
			user_free(user);
	}
}

bool places_take(struct client *client)
{
	struct user *user = user_of(client->clients, client->uid);

	if (!user)
		return false;
	user->clients++;
	client->user = user;
	if (evbuffer_add_cb(bufferevent_get_output(client->bev), on_output, user) &&
	    evbuffer_add_cb(bufferevent_get_input(client->bev), on_input, user))
		return true;
	places_leave(client);
	return false;
}

void places_unbuffer(struct client *client)
{
	struct evbuffer *out = bufferevent_get_output(client->bev);
	struct evbuffer *in = bufferevent_get_input(client->bev);

	client->user->budget.bytes_out -= unread(client);
	client->user->budget.bytes_in -= unfinished(client);
	(void)evbuffer_remove_cb(out, on_output, client->user);
	(void)evbuffer_remove_cb(in, on_input, client->user);
}

void places_leave(struct client *client)
{
	struct user *user = client->user;

	client->user = NULL;
	if (user && --user->clients == 0)
		sweep(client->clients);
}

void places_over_budget(struct clients *clients, uid_t uid, struct budget_refusals *refusals,
			const char *why)
{
	const struct door_settings *settings = clients->door->settings;
	uint64_t times = budget_refuse(refusals, clock_now_mono_ms());

	if (times > 0)
		settings->over_budget(settings->ctx, uid, times, why);
}

bool places_may_tell(const struct client *client)
{
	struct user *user = client->user;

	if (user->told->bytes < user->budget.limits->bytes)
		return true;
	places_over_budget(client->clients, user->uid, &user->budget.refusals,
			   "as many bytes that its clients told actors are under way as budget.cfg "
			   "lets them have");
	return false;
}

void places_free(struct clients *clients)
{
	while (clients->users)
		user_free(clients->users);
}

/* Of that user, who has most of what size tells. NULL: none has any, or one alone. */
static struct client *most_of(const struct clients *clients, const struct user *user,
			      const struct client *but, size_t (*size)(const struct client *client))
{
	struct client *most = NULL;
	unsigned n = 0;

	for (struct client *c = clients->first; c; c = c->next) {
		if (c->user != user || !c->bev || size(c) == 0)
			continue;
		n++;
		if (c != but && (!most || size(c) > size(most)))
			most = c;
	}
	return n > 1 ? most : NULL;
}

struct client *places_glutton(const struct clients *clients, const struct user *user,
			      const struct client *but)
{
	if (!budget_has_out(&user->budget))
		return most_of(clients, user, but, unread);
	return budget_has_in(&user->budget) ? NULL : most_of(clients, user, but, unfinished);
}

json_t *places_json(const struct clients *clients)
{
	json_t *all = json_array();

	for (const struct user *user = clients->users; user; user = user->next)
		(void)json_array_append_new(
			all, json_pack("{s:I, s:I, s:I, s:I, s:I}", "Uid", (json_int_t)user->uid,
				       "Clients", (json_int_t)user->clients, "BytesIn",
				       (json_int_t)user->budget.bytes_in, "BytesOut",
				       (json_int_t)user->budget.bytes_out, "BytesTold",
				       (json_int_t)user->told->bytes));
	return all;
}
