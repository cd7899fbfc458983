/* SPDX-License-Identifier: MIT */
/* Copies of what a group has. */
#include "home.h"

#include <stdlib.h>
#include <string.h>

bool actor_home_copy(const struct actor_home *from, struct actor_home *to)
{
	*to = (struct actor_home){ .data = from->data ? strdup(from->data) : NULL,
				   .tmp = from->tmp ? strdup(from->tmp) : NULL,
				   .uid = from->uid,
				   .gid = from->gid };
	if ((!from->data || to->data) && (!from->tmp || to->tmp))
		return true;
	actor_home_fini(to);
	return false;
}

void actor_home_fini(struct actor_home *home)
{
	free(home->data);
	free(home->tmp);
	*home = (struct actor_home)ACTOR_HOME_NONE;
}
