/* SPDX-License-Identifier: MIT */
/* Ids, names and tombstones. */
#include "registry.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = ((const struct bearer *)a)->id;
	uint64_t y = ((const struct bearer *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct bearer *)a)->name, ((const struct bearer *)b)->name);
}

uint64_t registry_ids(struct registry *registry, unsigned n)
{
	uint64_t first = registry->next_id;

	registry->next_id += n;
	return first;
}

bool registry_add(struct registry *registry, struct bearer *bearer)
{
	return tsearch(bearer, &registry->by_id, compare_ids) != NULL;
}

void registry_remove(struct registry *registry, struct bearer *bearer)
{
	registry_unbind(registry, bearer);
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

void registry_add_tombstone(struct registry *registry, uint64_t id, uint32_t realm, bool never)
{
	registry->tombstones[id % TOMBSTONES] =
		(struct tombstone){ .id = id, .realm = realm, .never = never };
}

const struct tombstone *registry_tombstone(const struct registry *registry, uint64_t id)
{
	const struct tombstone *stone = &registry->tombstones[id % TOMBSTONES];

	return stone->id == id ? stone : NULL;
}
