/* SPDX-License-Identifier: MIT */
/*
 * Revocation of what runs: what is of a package or a key that is revoked ends at once, whatever is under way in its group,
 * and the highest version that is loaded, and that the verifier still lets pass, is active then.
 */
#include <string.h>

#include "change.h"
#include "rules.h"

#define GRACE_MS 500 /* of its actors: all of it is to be gone within a second */

/* The first that has to go, and is not on its way. NULL: there is none. */
static struct source *next_revoked(const struct director *director)
{
	for (struct group *g = director->groups; g; g = g->next)
		for (struct source *s = g->sources; s; s = s->next)
			if (s->revoked && !s->expelled && s->state != SOURCE_UNLOADING)
				return s;
	return NULL;
}

/* It runs, or may: its actors end, and nothing comes back to it. */
static void stop(struct source *source, struct change *change)
{
	if (change && change->before == source)
		change->before = NULL;
	if (change && change->launch.source == source)
		launch_cancel(change);
	/* Who waits for a load is told why that source is not active. */
	if (change && change->state == CHANGE_CLEARING && source->group->active == source)
		change_blame(change, 7, source->revoked);
	source->loaded->grace_ms = GRACE_MS;
	source_stop(source);
}

static void expel(struct source *source)
{
	struct group *group = source->group;
	struct change *change = group_is_changing(group) ? group->changes : NULL;
	bool is_mine = change && change->source == source;

	source->expelled = source->dismissed = true;
	if (is_mine && change->state == CHANGE_VERIFYING)
		return; /* the verdict finds it */
	if (is_mine && (change->state == CHANGE_IMPORTING || change->state == CHANGE_STARTING)) {
		source->loaded->grace_ms = GRACE_MS;
		change_happens(change, CHANGE_REVOKED, &(struct news){ .error = source->revoked });
	} else if (source->loaded) {
		stop(source, change);
	} else {
		(void)source_drop(source, NULL, "Revoked", source->revoked, &(struct tds_err){ 0 });
		group_fall_back(group);
	}
}

void director_revoke(struct director *director, json_t *digests)
{
	struct source *source;

	json_decref(director->revoked);
	director->revoked = digests;
	for (struct group *g = director->groups; g; g = g->next)
		for (struct source *s = g->sources; s; s = s->next)
			if (!s->revoked)
				s->revoked = revoked_why(director, s->sha256, s->key_sha256,
							 s->key_file_sha256);
	/* An end may be the end of its group: each time the search begins anew. */
	while (!director->stopping && (source = next_revoked(director)))
		expel(source);
}
