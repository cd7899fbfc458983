/* SPDX-License-Identifier: MIT */
/* What waits for a peer: messages, numbered by their pieces, until these are acknowledged; and those of which nobody knows. */
#ifndef TDS_DAEMON_CONVENTION_PEEROUT_H
#define TDS_DAEMON_CONVENTION_PEEROUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_parcel {
	struct peer_parcel *next;
	uint64_t id;
	uint64_t first; /* number of its first piece */
	uint64_t last;
	bool sent; /* its last piece was sent, once or more: it may be taken */
	size_t len;
	unsigned char data[];
};

struct peer_out {
	struct peer_parcel *first;
	struct peer_parcel **end;
	struct peer_parcel *unknown; /* without their data */
	struct peer_parcel **unknown_end;
	struct peer_parcel *at_parcel; /* of the next piece to send; NULL: all are */
	uint64_t at;                   /* its number */
	uint64_t next;                 /* number of the next piece that is handed in */
	uint64_t acknowledged;         /* all up to this one */
	uint64_t sent;                 /* the highest that was ever sent */
	size_t bytes;                  /* of all that waits, as they count (PEER_WEIGHT) */
	size_t flying;                 /* bytes between acknowledged and at */
	bool careful;                  /* one batch at a time, until something is acknowledged */
};

/* Pieces that go in one packet. */
struct peer_batch {
	uint64_t first;
	uint64_t end; /* the number behind the last one */
	size_t len;   /* bytes, with the heads of the pieces */
	bool again;
};

void peer_out_init(struct peer_out *out);
void peer_out_fini(struct peer_out *out);
bool peer_out_add(struct peer_out *out, uint64_t id, const void *data,
		  size_t len); /* false: no memory */

static inline bool peer_out_is_empty(const struct peer_out *out)
{
	return !out->first;
}

/* The next batch that the window lets go. False: none. */
bool peer_out_batch(const struct peer_out *out, struct peer_batch *batch);
void peer_out_write(const struct peer_out *out, const struct peer_batch *batch,
		    unsigned char *data);
void peer_out_sent(struct peer_out *out, const struct peer_batch *batch);

/* All that is not acknowledged goes again. */
void peer_out_again(struct peer_out *out, bool careful);

/* The peer has taken all up to mark. True: that is news. mark is at most out->sent. */
bool peer_out_acknowledge(struct peer_out *out, uint64_t mark);

/*
 * The first of what waits: where all of it is acknowledged; acknowledged or not, where its number is below that one. NULL:
 * none. It is the caller's.
 */
struct peer_parcel *peer_out_taken(struct peer_out *out);
struct peer_parcel *peer_out_drop(struct peer_out *out, uint64_t below);
void peer_parcel_free(struct peer_parcel *parcel);

/* Nobody knows of it: takes it. recall gives the first of those, which is gone then. */
void peer_out_remember(struct peer_out *out, struct peer_parcel *parcel);
bool peer_out_recall(struct peer_out *out, uint64_t *id, uint64_t *last);

#endif
