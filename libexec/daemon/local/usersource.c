/* SPDX-License-Identifier: MIT */
/* Sources of users: asked for, accepted or refused by an authority, and the realms that they run in. */
#include "usersource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "tool/cli.h"

#define ANSWER_S 120               /* that an authority may take */
#define INFO_MAX_BYTES (16 << 10)  /* of what is said of a source */
#define LIST_MAX_BYTES (512 << 10) /* of all that is said at once */
#define USER_SOURCES_MAX 64 /* of a zone; all their archives together are at most maxmessage */

struct user_source {
	struct user_source *next;
	struct local *engine;
	uint32_t zone;
	char md5[33];
	char *info;
	int archive; /* what the authority made of it; -1: it has not answered */
	struct event *expiry;
};

struct authority {
	struct authority *next;
	uint32_t zone;
	uint64_t actor;
};

static uint32_t zone_of(const struct realm *realm)
{
	return realm_origin(realm)->number;
}

static struct user_source *find(struct local *engine, uint32_t zone, const char *md5)
{
	for (struct user_source *s = engine->user_sources; s; s = s->next)
		if (s->zone == zone && strcmp(s->md5, md5) == 0)
			return s;
	return NULL;
}

static struct actor *find_authority(struct local *engine, uint32_t zone, bool *registered)
{
	for (struct authority *a = engine->authorities; a; a = a->next)
		if (a->zone == zone) {
			*registered = true;
			return actor_by_id(engine, a->actor);
		}
	*registered = false;
	return NULL;
}

/* A realm that was made of this source and still takes new actors. */
static bool is_of(const struct realm *realm, const struct user_source *source)
{
	return (realm->state == REALM_PENDING || realm->state == REALM_OPEN) && realm->home &&
	       realm->home->number == source->zone && strcmp(realm->md5, source->md5) == 0;
}

/* --- those who watch --- */

static json_t *notice(const char *md5, const char *info, bool loaded)
{
	return json_pack("{s:s, s:s, s:o?, s:b}", "op", "source", "hash", md5, "info",
			 tds_cli_json_text(info ? info : ""), "loaded", loaded);
}

/* One that does not read what it asked to be told cannot be waited for: its link ends, and so it does. */
static void tell_watcher(struct actor *actor, json_t *op)
{
	if (!link_is_over(&actor->link)) {
		(void)link_control(&actor->link, op);
		return;
	}
	json_decref(op);
	actor->ended_for = "an actor was to be told of sources, did not read it, and was ended";
	link_send(&actor->link, NULL);
}

/* zone 0: all. */
static void tell_watchers(struct local *engine, uint32_t zone, const char *md5, const char *info,
			  bool loaded)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		for (struct actor *a = r->actors; a; a = a->next)
			if (a->watches_sources && (zone == 0 || zone_of(r) == zone))
				tell_watcher(a, notice(md5, info, loaded));
}

/* Have those that watch been told of it? */
static bool is_told(const struct realm *realm)
{
	return traits(realm)->loaded && realm->info && realm->state == REALM_OPEN;
}

void usersource_realm_opened(struct realm *realm)
{
	if (is_told(realm))
		tell_watchers(realm->engine, 0, realm->md5, realm->info, true);
}

/* One more, where there is room for so much. Returns what is left of it. */
static size_t add_source(json_t *list, const char *md5, const char *info, size_t room)
{
	json_t *source = json_pack("[s, o?]", md5, tds_cli_json_text(info));
	size_t size = json_dumpb(source, NULL, 0, JSON_COMPACT) + 1;

	if (size > room) {
		json_decref(source);
		return room;
	}
	(void)json_array_append_new(list, source);
	return room - size;
}

json_t *usersource_list(const struct realm *by)
{
	const struct local *engine = by->engine;
	json_t *list = json_array();
	size_t room = LIST_MAX_BYTES;

	for (const struct realm *r = engine->realms; r; r = r->next)
		if (is_told(r))
			room = add_source(list, r->md5, r->info, room);
	for (const struct user_source *s = engine->user_sources; s; s = s->next)
		if (s->zone == zone_of(by) && s->archive >= 0)
			room = add_source(list, s->md5, s->info, room);
	return list;
}

struct actor *usersource_authority(const struct realm *by)
{
	bool registered;

	return find_authority(by->engine, zone_of(by), &registered);
}

bool usersource_op_watch(struct actor *actor, const json_t *op)
{
	struct local *engine = actor->realm->engine;
	bool before = actor->watches_sources;

	actor->watches_sources = json_is_true(json_object_get(op, "on"));
	if (before || !actor->watches_sources)
		return true;
	for (struct realm *r = engine->realms; r; r = r->next)
		if (is_told(r))
			link_control(&actor->link, notice(r->md5, r->info, true));
	for (struct user_source *s = engine->user_sources; s; s = s->next)
		if (s->zone == zone_of(actor->realm) && s->archive >= 0)
			link_control(&actor->link, notice(s->md5, s->info, true));
	return true;
}

/* --- realms of sources --- */

/* The realm in which actors wait for the source to be valid. */
static struct realm *find_pending(const struct user_source *source)
{
	for (struct realm *r = source->engine->realms; r; r = r->next)
		if (is_of(r, source) && r->state == REALM_PENDING)
			return r;
	return NULL;
}

static void source_free(struct user_source *source)
{
	struct user_source **p = &source->engine->user_sources;

	while (*p != source)
		p = &(*p)->next;
	*p = source->next;
	/* What waits for a source that does not come is told so. */
	for (struct realm *r; (r = find_pending(source));)
		realm_abandon(r, FAILURE_SOURCE, "the source is not valid");
	if (source->expiry)
		event_free(source->expiry);
	tds_close_fd(&source->archive);
	free(source->info);
	free(source);
}

/* NULL: none was made of it yet. */
static struct realm *realm_of(const struct user_source *source)
{
	for (struct realm *r = source->engine->realms; r; r = r->next)
		if (is_of(r, source))
			return r;
	return NULL;
}

/* The realm that a source runs in, or waits in, for code of by. NULL: there is none yet. */
static struct realm *find_realm(struct realm *by, const char *md5)
{
	struct realm *package = realm_by_md5(by->engine, md5);
	struct user_source *source = package ? NULL : find(by->engine, zone_of(by), md5);

	return source ? realm_of(source) : package;
}

struct realm *usersource_realm(struct realm *by, const char *md5)
{
	struct realm *realm = find_realm(by, md5);
	struct user_source *source = realm ? NULL : find(by->engine, zone_of(by), md5);

	if (!source)
		return realm;
	realm = forkserver_derive(by, md5);
	if (realm && source->archive >= 0 && !forkserver_begin(realm, source->archive))
		return NULL;
	return realm;
}

/* Of the process that an actor is to be forked from. NULL: there is none. */
static struct link *forker_link(struct realm *by, const json_t *op)
{
	const char *hash = json_string_value(json_object_get(op, "hash"));
	struct realm *realm = hash ? find_realm(by, hash) : by;

	return realm && !realm_actors_wait(realm) ? &realm->link : NULL;
}

enum link_verdict usersource_may_ask(struct link *asker, struct realm *by, enum asks asks,
				     const json_t *op)
{
	if (asks == ASKS_NOTHING)
		return LINK_TAKEN;
	return link_may_ask(asker, asks == ASKS_FORKER ? forker_link(by, op) : NULL);
}

bool usersource_busy(const struct realm *origin)
{
	for (const struct realm *r = origin->engine->realms; r; r = r->next)
		if (r->home == origin && r->actors)
			return true;
	return false;
}

static struct realm *find_derived(const struct realm *origin)
{
	for (struct realm *r = origin->engine->realms; r; r = r->next)
		if (r->home == origin && r->state != REALM_STOPPING)
			return r;
	return NULL;
}

static void forget_authorities(struct local *engine, uint32_t zone)
{
	for (struct authority **p = &engine->authorities; *p;) {
		struct authority *a = *p;

		if (a->zone != zone) {
			p = &a->next;
			continue;
		}
		*p = a->next;
		free(a);
	}
}

/* Its realms before its sources: what waits in one of them is told of its end later, and by nobody else. */
static void end_zone(struct realm *origin)
{
	struct realm *derived;

	while ((derived = find_derived(origin)))
		realm_stop(derived);
	for (struct user_source *s = origin->engine->user_sources, *next; s; s = next) {
		next = s->next;
		if (s->zone == origin->number)
			source_free(s);
	}
	forget_authorities(origin->engine, origin->number);
}

void usersource_realm_closed(struct realm *realm, enum realm_state before)
{
	if (realm->home)
		return;
	if (traits(realm)->loaded && realm->info && before == REALM_OPEN)
		tell_watchers(realm->engine, 0, realm->md5, realm->info, false);
	end_zone(realm);
}

void usersource_free(struct local *engine)
{
	while (engine->user_sources)
		source_free(engine->user_sources);
	while (engine->authorities) {
		struct authority *a = engine->authorities;

		engine->authorities = a->next;
		free(a);
	}
}

/* --- what is asked for --- */

static bool is_sealed(const struct local *engine, int fd)
{
	struct stat st;

	return tds_io_is_sealed(fd) && fstat(fd, &st) == 0 &&
	       st.st_size <= engine->config->settings->max_message;
}

bool usersource_register(struct actor *actor)
{
	struct local *engine = actor->realm->engine;
	struct authority *a = engine->authorities;

	while (a && a->zone != zone_of(actor->realm))
		a = a->next;
	if (!a) {
		a = calloc(1, sizeof(*a));
		if (!a)
			return false;
		a->zone = zone_of(actor->realm);
		a->next = engine->authorities;
		engine->authorities = a;
	}
	a->actor = actor->bearer.id;
	return true;
}

static void on_expiry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	source_free(arg);
}

static struct user_source *source_new(struct local *engine, uint32_t zone, const char *md5)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	struct user_source *source;
	unsigned n = 0;

	for (source = engine->user_sources; source; source = source->next)
		n += source->zone == zone;
	source = n < USER_SOURCES_MAX ? calloc(1, sizeof(*source)) : NULL;
	if (!source)
		return NULL;
	*source = (struct user_source){
		.next = engine->user_sources, .engine = engine, .zone = zone, .archive = -1
	};
	engine->user_sources = source;
	(void)snprintf(source->md5, sizeof(source->md5), "%s", md5);
	source->expiry = evtimer_new(engine->base, on_expiry, source);
	if (!source->expiry || evtimer_add(source->expiry, &patience) != 0) {
		source_free(source);
		return NULL;
	}
	return source;
}

/* Whoever brings sources faster than the authority reads waits for it; but not for one that is not up. */
static void ask_authority(struct link *authority, struct link *from, const char *md5,
			  const char *info, int data)
{
	struct frame *ask = frame_control(
		json_pack("{s:s, s:s, s:s}", "op", "validate", "hash", md5, "info", info));

	frame_add_fd(ask, data);
	link_send(authority, ask);
	if (!authority->corked && link_is_full(authority))
		link_wait_for(from, authority);
}

bool usersource_load(const struct sender *from, const json_t *op)
{
	struct local *engine = from->engine;
	uint32_t zone = zone_of(from->of);
	const char *md5 = json_string_value(json_object_get(op, "hash"));
	const char *info = json_string_value(json_object_get(op, "info"));
	tds_autofd int data = link_take_fd(from->link);
	bool registered;

	if (data == LINK_FD_LOST)
		return true; /* as if nobody had brought it: to create from it is an error */
	struct actor *authority = find_authority(engine, zone, &registered);

	if (!tds_text_is_hex(md5, 32) || !info || strlen(info) > INFO_MAX_BYTES || data < 0 ||
	    !is_sealed(engine, data))
		return false;
	if (!asker_may(from, TDS_ASKED_SOURCES_OWN, NULL))
		return true;
	/* Where nobody is registered nothing is remembered: to create from it is an error at once. */
	if (!registered || realm_by_md5(engine, md5) || find(engine, zone, md5) ||
	    !source_new(engine, zone, md5))
		return true;
	if (authority)
		ask_authority(&authority->link, from->link, md5, info, tds_steal_fd(&data));
	return true;
}

static void accept_source(struct user_source *source, const char *info, int archive)
{
	struct realm *pending = find_pending(source);

	source->archive = archive;
	source->info = strdup(info);
	(void)event_del(source->expiry);
	tell_watchers(source->engine, source->zone, source->md5, source->info, true);
	if (pending) /* there is one at most: it takes all that are created before it runs */
		(void)forkserver_begin(pending, source->archive);
}

/* Archives are kept, in memory that counts as ours. */
static bool has_room(const struct local *engine, uint32_t zone, int archive)
{
	struct stat st;
	int64_t size = fstat(archive, &st) == 0 ? st.st_size : INT64_MAX;

	for (const struct user_source *s = engine->user_sources; s && size < INT64_MAX; s = s->next)
		if (s->zone == zone && s->archive >= 0 && fstat(s->archive, &st) == 0)
			size += st.st_size;
	return size <= engine->config->settings->max_message;
}

bool usersource_op_validated(struct actor *actor, const json_t *op)
{
	struct local *engine = actor->realm->engine;
	bool claimed = json_is_true(json_object_get(op, "archive"));
	tds_autofd int archive = claimed ? link_take_fd(&actor->link) : -1;
	/* An archive that there was no descriptor for is as one that was rejected. */
	bool accepted = claimed && archive != LINK_FD_LOST;
	const char *md5 = json_string_value(json_object_get(op, "hash"));
	const char *info = json_string_value(json_object_get(op, "info"));
	bool registered;

	if (!md5 || !info || strlen(info) > INFO_MAX_BYTES ||
	    (accepted && (archive < 0 || !is_sealed(engine, archive))))
		return false;
	struct user_source *source = find(engine, zone_of(actor->realm), md5);
	if (!source || source->archive >= 0 ||
	    find_authority(engine, zone_of(actor->realm), &registered) != actor)
		return true;
	if (accepted && has_room(engine, source->zone, archive))
		accept_source(source, info, tds_steal_fd(&archive));
	else
		source_free(source);
	return true;
}

/* One that it brought, or another of its zone. */
static void unload_own(struct local *engine, struct user_source *source)
{
	uint32_t zone = source->zone;
	const char *md5 = source->md5;

	if (source->archive >= 0)
		tell_watchers(engine, zone, md5, source->info, false);
	for (struct realm *r = engine->realms, *next; r; r = next) {
		next = r->next;
		if (is_of(r, source) && r->state == REALM_OPEN)
			realm_retire(r);
	}
	source_free(source);
}

bool usersource_unload(const struct sender *from, const json_t *op)
{
	struct local *engine = from->engine;
	const char *md5 = json_string_value(json_object_get(op, "hash"));
	struct user_source *source = md5 ? find(engine, zone_of(from->of), md5) : NULL;
	struct realm *package = md5 ? realm_by_md5(engine, md5) : NULL;
	const struct engine_asker asker = asker_of(from);

	if (package && asker_may(from, TDS_ASKED_UNLOAD_SOURCE, package))
		engine->events->unload_asked(engine->ctx, &package->pub, &asker);
	if (source && asker_may(from, TDS_ASKED_SOURCES_OWN, NULL))
		unload_own(engine, source);
	return md5 != NULL;
}
