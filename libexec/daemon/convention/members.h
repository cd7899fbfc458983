/* SPDX-License-Identifier: MIT */
/*
 * Who is in the convention: each system says each second that it is there, in one line (a beat), which costs nothing where it
 * says nothing new; what it has, its document, is asked for where its number is new. Who is silent for too long is lost.
 * tds-protocol(7) has lines and documents, "Between systems".
 *
 * Of two living systems of one name one is believed, and every hearer believes the same one: that which was started
 * first, by what they say, so that a copy of a machine cannot displace the one that works; but one that says which start it
 * follows, as a daemon does that is started anew in the same run directory, takes the place of that one at once. Who is not
 * believed is no member: its documents and frames are nobody's. Both are told, as everybody is.
 *
 * What is not done here: talking with NATS, links (peer.h), who leads (lease.h). Time is the clock's that is handed in.
 */
#ifndef TDS_DAEMON_CONVENTION_MEMBERS_H
#define TDS_DAEMON_CONVENTION_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "bus.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"

#define MEMBERS_PROTOCOL 1
#define MEMBERS_MAX 4096 /* names that are remembered, of lost ones too */
#define MEMBERS_BEAT_MS 1000
#define MEMBERS_BEAT_MAX 512            /* bytes of a beat */
#define MEMBERS_DOCUMENT_MAX (64 << 10) /* bytes of a document */
#define MEMBERS_VERSION_MAX 32          /* bytes, with the NUL */
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

/* What members_beat says of this system, besides what never changes. */
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

struct members_config {
	const char *name;  /* of this system */
	const char *epoch; /* of this start: 128 random bits */
	const char *after; /* epoch of the start before, in the same run directory; "": not known */
	const char *version; /* of tds */
	int64_t lost_ms;     /* convlost.cfg; at least 2 * MEMBERS_BEAT_MS */
};

struct members; /* opaque */

/*
 * Begin to say each second that this system is here, from the next turn on.
 * Owner:   caller frees with members_free; config is copied, the others outlive it.
 * Errors:  NULL: out of memory.
 */
struct members *members_new(const struct members_config *config, struct clock *clock,
			    struct bus *bus, const struct members_events *events, void *ctx);
void members_free(struct members *members); /* says nothing more to anybody; NULL: nothing */

/* Say to all that this system leaves, which then have it for lost at once; it says nothing more. */
void members_leave(struct members *members);

/*
 * This system's document from now on; its number is raised where it differs from the one before.
 * Owner:   takes the reference.
 * Errors:  TDS_E_REFUSED: no document of the form, or more than MEMBERS_DOCUMENT_MAX: the one before stays; TDS_E_NOMEM.
 */
int members_set_document(struct members *members, json_t *document,
			 struct tds_err *err) TDS_MUST_CHECK;

/*
 * Something came from a system, on BUS_BEAT, BUS_ASK or BUS_STATE.
 * Source:  from is who the bus says it is (a name, as in bus.h), data hostile.
 * Errors:  false: it is nothing that a system of this protocol sends; it was dropped, and counted.
 */
bool members_heard(struct members *members, const char *from, enum bus_channel channel,
		   const void *data, size_t len);

/* By its name; NULL: never heard of. Borrowed, until gone. */
struct member *members_find(const struct members *members, const char *name);

/* This system. */
struct member *members_self(const struct members *members);

/* Is another system of this name believed instead of this one? Then all others have lost it: it leads nothing, and runs nothing of theirs. */
bool members_displaced(const struct members *members);

/* Show each, in no order; false from show ends it. Nothing changes meanwhile. */
void members_each(const struct members *members, bool (*show)(void *ctx, struct member *member),
		  void *ctx);

struct members_counts {
	size_t here;      /* members, with this system */
	size_t known;     /* records */
	uint64_t beats;   /* heard */
	uint64_t dropped; /* what members_heard said false to */
	uint64_t full;    /* beats of systems that there was no room for, or no memory */
};
void members_counts(const struct members *members, struct members_counts *counts);

/*
 * Read a document of another system: its known keys, checked; unknown ones are left out.
 * Shape:   {"Capabilities": {NAME: text of a literal}, "Sources": [{"Group", "Version", "SHA256", "Key"}],
 *          "Refused": [{"Group", "SHA256", "Reason"}]}, each key there and of texts without NUL; at most MEMBERS_DOCUMENT_MAX bytes,
 *          1024 capabilities, 1024 entries of each list.
 * Owner:   a new reference.
 * Errors:  TDS_E_SYNTAX: no such document; TDS_E_NOMEM. NULL then.
 */
json_t *members_document(const char *text, size_t len, struct tds_err *err);

#endif
