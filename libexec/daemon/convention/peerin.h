/* SPDX-License-Identifier: MIT */
/* What a peer sends: pieces in the order of their numbers, joined to messages. */
#ifndef TDS_DAEMON_CONVENTION_PEERIN_H
#define TDS_DAEMON_CONVENTION_PEERIN_H

#include "base/buf.h"
#include "peerform.h"

struct peer_in {
	size_t max_message;
	uint64_t
		mark; /* the last piece that was taken, of any session; with it all before it that are to be */
	uint64_t next;         /* the piece that is to come */
	struct tds_buf joined; /* of the message under way; at most max_message bytes */
	size_t rest; /* bytes of it that are to come; 0: it is whole, or none is under way */
	bool whole;  /* it waits to be taken: its last piece is the one behind the mark */
};

enum peer_in_verdict {
	PEER_IN_BAD,    /* nothing that a peer sends */
	PEER_IN_DOUBLE, /* it was taken before */
	PEER_IN_GAP,    /* others come before it, or there was no memory: it is to be sent again */
	PEER_IN_FULL,   /* a message waits to be taken */
	PEER_IN_PART,   /* taken */
	PEER_IN_WHOLE,  /* a message is whole: peer_in_taken, or it waits */
};

void peer_in_init(struct peer_in *in, size_t max_message);
void peer_in_fini(struct peer_in *in);

/* A session: the first of its pieces has this number. What was half there is gone. False: that one was taken before. */
bool peer_in_begin(struct peer_in *in, uint64_t first);
void peer_in_end(struct peer_in *in);

enum peer_in_verdict peer_in_piece(struct peer_in *in, uint64_t number,
				   const struct peer_piece *piece);
void peer_in_taken(struct peer_in *in);

#endif
