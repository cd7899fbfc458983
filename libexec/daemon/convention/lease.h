/* SPDX-License-Identifier: MIT */
/*
 * Who leads: one record in the store, which a candidate takes by compare and set, and renews while it leads.
 *
 * There are never two holders, whatever store and bus lose, delay or double, and though clocks drift (up to a fiftieth) and
 * processes stand still: a holder counts from when it *sent* the last update that is known to be done, and holds for two
 * thirds of the lease; nobody else takes a record that it did not see unchanged, and without a gap, for the whole of it. The
 * store may fall back to what it was before, or be erased, once within a lease: the holder then writes its record anew; and who
 * has taken the lease leads only once it has seen its record there a fifth of the lease later, since the taking may have been
 * forgotten. The very first holder of a convention, of whose lease nobody can know yet, leads at once. Where the store has
 * forgotten the last holder, that one is the first that may take the lease again, as it knows what else is forgotten.
 *
 * A term is a number that is higher for each holder, as long as anybody who has heard of the one before is heard; what a
 * holder tells others to do names it, so that who was told by a later one heeds no earlier one. What is led is not done here;
 * nor what of the convention's state is kept in the store.
 */
#ifndef TDS_DAEMON_CONVENTION_LEASE_H
#define TDS_DAEMON_CONVENTION_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"

#define LEASE_KEY "leader"
#define LEASE_RECORD_MAX 512               /* bytes */
#define LEASE_TERM_MAX ((uint64_t)1 << 53) /* JSON's whole numbers, everywhere */
#define LEASE_TERM_LEARNED_MAX ((uint64_t)1 << 48)
#define LEASE_LEAST_MS 1500

/* The record, a JSON object of these keys: System, Epoch, Term, Nonce. */
struct lease_record {
	char name[BUS_NAME_MAX];
	char epoch[REFERENCE_SIZE];
	uint64_t term;              /* 1 to LEASE_TERM_MAX */
	char nonce[REFERENCE_SIZE]; /* of this very update */
};

/* Read one that came from the store: hostile. False: it is none, and counts as one that nobody renews. */
bool lease_record_read(const void *data, size_t len, struct lease_record *record);

enum lease_end {
	LEASE_RAN_OUT, /* by this system's clock: the store was not reached, or this process stood still */
	LEASE_TAKEN, /* the store has a later holder */
};

/*
 * Told from answers and timers; never before lease_new, lease_give_up or lease_learn has returned. lease_free and
 * lease_give_up are not called in these.
 */
struct lease_events {
	void (*began)(void *ctx, uint64_t term); /* this system leads */
	void (*ended)(void *ctx, enum lease_end why);
	/* The record names another holder, or another term, than before; NULL: there is none. Borrowed for the call. */
	void (*seen)(void *ctx, const struct lease_record *record);
};

struct lease_config {
	const char *name;  /* of this system */
	const char *epoch; /* of this start */
	int64_t lease_ms;  /* the same in all of a convention; at least LEASE_LEAST_MS */
	uint64_t term;     /* the highest that this system ever knew of; 0: none ever */
};

struct lease; /* opaque */

/*
 * Be a candidate, from the next turn on. Who comes new to a convention listens first, so that beats tell of its terms.
 * Owner:   caller frees with lease_free; config is copied, the others outlive it.
 * Errors:  NULL: out of memory.
 */
struct lease *lease_new(const struct lease_config *config, struct clock *clock,
			struct bus_store *store, const struct lease_events *events, void *ctx);
void lease_free(struct lease *lease); /* tells nobody; the record runs out */

/* The store has answered. Numbers that are not this one's are ignored. */
void lease_answer(struct lease *lease, const struct bus_answer *answer);

/*
 * A term that a beat of another system names. What is more than LEASE_TERM_LEARNED_MAX is not believed: no system that lies
 * can use up the terms.
 */
void lease_learn(struct lease *lease, uint64_t term);

/*
 * Lead no more from now on, which ended does not tell, and take nothing for one lease: another system is believed to be
 * this one, say.
 */
void lease_give_up(struct lease *lease);

/*
 * Does this system lead, by its clock, now? To be asked before each thing that a leader alone may do; a process that
 * stood still finds out here, before its timer tells.
 */
bool lease_holds(const struct lease *lease);

/* The highest term known; where this system leads, its own. To be remembered over its end. */
uint64_t lease_term(const struct lease *lease);

/* What the store's record was when it was last seen; NULL: there was none, or the store was not reached yet. Borrowed. */
const struct lease_record *lease_seen(const struct lease *lease);

/* When the store last answered; -1: never. */
int64_t lease_store_mono_ms(const struct lease *lease);

#endif
