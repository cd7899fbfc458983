/* SPDX-License-Identifier: MIT */
/* A packet of a link between systems, as tds-protocol(7) has it: a head, and pieces behind it. Each byte is hostile. */
#ifndef TDS_DAEMON_CONVENTION_PEERFORM_H
#define TDS_DAEMON_CONVENTION_PEERFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/random.h"

#define PEER_WINDOW (8 << 20) /* bytes that are sent and not acknowledged, at most */
#define PEER_QUEUE_MAX \
	(4 *           \
	 PEER_WINDOW)  /* bytes that wait, sent or not, from which on nothing is taken any more */
#define PEER_WEIGHT 64 /* bytes that each message counts for besides its own */
#define PEER_PIECE_MAX \
	(768           \
	 << 10) /* bytes of a piece: with its head, and others of its batch, below BUS_MESSAGE_MAX */
#define PEER_HEAD 98 /* bytes of a packet's head */
#define PEER_PIECE_HEAD 8
#define PEER_FORM 1

enum peer_kind { PEER_DATA = 'D', PEER_OPEN = 'O' };

/* Of what the sender of the packet hears. */
enum { PEER_RECEIVING = 1, PEER_GAP = 2, PEER_FLAGS = 3 };

struct peer_head {
	enum peer_kind kind;
	unsigned flags;
	char from[REFERENCE_SIZE]; /* epochs */
	char to[REFERENCE_SIZE];
	uint64_t session; /* the sender's, 1 and more */
	uint64_t
		first; /* number of the first piece, 1 and more; where there is none, of the next one */
	uint64_t heard_session; /* the receiver's; 0: none was heard */
	uint64_t mark;          /* all pieces up to this one were taken */
};

struct peer_piece {
	const unsigned char *data; /* borrowed */
	size_t len;
	size_t rest; /* bytes of the message that come in the pieces behind it */
};

void peer_head_write(const struct peer_head *head, unsigned char data[PEER_HEAD]);
bool peer_head_read(const void *data, size_t len, struct peer_head *head);

void peer_piece_write(size_t len, size_t rest, unsigned char data[PEER_PIECE_HEAD]);

/* The piece at data + *at, which goes on to the one behind it. */
bool peer_piece_read(const unsigned char *data, size_t len, size_t *at, struct peer_piece *piece);

#endif
