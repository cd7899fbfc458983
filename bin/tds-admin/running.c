/* SPDX-License-Identifier: MIT */
/* What runs, for tds-admin status: its version, and the settings that have changed since. */
#include <string.h>

#include "admin.h"
#include "base/jsontext.h"
#include "base/release.h"

void running_print(FILE *out, const json_t *status)
{
	const char *version = tds_json_string(status, "Version");
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
			      tds_json_string(file, "File"), tds_json_string(file, "Counts"));
	}
}
