/* SPDX-License-Identifier: MIT */
/*
 * Looking for strangers by the kernel's lists of children, where a process was made anywhere since the last look. An actor has
 * no children: what is one is a stranger at first sight, for the filter that an actor is to have may be another one, put on
 * by code that was imported. A child of the source's process may be an actor that was not told of yet, so that it takes two
 * looks to be a stranger, and more while actors are on their way: on a busy machine that may take a while. Where there are
 * strangers at look after look, always others, the next ones are such at first sight too: where nothing else is new, where the
 * source answers none of those that ask it for actors, and where there are more than it could have under way.
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
#define LOOKS_OF_BUSY 8
#define SPARE_MS 3000    /* it is an actor by then, or gone */
#define UNEASY 3         /* looks in turn that found some */
#define SUSPECTS 256     /* of a source; more have to wait for the next look */
#define ACTORS_A_LOOK 64 /* whose children are looked at; of more, each has its turn */

struct suspect {
	pid_t pid;
	unsigned looks; /* at which it was there */
};

struct watch {
	pid_t spare;
	pid_t newest;    /* of all processes, at the last look */
	unsigned left;   /* looks until all actors had their turn */
	bool restless;   /* there were strangers at the last look */
	unsigned uneasy; /* looks in turn at which there were, and none of them could be an actor */
	unsigned
		silent; /* looks in turn at which the source had told of no actor that it was asked for */
	size_t answered; /* actors that it had told of, at the last look */
	pid_t spare_before;
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
	size_t nactors;
	size_t waiting;    /* actors that are on their way */
	size_t answered;   /* that the source has told of */
	size_t unknown;    /* its children that are none of these */
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

	watch->restless = true;
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

/* Its children are nobody's actors. */
static void on_grandchild(void *ctx, pid_t pid)
{
	if (proc_lives(pid))
		suspect(ctx, pid);
}

static void look_below(struct look *look, pid_t pid)
{
	struct look below = *look;

	if (pid <= 0 || proc_parent(pid) != look->realm->pid)
		return;
	below.parent = pid;
	below.patience = 1;
	proc_children(pid, on_grandchild, &below);
}

static size_t count_actors(const struct realm *realm)
{
	size_t n = 0;

	for (const struct actor *a = realm->actors; a; a = a->next)
		n++;
	return n;
}

/* The actors that there are, and the one that is ahead. False: out of memory. */
static bool know(struct look *look)
{
	struct watch *watch = look->realm->watch;

	look->nactors = count_actors(look->realm);
	look->known = calloc(look->nactors + 1, sizeof(*look->known));
	if (!look->known)
		return false;
	if (watch->spare > 0)
		look->known[look->n++] = watch->spare;
	for (const struct actor *a = look->realm->actors; a; a = a->next) {
		look->known[look->n++] = a->pub.pid;
		look->waiting += a->pub.pid == 0 && a->state == ACTOR_STARTING;
		look->answered += a->pub.pid != 0;
	}
	qsort(look->known, look->n, sizeof(*look->known), compare);
	look->patience = watch->uneasy >= UNEASY ? 1 : look->waiting > 0 ? LOOKS_OF_BUSY : LOOKS;
	return true;
}

static void on_child(void *ctx, pid_t pid)
{
	struct look *look = ctx;

	if (bsearch(&pid, look->known, look->n, sizeof(pid), compare) || !proc_lives(pid))
		return;
	look->unknown++;
	suspect(look, pid);
}

/* Whatever the source's process says: a spare that outstays its time is no actor that is to come. */
static void expire(struct watch *watch)
{
	if (watch->spare > 0 && proc_age_ms(watch->spare) > SPARE_MS)
		watch->spare = 0;
}

static unsigned turns(size_t nactors)
{
	return (unsigned)(nactors / ACTORS_A_LOOK) + 1;
}

/* Those whose turn it is. */
static void look_below_actors(struct look *look)
{
	unsigned turn = look->realm->watch->left % turns(look->nactors);
	size_t i = 0;

	for (const struct actor *a = look->realm->actors; a; a = a->next)
		if (i++ / ACTORS_A_LOOK == turn)
			look_below(look, a->pub.pid);
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

/*
 * Where actors come and go, one that was not told of yet may be met at any look; but no more at once than it was asked for, and
 * the spare one, and none where it tells of nothing for so long.
 */
static void settle(const struct look *look)
{
	struct watch *watch = look->realm->watch;
	bool same = look->answered == watch->answered;
	bool quiet = same && watch->spare == watch->spare_before;

	watch->silent = look->waiting > 0 && same ? watch->silent + 1 : 0;
	if (look->waiting > 0)
		quiet = watch->silent >= LOOKS_OF_BUSY;
	if (look->unknown > look->waiting + 1)
		quiet = true;
	watch->uneasy = watch->restless && quiet ? watch->uneasy + 1 : 0;
	watch->answered = look->answered;
	watch->spare_before = watch->spare;
}

static void look_at(struct realm *realm)
{
	struct look look = { .realm = realm, .parent = realm->pid };
	struct watch *watch = realm->watch;

	watch->nfound = 0;
	watch->restless = false;
	expire(watch);
	if (!know(&look))
		return;
	proc_children(realm->pid, on_child, &look);
	look_below(&look, watch->spare);
	look_below_actors(&look);
	free(look.known);
	settle(&look);
	memcpy(watch->suspects, watch->found, watch->nfound * sizeof(watch->found[0]));
	watch->nsuspects = watch->nfound;
	tell(realm);
}

/* Where nobody was made anywhere there are no strangers but those that were found, and what they leave behind. */
static bool is_due(const struct realm *realm, pid_t newest)
{
	struct watch *watch = realm->watch;

	if (watch->newest != newest || newest == 0 || watch->restless)
		watch->left = turns(count_actors(realm));
	watch->newest = newest;
	if (watch->left == 0)
		return watch->spare > 0;
	watch->left--;
	return true;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct local *engine = arg;
	pid_t newest = proc_newest();

	(void)fd;
	(void)what;
	for (struct realm *r = engine->realms; r; r = r->next)
		if (r->watch && r->process == PROCESS_RUNS && is_due(r, newest))
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
