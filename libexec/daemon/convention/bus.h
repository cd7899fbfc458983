/* SPDX-License-Identifier: MIT */
/*
 * What the rules of a convention know of NATS: a bus that carries bytes between systems, and a store that keeps one record
 * under a name, as two tables that are handed in. The bus promises little: what is published may be lost, delayed, doubled;
 * but what comes names who sent it, which the bus itself vouches for, and is as hostile as that system.
 *
 * An operation never calls back before it returns. What comes of it is told by who owns the table, to members, lease and peer,
 * by their functions for that.
 */
#ifndef TDS_DAEMON_CONVENTION_BUS_H
#define TDS_DAEMON_CONVENTION_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "director/bus.h"

#define BUS_NAME_MAX (TDS_SYSTEM_NAME_MAX + 1) /* bytes of a system's name, with the NUL */
#define BUS_MESSAGE_MAX (1 << 20) /* bytes of one publish, as a stock nats-server takes them */

/* What a publish is about; the word is the last token of its subject. */
#define BUS_CHANNELS(X)                                              \
	X(BUS_BEAT, "beat")   /* members.h: a system is there */     \
	X(BUS_ASK, "ask")     /* members.h: send me your document */ \
	X(BUS_STATE, "state") /* members.h: a system's document */   \
	X(BUS_LINK, "link")   /* peer.h: numbered pieces of messages */

enum bus_channel {
#define BUS_CHANNEL_ENUM(name, word) name,
	BUS_CHANNELS(BUS_CHANNEL_ENUM)
#undef BUS_CHANNEL_ENUM
};

const char *bus_channel_word(enum bus_channel channel);
bool bus_channel_of(const char *word, enum bus_channel *channel); /* false: there is none */

/* --- the bus --- */

struct bus;

struct bus_ops {
	/*
	 * Send data to the system of that name; to NULL: to all, this system too.
	 * Shape:   1 <= len <= BUS_MESSAGE_MAX.
	 * Owner:   to and data are borrowed for the call.
	 * Errors:  false: it was certainly not sent, as there is no connection, or no room now. true says nothing.
	 */
	bool (*publish)(struct bus *bus, const char *to, enum bus_channel channel, const void *data,
			size_t len);
};

/* The head of each bus. */
struct bus {
	const struct bus_ops *ops;
};

/* --- the store --- */

struct bus_store;

/*
 * Each asks, and returns the number (never 0) that its answer has; 0: there is no connection, nothing was asked. key and data
 * are borrowed for the call. A get is answered by who decides on updates, not by a copy that may be late.
 */
struct bus_store_ops {
	uint64_t (*get)(struct bus_store *store, const char *key);
	uint64_t (*create)(struct bus_store *store, const char *key, const void *data, size_t len);
	uint64_t (*update)(struct bus_store *store, const char *key, uint64_t revision,
			   const void *data, size_t len);
};

/* The head of each store. */
struct bus_store {
	const struct bus_store_ops *ops;
};

enum bus_result {
	BUS_DONE,
	BUS_CONFLICT, /* a create of what is there, an update of another revision: nothing was changed */
	BUS_MISSING, /* a get of what is not there */
	BUS_UNKNOWN, /* no answer in time: it may have been done, or will be, any time later */
	BUS_REFUSED, /* certainly not done: not allowed, or no connection */
};

/* How an operation of the store ended. Borrowed for the call that tells it. */
struct bus_answer {
	uint64_t number; /* that the operation returned */
	enum bus_result result;
	uint64_t revision; /* BUS_DONE: of the record now */
	const void *data;  /* BUS_DONE of a get: its bytes, hostile */
	size_t len;
};

#endif
