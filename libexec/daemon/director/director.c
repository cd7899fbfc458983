/* SPDX-License-Identifier: MIT */
/* The Director as a whole: what the engine tells it, what it tells others, its beginning and its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "change.h"
#include "declaration.h"
#include "define.h"
#include "desired.h"
#include "launch.h"
#include "package/version.h"
#include "rules.h"
#include "tool/cli.h"

/* What is not written down would be forgotten by a crash, and what cannot be audited is not made. */
static int write_definition(struct director *director, const struct group *group, json_t *by,
			    struct tds_err *err)
{
	int rc = audit(director, &(struct happening){ .what = "Defined", .group = group, .by = by },
		       err);

	return rc == 0 ? director->means->save_groups(director->means->ctx,
						      model_definitions(director), err)
		       : rc;
}

int director_define(struct director *director, const char *name, const json_t *request,
		    const struct requester *who, struct tds_err *err)
{
	json_t *by = who ? who->by : NULL;
	char *text;

	if (!tds_group_name_ok(name))
		return tds_err_set(err, TDS_E_USAGE, "not a name that a group can have");
	int rc = director_check(director, who, TDS_ASKED_DEFINE, name, err);
	if (rc == 0)
		rc = define_text(request, &text, err);
	if (rc != 0)
		return rc;
	struct group *group = group_get(director, name);
	if (!group) {
		free(text);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	char *before = group->definition;
	group->definition = text;
	rc = write_definition(director, group, by, err);
	if (rc != 0) {
		group->definition = before;
		free(text);
		return rc;
	}
	group->known = true;
	free(before);
	tell(director, &(struct happening){ .what = "Defined", .group = group, .by = by });
	return 0;
}

uint64_t director_ticket(struct director *director)
{
	return director->engine->ops->ticket(director->engine);
}

uint64_t director_strays(const struct director *director)
{
	return director->strays;
}

void director_watch(struct director *director, const struct director_watch *watch)
{
	director->watch = *watch;
}

/* --- what the engine tells --- */

static void on_imported(void *ctx, struct engine_source *loaded, const json_t *classes,
			const char *error)
{
	const struct source *source = loaded->owner;
	struct change *change = source ? source->group->changes : NULL;

	(void)ctx;
	if (!change || change->source != source)
		return;
	if (error)
		change_trace(change, loaded->traceback);
	change_happens(change, CHANGE_IMPORTED,
		       &(struct news){ .classes = classes, .error = error });
}

static void on_source_gone(void *ctx, struct engine_source *loaded)
{
	struct director *director = ctx;
	struct engine *engine = director->engine;

	if (loaded->owner) /* else it is of programs, or a user brought it */
		source_gone(loaded->owner);
	if (director->stopping && director->gone && !engine->ops->busy(engine))
		director->gone(director->gone_ctx);
}

static void on_actor_up(void *ctx, struct engine_actor *actor)
{
	(void)ctx;
	if (actor->owner)
		declared_up(actor->owner);
}

static void on_actor_failed(void *ctx, struct engine_actor *actor, const char *error)
{
	(void)ctx;
	if (actor->owner)
		declared_failed(actor->owner, error);
}

static void on_actor_exited(void *ctx, struct engine_actor *actor)
{
	struct declared *declared = actor->owner;

	(void)ctx;
	if (declared && declared->actor == actor)
		declared_exited(declared);
}

static void on_message_done(void *ctx, struct engine_actor *actor, const char *ref,
			    const char *error)
{
	struct director *director = ctx;

	if (actor->owner)
		declared_message_done(actor->owner, ref, error);
	else
		director->strays++;
}

static bool on_answer(void *ctx, const struct engine_source *from, uint64_t endpoint,
		      const struct payload *payload)
{
	struct director *director = ctx;
	enum answered answered = launch_answer(director, from, endpoint, payload);

	if (answered == ANSWER_TO_NOBODY && director->watch.answer)
		answered = director->watch.answer(director->watch.ctx, from->number, endpoint,
						  payload);
	director->strays += answered == ANSWER_STRAY;
	return answered != ANSWER_TO_NOBODY;
}

static void on_undelivered(void *ctx, uint64_t endpoint)
{
	struct director *director = ctx;

	if (director->watch.delivered)
		director->watch.delivered(director->watch.ctx, endpoint,
					  "the actor is gone, and never got the message");
}

static void on_output(void *ctx, struct engine_source *loaded, struct engine_actor *actor,
		      int level, const char *text, size_t len)
{
	struct director *director = ctx;
	const struct source *source = loaded->owner;
	const struct declared *declared = actor ? actor->owner : NULL;

	if (director->watch.output)
		director->watch.output(director->watch.ctx,
				       &(struct line){ .group = source ? source->group->name : NULL,
						       .role = declared ? declared->role : NULL,
						       .address = actor ? actor->address : NULL,
						       .level = level,
						       .text = text,
						       .len = len });
}

static void on_logged(void *ctx, struct engine_actor *actor, const json_t *record)
{
	const struct director *director = ctx;

	director->means->record(director->means->ctx, actor ? actor->address : "", record);
}

static void on_shutdown_asked(void *ctx, const struct engine_asker *asker)
{
	struct director *director = ctx;
	json_t *by = asker ? director_asker_json(director, asker) : NULL;

	if (director->watch.shutdown_asked)
		director->watch.shutdown_asked(director->watch.ctx, by);
	json_decref(by);
}

static void on_director_asked(void *ctx, const struct engine_asker *from,
			      const struct payload *payload)
{
	const struct director *director = ctx;

	if (director->watch.question)
		director->watch.question(director->watch.ctx, from, payload);
}

/* It may: the engine has asked before. */
static void on_unload_asked(void *ctx, struct engine_source *loaded,
			    const struct engine_asker *asker)
{
	static const struct tds_asking anything = { .kind = TDS_ASKER_OWN };
	const struct source *source = loaded->owner;
	const struct change *c = source->group->changes;

	/* Its actors may say so as often as they like. */
	while (c && !(c->kind == CHANGE_UNLOAD && strcmp(c->target, source->md5) == 0))
		c = c->next;
	if (c)
		return;
	const struct requester by = { .by = director_asker_json(ctx, asker), .asking = &anything };
	director_unload(ctx, source->md5, &by, NULL, NULL);
	json_decref(by.by);
}

static void on_refused(void *ctx, struct engine_source *of, struct engine_actor *actor,
		       uint64_t times, const char *why)
{
	const struct source *source = of->owner;
	json_t *by = of->of_program ? director_user_json(ctx, of->uid) : NULL;

	tell(ctx, &(struct happening){ .what = "OverBudget",
				       .group = source ? source->group : NULL,
				       .source = source,
				       .declared = actor ? actor->owner : NULL,
				       .actor = actor,
				       .by = by,
				       .times = times,
				       .error = why });
	json_decref(by);
}

static void on_strangers(void *ctx, struct engine_source *loaded, const char *what)
{
	const struct source *source = loaded->owner;

	tell(ctx, &(struct happening){ .what = "Strangers",
				       .group = source ? source->group : NULL,
				       .source = source,
				       .error = what });
}

const struct engine_events director_engine_events = {
	.imported = on_imported,
	.source_gone = on_source_gone,
	.actor_up = on_actor_up,
	.actor_failed = on_actor_failed,
	.actor_exited = on_actor_exited,
	.message_done = on_message_done,
	.answer = on_answer,
	.undelivered = on_undelivered,
	.output = on_output,
	.logged = on_logged,
	.shutdown_asked = on_shutdown_asked,
	.director_asked = on_director_asked,
	.unload_asked = on_unload_asked,
	.refused = on_refused,
	.strangers = on_strangers,
	.declares = director_engine_declares,
	.may = director_engine_may,
};

/* --- life --- */

struct director *director_new(struct clock *clock, const struct means *means,
			      const struct director_settings *settings)
{
	struct director *director = calloc(1, sizeof(*director));

	if (director)
		*director = (struct director){ .clock = clock,
					       .means = means,
					       .settings = settings,
					       .happens = change_takes };
	return director;
}

void director_attach(struct director *director, struct engine *engine)
{
	director->engine = engine;
}

/* What is under way is not told any more how it ends: who asked for it sees the end of all. */
static void halt(struct change *change)
{
	timer_stop(&change->deadline);
	timer_stop(&change->slot);
	launch_cancel(change);
	change->director->means->cancel(tds_steal(&change->verification));
}

void director_stop(struct director *director, void (*gone)(void *ctx), void *ctx)
{
	struct engine *engine = director->engine;

	director->stopping = true;
	director->gone = gone;
	director->gone_ctx = ctx;
	for (struct group *g = director->groups; g; g = g->next) {
		for (struct change *c = g->changes; c; c = c->next)
			halt(c);
		for (struct source *s = g->sources; s; s = s->next) {
			declared_want_all(s, false);
			timer_stop(&s->retry);
			if (s->loaded)
				engine->ops->unload(engine, s->loaded);
		}
	}
	engine->ops->stop(engine);
	if (!engine->ops->busy(engine))
		gone(ctx);
}

int director_save(struct director *director, struct tds_err *err)
{
	return model_save(director, err);
}

static void group_free(struct group *group)
{
	while (group->changes) {
		struct change *change = group->changes;

		group->changes = change->next;
		change_free(change);
	}
	while (group->sources) {
		struct source *source = group->sources;

		group->sources = source->next;
		source_free(source);
	}
	desired_free(group);
	free(group->definition);
	free(group->trouble);
	free(group->name);
	free(group);
}

void director_free(struct director *director)
{
	if (!director)
		return;
	director->stopping = true;
	director->gone = NULL;
	director->watch = (struct director_watch){ 0 };
	parked_free_all(director);
	while (director->groups) {
		struct group *group = director->groups;

		director->groups = group->next;
		group_free(group);
	}
	/* Last, since what the engine has made is touched until here: it forgets its owners. */
	if (director->engine)
		director->engine->ops->close(director->engine);
	refresh_free_all(director);
	forgetting_free_all(director);
	json_decref(director->revoked);
	free(director);
}
