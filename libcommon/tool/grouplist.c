/* SPDX-License-Identifier: MIT */
/* Groups, their sources and actors, as text. */
#include "grouplist.h"

#include <string.h>

#include "base/text.h"

const char *tds_grouplist_address(const json_t *run)
{
	return json_string_value(
		json_object_get(json_object_get(run, "ActorAddress"), "ActorAddress"));
}

static void write_group(FILE *out, const char *name, const json_t *group,
			void (*write_head)(FILE *out, const json_t *group),
			void (*write_run)(FILE *out, const json_t *run))
{
	const json_t *loaded = json_object_get(group, "Loaded");
	const char *active = json_string_value(json_object_get(group, "ActiveHash"));

	(void)fputs("Group ", out);
	tds_text_print(out, name);
	(void)fputs("::\n", out);
	if (write_head)
		write_head(out, group);
	/* The newest load comes first in the answer, the oldest in the list. */
	for (size_t i = json_array_size(loaded); i-- > 0;) {
		const char *hash = json_string_value(json_array_get(loaded, i));
		const json_t *run;
		size_t k;

		if (!hash)
			continue;
		(void)fprintf(out, "  Source hash %s%s\n", hash,
			      active && strcmp(active, hash) == 0 ? "  [ACTIVE]" : "");
		json_array_foreach(json_object_get(json_object_get(group, "Running"), hash), k, run)
			write_run(out, run);
	}
}

void tds_grouplist_write(FILE *out, json_t *answer,
			 void (*write_head)(FILE *out, const json_t *group),
			 void (*write_run)(FILE *out, const json_t *run))
{
	const char *name;
	json_t *group;

	json_object_foreach(json_object_get(answer, "Groups"), name, group)
		write_group(out, name, group, write_head, write_run);
}
