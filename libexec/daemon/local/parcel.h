/* SPDX-License-Identifier: MIT */
/* What is behind the head of a message, and what becomes of one that nobody takes. */
#ifndef TDS_DAEMON_PARCEL_H
#define TDS_DAEMON_PARCEL_H

#include "local.h"

#define MESSAGE_HEAD 13 /* u64 from, u32 realm, u8 encoding */

/* The payload of a message, or the size of the memory file that has it. */
struct parcel {
	bool in_fd;
	int fd;                /* -1: inline */
	size_t lent;           /* as in a frame */
	struct charge *charge; /* the same, borrowed */
	enum encoding encoding;
	const unsigned char *rest;
	size_t len;
};

/* The head of a message to a host. */
void message_head(unsigned char *body, uint64_t from, uint32_t from_realm, enum encoding encoding);

/*
 * A letter to the one who collects those that cannot be delivered, or nowhere. Returns the link that it waits on, if
 * any.
 */
struct link *dead_letter(struct local *engine, uint64_t to, uint32_t to_realm, uint64_t from,
			 uint32_t from_realm, struct parcel *parcel);

/* A program that asks an actor which is gone need not wait for the answer. */
void dead_tell(struct local *engine, uint64_t from, uint64_t to);

#endif
