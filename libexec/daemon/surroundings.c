/* SPDX-License-Identifier: MIT */
/* The environment of actors, and the Python that runs them. */
#include "surroundings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/base/child.h"
#include "daemon/local/engine_local.h"

/* The environment as the host gets it, with a place at the end for the data folder. */
static bool list_variables(struct surroundings *s, const char *folder)
{
	size_t n = 0;

	s->variables = child_environment(host_withheld, 1);
	if (!s->variables || asprintf(&s->data, "TDS_DATA_DIR=%s", folder) < 0) {
		s->data = NULL;
		return false;
	}
	while (s->variables[n])
		n++;
	s->variables[n] = s->data;
	return true;
}

bool surroundings_make(const struct data_place *data, const char *group,
		       struct surroundings *surroundings)
{
	tds_autofree char *folder = data_path(data, group);
	struct tds_env_version version;
	struct tds_err err;
	bool found = false;

	*surroundings = (struct surroundings){ 0 };
	if (!folder || !list_variables(surroundings, folder)) {
		surroundings_fini(surroundings);
		return false;
	}
	/* One that cannot be told is refused where a declaration asks for it. */
	if (tds_env_python(&surroundings->python, &found, &err) != 0 || !found)
		surroundings->python.len = 0;
	if (tds_env_python_version(&version, &err) == 0)
		tds_env_version_print(&version, surroundings->version);
	surroundings->told = (struct tds_surroundings){
		.variables = surroundings->variables,
		.python = surroundings->python.len > 0 ? surroundings->python.data : "",
		.version = surroundings->version,
	};
	return true;
}

void surroundings_fini(struct surroundings *surroundings)
{
	free(surroundings->variables);
	free(surroundings->data);
	tds_buf_fini(&surroundings->python);
	*surroundings = (struct surroundings){ 0 };
}
