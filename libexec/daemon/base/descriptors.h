/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of the daemon: as many as the hard limit has, of which a reserve is kept from actors, so that state is
 * written, clients are heard and sources end whatever actors take. What the daemon starts gets the limit that it had.
 */
#ifndef TDS_DAEMON_DESCRIPTORS_H
#define TDS_DAEMON_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

/* Raise the soft limit to the hard one; once, before anything is started. */
void descriptors_raise(void);

/* In a child, before exec: the limit from before. Async-signal-safe. */
void descriptors_restore(void);

/* How many there are for actors, besides the reserve. newest: the highest that is open, the lowest free number then. */
size_t descriptors_free(int newest);

#endif
