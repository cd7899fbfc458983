/* SPDX-License-Identifier: MIT */
/* What the actors of a group have of their own: folders, and where each group has one, a uid. */
#ifndef TDS_DAEMON_HOME_H
#define TDS_DAEMON_HOME_H

#include <stdbool.h>
#include <sys/types.h>

struct actor_home {
	char *data; /* the folder for what they keep; NULL: there is none */
	char *tmp;  /* a folder for temporary files; NULL: that of everybody */
	uid_t uid;  /* (uid_t)-1: the one of all actors */
	gid_t gid;
};

#define ACTOR_HOME_NONE                            \
	{                                          \
		.uid = (uid_t)-1, .gid = (gid_t)-1 \
	}

/* False: out of memory, and *to is none. */
bool actor_home_copy(const struct actor_home *from, struct actor_home *to);
void actor_home_fini(struct actor_home *home);
#define tds_actor_home_cleanup actor_home_fini

#endif
