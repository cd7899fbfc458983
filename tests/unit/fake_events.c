/* SPDX-License-Identifier: MIT */
#include "fake_events.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/director/change.h"

static const char *const group_names[] = { "foo", "bar" };
static const char *const roles[] = { "r", "s" };
static const char *const names[] = { "n", "m" };

static const char *file_of(unsigned number)
{
	static const char *const files[] = { "",          "foo-1.tls", "foo-2.tls", "foo-3.tls",
					     "bar-1.tls", "bar-2.tls", "bar-3.tls" };

	return files[number];
}

static unsigned number_of(const struct source *source)
{
	return source ? (unsigned)strtoul(source->sha256 + 56, NULL, 16) : 0;
}

static struct group *group_named(const struct fake *f, const char *name)
{
	struct group *g = f->director->groups;

	while (g && strcmp(g->name, name) != 0)
		g = g->next;
	return g;
}

void fake_begin(struct fake *f, const struct fake_alphabet *alphabet)
{
	fake_open(f, false);
	f->settings.slots = alphabet->slots;
	f->means.same_declarations = true;
	for (unsigned g = 0; g < 2; g++) {
		char text[512];

		(void)snprintf(text, sizeof(text), "%s", alphabet->declaration);
		for (char *c = text; *c; c++)
			*c = *c == '@' ? *roles[g] : *c == '#' ? *names[g] : *c;
		fake_declare(&f->means, group_names[g], text);
		for (unsigned v = 0; v < alphabet->versions[g]; v++) {
			unsigned number = g * FAKE_VERSIONS + v + 1;

			fake_package(&f->means, number, group_names[g], file_of(number));
		}
	}
}

/* --- what can happen --- */

struct possible {
	const struct fake_alphabet *alphabet;
	unsigned char *events;
	size_t n;
};

static void add(struct possible *p, enum fake_event event, unsigned number)
{
	if (!(p->alphabet->kinds & (1u << (event >> 4))))
		return;
	assert(p->n < FAKE_EVENTS_MAX);
	p->events[p->n++] = (unsigned char)(event | number);
}

static unsigned queue_length(const struct group *group)
{
	unsigned n = 0;

	for (const struct change *c = group ? group->changes : NULL; c; c = c->next)
		n++;
	return n;
}

static bool is_loaded(const struct fake *f, unsigned number)
{
	char sha256[65];

	(void)snprintf(sha256, sizeof(sha256), "%064x", number);
	return source_find(f->director, sha256) != NULL;
}

static bool is_parked(const struct fake *f)
{
	return f->director->parked != NULL;
}

static void add_wishes(unsigned g, struct possible *p)
{
	unsigned first = (g * FAKE_VERSIONS + 1) | FAKE_WANT;

	for (unsigned v = 0; v < p->alphabet->versions[g]; v++)
		add(p, FAKE_LOAD, (g * FAKE_VERSIONS + v + 1) | FAKE_WANT);
	add(p, FAKE_UNLOAD, first);
	add(p, FAKE_SEND, first);
}

static void add_requests(const struct fake *f, struct possible *p)
{
	for (unsigned g = 0; g < 2; g++) {
		bool free_place = queue_length(group_named(f, group_names[g])) < p->alphabet->queue;

		for (unsigned v = 0; free_place && v < p->alphabet->versions[g]; v++) {
			unsigned number = g * FAKE_VERSIONS + v + 1;

			add(p, FAKE_LOAD, number);
			if (is_loaded(f, number))
				add(p, FAKE_UNLOAD, number);
		}
		if (p->alphabet->versions[g] && !is_parked(f))
			add(p, FAKE_SEND, g * FAKE_VERSIONS + 1);
		if (free_place && p->alphabet->wants && p->alphabet->versions[g])
			add_wishes(g, p);
	}
}

static void add_of_source(const struct fake_source *s, struct possible *p)
{
	unsigned number = fake_number(s);

	if (!s->told) {
		add(p, FAKE_IMPORTED, number);
		add(p, FAKE_NOT_IMPORTED, number);
	}
	add(p, FAKE_ENDED, number);
}

static void add_of_actor(const struct fake_actor *a, struct possible *p)
{
	unsigned number = fake_number(a->of) | (a->class_name[2] == 'B' ? FAKE_SECOND : 0);

	if (!a->pub.up && !a->failed) {
		add(p, FAKE_UP, number);
		add(p, FAKE_FAILED, number);
	}
	if (a->ref[0] || a->endpoint) {
		add(p, FAKE_TAKEN, number);
		add(p, FAKE_NOT_TAKEN, number);
	}
	add(p, FAKE_EXITED, number);
}

size_t fake_possible(const struct fake *f, const struct fake_alphabet *alphabet,
		     unsigned char events[FAKE_EVENTS_MAX])
{
	struct possible p = { .alphabet = alphabet, .events = events };

	add_requests(f, &p);
	for (const struct verification *v = f->means.verifications; v; v = v->next) {
		add(&p, FAKE_VALID, v->package->number);
		add(&p, FAKE_INVALID, v->package->number);
	}
	for (const struct fake_source *s = f->engine->sources; s; s = s->next)
		add_of_source(s, &p);
	for (const struct fake_actor *a = f->engine->actors; a; a = a->next)
		add_of_actor(a, &p);
	if (f->clock.clock.first)
		add(&p, FAKE_TIME, 0);
	add(&p, FAKE_CRASH, 0);
	add(&p, FAKE_DISK, 0);
	return p.n;
}

/* --- it happens --- */

static struct fake_actor *actor_of(const struct fake *f, unsigned number)
{
	struct fake_actor *actor =
		fake_actor(f->engine, number & ~FAKE_SECOND, number & FAKE_SECOND ? "a.B" : "a.A");

	assert(actor);
	return actor;
}

/* All sources of a group declare its role: while one of them is on its way, so is the role. */
static bool is_on_its_way(const struct group *g)
{
	const struct source *s = g ? g->sources : NULL;

	while (s && s->state != SOURCE_LOST)
		s = s->next;
	return s || (g && group_is_changing(g) && (g->sources || g->changes->incoming));
}

static void send_to(struct fake *f, unsigned number)
{
	unsigned g = (number - 1) / FAKE_VERSIONS;
	bool comes = is_on_its_way(group_named(f, group_names[g]));
	uint64_t ticket;

	if (fake_send(f, roles[g], "'hello'", &ticket) == DELIVERY_NONE && comes)
		f->misled = true;
}

/* Who has asked the dead one is told by the end of the connection; only the living owe an answer. */
static void crash(struct fake *f)
{
	for (size_t i = 0; i < f->nasked; i++)
		json_decref(f->asked[i].warnings);
	f->nasked = 0;
	f->means.fail_save = false;
	fake_crash(f);
}

static void happens_to_actor(struct fake *f, enum fake_event kind, struct fake_actor *actor)
{
	if (kind == FAKE_UP)
		fake_up(f->engine, actor);
	else if (kind == FAKE_FAILED)
		fake_failed(f->engine, actor, "TypeError: no");
	else if (kind == FAKE_EXITED)
		fake_exited(f->engine, actor, "exited with status 1");
	else if (actor->ref[0])
		fake_taken(f->engine, actor, kind == FAKE_TAKEN ? NULL : "ValueError: no");
	else
		(void)fake_answer(f->engine, actor,
				  kind == FAKE_TAKEN ? ENCODING_LITERAL : ENCODING_POISON);
}

/* Of the group of a source, or of that version of it. */
static void want(struct fake *f, enum fake_event kind, unsigned number)
{
	const char *group = group_names[(number - 1) / FAKE_VERSIONS];
	const char version[] = { file_of(number)[4], '\0' };

	if (kind == FAKE_LOAD)
		(void)fake_hold(f, group, version);
	else if (kind == FAKE_UNLOAD)
		(void)fake_rollback(f, group);
	else
		(void)fake_release(f, group);
}

void fake_happens(struct fake *f, unsigned char event)
{
	enum fake_event kind = event & 0xf0;
	unsigned number = event & 0x0f;

	if (kind <= FAKE_SEND && number & FAKE_WANT) {
		want(f, kind, number & ~FAKE_WANT);
		return;
	}
	switch (kind) {
	case FAKE_LOAD:
		(void)fake_load_for(f, &(struct load_request){ .target = file_of(number),
							       .wait_s = 60,
							       .retry = number % 2 });
		break;
	case FAKE_UNLOAD:
		(void)fake_unload(f, number);
		break;
	case FAKE_SEND:
		send_to(f, number);
		break;
	case FAKE_VALID:
	case FAKE_INVALID:
		fake_says(f, number, kind == FAKE_VALID ? 0 : 7, "no key validates it");
		break;
	case FAKE_IMPORTED:
	case FAKE_NOT_IMPORTED:
		fake_imports(f, number, kind == FAKE_IMPORTED ? NULL : "ImportError: no");
		break;
	case FAKE_ENDED:
		fake_ends(f, number);
		break;
	case FAKE_TIME:
		(void)fake_clock_next(&f->clock);
		break;
	case FAKE_CRASH:
		crash(f);
		break;
	case FAKE_DISK:
		f->means.fail_save = !f->means.fail_save;
		break;
	default:
		happens_to_actor(f, kind, actor_of(f, number));
		break;
	}
}

/* --- the digest --- */

static void mix(uint64_t *digest, uint64_t value)
{
	*digest = (*digest ^ value) * 0x100000001b3;
	*digest ^= *digest >> 29;
}

static void mix_declared(uint64_t *digest, const struct declared *d)
{
	mix(digest, d->actor ? 2u + d->actor->up : 1);
	mix(digest, d->wanted);
	mix(digest, timer_runs(&d->again));
	mix(digest, d->delay_ms == 0 ? 0 : 1);
	mix(digest, d->restarts > 1 ? 2 : d->restarts);
}

static void mix_source(uint64_t *digest, const struct source *s)
{
	mix(digest, number_of(s));
	mix(digest, s->state);
	mix(digest, s->returns_active);
	mix(digest, s->losses > 1 ? 2 : s->losses);
	mix(digest, s->vouch != NULL);
	mix(digest, s->loaded != NULL);
	for (size_t i = 0; i < s->ndeclared; i++)
		mix_declared(digest, &s->declared[i]);
}

static void mix_change(uint64_t *digest, const struct change *c)
{
	mix(digest, 100 + c->kind);
	mix(digest, c->state);
	mix(digest, strlen(c->target) > 4 ? (unsigned char)c->target[4] : 0);
	mix(digest, c->kind == CHANGE_LOAD ? 0 : (unsigned char)c->target[strlen(c->target) - 1]);
	mix(digest, c->purpose);
	mix(digest, c->version ? (unsigned char)*c->version : 0);
	mix(digest, c->wanted[0] ? (unsigned char)c->wanted[63] : 0);
	mix(digest, number_of(c->source));
	mix(digest, number_of(c->before));
	mix(digest, c->rested);
	mix(digest, c->incoming != NULL);
	mix(digest, c->error != NULL);
	mix(digest, number_of(c->launch.source));
	mix(digest, c->launch.at);
	mix(digest, c->launch.stage);
	mix(digest, c->has_slot);
	mix(digest, timer_runs(&c->deadline));
}

static void mix_package(uint64_t *digest, const json_t *package)
{
	const char *sha256 = json_string_value(json_object_get(package, "SHA256"));

	mix(digest, sha256 ? (unsigned char)sha256[63] : 0);
}

static void mix_group(uint64_t *digest, const struct group *g)
{
	mix(digest, (unsigned char)*g->name);
	mix(digest, number_of(g->active));
	mix(digest, (unsigned char)g->undone[0] ? (unsigned char)g->undone[63] : 0);
	mix_package(digest, g->held);
	for (size_t i = 0; i < json_array_size(g->was_active); i++)
		mix_package(digest, json_array_get(g->was_active, i));
	for (const struct source *s = g->sources; s; s = s->next)
		mix_source(digest, s);
	for (const struct change *c = g->changes; c; c = c->next)
		mix_change(digest, c);
}

static void mix_engine(uint64_t *digest, const struct fake_engine *engine)
{
	for (const struct fake_source *s = engine->sources; s; s = s->next)
		mix(digest, fake_number(s) << 3 | (unsigned)s->told << 1 | s->stopping);
	for (const struct fake_actor *a = engine->actors; a; a = a->next) {
		mix(digest, (unsigned char)a->class_name[2]);
		mix(digest, a->endpoint != 0);
		mix(digest, fake_number(a->of) << 4 | (unsigned)a->failed << 3 |
				    (unsigned)a->pub.up << 2 | (unsigned)(a->ref[0] != '\0') << 1 |
				    (a->pub.owner != NULL));
		mix(digest, (unsigned char)a->name[0]);
	}
}

static void mix_disk(uint64_t *digest, const struct fake_means *means)
{
	const json_t *s;
	size_t i;

	json_array_foreach(means->sources, i, s)
	{
		const char *sha256 = json_string_value(json_object_get(s, "SHA256"));

		mix(digest, (unsigned char)sha256[63]);
		mix(digest, json_is_true(json_object_get(s, "Active")));
	}
	for (size_t k = 0; k < FAKE_MAX; k++)
		mix(digest, (unsigned char)means->stored[k].sha256[63]);
	mix(digest, means->fail_save);
}

/* In which order timers come, and of what order of magnitude the time between them is. */
static void mix_timers(uint64_t *digest, const struct fake_clock *clock)
{
	int64_t before = clock->now_mono_ms;

	for (const struct timer *t = clock->clock.first; t; t = t->next) {
		int64_t gap_ms = t->due_mono_ms - before;

		mix(digest, gap_ms <= 0 ? 0 : gap_ms <= 1000 ? 1 : gap_ms <= 10000 ? 2 : 3);
		mix(digest, (uint64_t)(uintptr_t)t->fire);
		before = t->due_mono_ms;
	}
}

uint64_t fake_digest(const struct fake *f)
{
	uint64_t digest = 0xcbf29ce484222325;

	for (const struct group *g = f->director->groups; g; g = g->next)
		mix_group(&digest, g);
	for (const struct change *c = f->director->ready; c; c = c->next_ready)
		mix(&digest, (unsigned char)*c->group->name);
	mix_engine(&digest, f->engine);
	for (const struct verification *v = f->means.verifications; v; v = v->next)
		mix(&digest, v->package->number);
	mix_disk(&digest, &f->means);
	mix(&digest, is_parked(f));
	mix_timers(&digest, &f->clock);
	return digest;
}

/* --- in words --- */

char *fake_history(const unsigned char *events, size_t n)
{
	static const char *const words[] = { "load",    "unload",   "send",         "valid",
					     "invalid", "imported", "not-imported", "up",
					     "failed",  "taken",    "not-taken",    "exited",
					     "ended",   "time",     "crash",        "disk" };
	static const char *const wishes[] = { "hold", "rollback", "release" };
	char *text = malloc(n * 20 + 1);
	char *end = text;

	assert(text);
	*text = '\0';
	for (size_t i = 0; i < n; i++)
		end += events[i] >> 4 <= FAKE_SEND >> 4 && events[i] & FAKE_WANT
			       ? sprintf(end, "%s %d; ", wishes[events[i] >> 4], events[i] & 0x07)
		       : events[i] >> 4 >= FAKE_TIME >> 4
			       ? sprintf(end, "%s; ", words[events[i] >> 4])
			       : sprintf(end, "%s %d; ", words[events[i] >> 4], events[i] & 0x0f);
	return text;
}
