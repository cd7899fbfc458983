/* SPDX-License-Identifier: MIT */
/*
 * Looking for strangers by the kernel's lists of children. An actor that has its second filter can have no children any more:
 * it is looked at until then, and never again. A process that was just forked may be an actor that was not told of yet, so
 * that it takes two looks to be a stranger, and more while actors are on their way: on a busy machine that may take a while.
 */
#include "strangers.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/budget.h"
#include "daemon/base/clock.h"
#include "local.h"
#include "proc.h"

#define LOOK_MS 300
#define LOOKS 2
#define LOOKS_OF_BUSY 32
#define SUSPECTS 256       /* of a source; more have to wait for the next look */
#define FILTERS_OF_ACTOR 2 /* on top of those that the daemon has itself */

struct suspect {
	pid_t pid;
	unsigned looks; /* at which it was there */
};

struct watch {
	pid_t spare;
	struct suspect suspects[SUSPECTS]; /* of the last look */
	size_t nsuspects;
	struct suspect found[SUSPECTS]; /* of this one */
	size_t nfound;
	unsigned killed; /* since that was told */
	pid_t first;     /* of those */
	int64_t told_mono_ms;
};

/* --- one look at a source --- */

struct look {
	struct realm *realm;
	pid_t *known; /* sorted */
	size_t n;
	unsigned patience; /* how many looks make a stranger */
	pid_t parent;      /* whose children are looked at */
};

static unsigned looks_at(const struct watch *watch, pid_t pid)
{
	for (size_t i = 0; i < watch->nsuspects; i++)
		if (watch->suspects[i].pid == pid)
			return watch->suspects[i].looks + 1;
	return 1;
}

static void suspect(const struct look *look, pid_t pid)
{
	struct watch *watch = look->realm->watch;
	unsigned looks = looks_at(watch, pid);

	if (looks >= look->patience && proc_kill_child(pid, look->parent)) {
		watch->first = watch->killed == 0 ? pid : watch->first;
		watch->killed++;
	} else if (watch->nfound < SUSPECTS) {
		watch->found[watch->nfound++] = (struct suspect){ pid, looks };
	}
}

static int compare(const void *a, const void *b)
{
	const pid_t *x = a;
	const pid_t *y = b;

	return (*x > *y) - (*x < *y);
}

/* The actors that there are, and the one that is ahead. False: out of memory. */
static bool know(struct look *look)
{
	size_t n = 1;

	for (const struct actor *a = look->realm->actors; a; a = a->next)
		n++;
	look->known = calloc(n, sizeof(*look->known));
	if (!look->known)
		return false;
	look->known[look->n++] = look->realm->watch->spare;
	for (const struct actor *a = look->realm->actors; a; a = a->next) {
		look->known[look->n++] = a->pub.pid;
		if (a->pub.pid == 0 && a->state == ACTOR_STARTING)
			look->patience = LOOKS_OF_BUSY;
	}
	qsort(look->known, look->n, sizeof(*look->known), compare);
	return true;
}

static void on_child(void *ctx, pid_t pid)
{
	const struct look *look = ctx;

	if (!bsearch(&pid, look->known, look->n, sizeof(pid), compare) && proc_lives(pid))
		suspect(look, pid);
}

/* What an actor has forked before it had its second filter, by a hook of its fork, say, is a stranger. */
static void look_at_actor(struct look *look, struct actor *actor)
{
	size_t before = look->realm->watch->nfound;
	pid_t pid = actor->pub.pid;

	if (actor->sealed || pid <= 0 || proc_parent(pid) != look->realm->pid)
		return;
	bool sealed = proc_filters(pid) >= look->realm->engine->filters + FILTERS_OF_ACTOR;
	look->parent = pid;
	proc_children(pid, on_child, look);
	actor->sealed = sealed && look->realm->watch->nfound == before;
}

static void tell(struct realm *realm)
{
	struct watch *watch = realm->watch;
	struct local *engine = realm->engine;
	char text[96];

	if (watch->killed == 0 || !budget_may_tell(&watch->told_mono_ms, clock_now_mono_ms()))
		return;
	if (watch->killed == 1)
		(void)snprintf(text, sizeof(text), "process %d is no actor, and was killed",
			       (int)watch->first);
	else
		(void)snprintf(text, sizeof(text),
			       "%u processes are no actors, and were killed, the first was %d",
			       watch->killed, (int)watch->first);
	watch->killed = 0;
	engine->events->strangers(engine->ctx, &realm_origin(realm)->pub, text);
}

static void look_at(struct realm *realm)
{
	struct look look = { .realm = realm, .patience = LOOKS, .parent = realm->pid };
	struct watch *watch = realm->watch;

	watch->nfound = 0;
	if (!know(&look))
		return;
	proc_children(realm->pid, on_child, &look);
	for (struct actor *a = realm->actors; a; a = a->next)
		look_at_actor(&look, a);
	free(look.known);
	memcpy(watch->suspects, watch->found, watch->nfound * sizeof(watch->found[0]));
	watch->nsuspects = watch->nfound;
	tell(realm);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct local *engine = arg;

	(void)fd;
	(void)what;
	for (struct realm *r = engine->realms; r; r = r->next)
		if (r->watch && r->process == PROCESS_RUNS)
			look_at(r);
}

bool strangers_watch(struct realm *realm)
{
	static const struct timeval often = { .tv_usec = LOOK_MS * 1000 };
	struct local *engine = realm->engine;

	realm->watch = calloc(1, sizeof(*realm->watch));
	if (!realm->watch)
		return false;
	if (engine->looks)
		return true;
	engine->filters = proc_filters(0);
	engine->looks = event_new(engine->base, -1, EV_PERSIST, on_look, engine);
	return engine->looks && event_add(engine->looks, &often) == 0;
}

void strangers_expect(struct realm *realm, pid_t spare)
{
	if (realm->watch)
		realm->watch->spare = spare;
}

void strangers_stop(struct local *engine)
{
	if (engine->looks)
		event_free(engine->looks);
	engine->looks = NULL;
}
