/* SPDX-License-Identifier: MIT */
/* The local engine as a whole: its table of operations, all realms, and the ids that they share. */
#include <stdlib.h>
#include <sys/wait.h>

#include "local.h"
#include "sources.h"

uint64_t next_id(struct local *engine)
{
	return engine->next_id++;
}

static bool op_busy(const struct engine *head)
{
	const struct realm *r = ((const struct local *)head)->realms;

	/* The first process and the parent that waits are nobody's. */
	while (r && !r->pub.owner && !r->guest && !r->home)
		r = r->next;
	return r != NULL;
}

static void op_close(struct engine *head)
{
	struct local *engine = to_local(head);

	engine->ending = true;
	sources_free(engine);
	while (engine->realms) {
		struct realm *realm = engine->realms;

		realm->stopping = true;
		realm->held = true;
		realm->pending = false;
		realm_kill(realm);
		while (realm->actors)
			actor_gone(realm->actors);
		if (realm->pid > 0 && !realm->guest)
			(void)waitpid(realm->pid, NULL, 0);
		realm->pid = 0;
		realm->starting = false;
		guest_free(realm);
		realm->held = false;
		realm_forget(realm);
	}
	json_decref(engine->capabilities);
	free(engine);
}

static void op_prepare(struct engine *engine)
{
	prepare(to_local(engine));
}

static struct engine_source *op_load(struct engine *engine, const struct engine_load *load,
				     struct tds_err *err)
{
	struct realm *realm = realm_new(to_local(engine), load);

	if (realm)
		return &realm->pub;
	tds_err_set(err, TDS_E_REFUSED, "no process could be started");
	return NULL;
}

static void op_unload(struct engine *engine, struct engine_source *source)
{
	(void)engine;
	realm_stop(to_realm(source));
}

static struct engine_actor *op_create(struct engine *engine, struct engine_source *source,
				      const char *class_name, void *owner, struct tds_err *err)
{
	struct actor *actor = actor_create(to_realm(source), next_id(to_local(engine)), class_name,
					   NULL, NULL, 0, owner);

	if (actor)
		return &actor->pub;
	tds_err_set(err, TDS_E_REFUSED,
		    "no process could be started: no descriptor or memory is left for it");
	return NULL;
}

static void op_send(struct engine *engine, struct engine_actor *to,
		    const struct engine_message *message)
{
	(void)engine;
	actor_deliver(to_actor(to), message);
}

static void op_post(struct engine *engine, uint64_t from, uint64_t to,
		    const struct payload *payload)
{
	post(to_local(engine), from, to, payload);
}

static bool op_bind(struct engine *engine, const char *global_name, struct engine_actor *actor)
{
	return set_name(to_local(engine), global_name, actor ? to_actor(actor) : NULL);
}

static struct engine_actor *op_find(struct engine *engine, const char *address)
{
	return actor_find(to_local(engine), address);
}

static struct engine_actor *op_find_name(struct engine *engine, const char *global_name)
{
	struct actor *actor = find_name(to_local(engine), global_name);

	return actor ? &actor->pub : NULL;
}

static uint64_t op_ticket(struct engine *engine)
{
	return next_id(to_local(engine));
}

static json_t *op_capabilities(const struct engine *engine)
{
	return ((const struct local *)engine)->capabilities;
}

static bool op_admits(const struct engine *engine, uid_t uid)
{
	return guest_allowed((const struct local *)engine, uid);
}

static int op_join(struct engine *engine, int fd, const struct ucred *peer, const json_t *request,
		   struct tds_err *err)
{
	return guest_join(to_local(engine), fd, peer, request, err);
}

static void op_stop(struct engine *engine)
{
	guests_stop(to_local(engine));
}

static const struct engine_ops ops = {
	.close = op_close,
	.busy = op_busy,
	.prepare = op_prepare,
	.load = op_load,
	.unload = op_unload,
	.create = op_create,
	.send = op_send,
	.post = op_post,
	.bind = op_bind,
	.find = op_find,
	.find_name = op_find_name,
	.ticket = op_ticket,
	.capabilities = op_capabilities,
	.admits = op_admits,
	.join = op_join,
	.stop = op_stop,
};

struct engine *local_engine_open(struct event_base *base, const struct engine_config *config,
				 const struct engine_events *events, void *ctx)
{
	struct local *engine = calloc(1, sizeof(*engine));

	if (!engine)
		return NULL;
	*engine = (struct local){
		.engine = { .ops = &ops },
		.base = base,
		.config = config,
		.events = events,
		.ctx = ctx,
		.next_id = DIRECTOR_ID + 1,
		.capabilities = capabilities_new(config->settings),
	};
	return &engine->engine;
}
