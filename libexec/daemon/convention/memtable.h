/* SPDX-License-Identifier: MIT */
/* The table of systems by name, and in the order in which they were heard last. For members.c alone. */
#ifndef TDS_DAEMON_CONVENTION_MEMTABLE_H
#define TDS_DAEMON_CONVENTION_MEMTABLE_H

#include "base/buf.h"
#include "daemon/base/clock.h"
#include "member.h"

#define BUCKETS 1024

/* A living system that is not believed. */
struct claim {
	struct member_claim shown; /* epoch "": there is none */
	int64_t first_mono_ms;
	bool follows; /* it says that it is the next start of the one that is believed */
	bool told;
};

struct entry {
	struct member member; /* the head: who gets one may have the entry */
	struct entry *in_bucket;
	struct entry *
		before; /* of those that are heard, in the order of that, the longest silent first */
	struct entry *behind;
	json_t *document;
	uint64_t count;              /* of its last beat */
	char after[REFERENCE_SIZE];  /* the start that it follows */
	char former[REFERENCE_SIZE]; /* the epoch that was believed before */
	int64_t former_mono_ms;      /* until then */
	struct claim claim;
};

struct members {
	struct clock *clock;
	struct bus *bus;
	const struct members_events *events;
	void *ctx;
	int64_t lost_ms;
	struct entry *self;
	struct entry *buckets[BUCKETS];
	struct entry *first; /* the longest silent */
	struct entry *last;
	struct members_counts counts;

	struct timer beat;
	struct timer silent; /* of the first */
	struct timer answer;
	struct tds_buf state; /* the packet of this system's document */
	char asker[BUS_NAME_MAX];
	bool many_ask;
	bool leaves;
};

static inline int64_t memtable_now_ms(const struct members *members)
{
	return members->clock->mono_ms(members->clock);
}

/* NULL: it is not known; of add: there is no room, or no memory. */
struct entry *memtable_find(const struct members *members, const char *name);
struct entry *memtable_add(struct members *members, const char *name);
void memtable_free(struct members *members);

void memtable_set_state(struct members *members, struct entry *entry, enum member_state state);

/* It is heard now: from here on it is lost where it is silent for too long. */
void memtable_hear(struct members *members, struct entry *entry);
void memtable_lose(struct members *members, struct entry *entry, enum member_loss why);

#endif
