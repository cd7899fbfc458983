/* SPDX-License-Identifier: MIT */
/* The kinds of realms, and what differs between them. */
#include "local.h"

const struct realm_traits realm_traits[] = {
	[REALM_FORK_SERVER] = { .maker = MADE_BY_DAEMON, .forks = true, .piped = true },
	[REALM_WARM] = { .maker = MADE_BY_FORK_SERVER, .piped = true, .limited = true },
	[REALM_PACKAGE] = { .maker = MADE_BY_FORK_SERVER,
			    .piped = true,
			    .limited = true,
			    .loaded = true,
			    .counts = true },
	[REALM_DERIVED] = { .maker = MADE_BY_FORK_SERVER,
			    .piped = true,
			    .limited = true,
			    .derived = true,
			    .counts = true },
	[REALM_DERIVED_OF_PROGRAM] = { .maker = MADE_BY_HOME, .derived = true, .counts = true },
	[REALM_PROGRAM] = { .maker = JOINS_BY_ITSELF,
			    .forks = true,
			    .counts = true,
			    .link_is_process = true },
};
_Static_assert(sizeof(realm_traits) / sizeof(realm_traits[0]) == REALM_PROGRAM + 1,
	       "a row for each kind");
