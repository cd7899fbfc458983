/* SPDX-License-Identifier: MIT */
/*
 * A link to one other system of the convention, a peer, of one name and epoch, over a bus that loses, delays and doubles:
 * messages are cut into numbered pieces, sent in batches, acknowledged by the highest number up to which all were taken, sent
 * again where that does not come. tds-protocol(7) has the form, "Between systems".
 *
 * While neither has lost the other (members.h), what is sent arrives, once, in order. Where one has, each message that was
 * handed in ends in one of three ways, and what is said of it is true for ever: taken, certainly not taken, or unknown. Nothing
 * is sent again then; but when the two meet again, of the same epochs, each tells what it had taken last, and what was
 * unknown is settled. What is still under way of the time before counts for nothing.
 *
 * Who is lost, and when it is back, is for the caller to say.
 */
#ifndef TDS_DAEMON_CONVENTION_PEER_H
#define TDS_DAEMON_CONVENTION_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "peerform.h"

enum peer_outcome {
	PEER_TAKEN,     /* by the other system's peer_events.take */
	PEER_NOT_TAKEN, /* and it never will be */
	PEER_UNKNOWN,   /* it may be; peer_events.settled may tell later */
};

/*
 * Told in the turn in which the cause was heard, or by a timer; outcomes also while peer_lost runs. peer_free, peer_lost and
 * peer_back are not called in these.
 */
struct peer_events {
	/*
	 * A whole message of the peer. Borrowed for the call, and hostile.
	 * False: there is no room for it now. It, and what comes behind it, waits until peer_resume.
	 */
	bool (*take)(void *ctx, const void *data, size_t len);
	/* How a message that peer_send took has ended; exactly once, in the order of sending. */
	void (*outcome)(void *ctx, uint64_t id, enum peer_outcome outcome);
	/* What became of one that was told as unknown. */
	void (*settled)(void *ctx, uint64_t id, bool taken);
	/* There is room again, after peer_has_room said no, or peer_send. */
	void (*ready)(void *ctx);
	/* The peer had lost this system, which did not notice: what it did not take, it has refused. */
	void (*cut)(void *ctx);
};

struct peer_config {
	const char *self_epoch;
	const char *name; /* of the other system */
	const char *epoch;
	size_t max_message; /* bytes of a message, in both directions: what the peer may have half-joined here */
};

struct peer; /* opaque */

/*
 * Begin a link to a system that has joined. It is kept while that is lost, until it is gone for good (another epoch of its
 * name, or its record is gone): what it remembers is what keeps messages from being taken twice.
 * Owner:   caller frees with peer_free; config is copied, the others outlive it.
 * Errors:  NULL: out of memory.
 */
struct peer *peer_new(const struct peer_config *config, struct clock *clock, struct bus *bus,
		      const struct peer_events *events, void *ctx);
void peer_free(
	struct peer *peer); /* tells nothing; peer_lost comes before, where outcomes are wanted */

/*
 * Send a message, in the order of the calls.
 * Shape:   id is the caller's, for the outcome.
 * Owner:   data is copied.
 * Errors:  false, and no outcome is told: it is longer than max_message, the peer is lost, PEER_QUEUE_MAX bytes wait, or
 *          there is no memory.
 */
bool peer_send(struct peer *peer, uint64_t id, const void *data, size_t len);

/* May senders go on? What peer_send takes beyond that is for what must not wait, such as exits. */
bool peer_has_room(struct peer *peer);

/*
 * Something came from the peer's name, on BUS_LINK.
 * Source:  data is hostile.
 * Errors:  false: it is of other epochs than this link's, or no packet; it was dropped, and counted.
 */
bool peer_heard(struct peer *peer, const void *data, size_t len);

/* There is room for what take refused. */
void peer_resume(struct peer *peer);

/* The bus is connected anew: what was not acknowledged is sent again at once, not when it would be time. */
void peer_reconnected(struct peer *peer);

/*
 * The peer is lost: outcomes are told of all that is under way, and nothing is sent or taken until it is back. Twice is once.
 */
void peer_lost(struct peer *peer);
void peer_back(struct peer *peer); /* the same epoch is heard again */

struct peer_counts {
	size_t waiting;    /* bytes that were handed in and are not acknowledged */
	uint64_t sent;     /* messages that were acknowledged */
	uint64_t received; /* messages that were taken */
	uint64_t resent;   /* packets */
	uint64_t doubles;  /* pieces that had been taken already */
	uint64_t dropped;  /* what peer_heard said false to */
	uint64_t unknown;  /* messages whose outcome is unknown, and not settled yet */
};
void peer_counts(const struct peer *peer, struct peer_counts *counts);

#endif
