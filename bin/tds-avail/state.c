/* SPDX-License-Identifier: MIT */
/* Which packages are loaded, active and held, as the run directory has it. */
#include <string.h>

#include "avail.h"
#include "base/text.h"
#include "director/desired.h"

static bool is_file(const json_t *package, const char *name)
{
	const char *file = json_string_value(json_object_get(package, "File"));

	return file && strcmp(tds_text_base(file), name) == 0;
}

struct standing standing_of(const struct tds_loaded *state, const struct tds_group *group,
			    const char *name)
{
	struct standing standing = { .known = state != NULL };
	const json_t *source;
	size_t i;

	/* Most packages are not named at all, and there may be very many. */
	if (!state || !tds_loaded_has(state, name))
		return standing;
	json_array_foreach(json_object_get(state->document, "Sources"), i, source)
	{
		if (!is_file(source, name))
			continue;
		standing.loaded = true;
		standing.active =
			standing.active || json_is_true(json_object_get(source, "Active"));
	}
	standing.held = is_file(tds_desired_held(state->desired, group->name), name);
	return standing;
}
