/* SPDX-License-Identifier: MIT */
/* What a declaration that came with a package is told of this machine: what the actors of its group see of it. */
#ifndef TDS_DAEMON_SURROUNDINGS_H
#define TDS_DAEMON_SURROUNDINGS_H

#include "base/buf.h"
#include "literal/literal_env.h"

struct world;

/* A zeroed one is none. */
struct surroundings {
	struct tds_surroundings told; /* borrowed from the rest */
	char **variables;
	struct tds_buf python;
	char version[TDS_ENV_VERSION_MAX];
};

/* Of a group's actors as they would be started now. Owner: caller frees with surroundings_fini. False: out of memory. */
bool surroundings_make(struct world *world, const char *group, struct surroundings *surroundings);
void surroundings_fini(struct surroundings *surroundings);
#define tds_surroundings_cleanup surroundings_fini

#endif
