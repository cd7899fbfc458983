/* SPDX-License-Identifier: MIT */
/* What is known of one system of a convention, how much that may be, and what is told of it. */
#ifndef TDS_DAEMON_CONVENTION_MEMBER_H
#define TDS_DAEMON_CONVENTION_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "daemon/base/random.h"

#define MEMBERS_PROTOCOL 1
#define MEMBERS_MAX 4096 /* names that are remembered, of lost ones too */
#define MEMBERS_BEAT_MS 1000
#define MEMBERS_BEAT_MAX 512   /* bytes of a beat */
#define MEMBERS_VERSION_MAX 32 /* bytes, with the NUL */
#define MEMBERS_LOAD_MAX 1000000

enum member_role {
	MEMBER_ORDINARY,
	MEMBER_CANDIDATE,
	MEMBER_LEADER, /* it holds the lease, as it says */
};

enum member_state {
	MEMBER_HERE,
	MEMBER_LOST,    /* it was here; why stands in loss */
	MEMBER_FOREIGN, /* it speaks another protocol, and was not here before */
};

enum member_loss {
	MEMBER_SILENT,    /* nothing was heard of it for lost_ms */
	MEMBER_LEFT,      /* it said so */
	MEMBER_RESTARTED, /* its own next start is there */
	MEMBER_DISPLACED, /* another system of its name was started before it */
};

/* A system, as it is known. Times of the wall are hostile where another clock made them. */
struct member {
	char name[BUS_NAME_MAX];
	char epoch[REFERENCE_SIZE]; /* "" of a foreign one */
	enum member_state state;
	enum member_loss loss; /* MEMBER_LOST */
	bool self;             /* this system; it is always here */
	uint64_t protocol;
	enum member_role role;
	uint64_t term; /* the highest of a lease that it knows of; 0: none */
	char version[MEMBERS_VERSION_MAX];
	uint64_t actors;
	uint64_t load;           /* of its processors, 1000: all are busy; 0 to MEMBERS_LOAD_MAX */
	int64_t started_wall_ms; /* by its clock */
	int64_t since_wall_ms;   /* of its state, by this system's clock */
	int64_t heard_mono_ms;   /* last, by this system's clock */
	int64_t offset_ms; /* its clock less ours, and less the time that the last beat was under way */
	uint64_t flaps;  /* how often it was lost in silence and came back, of any epoch */
	uint64_t number; /* of its document, as its last beat has it */
	const json_t *
		document; /* as tds-protocol(7) has it, checked; NULL: it did not come yet. Borrowed. */
	uint64_t document_number; /* of that one; 0: there is none */
	void *owner; /* of who is told: what belongs to this epoch. Nothing here looks at it. */
};

/* What this system says of itself with each beat, besides what never changes. */
struct members_self {
	enum member_role role;
	uint64_t term;
	uint64_t actors;
	uint64_t load;
};

enum member_change {
	MEMBER_CHANGED_ROLE,     /* or its version */
	MEMBER_CHANGED_DOCUMENT, /* also the first one that comes */
};

/* Another living system that says it is member, of the same name and another epoch. */
struct member_claim {
	char epoch[REFERENCE_SIZE];
	int64_t started_wall_ms;
	int64_t heard_mono_ms;
};

/*
 * What is told, in the turn in which it was heard, or a timer found it; not before members_new has returned. The member is
 * borrowed: its record stays, lost too, until gone. members_free is not called in these.
 */
struct members_events {
	/* It was not here (of this epoch) before. Its document may not be known yet: changed tells. */
	void (*joined)(void *ctx, struct member *member);
	/* It is not here any more, of this epoch: another one of this name joins after this only. */
	void (*lost)(void *ctx, struct member *member);
	void (*changed)(void *ctx, struct member *member, enum member_change what);
	/* Two living systems have this name; member is the one that is believed. Once for each claim. */
	void (*clash)(void *ctx, struct member *member, const struct member_claim *claim);
	/* A system of another protocol is heard, see its field protocol. */
	void (*foreign)(void *ctx, struct member *member);
	/* The record of one that was lost or foreign is freed after this call: there is no room for all that ever were. */
	void (*gone)(void *ctx, struct member *member);
	/* For the next beat. */
	void (*self)(void *ctx, struct members_self *self);
};

struct members_counts {
	size_t here;      /* members, with this system */
	size_t known;     /* records */
	uint64_t beats;   /* heard */
	uint64_t dropped; /* what members_heard said false to */
	uint64_t full;    /* beats of systems that there was no room for, or no memory */
};

#endif
