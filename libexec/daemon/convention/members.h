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
#include "member.h"

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
 * Errors:  TDS_E_REFUSED: no document of the form, or more than DOCUMENT_MAX: the one before stays; TDS_E_NOMEM.
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

/*
 * Is another system of this name believed instead of this one? Then all others have lost it: it leads nothing, and runs
 * nothing of theirs.
 */
bool members_displaced(const struct members *members);

/* Show each, in no order; false from show ends it. Nothing changes meanwhile. */
void members_each(const struct members *members, bool (*show)(void *ctx, struct member *member),
		  void *ctx);

void members_counts(const struct members *members, struct members_counts *counts);

#endif
