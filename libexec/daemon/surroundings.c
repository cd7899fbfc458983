/* SPDX-License-Identifier: MIT */
/* The environment of actors, and the Python that runs them. */
#include "surroundings.h"

#include "base/mem.h"
#include "daemon/base/actorenv.h"
#include "world.h"

/* The environment of the group's actors, as far as it is known before the package is. */
static char **list_variables(struct world *world, const char *group)
{
	tds_auto(actor_home) struct actor_home home = ACTOR_HOME_NONE;
	const struct tds_sandbox_rule *rule = tds_sandbox_rule_of(world->sandbox, group);
	struct tds_err err;

	/* What is in the way is told where a home is to be given. */
	if (homes_foresee(&world->homes, group, &home, &err) == TDS_E_NOMEM)
		return NULL;
	return actorenv_new(
		&(struct actorenv){ .settings = world->settings,
				    .dir = world->dir->path,
				    .home = &home,
				    .trusted = rule->unasked->profile == TDS_PROFILE_TRUSTED });
}

bool surroundings_make(struct world *world, const char *group, struct surroundings *surroundings)
{
	struct tds_env_version version;
	struct tds_err err;
	bool found = false;

	*surroundings = (struct surroundings){ .variables = list_variables(world, group) };
	if (!surroundings->variables)
		return false;
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
	actorenv_free(surroundings->variables);
	tds_buf_fini(&surroundings->python);
	*surroundings = (struct surroundings){ 0 };
}
