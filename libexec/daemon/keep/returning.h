/* SPDX-License-Identifier: MIT */
/*
 * What is on its way back after a crash, in the run directory's restoring.json: SHA-256 -> at how many deaths of the admin in a
 * row it was on its way. Written for those who come after a death, and not synced: it need not outlive the machine's.
 */
#ifndef TDS_DAEMON_RETURNING_H
#define TDS_DAEMON_RETURNING_H

#include <jansson.h>
#include <stdbool.h>

struct returning {
	int rundir;     /* borrowed */
	json_t *deaths; /* with the one that would come now, for those that are on their way */
};

/* What a death has left, of those sources that are in loaded.json (state; NULL: none). What cannot be read is nothing. */
void returning_open(struct returning *returning, int rundir, const json_t *state);
void returning_close(struct returning *returning);

unsigned returning_deaths(const struct returning *returning, const char *sha256);
bool returning_is_empty(const struct returning *returning);

/* It is on its way from now on; or it has arrived, or is forgotten. */
void returning_begin(struct returning *returning, const char *sha256);
void returning_end(struct returning *returning, const char *sha256);

#endif
