/* SPDX-License-Identifier: MIT */
/*
 * A store for several systems in one process: what they ask waits until the test has it done, in whatever order, and each
 * answer until it is given; either may be lost. What the store has can be what it was before.
 */
#ifndef TDS_TESTS_FAKE_STORE_H
#define TDS_TESTS_FAKE_STORE_H

#include <stdio.h>

#include "daemon/convention/bus.h"

#define FAKE_RECORD_MAX 512
#define FAKE_STATES_MAX 4096
#define FAKE_ASKED_MAX 64

/* What the store has, or had. */
struct fake_record {
	bool there;
	uint64_t revision;
	size_t len;
	char data[FAKE_RECORD_MAX];
};

enum fake_operation { FAKE_GET, FAKE_CREATE, FAKE_UPDATE };

/* Something that was asked: first it waits to be done, then to be answered. */
struct fake_asked {
	enum fake_operation operation;
	unsigned system;
	uint64_t number;
	bool done;
	struct fake_record record; /* to be written; or what a get has found */
	enum bus_result result;    /* done */
	uint64_t revision;         /* to be updated; or, done, what is there now */
};

struct fake_store;

/* The store, as one system has it. */
struct fake_door {
	struct bus_store store;
	struct fake_store *shared;
	unsigned system;
	bool down; /* nothing can be asked */
};

struct fake_store {
	uint64_t number;
	uint64_t revision;                          /* the last one */
	struct fake_record states[FAKE_STATES_MAX]; /* the last one is what is there */
	size_t nstates;
	struct fake_asked asked[FAKE_ASKED_MAX];
	size_t nasked;
};

void fake_store_init(struct fake_store *store);
void fake_door_init(struct fake_door *door, struct fake_store *store, unsigned system);

/* What is there now. */
const struct fake_record *fake_store_has(const struct fake_store *store);

/* The i-th of what waits is done; nobody is told yet. */
void fake_store_do(struct fake_store *store, size_t i);

/* The i-th, which is done, is not there any more; *answer borrows from *asked. */
void fake_store_take(struct fake_store *store, size_t i, struct fake_asked *asked,
		     struct bus_answer *answer);

/* The i-th is lost: the question, if it was not done, or its answer. */
void fake_store_lose(struct fake_store *store, size_t i);

/* It has what it had so many changes ago, or nothing. */
void fake_store_fall_back(struct fake_store *store, size_t changes);
void fake_store_erase(struct fake_store *store);

#endif
