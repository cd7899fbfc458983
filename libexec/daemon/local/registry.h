/* SPDX-License-Identifier: MIT */
/*
 * Who there is: ids, which nobody can guess and none has twice, what bears them, global names, and what is remembered of
 * actors that are gone. It knows of a bearer no more than where messages for it go.
 */
#ifndef TDS_DAEMON_REGISTRY_H
#define TDS_DAEMON_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

struct link;

#define TOMBSTONES 4096 /* the last actors that are gone are remembered */
#define TOMBSTONE_SHARES 256
#define IDS_AT_A_TIME 32 /* of what random_fill gives */

enum bearer_kind { BEARER_ACTOR, BEARER_PROGRAM };

/* Part of what bears an id, which owns it and takes it out before it ends. */
struct bearer {
	uint64_t id;
	uint32_t realm;
	enum bearer_kind kind;
	struct link *link;
	char *name; /* global; NULL: none. The registry's own. */
};

/* What is known of an actor that is gone. */
struct tombstone {
	uint64_t id;
	uint32_t realm;
	bool never; /* its class was never constructed: what is sent to it goes back */
};

/* Its zero state is empty. */
struct registry {
	uint64_t random[IDS_AT_A_TIME]; /* the kernel is asked for many at once */
	unsigned nrandom;               /* of these are left */
	void *by_id;                    /* tsearch trees of entries */
	void *by_name;
	void *by_grave; /* the same of tombstones */
	struct tombstone tombstones[TOMBSTONES];
	unsigned next_tombstone; /* in whose place the next one comes */
	/* How many there are of realms whose numbers have the same remainder: of one at least as many as it has. */
	unsigned shares[TOMBSTONE_SHARES];
};

void registry_fini(struct registry *registry); /* of the living nobody is in it any more */

/* 63 random bits: an id that nobody has had or will have. */
uint64_t registry_id(struct registry *registry);

/* False: out of memory. */
bool registry_add(struct registry *registry, struct bearer *bearer);
void registry_remove(struct registry *registry, struct bearer *bearer); /* and its name */

/* NULL: none that lives. */
struct bearer *registry_find(const struct registry *registry, uint64_t id);
struct bearer *registry_find_name(const struct registry *registry, const char *name);

/* Let the name mean this one from now on (NULL: nobody), which has no other then. False: out of memory. */
bool registry_bind(struct registry *registry, const char *name, struct bearer *bearer);
void registry_unbind(struct registry *registry, struct bearer *bearer);

void registry_add_tombstone(struct registry *registry, uint64_t id, uint32_t realm, bool never);
const struct tombstone *registry_tombstone(const struct registry *registry, uint64_t id);

#endif
