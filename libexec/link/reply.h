/* SPDX-License-Identifier: MIT */
/* What JetStream answers, as JSON and as messages of a watch; hostile until read here. */
#ifndef TDS_LINK_REPLY_H
#define TDS_LINK_REPLY_H

#include <nats/nats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "convention/linkframe.h"

enum reply_result {
	REPLY_DONE,
	REPLY_CONFLICT,  /* the last revision is another */
	REPLY_MISSING,   /* there is no such message, or it says that the record was deleted */
	REPLY_OTHERWISE, /* a stream of this name is there, made otherwise */
	REPLY_DENIED,
	REPLY_NOBODY, /* nobody takes such a request */
	REPLY_NONSENSE,
};

struct reply {
	enum reply_result result;
	uint64_t revision; /* of what was written or read, a deleted record too; 0: none */
	char *data;        /* of a get: its bytes */
	size_t len;
	bool allows_rollup; /* of a stream: one header would erase it */
	char text[256];     /* why, for people */
};

/* Owner: caller frees with reply_fini, whatever the result. */
struct reply reply_read(natsMsg *msg);
void reply_fini(struct reply *reply);

enum reply_change {
	REPLY_BEAT, /* the server is there, and has nothing to tell */
	REPLY_CHANGE,
	REPLY_FOREIGN,
};

/* A message of a watch; records: what subjects of records begin with. frame borrows from msg. */
enum reply_change reply_read_change(natsMsg *msg, const char *records, struct tds_linkframe *frame);

#endif
