/* SPDX-License-Identifier: MIT */
/* A block that is given back to the allocator when it is needed, and taken again when there is room. */
#include "reserve.h"

#include <jansson.h>

static struct {
	void *(*alloc)(size_t);
	void (*release)(void *);
	void *kept; /* NULL: in use */
} reserve;

static void *allocate(size_t size)
{
	if (!reserve.kept)
		reserve.kept = reserve.alloc(RESERVE_BYTES);
	void *block = reserve.alloc(size);
	if (block || !reserve.kept)
		return block;
	reserve.release(reserve.kept);
	reserve.kept = NULL;
	return reserve.alloc(size);
}

void reserve_for_json(void *(*alloc)(size_t), void (*release)(void *))
{
	if (reserve.kept)
		reserve.release(reserve.kept);
	reserve.alloc = alloc;
	reserve.release = release;
	reserve.kept = alloc(RESERVE_BYTES);
	json_set_alloc_funcs(allocate, release);
}
