/* SPDX-License-Identifier: MIT */
/* Ids, names and tombstones. */
#include "registry.h"

#include <search.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/random.h"

#define RESERVED_IDS 2 /* nobody, and the Director */

_Static_assert(offsetof(struct bearer, id) == 0 && offsetof(struct tombstone, id) == 0,
	       "an id stands first in what has one");

/* Of bearers, and of tombstones. */
static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct bearer *)a)->name, ((const struct bearer *)b)->name);
}

uint64_t registry_id(struct registry *registry)
{
	uint64_t id;

	do {
		if (registry->nrandom == 0) {
			random_fill(registry->random, sizeof(registry->random));
			registry->nrandom = IDS_AT_A_TIME;
		}
		id = registry->random[--registry->nrandom] >> 1;
	} while (id < RESERVED_IDS);
	return id;
}

bool registry_add(struct registry *registry, struct bearer *bearer)
{
	struct bearer **found = tsearch(bearer, &registry->by_id, compare_ids);

	return found && *found == bearer;
}

void registry_remove(struct registry *registry, struct bearer *bearer)
{
	registry_unbind(registry, bearer);
	if (registry_find(registry, bearer->id) == bearer)
		(void)tdelete(bearer, &registry->by_id, compare_ids);
}

struct bearer *registry_find(const struct registry *registry, uint64_t id)
{
	const struct bearer key = { .id = id };
	struct bearer **found = tfind(&key, &registry->by_id, compare_ids);

	return found ? *found : NULL;
}

struct bearer *registry_find_name(const struct registry *registry, const char *name)
{
	const struct bearer key = { .name = (char *)(uintptr_t)name };
	struct bearer **found = tfind(&key, &registry->by_name, compare_names);

	return found ? *found : NULL;
}

bool registry_bind(struct registry *registry, const char *name, struct bearer *bearer)
{
	struct bearer *before = registry_find_name(registry, name);
	char *copy = bearer ? strdup(name) : NULL;

	if (before == bearer || (bearer && !copy)) {
		free(copy);
		return before == bearer;
	}
	if (before)
		registry_unbind(registry, before);
	if (!bearer)
		return true;
	registry_unbind(registry, bearer);
	bearer->name = copy;
	if (tsearch(bearer, &registry->by_name, compare_names))
		return true;
	free(copy);
	bearer->name = NULL;
	return false;
}

void registry_unbind(struct registry *registry, struct bearer *bearer)
{
	if (!bearer->name)
		return;
	(void)tdelete(bearer, &registry->by_name, compare_names);
	free(bearer->name);
	bearer->name = NULL;
}

static unsigned *share_of(struct registry *registry, uint32_t realm)
{
	return &registry->shares[realm % TOMBSTONE_SHARES];
}

static void forget_tombstone(struct registry *registry, struct tombstone *stone)
{
	if (stone->id != 0)
		--*share_of(registry, stone->realm);
	if (registry_tombstone(registry, stone->id) == stone)
		(void)tdelete(stone, &registry->by_grave, compare_ids);
}

/* A realm that has half of them takes no other's place, but that of its own oldest: it may bury as many as it likes. */
static struct tombstone *place_for(struct registry *registry, uint32_t realm)
{
	const unsigned *own = share_of(registry, realm);
	struct tombstone *stone;

	do
		stone = &registry->tombstones[registry->next_tombstone++ % TOMBSTONES];
	while (*own >= TOMBSTONES / 2 && stone->id != 0 && share_of(registry, stone->realm) != own);
	return stone;
}

/* Where memory is missing, it is forgotten at once. */
void registry_add_tombstone(struct registry *registry, uint64_t id, uint32_t realm, bool never)
{
	struct tombstone *stone = place_for(registry, realm);

	forget_tombstone(registry, stone);
	*stone = (struct tombstone){ .id = id, .realm = realm, .never = never };
	++*share_of(registry, realm);
	(void)tsearch(stone, &registry->by_grave, compare_ids);
}

const struct tombstone *registry_tombstone(const struct registry *registry, uint64_t id)
{
	const struct tombstone key = { .id = id };
	struct tombstone **found = tfind(&key, &registry->by_grave, compare_ids);

	return found ? *found : NULL;
}

void registry_fini(struct registry *registry)
{
	for (size_t i = 0; i < TOMBSTONES; i++)
		forget_tombstone(registry, &registry->tombstones[i]);
}
