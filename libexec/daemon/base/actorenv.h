/* SPDX-License-Identifier: MIT */
/*
 * What actors of packages have in their environment: a fixed list, what actorenv.cfg names, and where that is not there and
 * they are trusted, all of the admin's that is not for a loader, an interpreter or a supervised service alone.
 */
#ifndef TDS_DAEMON_ACTORENV_H
#define TDS_DAEMON_ACTORENV_H

#include <stdbool.h>

#include "home.h"
#include "settings.h"

/* Who asks. All is borrowed. */
struct actorenv {
	const struct settings *settings;
	const char *dir;               /* the director directory */
	const struct actor_home *home; /* NULL: of no group, as the fork server is */
	bool trusted;
};

#define ACTORENV_MAX_BYTES (128 << 10) /* of it all; what does not fit any more is left out */

/* Owner: the caller frees with actorenv_free. NULL: out of memory. */
char **actorenv_new(const struct actorenv *asked);
void actorenv_free(char **variables);

#endif
