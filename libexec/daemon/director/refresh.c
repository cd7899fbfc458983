/* SPDX-License-Identifier: MIT */
/* One load for each group, and the sum of what came of them. */
#include <stdlib.h>

#include "rules.h"

struct refresh {
	struct director *director;
	struct refresh *next;
	size_t left;
	json_t *results;
	int status;
	refresh_done_fn *done;
	void *ctx;
};

static void unlink_refresh(struct refresh *r)
{
	struct refresh **p = &r->director->refreshes;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
}

static void one_less(struct refresh *r)
{
	if (--r->left > 0)
		return;
	unlink_refresh(r);
	r->done(r->ctx, r->results, r->status);
	free(r);
}

void refresh_free_all(struct director *director)
{
	while (director->refreshes) {
		struct refresh *r = director->refreshes;

		unlink_refresh(r);
		json_decref(r->results);
		free(r);
	}
}

static void on_loaded(void *ctx, const struct outcome *outcome)
{
	struct refresh *r = ctx;

	if (outcome->status > r->status)
		r->status = outcome->status;
	(void)json_array_append_new(r->results, outcome_json("SourceLoaded", outcome));
	one_less(r);
}

/* What it may not load is none of its affair. */
static bool is_its(const struct requester *by, const char *group)
{
	return !by || tds_asking_may(by->asking, TDS_ASKED_LOAD, group);
}

void director_refresh(struct director *director, unsigned wait_s, bool retry,
		      const struct requester *by, refresh_done_fn *done, void *ctx)
{
	struct refresh *r = calloc(1, sizeof(*r));
	json_t *groups = r ? director->means->groups(director->means->ctx) : NULL;
	const json_t *name;
	size_t i;

	if (!groups) {
		free(r);
		done(ctx, json_array(), 5);
		return;
	}
	*r = (struct refresh){ .director = director,
			       .next = director->refreshes,
			       .left = 1,
			       .results = json_array(),
			       .done = done,
			       .ctx = ctx };
	director->refreshes = r;
	json_array_foreach(groups, i, name)
	{
		struct load_request request = { .purpose = LOAD_REFRESH,
						.target = json_string_value(name),
						.wait_s = wait_s,
						.retry = retry,
						.by = by };

		if (!is_its(by, request.target))
			continue;
		r->left++;
		director_load(director, &request, on_loaded, r);
	}
	json_decref(groups);
	one_less(r);
}
