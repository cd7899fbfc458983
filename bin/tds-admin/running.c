/* SPDX-License-Identifier: MIT */
/* What runs, for tds-admin status: its version, and the settings that have changed since. */
#include <string.h>

#include "admin.h"
#include "base/release.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

void running_print(FILE *out, const json_t *status)
{
	const char *version = text_of(status, "Version");
	const json_t *file;
	size_t i;

	(void)fprintf(out, "tds %s", version);
	if (strcmp(version, tds_release_version) != 0)
		(void)fprintf(out, ", installed is %s: tds-admin restart takes over",
			      tds_release_version);
	(void)fputc('\n', out);
	json_array_foreach(json_object_get(status, "Changed"), i, file)
	{
		(void)fprintf(out, "changed since it was read: %s, counts %s\n",
			      text_of(file, "File"), text_of(file, "Counts"));
	}
}
