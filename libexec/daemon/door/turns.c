/* SPDX-License-Identifier: MIT */
/* Turns of clients. */
#include "turns.h"

#include <stdlib.h>

#include "places.h"

#define TURN_US 1000 /* of a turn of the loop, that a user's clients have together */

struct turns {
	struct event *next;
	turns_serve_fn *serve;
	struct client *first; /* that wait */
	struct client **last;
	unsigned turn; /* which it is */
};

static bool has_time(const struct turns *turns, const struct user *user)
{
	return user->turn != turns->turn || user->took_us < TURN_US;
}

bool turns_may(struct turns *turns, struct client *client)
{
	if (client->user->waiting == 0 && has_time(turns, client->user))
		return true;
	turns_wait(turns, client);
	return false;
}

int64_t turns_part_us(const struct client *client)
{
	return TURN_US / (client->user->waiting + 1);
}

void turns_took(struct turns *turns, struct client *client, int64_t us)
{
	struct user *user = client->user;

	user->took_us = us + (user->turn == turns->turn ? user->took_us : 0);
	user->turn = turns->turn;
}

static void go_on(struct turns *turns)
{
	static const struct timeval at_once = { 0 };

	if (turns->first && event_add(turns->next, &at_once) != 0)
		event_active(turns->next, EV_TIMEOUT, 0);
}

void turns_wait(struct turns *turns, struct client *client)
{
	if (client->waits_in)
		return;
	client->waits_in = turns->last;
	client->next_waiting = NULL;
	*turns->last = client;
	turns->last = &client->next_waiting;
	client->user->waiting++;
	go_on(turns);
}

void turns_leave(struct turns *turns, struct client *client)
{
	if (!client->waits_in)
		return;
	*client->waits_in = client->next_waiting;
	if (client->next_waiting)
		client->next_waiting->waits_in = client->waits_in;
	else
		turns->last = client->waits_in;
	client->waits_in = NULL;
	client->user->waiting--;
}

/* The first whose user has time left, and which has not been served in this turn. NULL: none. */
static struct client *next_of(const struct turns *turns)
{
	struct client *client = turns->first;

	while (client && (client->turn == turns->turn || !has_time(turns, client->user)))
		client = client->next_waiting;
	return client;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct turns *turns = arg;

	(void)fd;
	(void)what;
	turns->turn++;
	for (struct client *client; (client = next_of(turns));) {
		turns_leave(turns, client);
		client->turn = turns->turn;
		turns->serve(client);
	}
	go_on(turns);
}

struct turns *turns_new(struct event_base *base, turns_serve_fn *serve)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	if (!turns)
		return NULL;
	*turns = (struct turns){ .serve = serve, .last = &turns->first };
	turns->next = evtimer_new(base, on_turn, turns);
	if (turns->next)
		return turns;
	free(turns);
	return NULL;
}

void turns_free(struct turns *turns)
{
	if (!turns)
		return;
	event_free(turns->next);
	free(turns);
}
