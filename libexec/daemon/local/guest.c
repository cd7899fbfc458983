/* SPDX-License-Identifier: MIT */
/* Guests: how they join, what their programs ask for, and how they end. What they share with sources is in realm.c. */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "local.h"
#include "sources.h"
#include "wire.h"

/* A program's connection, with an address of its own in the realm of its user. */
struct endpoint {
	struct endpoint *next;
	struct endpoint **self;
	struct realm *realm;
	uint64_t id;
	struct link link;
	struct event *burial; /* a link may end deep in a call: what goes with it goes later */
};

/* The part of a realm that only guests have. */
struct guest {
	uid_t uid;
	struct endpoint *endpoints;
	size_t nendpoints;
	struct event *burial; /* of the parent's link */
};

/* A program that waits for an actor to be up. */
struct waiter {
	struct waiter *next;
	uint64_t endpoint;
	json_int_t ref;
};

bool guest_allowed(const struct local *engine, uid_t uid)
{
	const struct settings *s = engine->config->settings;

	for (size_t i = 0; i < s->nguests; i++)
		if (s->guests[i] == uid)
			return true;
	return !s->guests && uid == geteuid();
}

bool guest_is_foreign(const struct realm *realm)
{
	const struct guest *guest = realm_origin(realm)->guest;

	return guest && guest->uid != geteuid();
}

bool guest_may_name(const struct realm *realm, const char *name)
{
	struct local *engine = realm->engine;

	return !realm_origin(realm)->guest || !engine->events->declares(engine->ctx, name);
}

/* --- life of endpoints and of the parent --- */

static struct endpoint *endpoint_by_id(const struct local *engine, uint64_t id)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		for (struct endpoint *e = r->guest ? r->guest->endpoints : NULL; e; e = e->next)
			if (e->id == id)
				return e->link.ended ? NULL : e;
	return NULL;
}

static void endpoint_free(struct endpoint *endpoint)
{
	*endpoint->self = endpoint->next;
	if (endpoint->next)
		endpoint->next->self = endpoint->self;
	endpoint->realm->guest->nendpoints--;
	link_fini(&endpoint->link);
	if (endpoint->burial)
		event_free(endpoint->burial);
	free(endpoint);
}

static bool has_endpoints(const struct local *engine)
{
	for (const struct realm *r = engine->realms; r; r = r->next)
		if (r->guest && r->guest->endpoints)
			return true;
	return false;
}

static void on_endpoint_burial(evutil_socket_t fd, short what, void *arg)
{
	struct endpoint *endpoint = arg;
	struct realm *realm = endpoint->realm;
	struct local *engine = realm->engine;

	(void)fd;
	(void)what;
	endpoint_free(endpoint);
	realm_forget(realm);
	if (engine->ends_with_programs && !engine->stopping && !has_endpoints(engine))
		engine->events->shutdown_asked(engine->ctx);
}

static void on_endpoint_ended(void *ctx)
{
	struct endpoint *endpoint = ctx;

	event_active(endpoint->burial, EV_TIMEOUT, 0);
}

/* The parent is gone, as far as we can see: its actors go too, by their death signal or by the end of their links. */
static void on_parent_burial(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;

	(void)fd;
	(void)what;
	link_fini(&realm->link);
	realm->pid = 0;
	realm_children_lost(realm);
	realm_await_actors(realm);
}

void guest_parent_ended(struct realm *realm)
{
	event_active(realm->guest->burial, EV_TIMEOUT, 0);
}

bool guest_over(struct realm *realm)
{
	struct guest *guest = realm->guest;

	if (!guest)
		return true;
	for (struct endpoint *e = guest->endpoints; e && realm->stopping; e = e->next)
		event_active(e->burial, EV_TIMEOUT, 0);
	return !guest->endpoints;
}

/* With neither programs nor actors, a parent process is of no use, unless the system is the user's own. */
void guest_end_if_idle(struct realm *realm)
{
	if (realm->guest && !realm->guest->endpoints && !realm->actors && !realm->stopping &&
	    !sources_busy(realm) && !realm->engine->config->transient)
		realm_stop(realm);
}

void guest_free(struct realm *realm)
{
	struct guest *guest = realm->guest;

	if (!guest)
		return;
	while (guest->endpoints)
		endpoint_free(guest->endpoints);
	if (guest->burial)
		event_free(guest->burial);
	free(guest);
	realm->guest = NULL;
}

void guests_stop(struct local *engine)
{
	engine->stopping = true;
	for (struct realm *r = engine->realms, *next; r; r = next) {
		next = r->next;
		if (!r->guest)
			continue;
		realm_stop(r);
		if (r->pid <= 0)
			guest_parent_ended(r);
	}
}

/* --- what a program asks for --- */

static void created(struct endpoint *endpoint, json_int_t ref, const struct actor *actor)
{
	link_control(&endpoint->link, json_pack("{s:s, s:I, s:s}", "op", "created", "ref", ref,
						"address", actor->pub.address));
}

static void refused(struct endpoint *endpoint, json_int_t ref, const char *kind, const char *error)
{
	link_control(&endpoint->link, json_pack("{s:s, s:I, s:s, s:s}", "op", "refused", "ref", ref,
						"kind", kind, "error", error));
}

void guest_creation_ended(struct actor *actor, const char *kind, const char *error)
{
	struct waiter *next;

	for (struct waiter *w = actor->waiters; w; w = next) {
		struct endpoint *endpoint = endpoint_by_id(actor->realm->engine, w->endpoint);

		next = w->next;
		/* What failed only when it was constructed has an address; that it is dead is found out by asking it. */
		if (endpoint && kind && strcmp(kind, "init") != 0 && strcmp(kind, "exit") != 0)
			refused(endpoint, w->ref, kind, error);
		else if (endpoint)
			created(endpoint, w->ref, actor);
		free(w);
	}
	actor->waiters = NULL;
}

void guest_target_dead(struct local *engine, uint64_t from, uint64_t to)
{
	struct endpoint *endpoint = endpoint_by_id(engine, from);

	if (endpoint)
		link_control(&endpoint->link,
			     json_pack("{s:s, s:I}", "op", "dead", "id", (json_int_t)to));
}

struct link *guest_endpoint_link(struct local *engine, uint64_t id, uint32_t *realm)
{
	struct endpoint *endpoint = endpoint_by_id(engine, id);

	if (!endpoint)
		return NULL;
	*realm = endpoint->realm->number;
	return &endpoint->link;
}

static void await_creation(struct endpoint *endpoint, json_int_t ref, struct actor *actor)
{
	struct waiter *waiter = actor->state == ACTOR_STARTING ? malloc(sizeof(*waiter)) : NULL;

	if (!waiter) {
		created(endpoint, ref, actor);
		return;
	}
	*waiter = (struct waiter){ .next = actor->waiters, .endpoint = endpoint->id, .ref = ref };
	actor->waiters = waiter;
}

/* The realm that a program's request means. NULL: refused, and said so. */
static struct realm *realm_for(struct endpoint *endpoint, json_int_t ref, const char *hash)
{
	struct realm *own = endpoint->realm;
	struct realm *realm = hash ? source_realm(own, hash) : own;

	if (own->engine->stopping)
		refused(endpoint, ref, "shutdown", "the system is shutting down");
	else if (!realm || (realm_origin(realm) != own && guest_is_foreign(own)))
		refused(endpoint, ref, "hash", "no such source");
	else if (realm->pid <= 0 && !realm->pending)
		refused(endpoint, ref, "parent", "no process to start it from");
	else
		return realm;
	return NULL;
}

static bool op_create(struct endpoint *endpoint, const json_t *op)
{
	struct local *engine = endpoint->realm->engine;
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));
	const char *class_name = json_string_value(json_object_get(op, "class"));
	const char *name = json_string_value(json_object_get(op, "name"));

	if (!class_name)
		return false;
	if (name && strcmp(name, DIRECTOR_NAME) == 0) {
		link_control(&endpoint->link, json_pack("{s:s, s:I, s:s}", "op", "created", "ref",
							ref, "address", DIRECTOR_ADDRESS));
		return true;
	}
	struct actor *actor = name ? find_name(engine, name) : NULL;
	if (actor) {
		await_creation(endpoint, ref, actor);
		return true;
	}
	if (name && !guest_may_name(endpoint->realm, name)) {
		refused(endpoint, ref, "name", "the global name belongs to a group");
		return true;
	}
	struct realm *realm =
		realm_for(endpoint, ref, json_string_value(json_object_get(op, "hash")));
	if (!realm)
		return true;
	actor = actor_create(realm, next_id(engine), class_name,
			     json_object_get(op, "requirements"), name, 0, NULL);
	if (actor)
		await_creation(endpoint, ref, actor);
	else
		refused(endpoint, ref, "process", "no process could be started");
	return true;
}

static bool op_shutdown(struct endpoint *endpoint, const json_t *op)
{
	struct local *engine = endpoint->realm->engine;

	(void)op;
	if (!guest_is_foreign(endpoint->realm))
		engine->events->shutdown_asked(engine->ctx);
	return true;
}

static bool op_capability(struct endpoint *endpoint, const json_t *op)
{
	const char *name = json_string_value(json_object_get(op, "name"));

	if (name && !guest_is_foreign(endpoint->realm))
		set_capability(endpoint->realm->engine, name,
			       json_string_value(json_object_get(op, "value")));
	return name != NULL;
}

static bool op_status(struct endpoint *endpoint, const json_t *op)
{
	(void)op;
	link_control(&endpoint->link, status_of(endpoint->realm));
	return true;
}

static bool op_load(struct endpoint *endpoint, const json_t *op)
{
	return sources_load(endpoint->realm->engine, endpoint->realm->number,
			    json_string_value(json_object_get(op, "hash")),
			    json_string_value(json_object_get(op, "info")),
			    link_take_fd(&endpoint->link));
}

static bool op_unload(struct endpoint *endpoint, const json_t *op)
{
	const char *md5 = json_string_value(json_object_get(op, "hash"));

	if (md5)
		sources_unload(endpoint->realm, md5);
	return md5 != NULL;
}

static const struct {
	const char *name;
	bool (*run)(struct endpoint *endpoint, const json_t *op);
} ops[] = {
	{ "create", op_create }, { "shutdown", op_shutdown }, { "capability", op_capability },
	{ "status", op_status }, { "load", op_load },         { "unload", op_unload },
};

static bool on_frame(void *ctx, enum frame_type type, const unsigned char *body, size_t len)
{
	struct endpoint *endpoint = ctx;
	struct realm *realm = endpoint->realm;

	if (type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD) {
		struct sender from = { .engine = realm->engine,
				       .id = endpoint->id,
				       .realm = realm->number,
				       .link = &endpoint->link };

		return take_message(&from, type, body, len);
	}
	json_t *op = type == FRAME_CONTROL
			     ? json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL)
			     : NULL;
	const char *name = json_string_value(json_object_get(op, "op"));
	bool ok = name != NULL;

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			ok = ops[i].run(endpoint, op);
	json_decref(op);
	return ok;
}

static const struct link_events endpoint_link_events = { .frame = on_frame,
							 .ended = on_endpoint_ended };

/* --- joining --- */

/* The realm of a user's programs, made where there is none. NULL: out of memory. */
static struct realm *realm_of(struct local *engine, uid_t uid)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		if (r->guest && r->guest->uid == uid && !r->stopping)
			return r;
	struct realm *realm = realm_alloc(engine);
	if (!realm)
		return NULL;
	realm->number = ++engine->next_realm;
	realm->imported = true;
	realm->pub.of_program = true;
	realm->guest = calloc(1, sizeof(*realm->guest));
	if (realm->guest) {
		realm->guest->uid = uid;
		realm->guest->burial = evtimer_new(engine->base, on_parent_burial, realm);
	}
	if (!realm->guest || !realm->guest->burial) {
		guest_free(realm);
		realm_forget(realm);
		return NULL;
	}
	return realm;
}

/* The answer to a Join, before the connection becomes a link. A new connection has room for it. */
static int answer(int fd, json_t *doc, struct tds_err *err)
{
	tds_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	json_decref(doc);
	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	text[len] = '\n';
	if (send(fd, text, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len + 1)
		return tds_err_set(err, TDS_E_REFUSED, "the answer cannot be sent");
	return 0;
}

static int join_parent(struct realm *realm, int fd, pid_t pid, const json_t *request,
		       struct tds_err *err)
{
	struct local *engine = realm->engine;
	json_int_t level = json_integer_value(json_object_get(request, "Log"));

	if (realm->pid > 0)
		return tds_err_set(err, TDS_E_REFUSED, "this user has a parent process here");
	int rc = answer(fd, json_pack("{s:s, s:b}", "DirectorResponse", "Joined", "Success", 1),
			err);
	if (rc != 0)
		return rc;
	if (!link_init(&realm->link, engine->base, fd, &parent_link_events, realm))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	realm->pid = pid;
	realm_greet(realm, -1, (int)level);
	return 0;
}

/* What the program that began the system says about it counts; who comes later finds it said. */
static void settle(struct local *engine, const json_t *request)
{
	const char *name;
	json_t *value;

	if (engine->settled || !engine->config->transient)
		return;
	engine->settled = true;
	engine->ends_with_programs = json_is_true(json_object_get(request, "Private"));
	json_object_foreach(json_object_get(request, "Capabilities"), name,
			    value) if (json_is_string(value))
		set_capability(engine, name, json_string_value(value));
}

static int join_endpoint(struct realm *realm, int fd, const json_t *request, struct tds_err *err)
{
	struct local *engine = realm->engine;
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	char address[32];

	if (!endpoint)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	*endpoint = (struct endpoint){ .realm = realm,
				       .id = next_id(engine),
				       .link = { .fd = -1, .ended = true },
				       .next = realm->guest->endpoints,
				       .self = &realm->guest->endpoints };
	if (endpoint->next)
		endpoint->next->self = &endpoint->next;
	realm->guest->endpoints = endpoint;
	realm->guest->nendpoints++;
	settle(engine, request);
	(void)snprintf(address, sizeof(address), "%u.%ju", realm->number, (uintmax_t)endpoint->id);
	endpoint->burial = evtimer_new(engine->base, on_endpoint_burial, endpoint);
	int rc = !endpoint->burial
			 ? tds_err_set(err, TDS_E_NOMEM, "out of memory")
			 : answer(fd,
				  json_pack("{s:s, s:b, s:s, s:b, s:I, s:O}", "DirectorResponse",
					    "Joined", "Success", 1, "Address", address, "Parent",
					    realm->pid > 0, "MaxMessage",
					    (json_int_t)engine->config->settings->max_message,
					    "Capabilities", engine->capabilities),
				  err);
	if (rc == 0 &&
	    !link_init(&endpoint->link, engine->base, fd, &endpoint_link_events, endpoint))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc != 0)
		endpoint_free(endpoint);
	return rc;
}

int guest_join(struct local *engine, int fd, const struct ucred *peer, const json_t *request,
	       struct tds_err *err)
{
	const char *as = json_string_value(json_object_get(request, "As"));
	bool parent = as && strcmp(as, "parent") == 0;
	size_t most = peer->uid == geteuid() ? GUEST_ENDPOINTS_MAX : GUEST_ENDPOINTS_FOREIGN_MAX;

	if (!as || (!parent && strcmp(as, "program") != 0))
		return tds_err_set(err, TDS_E_USAGE, "As is neither parent nor program");
	if (!guest_allowed(engine, peer->uid))
		return tds_err_set(err, TDS_E_REFUSED, "guests of this user are not allowed");
	if (engine->stopping)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the system is shutting down");
	struct realm *realm = realm_of(engine, peer->uid);
	if (!realm)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = 0;
	if (realm->guest->nendpoints >= most)
		rc = tds_err_set(err, TDS_E_REFUSED, "too many programs of this user");
	else if (parent)
		rc = join_parent(realm, fd, peer->pid, request, err);
	else
		rc = join_endpoint(realm, fd, request, err);
	if (rc != 0)
		realm_forget(realm);
	return rc;
}
