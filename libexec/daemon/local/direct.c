/* SPDX-License-Identifier: MIT */
/*
 * Direct links: two actors that talk much get a socket pair of their own, so that each message passes one hop instead
 * of two. The admin makes it and tells when it goes; between that it sees nothing of it.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "local.h"

#define DIRECT_AFTER 32   /* messages from one to the other */
#define DIRECT_WITHIN_S 1 /* in this time */
#define DIRECTS_MAX 512   /* each takes two descriptors, and room for what is under way */

/* How far one end is. Nobody writes before the other end has its descriptor: it might have none left. */
enum progress {
	PROGRESS_OFFERED,
	PROGRESS_LINKED,   /* has the descriptor */
	PROGRESS_SWITCHED, /* writes there what it has for the other */
};

struct direct {
	struct actor *ends[2];
	enum progress progress[2];
};

static time_t now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec;
}

/* The slot of the link between two; the slot that is free, for peer NULL; NULL: there is none. */
static struct direct **find(struct actor *actor, const struct actor *peer)
{
	for (size_t i = 0; i < DIRECTS_OF_ACTOR; i++) {
		struct direct **slot = &actor->directs[i];

		if (peer ? *slot && ((*slot)->ends[0] == peer || (*slot)->ends[1] == peer) : !*slot)
			return slot;
	}
	return NULL;
}

/* What is counted of an actor and one peer; the peer that it wrote to longest ago makes room. */
static struct peer_rate *rate_of(struct actor *actor, uint64_t peer)
{
	struct peer_rate *oldest = &actor->rates[0];

	for (size_t i = 0; i < RATES_OF_ACTOR; i++) {
		if (actor->rates[i].peer == peer)
			return &actor->rates[i];
		if (actor->rates[i].since_s < oldest->since_s)
			oldest = &actor->rates[i];
	}
	*oldest = (struct peer_rate){ .peer = peer };
	return oldest;
}

static void offer(struct actor *actor, const struct actor *peer, int fd)
{
	struct frame *frame = frame_control(
		json_pack("{s:s, s:s, s:b}", "op", "direct", "address", peer->pub.address,
			  "commands", asker_commands(peer->realm, peer->bearer.id, actor)));
	frame_add_fd(frame, fd);
	link_send(&actor->link, frame);
}

static void connect_two(struct actor *one, struct actor *two)
{
	struct local *engine = one->realm->engine;
	struct direct **slots[2] = { find(one, NULL), find(two, NULL) };
	int fds[2];

	struct budget *budget = realm_budget(one->realm);

	if (find(one, two) || !slots[0] || !slots[1] ||
	    !budget_has_place(budget->directs, engine->ndirects, DIRECTS_MAX))
		return;
	struct direct *direct = calloc(1, sizeof(*direct));
	if (!direct || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		free(direct);
		return; /* as before, through the admin */
	}
	*direct = (struct direct){ .ends = { one, two } };
	*slots[0] = *slots[1] = direct;
	engine->ndirects++;
	engine->counts.directs++;
	budget->directs++; /* the first one's */
	offer(one, two, fds[0]);
	offer(two, one, fds[1]);
}

void direct_count(struct actor *from, struct actor *to)
{
	struct peer_rate *rate = rate_of(from, to->bearer.id);
	time_t now = now_s();

	if (now - rate->since_s > DIRECT_WITHIN_S)
		*rate = (struct peer_rate){ .peer = to->bearer.id, .since_s = now };
	if (++rate->count < DIRECT_AFTER)
		return;
	rate->count = 0;
	/* What those of another user send passes us, who check it. */
	if (from->state == ACTOR_UP && to->state == ACTOR_UP && from != to &&
	    !realm_is_foreign(from->realm) && !realm_is_foreign(to->realm))
		connect_two(from, to);
}

static bool advance(struct actor *actor, const json_t *op, enum progress to, const char *name)
{
	const json_t *peer = json_object_get(op, "to");
	struct actor *other = actor_by_id(actor->realm->engine, (uint64_t)json_integer_value(peer));
	struct direct **slot = other ? find(actor, other) : NULL;

	if (!json_is_integer(peer))
		return false;
	if (!slot)
		return true; /* the peer is gone meanwhile */
	int own = (*slot)->ends[0] == actor ? 0 : 1;
	if ((*slot)->progress[own] != to - 1 ||
	    (to == PROGRESS_SWITCHED && (*slot)->progress[!own] == PROGRESS_OFFERED))
		return false;
	(*slot)->progress[own] = to;
	link_control(&other->link,
		     json_pack("{s:s, s:I}", "op", name, "from", (json_int_t)actor->bearer.id));
	return true;
}

bool direct_op_linked(struct actor *actor, const json_t *op)
{
	return advance(actor, op, PROGRESS_LINKED, "linked");
}

bool direct_op_switched(struct actor *actor, const json_t *op)
{
	return advance(actor, op, PROGRESS_SWITCHED, "switched");
}

void directs_end(struct actor *actor)
{
	for (size_t i = 0; i < DIRECTS_OF_ACTOR; i++) {
		struct direct *direct = actor->directs[i];

		if (!direct)
			continue;
		struct actor *other = direct->ends[direct->ends[0] == actor];
		link_control(&other->link, json_pack("{s:s, s:I}", "op", "unlinked", "from",
						     (json_int_t)actor->bearer.id));
		*find(other, actor) = NULL;
		actor->directs[i] = NULL;
		actor->realm->engine->ndirects--;
		realm_budget(direct->ends[0]->realm)->directs--;
		free(direct);
	}
}
