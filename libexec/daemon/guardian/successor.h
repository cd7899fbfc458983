/* SPDX-License-Identifier: MIT */
/*
 * The program that is to go on in the guardian's place. The daemon names it over its pulse: WARD_RESTART, a path, and a NUL;
 * again and again, since what is said once may be lost.
 */
#ifndef TDS_DAEMON_SUCCESSOR_H
#define TDS_DAEMON_SUCCESSOR_H

#include <stdbool.h>
#include <stddef.h>

#define SUCCESSOR_MAX \
	4000 /* bytes of a path with its NUL: with the word it is one write to a pipe, whole or not at all */

/* A zeroed one is named by nobody. */
struct successor {
	char program[SUCCESSOR_MAX];
	size_t len;
	enum { SUCCESSOR_NONE, SUCCESSOR_BEING_NAMED, SUCCESSOR_NAMED } state;
};

/* A byte of the pulse. True: it belongs to a name. One that is too long is none. */
bool successor_hear(struct successor *successor, char byte);

/* Begin a name; the one before is forgotten. */
void successor_begin(struct successor *successor);

#endif
