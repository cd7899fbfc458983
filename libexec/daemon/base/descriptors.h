/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of the daemon: as many as the hard limit has, of which a reserve is kept from actors, so that state is
 * written, clients are heard and sources end whatever actors take. What the daemon starts gets the limit that it had.
 */
#ifndef TDS_ADMIN_DESCRIPTORS_H
#define TDS_ADMIN_DESCRIPTORS_H

#include <stdbool.h>

/* Raise the soft limit to the hard one; once, before anything is started. */
void descriptors_raise(void);

/* In a child, before exec: the limit from before. Async-signal-safe. */
void descriptors_restore(void);

/* Is there room for an actor? newest: the highest descriptor that was just opened for it, the lowest free number then. */
bool descriptors_suffice(int newest);

#endif
