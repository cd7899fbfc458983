/* SPDX-License-Identifier: MIT */
/* "Did you mean" for targets, from the list of what is loaded. */
#include "target.h"

#include <string.h>

#include "base/nearest.h"

struct search {
	struct tds_nearest nearest; /* its word is without the '@' */
	const char *key;            /* Role or GlobalName */
	bool there;                 /* the target itself */
};

static void look_at_actors(struct search *search, const json_t *actors)
{
	const json_t *actor;
	size_t i;

	json_array_foreach(actors, i, actor)
	{
		const char *name = json_string_value(json_object_get(actor, search->key));

		search->there |= name && strcmp(name, search->nearest.word) == 0;
		tds_nearest_offer(&search->nearest, name);
	}
}

void target_hint(const struct admin *admin, const json_t *answer, const char *target,
		 struct tds_err *err)
{
	bool is_name = target[0] == '@';
	struct search search = { .nearest.word = target + is_name,
				 .key = is_name ? "GlobalName" : "Role" };
	char hint[TDS_NEAREST_HINT_MAX];
	const char *group;
	json_t *value;

	json_object_foreach(json_object_get(answer, "Groups"), group, value)
	{
		const char *active = json_string_value(json_object_get(value, "ActiveHash"));

		if (active && (!admin->group || strcmp(admin->group, group) == 0))
			look_at_actors(&search,
				       json_object_get(json_object_get(value, "Running"), active));
	}
	if (search.there)
		return;
	(void)tds_nearest_hint(&search.nearest, hint);
	(void)strncat(err->reason, hint, sizeof(err->reason) - strlen(err->reason) - 1);
}
