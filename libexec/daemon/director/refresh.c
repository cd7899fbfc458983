/* SPDX-License-Identifier: MIT */
/* One load for each group, and the sum of what came of them. */
#include "refresh.h"

#include <stdlib.h>
#include <string.h>

#include "director/groups.h"
#include "tool/cli.h"

struct refresh {
	size_t left;
	json_t *results;
	int status;
	refresh_done_fn *done;
	void *ctx;
};

json_t *outcome_json(const char *response, const struct outcome *outcome)
{
	json_t *doc = json_pack("{s:s, s:b, s:i, s:b}", "DirectorResponse", response, "Success",
				outcome->status == 0, "Status", outcome->status, "Changed",
				outcome->changed);

	if (doc && outcome->group)
		(void)json_object_set_new(doc, "Group", tds_cli_json_text(outcome->group));
	if (doc && outcome->error)
		(void)json_object_set_new(doc, "Message", tds_cli_json_text(outcome->error));
	if (doc && json_array_size(outcome->warnings) > 0)
		(void)json_object_set(doc, "Warnings", (json_t *)(uintptr_t)outcome->warnings);
	if (doc && outcome->source)
		(void)json_object_set_new(doc, "SourceHash", json_string(outcome->source->md5));
	const char *path = outcome->source ? outcome->source->path : outcome->path;
	if (doc && path)
		(void)json_object_set_new(doc, "Path", tds_cli_json_text(path));
	return doc;
}

static void one_less(struct refresh *r)
{
	if (--r->left > 0)
		return;
	r->done(r->ctx, r->results, r->status);
	free(r);
}

static void on_loaded(void *ctx, const struct outcome *outcome)
{
	struct refresh *r = ctx;

	if (outcome->status > r->status)
		r->status = outcome->status;
	(void)json_array_append_new(r->results, outcome_json("SourceLoaded", outcome));
	one_less(r);
}

void refresh(struct director *director, const struct tds_dir *dir, unsigned wait_s, bool retry,
	     refresh_done_fn *done, void *ctx)
{
	struct refresh *r = calloc(1, sizeof(*r));
	struct tds_groups groups = { 0 };

	if (!r || tds_groups_scan(dir, &groups, NULL) != 0) {
		free(r);
		done(ctx, json_array(), 5);
		return;
	}
	*r = (struct refresh){ .left = 1, .results = json_array(), .done = done, .ctx = ctx };
	for (size_t i = 0; i < groups.n; i++) {
		if (groups.v[i].n == 0)
			continue;
		r->left++;
		director_load(director, groups.v[i].name, NULL, wait_s, retry, on_loaded, r);
	}
	tds_groups_fini(&groups);
	one_less(r);
}
