/* SPDX-License-Identifier: MIT */
/* What must be so in each state of a world of fakes, and when all has come to rest. */
#include "fake_events.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/director/change.h"
#include "daemon/director/desired.h"

#define REST_MS 200000 /* longer than any wait, retry or restart */

static bool is_actor(const struct fake *f, const struct engine_actor *actor)
{
	const struct fake_actor *a = f->engine->actors;

	while (a && &a->pub != actor)
		a = a->next;
	return a != NULL;
}

static bool is_engine_source(const struct fake *f, const struct engine_source *source)
{
	const struct fake_source *s = f->engine->sources;

	while (s && &s->pub != source)
		s = s->next;
	return s != NULL;
}

/* A global name means an actor of the active source of its group, or nobody. */
static bool name_is_right(const struct fake *f, const struct group *g, const char *name)
{
	const struct engine_actor *actor =
		f->engine->engine.ops->find_name(&f->engine->engine, name);
	const struct declared *declared = actor ? actor->owner : NULL;

	return !actor || (declared && g->active && declared->source == g->active);
}

static const char *broken_source(const struct fake *f, const struct source *s)
{
	if (s->loaded && (!is_engine_source(f, s->loaded) || s->loaded->owner != s))
		return "a source points to one of the engine's that is gone, or another's";
	if ((s->state == SOURCE_LOADED || s->state == SOURCE_UNLOADING) && !s->loaded)
		return "a source that has no process says that it is loaded";
	for (size_t i = 0; i < s->ndeclared; i++) {
		const struct declared *d = &s->declared[i];

		if (d->actor && (!is_actor(f, d->actor) || d->actor->owner != d))
			return "a declared actor is gone, or another's";
		if (d->actor && timer_runs(&d->again))
			return "an actor that runs is to be started again";
		if (d->global_name && !name_is_right(f, s->group, d->global_name))
			return "a global name means an actor of a source that is not active";
	}
	return NULL;
}

static const char *broken_group(const struct fake *f, const struct group *g)
{
	bool has_active = false;
	const char *broken = NULL;

	for (const struct source *s = g->sources; s && !broken; s = s->next) {
		has_active = has_active || s == g->active;
		broken = broken_source(f, s);
	}
	if (broken)
		return broken;
	if (g->active && !has_active)
		return "the active source is none of the group's";
	if (g->active && g->active->state != SOURCE_LOADED && g->active->state != SOURCE_UNLOADING)
		return "the active source is not loaded";
	for (const struct change *c = g->changes ? g->changes->next : NULL; c; c = c->next)
		if (c->state != CHANGE_WAITING)
			return "two changes of a group are under way";
	return NULL;
}

static const char *broken_slots(const struct director *director)
{
	unsigned n = 0;

	for (const struct group *g = director->groups; g; g = g->next)
		for (const struct change *c = g->changes; c; c = c->next)
			n += c->has_slot;
	if (n != director->slots_used)
		return "places are counted wrong";
	return n > director->settings->slots ? "there are more than all places" : NULL;
}

static bool is_named(const json_t *written, const struct source *s)
{
	const char *sha256 = json_string_value(json_object_get(written, "SHA256"));

	return sha256 && strcmp(sha256, s->sha256) == 0;
}

static bool is_as_written(const json_t *written, const struct source *s)
{
	const struct source *active = s->group->active;
	bool is_active = active ? active == s : s->returns_active;

	return is_named(written, s) &&
	       json_is_true(json_object_get(written, "Active")) == is_active;
}

/* The sources of a group are written oldest first; one that is on its way out is there until it is gone. */
static bool are_as_written(const json_t *sources, size_t *at, const struct source *s)
{
	if (!s)
		return true;
	if (!are_as_written(sources, at, s->next))
		return false;
	if (s->state == SOURCE_UNLOADING && is_named(json_array_get(sources, *at), s))
		++*at;
	if (s->state != SOURCE_LOADED && s->state != SOURCE_LOST)
		return true;
	return is_as_written(json_array_get(sources, (*at)++), s);
}

static bool is_written(const struct fake *f)
{
	size_t at = 0;

	for (const struct group *g = f->director->groups; g; g = g->next)
		if (!are_as_written(f->means.sources, &at, g->sources))
			return false;
	return at == json_array_size(f->means.sources);
}

static const char *broken_answer(const struct fake_asked *asked)
{
	if (asked->answers > 1)
		return "a request was answered twice";
	if (asked->answers == 0 || asked->status != 0 || asked->number == 0)
		return NULL;
	if (asked->unloads)
		return asked->still_loaded ? "what was unloaded is loaded" : NULL;
	return asked->active == asked->number ? NULL : "what was loaded is not active";
}

const char *fake_broken(const struct fake *f)
{
	const char *broken = broken_slots(f->director);

	for (const struct group *g = f->director->groups; g && !broken; g = g->next)
		broken = broken_group(f, g);
	if (broken)
		return broken;
	for (const struct fake_source *s = f->engine->sources; s; s = s->next)
		if (!s->pub.owner)
			return "a process belongs to no source";
	for (const struct fake_actor *a = f->engine->actors; a; a = a->next)
		if (!a->pub.owner || ((const struct declared *)a->pub.owner)->actor != &a->pub)
			return "an actor is not its declaration's";
	if (f->misled)
		return "no such role, though it is on its way";
	for (size_t i = 0; i < f->nasked && !broken; i++)
		broken = broken_answer(&f->asked[i]);
	if (broken)
		return broken;
	if (!f->means.save_failed && !is_written(f))
		return "what is on disk is not what is loaded";
	return NULL;
}

/* --- at rest --- */

/* Does its group want it in the store, loaded or not? */
static bool is_wanted(const struct fake *f, const char *sha256)
{
	const struct group *g = f->director->groups;

	while (g && !group_stores(g, sha256))
		g = g->next;
	return g != NULL;
}

/* How many of the store are loaded; -1: one is there that nobody has or wants. */
static int stored(const struct fake *f)
{
	int n = 0;

	for (size_t i = 0; i < FAKE_MAX; i++) {
		const char *sha256 = f->means.stored[i].sha256;

		if (*sha256 && source_find(f->director, sha256))
			n++;
		else if (*sha256 && !is_wanted(f, sha256))
			return -1;
	}
	return n;
}

static const char *unrest_of_group(const struct group *g)
{
	if (g->changes)
		return "a change does not end";
	for (const struct source *s = g->sources; s; s = s->next)
		if (s->state != SOURCE_LOADED)
			return "a source is on its way for ever";
	if (g->sources && !g->active)
		return "of the loaded sources none is active";
	for (const struct source *s = g->sources; s; s = s->next)
		if (group_is_held_at(g, s->sha256) && s != g->active)
			return "what the group is held at is loaded, but not active";
	for (size_t i = 0; g->active && i < g->active->ndeclared; i++) {
		const struct declared *d = &g->active->declared[i];

		if (!d->actor || !d->actor->up)
			return "an actor of the active source does not run";
		if (d->global_name && !((const struct fake_actor *)d->actor)->name[0])
			return "an actor of the active source has not got its name";
	}
	return NULL;
}

static int sources(const struct fake *f)
{
	int n = 0;

	for (const struct group *g = f->director->groups; g; g = g->next)
		for (const struct source *s = g->sources; s; s = s->next)
			n++;
	return n;
}

const char *fake_broken_at_rest(struct fake *f)
{
	const char *broken = NULL;

	f->means.fail_save = false;
	fake_run_ms(f, REST_MS);
	for (const struct group *g = f->director->groups; g && !broken; g = g->next)
		broken = unrest_of_group(g);
	if (broken || (broken = fake_broken(f)))
		return broken;
	if (f->restores && !f->restored)
		return "a restore does not end";
	if (f->director->parked)
		return "a message is parked for ever";
	if (!f->means.save_failed && stored(f) != sources(f))
		return "the store does not hold what is loaded, or holds what nobody wants";
	for (size_t i = 0; i < f->nasked; i++)
		if (f->asked[i].answers != 1)
			return "a request is not answered";
	return NULL;
}
