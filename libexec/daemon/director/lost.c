/* SPDX-License-Identifier: MIT */
/*
 * Sources whose process is gone, wanted or not; and the return of those that were lost, after the end of their process or
 * of the admin's: the packages come from the store, and are verified again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"
#include "change.h"
#include "desired.h"
#include "floor.h"
#include "rules.h"

#define STEADY_MS 60000 /* loaded for this long: the next loss is a first one */
#define RETRY_FIRST_MS 50
#define RETRY_MAX_MS 30000
#define NO_MEMORY_MS 1000 /* until a return for which there was none is tried again */
#define RETURN_S 60

/* The group's changes forget a source that goes. */
static void forget_in_changes(struct change *changes, const struct source *source)
{
	for (struct change *c = changes; c; c = c->next) {
		if (c->launch.source == source)
			launch_cancel(c);
		if (c->before == source)
			c->before = NULL;
		if (c->source == source)
			c->source = NULL;
	}
}

int source_drop(struct source *source, struct change *change, const char *what, const char *why,
		struct tds_err *err)
{
	struct director *director = source->director;
	struct group *group = source->group;
	bool kept = source->state != SOURCE_LOADING;
	int rc = 0;

	source_remove(source);
	forget_in_changes(group->changes, source);
	if (kept)
		rc = model_save(director, err);
	if (source->dismissed || !group_stores(group, source->sha256))
		director->means->forget(director->means->ctx, source->sha256);
	/* Where the disk is full, what the store held makes room. */
	if (rc != 0)
		rc = model_save(director, err);
	if (rc != 0) {
		tell_change(director, "StateNotWritten", group, NULL, err->reason);
		tds_err_prefix(err, "%s is unloaded, but that could not be written down",
			       source->file);
	}
	if (change && change->error && why)
		change->told = true;
	audit_and_tell(director, &(struct happening){ .what = what,
						      .group = group,
						      .source = source,
						      .change = change,
						      .error = why });
	source_free(source);
	return rc;
}

/* --- coming back --- */

static void on_retry(void *ctx);

static void come_back(struct source *source, change_done_fn *done, void *ctx)
{
	struct change *change = change_new(source->group, CHANGE_RETURN, source->sha256, done, ctx);

	if (!change) {
		timer_start(source->director->clock, &source->retry, NO_MEMORY_MS, on_retry,
			    source);
		if (done)
			done(ctx, &(struct outcome){ .status = 5,
						     .path = source->path,
						     .error = "out of memory" });
		return;
	}
	change->source = source;
	change->retry = true;
	change->wait_s = RETURN_S;
	change_enqueue(change);
}

static void on_retry(void *ctx)
{
	come_back(ctx, NULL, NULL);
}

/* As an actor does that exits again and again, a source that is lost again and again waits longer each time. */
void source_lose(struct source *source, const char *why)
{
	struct director *director = source->director;
	struct clock *clock = director->clock;
	bool steady = source->state == SOURCE_LOADED &&
		      clock->wall_ms(clock) - source->loaded_wall_ms >= STEADY_MS;
	unsigned losses = steady ? 0 : source->losses;
	int64_t delay_ms = losses == 0  ? 0
			   : losses > 9 ? RETRY_MAX_MS
					: (int64_t)RETRY_FIRST_MS << losses;

	source->losses = losses + 1;
	if (source->state == SOURCE_LOADED)
		source->returns_active = source->group->active == source;
	source->state = SOURCE_LOST;
	if (source->group->active == source)
		source->group->active = NULL;
	declared_want_all(source, false);
	tell_change(director, "Lost", source->group, source, why);
	timer_start(clock, &source->retry, delay_ms, on_retry, source);
}

/* --- the end of a process --- */

/* What a source that goes, and is not lost, is said to be. */
static const char *word_for(const struct change *mine)
{
	return mine && mine->kind != CHANGE_UNLOAD ? "Undone" : "Unloaded";
}

void source_gone(struct source *source)
{
	struct director *director = source->director;
	struct group *group = source->group;
	struct change *change = group_is_changing(group) ? group->changes : NULL;
	struct change *mine = change && change->source == source ? change : NULL;
	bool is_lost = source->state == SOURCE_LOADED || source->state == SOURCE_LOST;
	bool is_revoked = source->expelled && !(mine && mine->state == CHANGE_STOPPING);
	const char *revoked = source->revoked; /* a constant, which outlives it */
	struct tds_err err = { 0 };
	char words[TDS_ERR_REASON_MAX];

	(void)snprintf(words, sizeof(words), "%s",
		       source->loaded->last_words ? source->loaded->last_words : "the host ended");
	bool is_new = source->state == SOURCE_LOADING;
	source->loaded = NULL;
	if (director->stopping)
		return;
	if (mine)
		mine->source = NULL;
	if (is_lost) {
		source_lose(source, words);
		if (change && change->before == source)
			change->before = NULL;
	} else if ((is_revoked ? source_drop(source, NULL, "Revoked", source->revoked, &err)
			       : source_drop(source, mine ? mine : change, word_for(mine),
					     mine ? mine->error : NULL, &err)) != 0) {
		/* A load whose AutoUnload this was is told of it, too. */
		if (change && (mine || change->state == CHANGE_CLEARING))
			change_blame(change, 5, err.reason);
	}
	if (is_revoked)
		group_fall_back(group);
	if (mine)
		change_happens(mine, CHANGE_GONE,
			       &(struct news){ .error = is_lost || is_new ? words
							: is_revoked      ? revoked
									  : NULL });
	else if (change && !group_is_clearing(group))
		change_happens(change, CHANGE_CLEARED, &(struct news){ 0 });
	parked_release(director);
}

/* --- after a crash --- */

static void one_less(struct restore *restore)
{
	if (--restore->left == 0)
		restore->finished(restore->ctx);
}

static void on_restored(void *ctx, const struct outcome *outcome)
{
	struct restore *restore = ctx;

	if (outcome->status != 0)
		restore->failed(restore->ctx,
				outcome->path ? tds_text_base(outcome->path) : "a source",
				outcome->error ? outcome->error : "failed");
	one_less(restore);
}

/* What loaded.json says of one source, which is lost until it is back. NULL: why it cannot come back is in err. */
static struct source *recall(struct director *director, const json_t *stored, struct tds_err *err)
{
	const struct means *means = director->means;
	struct group *group = group_get(director, tds_json_string(stored, "Group"));
	tds_auto(tli) struct tds_tli tli = { 0 };

	if (!group) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		return NULL;
	}
	if (means->stored_declaration(means->ctx, tds_json_string(stored, "SHA256"), &tli, err) !=
	    0)
		return NULL;
	struct source *source = source_new(group, tds_json_string(stored, "File"),
					   tds_json_string(stored, "Path"), &tli, err);
	if (!source)
		return NULL;
	const json_t *held_ms = json_object_get(stored, "HeldMs");
	group->known = true;
	source->state = SOURCE_LOST;
	source->returns_active = json_is_true(json_object_get(stored, "Active"));
	(void)snprintf(source->md5, sizeof(source->md5), "%s", tds_json_string(stored, "MD5"));
	(void)snprintf(source->sha256, sizeof(source->sha256), "%s",
		       tds_json_string(stored, "SHA256"));
	(void)snprintf(source->key_sha256, sizeof(source->key_sha256), "%s",
		       tds_json_string(stored, "KeySHA256"));
	source_add(source);
	source->active_wall_ms = json_integer_value(json_object_get(stored, "ActiveMs"));
	if (json_is_integer(held_ms))
		desired_complete(source, json_integer_value(held_ms));
	if (source->returns_active)
		floor_activated(source, false);
	return source;
}

/* The groups that clients have defined. */
static void restore_groups(struct director *director, const json_t *defined)
{
	const char *name;
	json_t *text;

	json_object_foreach((json_t *)(uintptr_t)defined, name, text)
	{
		struct group *group = group_get(director, name);

		if (group)
			group->definition = strdup(json_string_value(text));
		if (group && group->definition)
			group->known = true;
		else
			director->restore.failed(director->restore.ctx, name, "out of memory");
	}
}

void director_restore(struct director *director, const json_t *state, const json_t *groups,
		      void (*failed)(void *ctx, const char *what, const char *why),
		      void (*finished)(void *ctx), void *ctx)
{
	const json_t *sources = json_object_get(state, "Sources");
	struct restore *restore = &director->restore;
	const json_t *stored;
	bool forgotten = false;
	struct tds_err err;
	size_t i;

	*restore =
		(struct restore){ .left = 1, .failed = failed, .finished = finished, .ctx = ctx };
	restore_groups(director, json_object_get(groups, "Groups"));
	if (desired_known(director, &err) != 0)
		failed(ctx, "what is wanted of groups", err.reason);
	if (floors_known(director, &err) != 0)
		failed(ctx, "the floors of groups", err.reason);
	/* First all are there, lost: so none that is not back yet is forgotten by what is written down meanwhile. */
	json_array_foreach(sources, i, stored)
	{
		if (recall(director, stored, &err))
			continue;
		failed(ctx, tds_json_string(stored, "File"), err.reason);
		forgotten = true;
	}
	if (forgotten)
		save_state(director, NULL);
	if (desired_save(director, &err) != 0)
		tell_change(director, "StateNotWritten", NULL, NULL, err.reason);
	json_array_foreach(sources, i, stored)
	{
		struct source *source = source_find(director, tds_json_string(stored, "SHA256"));

		if (!source)
			continue;
		restore->left++;
		come_back(source, on_restored, restore);
	}
	one_less(restore);
}
