/* SPDX-License-Identifier: MIT */
/* The Director's state, the questions that it answers, and the engine's events. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "daemon/keep/logger.h"
#include "define.h"
#include "rules.h"
#include "tool/cli.h"

struct group *group_get(struct director *director, const char *name)
{
	struct group **p = &director->groups;

	while (*p && strcmp((*p)->name, name) < 0)
		p = &(*p)->next;
	if (*p && strcmp((*p)->name, name) == 0)
		return *p;
	struct group *group = calloc(1, sizeof(*group));
	if (!group || !(group->name = strdup(name))) {
		free(group);
		return NULL;
	}
	group->next = *p;
	*p = group;
	return group;
}

/* By MD5, the name that Thespian gives a source, or by SHA-256. */
struct source *source_find(const struct director *director, const char *hash)
{
	for (struct group *g = director->groups; g; g = g->next)
		for (struct source *s = g->sources; s; s = s->next)
			if (strcmp(s->md5, hash) == 0 || strcmp(s->sha256, hash) == 0)
				return s;
	return NULL;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	runs_free(source);
	if (source->tli.value)
		tds_tli_fini(&source->tli);
	free(source->file);
	free(source->path);
	free(source->version);
	free(source->key);
	free(source);
}

int director_define(struct director *director, const char *name, const json_t *request,
		    struct tds_err *err)
{
	char *text;

	if (!tds_group_name_ok(name))
		return tds_err_set(err, TDS_E_USAGE, "not a name that a group can have");
	int rc = define_text(request, &text, err);
	if (rc != 0)
		return rc;
	struct group *group = group_get(director, name);
	if (!group) {
		free(text);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	char *before = group->definition;
	group->definition = text;
	rc = write_groups(director, err);
	if (rc != 0) {
		/* What is not written down would be forgotten by a crash. */
		group->definition = before;
		free(text);
		return rc;
	}
	group->known = true;
	free(before);
	return 0;
}

static json_t *time_json(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[40];

	if (!gmtime_r(&seconds, &tm))
		return json_null();
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(ms % 1000));
	return json_string(text);
}

void tell_change(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error)
{
	if (!director->watch.change)
		return;
	json_t *event = json_pack("{s:s, s:o, s:o?}", "Event", what, "Time", time_json(wall_ms()),
				  "Group", tds_cli_json_text(group->name));
	if (event && source) {
		(void)json_object_set_new(event, "SourceHash", json_string(source->md5));
		(void)json_object_set_new(event, "Source", tds_cli_json_text(source->path));
	}
	if (event && error)
		(void)json_object_set_new(event, "Message", tds_cli_json_text(error));
	director->watch.change(director->watch.ctx, event);
	json_decref(event);
}

/* --- answers --- */

static json_t *address_json(const struct engine_actor *actor)
{
	return actor ? json_pack("{s:s}", "ActorAddress", actor->address) : json_null();
}

/* For its next start, after it has exited? */
static bool is_waiting(const struct run *run)
{
	return !run->actor && run->again && evtimer_pending(run->again, NULL);
}

static json_t *run_json(const struct run *run)
{
	json_t *doc =
		json_pack("{s:s, s:o, s:o, s:o}", "ActorClass", run->key, "Role",
			  run->role ? json_string(run->role) : json_null(), "ActorAddress",
			  address_json(run->actor), "StartTime", time_json(run->started_wall_ms));

	if (run->global_name)
		(void)json_object_set_new(doc, "GlobalName", json_string(run->global_name));
	if (run->restarts > 0)
		(void)json_object_set_new(doc, "Restarts", json_integer(run->restarts));
	if (*run->ending)
		(void)json_object_set_new(doc, "LastEnd", json_string(run->ending));
	if (is_waiting(run))
		(void)json_object_set_new(doc, "NextStart", time_json(run->next_wall_ms));
	if (run->actor)
		(void)json_object_set_new(doc, "Pid", json_integer(run->actor->pid));
	return doc;
}

static json_t *source_json(const struct source *source)
{
	return json_pack("{s:o?, s:o?, s:o?, s:s, s:s, s:o}", "File",
			 tds_cli_json_text(source->file), "Path", tds_cli_json_text(source->path),
			 "Version", tds_cli_json_text(source->version), "MD5", source->md5,
			 "SHA256", source->sha256, "Loaded", time_json(source->loaded_wall_ms));
}

static json_t *group_json(const struct group *group)
{
	json_t *loaded = json_array();
	json_t *running = json_object();
	json_t *sources = json_object();

	for (const struct source *s = group->sources; s; s = s->next) {
		json_t *runs = json_array();

		for (size_t i = 0; i < s->nruns; i++)
			(void)json_array_append_new(runs, run_json(&s->runs[i]));
		(void)json_array_append_new(loaded, json_string(s->md5));
		(void)json_object_set_new(running, s->md5, runs);
		(void)json_object_set_new(sources, s->md5, source_json(s));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o*}", "ActiveHash",
			 group->active ? json_string(group->active->md5) : json_null(), "Loaded",
			 loaded, "Running", running, "Sources", sources, "Undone",
			 group->undone[0] ? json_string(group->undone) : NULL);
}

json_t *director_retrieve_all(struct director *director, const char *group)
{
	json_t *groups = json_object();

	for (const struct group *g = director->groups; g; g = g->next)
		if ((g->sources || g->known) && (!group || strcmp(group, g->name) == 0))
			(void)json_object_set_new(groups, g->name, group_json(g));
	return json_pack("{s:s, s:b, s:o}", "DirectorResponse", "AllAddresses", "Success", 1,
			 "Groups", groups);
}

json_t *director_restarted(const struct director *director)
{
	json_t *all = json_array();

	for (const struct group *g = director->groups; g; g = g->next)
		for (size_t i = 0; g->active && i < g->active->nruns; i++) {
			json_t *run;

			if (g->active->runs[i].restarts == 0)
				continue;
			run = run_json(&g->active->runs[i]);
			(void)json_object_set_new(run, "Group", tds_cli_json_text(g->name));
			(void)json_array_append_new(all, run);
		}
	return all;
}

struct run *role_find(struct director *director, const char *role, const char *group)
{
	for (struct group *g = director->groups; g; g = g->next) {
		if (!g->active || (group && strcmp(group, g->name) != 0))
			continue;
		for (size_t i = 0; i < g->active->nruns; i++)
			if (g->active->runs[i].role && strcmp(g->active->runs[i].role, role) == 0)
				return &g->active->runs[i];
	}
	return NULL;
}

json_t *director_retrieve_role(struct director *director, const char *role, const char *group)
{
	struct run *run = role_find(director, role, group);

	if (!run || !run->actor)
		return json_pack("{s:s, s:b, s:s, s:n, s:n}", "DirectorResponse", "RoleAddress",
				 "Success", 0, "Role", role, "ActorAddress", "ActorClass");
	return json_pack("{s:s, s:b, s:s, s:s, s:s, s:s, s:o, s:o}", "DirectorResponse",
			 "RoleAddress", "Success", 1, "Group", run->source->group->name,
			 "SourceHash", run->source->md5, "ActorClass", run->key, "Role", role,
			 "ActorAddress", address_json(run->actor), "StartTime",
			 time_json(run->started_wall_ms));
}

uint64_t director_ticket(struct director *director)
{
	return director->engine->ops->ticket(director->engine);
}

int director_join(struct director *director, int fd, const struct ucred *peer,
		  const json_t *request, struct tds_err *err)
{
	return director->engine->ops->join(director->engine, fd, peer, request, err);
}

bool director_takes_guests(const struct director *director, uid_t uid)
{
	return director->engine->ops->admits(director->engine, uid);
}

json_t *director_capabilities(const struct director *director)
{
	return director->engine->ops->capabilities(director->engine);
}

void director_watch(struct director *director, const struct director_watch *watch)
{
	director->watch = *watch;
}

/* --- what the engine tells --- */

static void on_imported(void *ctx, struct engine_source *loaded, const json_t *classes,
			const char *error)
{
	if (loaded->owner)
		job_imported(ctx, loaded->owner, classes, error);
}

static void on_source_gone(void *ctx, struct engine_source *loaded)
{
	struct director *director = ctx;

	if (loaded->owner) /* else it is of programs, or a user brought it */
		job_realm_gone(director, loaded->owner);
	if (director->stopping && director->gone && !director->engine->ops->busy(director->engine))
		director->gone(director->gone_ctx);
}

static void on_actor_up(void *ctx, struct engine_actor *actor)
{
	if (actor->owner)
		run_up(ctx, actor->owner);
}

static void on_actor_failed(void *ctx, struct engine_actor *actor, const char *error)
{
	if (actor->owner)
		run_failed(ctx, actor->owner, error);
}

static void on_actor_exited(void *ctx, struct engine_actor *actor)
{
	struct run *run = actor->owner;

	if (run && run->actor == actor)
		run_exited(ctx, run);
}

static void on_message_done(void *ctx, struct engine_actor *actor, uint64_t ref, const char *error)
{
	(void)actor;
	run_message_done(ctx, ref, error);
}

static bool on_answer(void *ctx, uint64_t endpoint, const struct payload *payload)
{
	struct director *director = ctx;

	if (run_answer(director, endpoint, payload))
		return true;
	return director->watch.answer &&
	       director->watch.answer(director->watch.ctx, endpoint, payload);
}

static void on_undelivered(void *ctx, uint64_t endpoint)
{
	struct director *director = ctx;

	if (director->watch.delivered)
		director->watch.delivered(director->watch.ctx, endpoint,
					  "the actor is gone, and never got the message");
}

static void on_output(void *ctx, struct engine_source *loaded, struct engine_actor *actor,
		      const char *text, size_t len)
{
	struct director *director = ctx;
	struct source *source = loaded->owner;
	struct run *run = actor ? actor->owner : NULL;
	tds_autofree char *who = NULL;

	if (!director->watch.output)
		return;
	if (asprintf(&who, "%s %s %s", source ? source->group->name : "-",
		     run && run->role ? run->role : "-", actor ? actor->address : "-") >= 0)
		director->watch.output(director->watch.ctx, who, text, len);
}

static void on_logged(void *ctx, struct engine_actor *actor, const json_t *record)
{
	struct director *director = ctx;

	logger_record(director->settings->logger, actor->address, record);
}

static void on_shutdown_asked(void *ctx)
{
	struct director *director = ctx;

	director->shutdown(director->shutdown_ctx);
}

/* A declaration that came as a message, or that a source was loaded with. Those in files count when they are loaded. */
static bool on_declares(void *ctx, const char *global_name)
{
	const struct director *director = ctx;

	for (const struct group *g = director->groups; g; g = g->next)
		for (const struct source *s = g->sources; s; s = s->next)
			for (size_t i = 0; i < s->nruns; i++)
				if (s->runs[i].global_name &&
				    strcmp(s->runs[i].global_name, global_name) == 0)
					return true;
	return false;
}

static void on_director_asked(void *ctx, uint64_t from, bool may_change,
			      const struct payload *payload)
{
	const struct director *director = ctx;

	if (director->watch.question)
		director->watch.question(director->watch.ctx, from, may_change, payload);
}

static void on_unload_asked(void *ctx, struct engine_source *loaded)
{
	const struct source *source = loaded->owner;

	director_unload(ctx, source->md5, NULL, NULL);
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
	.declares = on_declares,
};

/* --- life --- */

struct director *director_new(struct event_base *base, const struct director_settings *settings,
			      void (*shutdown)(void *), void *ctx)
{
	struct director *director = calloc(1, sizeof(*director));

	if (!director)
		return NULL;
	*director = (struct director){
		.base = base, .settings = settings, .shutdown = shutdown, .shutdown_ctx = ctx
	};
	audit_open(&director->audit, settings->rundir);
	return director;
}

void director_attach(struct director *director, struct engine *engine)
{
	director->engine = engine;
}

void director_stop(struct director *director, void (*gone)(void *ctx), void *ctx)
{
	director->stopping = true;
	director->gone = gone;
	director->gone_ctx = ctx;
	bringup_cancel(director);
	for (struct group *g = director->groups; g; g = g->next)
		for (struct source *s = g->sources; s; s = s->next) {
			runs_want(s, false);
			if (s->loaded)
				director->engine->ops->unload(director->engine, s->loaded);
		}
	director->engine->ops->stop(director->engine);
	if (!director->engine->ops->busy(director->engine))
		gone(ctx);
}

void director_free(struct director *director)
{
	if (!director)
		return;
	director->stopping = true;
	director->gone = NULL;
	director->watch = (struct director_watch){ 0 };
	jobs_free(director);
	held_free_all(director);
	if (director->engine)
		director->engine->ops->close(director->engine);
	listing_fini(&director->listing);
	while (director->groups) {
		struct group *g = director->groups;

		while (g->sources) {
			struct source *s = g->sources;

			g->sources = s->next;
			source_free(s);
		}
		director->groups = g->next;
		free(g->definition);
		free(g->name);
		free(g);
	}
	free(director);
}
