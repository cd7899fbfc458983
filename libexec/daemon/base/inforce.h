/* SPDX-License-Identifier: MIT */
/* Which configuration files have changed since what they say came into force, and so wait for a reload or a restart. */
#ifndef TDS_DAEMON_INFORCE_H
#define TDS_DAEMON_INFORCE_H

#include <jansson.h>

#include "base/dir.h"

struct inforce;

/*
 * What they say now is in force: asked before they are read, so that one which changes meanwhile is found changed. dir is
 * borrowed. NULL: out of memory.
 */
struct inforce *inforce_new(const struct tds_dir *dir);
void inforce_free(struct inforce *inforce); /* accepts NULL */

/* What this file says by now, as against inforce_look(), is in force. */
void inforce_look(struct inforce *inforce);
void inforce_note(struct inforce *inforce, const char *name);
void inforce_take_back(struct inforce *inforce,
		       const char *name); /* the last note: what was in force before still is */

/* Those that say something else than what is in force: an array of {"File", "Counts"}, Counts in the words of tds.cfg(5). */
json_t *inforce_changed(const struct inforce *inforce);

#endif
