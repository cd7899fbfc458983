/* SPDX-License-Identifier: MIT */
/* What the process of each actor uses, as the kernel tells, and how much that is a second. */
#ifndef TDS_ADMIN_USAGE_H
#define TDS_ADMIN_USAGE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define USAGE_ADDRESS_MAX 32

/* An actor, and what it has used since the sample before; in the first one since its process began. */
struct usage {
	const json_t *actor; /* as RetrieveAll answers; borrowed from the sample */
	double cpu; /* of one processor, in percent; negative: not known, its process is gone or hidden */
	double rate;    /* messages that it got in a second; the same */
	int64_t memory; /* bytes that are resident; the same */
	/* what the next sample is compared with */
	char address[USAGE_ADDRESS_MAX];
	uint64_t ticks;
	uint64_t received;
};

struct usages {
	struct usage *v; /* by address, until they are sorted */
	size_t n;
	int64_t mono_ms; /* when it was */
	json_t *answer;  /* what they point to */
};

/* Of the actors in an answer, which it takes the reference to; before: the sample before, in any order. False: out of memory. */
int usages_take(struct usages *usages, json_t *answer, struct usages *before);
void usages_fini(struct usages *usages);

#endif
