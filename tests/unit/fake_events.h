/* SPDX-License-Identifier: MIT */
/*
 * Histories: what can happen next in a world of fakes, as events of one byte each, and what must be so after each of them.
 * A history leads to the same state each time it is played.
 */
#ifndef TDS_TESTS_FAKE_EVENTS_H
#define TDS_TESTS_FAKE_EVENTS_H

#include "fake_world.h"

#define FAKE_VERSIONS 3 /* of each of two groups: sources 1 to 6 */
#define FAKE_SOURCES (2 * FAKE_VERSIONS)
#define FAKE_EVENTS_MAX 64

#define FAKE_SECOND 8 /* of an actor: the source's a.B, not its a.A */
#define FAKE_WANT \
	8 /* of a request: LOAD is a hold, UNLOAD a rollback, SEND a release of the source's group */

/* Of which source, stands in the low four bits. */
enum fake_event {
	FAKE_LOAD = 0x00, /* odd ones even where their last load was undone */
	FAKE_UNLOAD = 0x10,
	FAKE_SEND = 0x20, /* to the role of its group */
	FAKE_VALID = 0x30,
	FAKE_INVALID = 0x40,
	FAKE_IMPORTED = 0x50,
	FAKE_NOT_IMPORTED = 0x60,
	FAKE_UP = 0x70,
	FAKE_FAILED = 0x80,
	FAKE_TAKEN = 0x90,     /* the message that it is at, or its health check is answered */
	FAKE_NOT_TAKEN = 0xa0, /* it failed at that */
	FAKE_EXITED = 0xb0,    /* its actor */
	FAKE_ENDED = 0xc0,     /* its process, asked for or not */
	FAKE_TIME = 0xd0,      /* passes until the next timer */
	FAKE_CRASH = 0xe0,
	FAKE_DISK = 0xf0, /* is full, or is not any more */
};

/* What may happen at all: how many packages of each group, how long a queue may get, and a bit for each kind of event. */
struct fake_alphabet {
	const char *name;
	const char
		*declaration; /* of both groups; '@' means a role of its own, '#' a global name */
	unsigned versions[2];
	unsigned queue;
	unsigned slots;
	unsigned kinds; /* 1 << (event >> 4) */
	bool wants;     /* groups are held, too */
};
#define FAKE_ALL 0xffff
#define FAKE_BUT(event) (FAKE_ALL & ~(1u << ((event) >> 4)))

void fake_begin(struct fake *f, const struct fake_alphabet *alphabet);

/* What can happen now, in an order that is the same each time. Returns how many. */
size_t fake_possible(const struct fake *f, const struct fake_alphabet *alphabet,
		     unsigned char events[FAKE_EVENTS_MAX]);
void fake_happens(struct fake *f, unsigned char event);

/* A number for all that decides what can still happen, without the times. */
uint64_t fake_digest(const struct fake *f);

/* What is not so, though it must be, after each event. NULL: all well. */
const char *fake_broken(const struct fake *f);

/* All goes well from now on, and time passes: then this must be so, too. */
const char *fake_broken_at_rest(struct fake *f);

/* In words. Caller frees. */
char *fake_history(const unsigned char *events, size_t n);

#endif
