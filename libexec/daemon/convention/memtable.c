/* SPDX-License-Identifier: MIT */
/* A table by hash, and a list in which who is heard goes to the end: one timer is enough for all. */
#include "memtable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct entry **bucket_of(struct members *members, const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return &members->buckets[hash % BUCKETS];
}

struct entry *memtable_find(const struct members *members, const char *name)
{
	struct entry *entry = *bucket_of((struct members *)members, name);

	while (entry && strcmp(entry->member.name, name) != 0)
		entry = entry->in_bucket;
	return entry;
}

static void free_entry(struct entry *entry)
{
	json_decref(entry->document);
	free(entry);
}

static void forget(struct members *members, struct entry *entry)
{
	struct entry **p = bucket_of(members, entry->member.name);

	while (*p != entry)
		p = &(*p)->in_bucket;
	*p = entry->in_bucket;
	members->counts.known--;
	members->events->gone(members->ctx, &entry->member);
	free_entry(entry);
}

/* The one that was lost the longest ago makes room. False: all are here. */
static bool make_room(struct members *members)
{
	struct entry *oldest = NULL;

	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry *e = members->buckets[i]; e; e = e->in_bucket)
			if (e->member.state == MEMBER_LOST &&
			    (!oldest || e->member.heard_mono_ms < oldest->member.heard_mono_ms))
				oldest = e;
	if (oldest)
		forget(members, oldest);
	return oldest != NULL;
}

/* NULL: there is no room, or no memory. */
struct entry *memtable_add(struct members *members, const char *name)
{
	struct entry **bucket = bucket_of(members, name);
	bool room = members->counts.known < MEMBERS_MAX || make_room(members);
	struct entry *entry = room ? calloc(1, sizeof(*entry)) : NULL;

	if (!entry)
		return NULL;
	(void)snprintf(entry->member.name, sizeof(entry->member.name), "%s", name);
	entry->member.state = MEMBER_LOST;
	entry->member.loss = MEMBER_LEFT; /* it was never here */
	entry->in_bucket = *bucket;
	*bucket = entry;
	members->counts.known++;
	return entry;
}

/* --- silence --- */

static void unlink_heard(struct members *members, struct entry *entry)
{
	*(entry->before ? &entry->before->behind : &members->first) = entry->behind;
	*(entry->behind ? &entry->behind->before : &members->last) = entry->before;
	entry->before = entry->behind = NULL;
}

static void link_heard(struct members *members, struct entry *entry)
{
	entry->before = members->last;
	*(members->last ? &members->last->behind : &members->first) = entry;
	members->last = entry;
}

void memtable_set_state(struct members *members, struct entry *entry, enum member_state state)
{
	struct member *m = &entry->member;

	members->counts.here += (state == MEMBER_HERE) - (m->state == MEMBER_HERE);
	m->state = state;
	m->since_wall_ms = members->clock->wall_ms(members->clock);
}

void memtable_lose(struct members *members, struct entry *entry, enum member_loss why)
{
	struct member *m = &entry->member;
	bool was_here = m->state == MEMBER_HERE;

	unlink_heard(members, entry);
	memtable_set_state(members, entry, MEMBER_LOST);
	m->loss = why;
	if (was_here)
		members->events->lost(members->ctx, m);
}

static void on_silent(void *ctx);

static void await_silence(struct members *members)
{
	const struct entry *first = members->first;

	if (first)
		timer_start(members->clock, &members->silent,
			    first->member.heard_mono_ms + members->lost_ms -
				    memtable_now_ms(members),
			    on_silent, members);
}

static void on_silent(void *ctx)
{
	struct members *members = ctx;
	int64_t before_mono_ms = memtable_now_ms(members) - members->lost_ms;

	while (members->first && members->first->member.heard_mono_ms <= before_mono_ms)
		memtable_lose(members, members->first, MEMBER_SILENT);
	await_silence(members);
}

/* It is heard now. The timer, where it runs, is for one that was silent for longer. */
void memtable_hear(struct members *members, struct entry *entry)
{
	entry->member.heard_mono_ms = memtable_now_ms(members);
	if (entry->member.state != MEMBER_LOST)
		unlink_heard(members, entry);
	link_heard(members, entry);
	if (!timer_runs(&members->silent))
		await_silence(members);
}

void memtable_free(struct members *members)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry *e = members->buckets[i], *next; e; e = next) {
			next = e->in_bucket;
			free_entry(e);
		}
	}
}
