/* SPDX-License-Identifier: MIT */
/* The local engine as a whole: its table of operations, all realms, and the ids that they share. */
#include <stdlib.h>
#include <sys/wait.h>

#include "program.h"
#include "strangers.h"
#include "usersource.h"

#define OUTSIDE_MAX_BYTES \
	(4 << 20) /* that may wait for an actor when a client sends it something */

static bool op_busy(const struct engine *head)
{
	const struct realm *r = ((const struct local *)head)->realms;

	while (r && !traits(r)->counts)
		r = r->next;
	return r != NULL;
}

static void end_now(struct realm *realm)
{
	realm_ref(realm);
	realm_kill(realm);
	while (realm->actors)
		actor_gone(realm->actors);
	if (realm->pid > 0 && realm->kind != REALM_PROGRAM)
		(void)waitpid(realm->pid, NULL, 0);
	if (realm->kind == REALM_PROGRAM)
		program_close(realm);
	else
		realm_process_over(realm);
	realm_unref(realm);
}

/* --- events that nobody is told of: an operation calls none before it returns --- */

static void drop_imported(void *ctx, struct engine_source *source, const json_t *classes,
			  const char *error)
{
	(void)ctx, (void)source, (void)classes, (void)error;
}

static void drop_source(void *ctx, struct engine_source *source)
{
	(void)ctx, (void)source;
}

static void drop_actor(void *ctx, struct engine_actor *actor)
{
	(void)ctx, (void)actor;
}

static void drop_failed(void *ctx, struct engine_actor *actor, const char *error)
{
	(void)ctx, (void)actor, (void)error;
}

static void drop_done(void *ctx, struct engine_actor *actor, const char *ref, const char *error)
{
	(void)ctx, (void)actor, (void)ref, (void)error;
}

static bool drop_answer(void *ctx, const struct engine_source *from, uint64_t endpoint,
			const struct payload *payload)
{
	(void)ctx, (void)from, (void)endpoint, (void)payload;
	return false;
}

static void drop_undelivered(void *ctx, uint64_t endpoint)
{
	(void)ctx, (void)endpoint;
}

static void drop_output(void *ctx, struct engine_source *source, struct engine_actor *actor,
			int level, const char *text, size_t len)
{
	(void)ctx, (void)source, (void)actor, (void)level, (void)text, (void)len;
}

static void drop_question(void *ctx, const struct engine_asker *from, const struct payload *payload)
{
	(void)ctx, (void)from, (void)payload;
}

static void drop_record(void *ctx, struct engine_actor *actor, const json_t *record)
{
	(void)ctx, (void)actor, (void)record;
}

static void drop_shutdown(void *ctx, const struct engine_asker *asker)
{
	(void)ctx, (void)asker;
}

static void drop_unload(void *ctx, struct engine_source *source, const struct engine_asker *asker)
{
	(void)ctx, (void)source, (void)asker;
}

static void drop_refused(void *ctx, struct engine_source *source, struct engine_actor *actor,
			 uint64_t times, const char *why)
{
	(void)ctx, (void)source, (void)actor, (void)times, (void)why;
}

static void drop_strangers(void *ctx, struct engine_source *source, const char *what)
{
	(void)ctx, (void)source, (void)what;
}

static bool declares_nothing(void *ctx, const struct engine_source *source, const char *global_name)
{
	(void)ctx, (void)source, (void)global_name;
	return false;
}

static bool may_nothing(void *ctx, const struct engine_asker *asker, enum tds_asked what,
			const struct engine_source *of)
{
	(void)ctx, (void)asker, (void)what, (void)of;
	return false;
}

static const struct engine_events silence = {
	.imported = drop_imported,
	.source_gone = drop_source,
	.actor_up = drop_actor,
	.actor_failed = drop_failed,
	.actor_exited = drop_actor,
	.message_done = drop_done,
	.answer = drop_answer,
	.undelivered = drop_undelivered,
	.output = drop_output,
	.director_asked = drop_question,
	.logged = drop_record,
	.shutdown_asked = drop_shutdown,
	.unload_asked = drop_unload,
	.refused = drop_refused,
	.strangers = drop_strangers,
	.declares = declares_nothing,
	.may = may_nothing,
};

/* Derived realms were made after their homes, and come before them. */
static void op_close(struct engine *head)
{
	struct local *engine = to_local(head);

	engine->events = &silence;
	engine->ending = true;
	engine->stopping = true;
	usersource_free(engine);
	for (struct realm *r = engine->realms; r; r = r->next)
		r->state = REALM_STOPPING;
	while (engine->realms)
		end_now(engine->realms);
	strangers_stop(engine);
	capabilities_free(engine);
	registry_fini(&engine->registry);
	free(engine);
}

static void op_prepare(struct engine *engine)
{
	forkserver_prepare(to_local(engine));
}

static struct engine_source *op_load(struct engine *engine, const struct engine_load *load,
				     struct tds_err *err)
{
	struct realm *realm = forkserver_load(to_local(engine), load, err);

	return realm ? &realm->pub : NULL;
}

static void op_unload(struct engine *engine, struct engine_source *source)
{
	(void)engine;
	realm_stop(to_realm(source));
}

static struct engine_actor *op_create(struct engine *engine, struct engine_source *source,
				      const char *class_name, void *owner, struct tds_err *err)
{
	struct actor *actor =
		actor_create(to_realm(source), registry_id(&to_local(engine)->registry), class_name,
			     NULL, NULL, 0, owner);

	if (actor)
		return &actor->pub;
	tds_err_set(err, TDS_E_REFUSED, "no process could be started: %s",
		    realm_lack(to_realm(source)));
	return NULL;
}

static void op_send(struct engine *engine, struct engine_actor *to,
		    const struct engine_message *message)
{
	(void)engine;
	route_deliver(to_actor(to), message);
}

/* Who sends from outside cannot be let wait. */
static bool op_full(struct engine *engine, const struct engine_actor *to)
{
	const struct link *link = &((const struct actor *)to)->link;

	(void)engine;
	return link_is_over(link) || link->queued >= OUTSIDE_MAX_BYTES;
}

static void op_post(struct engine *engine, uint64_t from, uint64_t to,
		    const struct payload *payload)
{
	route_post(to_local(engine), from, to, payload);
}

static bool op_bind(struct engine *engine, const char *global_name, struct engine_actor *actor)
{
	return actor_bind(to_local(engine), global_name, actor ? to_actor(actor) : NULL);
}

static struct engine_actor *op_find(struct engine *engine, const char *address)
{
	struct actor *actor = actor_by_address(to_local(engine), address);

	return actor ? &actor->pub : NULL;
}

static struct engine_actor *op_find_name(struct engine *engine, const char *global_name)
{
	struct actor *actor = actor_by_name(to_local(engine), global_name);

	return actor ? &actor->pub : NULL;
}

static uint64_t op_ticket(struct engine *engine)
{
	return registry_id(&to_local(engine)->registry);
}

static json_t *op_capabilities(const struct engine *engine)
{
	return ((const struct local *)engine)->capabilities;
}

static bool op_admits(const struct engine *engine, uid_t uid)
{
	return program_allowed((const struct local *)engine, uid);
}

static int op_join(struct engine *engine, int fd, const struct ucred *peer, const json_t *request,
		   const char **kind, struct tds_err *err)
{
	return program_join(to_local(engine), fd, peer, request, kind, err);
}

static void op_stop(struct engine *engine)
{
	programs_stop(to_local(engine));
}

static const struct local_hooks hooks = {
	.actor_link = &actorops_link,
	.source_link = &sourceops_link,
	.forks = capabilities_forks,
	.created = program_created,
	.left = directs_end,
	.undelivered = route_undelivered,
	.actor_freed = realm_actor_freed,
	.opened = usersource_realm_opened,
	.closed = usersource_realm_closed,
	.forks_no_more = forkserver_lost,
	.program_changed = program_changed,
	.program_kill = program_kill,
	.program_free = program_free,
};

static const struct engine_ops ops = {
	.close = op_close,
	.busy = op_busy,
	.prepare = op_prepare,
	.load = op_load,
	.unload = op_unload,
	.create = op_create,
	.send = op_send,
	.full = op_full,
	.post = op_post,
	.bind = op_bind,
	.find = op_find,
	.find_name = op_find_name,
	.ticket = op_ticket,
	.capabilities = op_capabilities,
	.counts = view_counts,
	.each_actor = view_actors,
	.each_budget = view_budgets,
	.each_limits = limits_show,
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
		.hooks = &hooks,
	};
	capabilities_init(engine);
	return &engine->engine;
}
