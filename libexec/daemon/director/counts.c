/* SPDX-License-Identifier: MIT */
/* What is told to who watches: what was counted, all actors, and what each budget has. */
#include <string.h>

#include "rules.h"
#include "tool/cli.h"

void counts_load(struct director *director, int status, bool changed, bool undone)
{
	enum load_result result = status == 0 ? changed ? LOAD_LOADED : LOAD_UNCHANGED
				  : undone    ? LOAD_UNDONE
				  : status == 6 || status == 7 ? LOAD_UNTRUSTED
							       : LOAD_REFUSED;

	director->counts.loads[result]++;
}

void director_turned_away(struct director *director)
{
	director->counts.not_allowed++;
}

static json_t *loads_json(const struct director_counts *counts)
{
	static const char *const names[] = {
		[LOAD_LOADED] = "Loaded",   [LOAD_UNCHANGED] = "Unchanged",
		[LOAD_UNDONE] = "Undone",   [LOAD_UNTRUSTED] = "Untrusted",
		[LOAD_REFUSED] = "Refused",
	};
	json_t *loads = json_object();

	_Static_assert(sizeof(names) / sizeof(names[0]) == LOAD_RESULTS, "a name for each result");
	for (size_t i = 0; i < LOAD_RESULTS; i++)
		(void)json_object_set_new(loads, names[i],
					  json_integer((json_int_t)counts->loads[i]));
	return loads;
}

json_t *director_counters(const struct director *director)
{
	struct engine_counts engine;

	director->engine->ops->counts(director->engine, &engine);
	return json_pack(
		"{s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "Loads", loads_json(&director->counts),
		"ActorRestarts", (json_int_t)director->counts.restarts, "NotAllowed",
		(json_int_t)director->counts.not_allowed, "OverBudget", (json_int_t)engine.refused,
		"Messages", (json_int_t)engine.messages, "DeadLetters",
		(json_int_t)engine.dead_letters, "DirectLinks", (json_int_t)engine.directs);
}

/* Of which group it is, or of which user's programs. */
static void set_owner(json_t *to, const struct engine_source *of)
{
	const struct source *source = of->origin->owner;

	if (source) {
		(void)json_object_set_new(to, "Group", tds_cli_json_text(source->group->name));
		(void)json_object_set_new(to, "SourceHash", json_string(source->md5));
	} else if (of->origin->of_program) {
		(void)json_object_set_new(to, "Uid", json_integer(of->origin->uid));
	}
}

static void show_actor(void *all, const struct engine_actor_view *view)
{
	const struct engine_actor *actor = view->actor;
	const struct declared *declared = actor->owner;
	json_t *to = json_pack("{s:o, s:o, s:o?, s:b, s:I, s:I, s:I, s:I, s:I}", "ActorAddress",
			       address_json(actor->address), "Parent", address_json(view->parent),
			       "ActorClass",
			       tds_cli_json_text(declared ? declared->key : actor->class_name),
			       "Up", actor->up, "Pid", (json_int_t)actor->pid, "Received",
			       (json_int_t)view->received, "Sent", (json_int_t)view->sent, "Queued",
			       (json_int_t)view->queued, "DirectLinks", (json_int_t)view->directs);

	if (!to)
		return;
	set_owner(to, actor->source);
	if (declared && declared->role)
		(void)json_object_set_new(to, "Role", tds_cli_json_text(declared->role));
	if (view->global_name)
		(void)json_object_set_new(to, "GlobalName", tds_cli_json_text(view->global_name));
	if (declared && declared->restarts > 0)
		(void)json_object_set_new(to, "Restarts", json_integer(declared->restarts));
	(void)json_array_append_new(all, to);
}

json_t *director_actors(const struct director *director)
{
	json_t *all = json_array();

	director->engine->ops->each_actor(director->engine, show_actor, all);
	return all;
}

static void show_budget(void *all, const struct engine_budget_view *view)
{
	json_t *to = json_pack("{s:I, s:I, s:I, s:I, s:I}", "Actors", (json_int_t)view->actors,
			       "Descriptors", (json_int_t)view->descriptors, "BytesIn",
			       (json_int_t)view->bytes_in, "BytesOut", (json_int_t)view->bytes_out,
			       "BytesHeld", (json_int_t)view->bytes_held);

	if (to)
		set_owner(to, view->source);
	(void)json_array_append_new(all, to);
}

json_t *director_budgets(const struct director *director)
{
	json_t *all = json_array();

	director->engine->ops->each_budget(director->engine, show_budget, all);
	return all;
}

static json_t *number_or_null(uint64_t n)
{
	return n <= INT64_MAX ? json_integer((json_int_t)n) : json_null();
}

static void show_limits(void *all, const struct engine_limits_view *view)
{
	const struct tds_cgroup_use *use = &view->use;
	json_t *to = json_pack("{s:o, s:o, s:o, s:o}", "Processes", number_or_null(use->pids),
			       "ProcessesMost", number_or_null(use->most.pids), "Memory",
			       number_or_null(use->memory), "MemoryMost",
			       number_or_null(use->most.memory));

	if (to)
		set_owner(to, view->source);
	(void)json_array_append_new(all, to);
}

json_t *director_limits(const struct director *director)
{
	json_t *all = json_array();

	director->engine->ops->each_limits(director->engine, show_limits, all);
	return all;
}
