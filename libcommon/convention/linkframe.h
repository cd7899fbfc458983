/* SPDX-License-Identifier: MIT */
/*
 * Frames between tds-link, which speaks NATS, and who started it, over a stream socket; tds-protocol(7) has them for others.
 * Each side takes the other for hostile. It knows what a frame has, and neither what its text and bytes mean nor who may say
 * it when; it reads and writes no socket.
 *
 * Number is which connection (enum tds_link_side) of what is told of one, and of what is asked it is not 0: both are checked.
 *
 * A frame is its length behind this number (u32, 1 to TDS_LINKFRAME_MAX), its kind (u8), and the fields of its kind in the
 * order of struct tds_linkframe, numbers little-endian; a name has its length (u8) before it, data goes to the end.
 */
#ifndef TDS_LINKFRAME_H
#define TDS_LINKFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define TDS_LINKFRAME_HEAD 5             /* bytes: length, kind */
#define TDS_LINKFRAME_DATA_MAX (1 << 20) /* bytes of data, as a stock nats-server takes them */
#define TDS_LINKFRAME_NAME_MAX 255       /* bytes of a name */
/* Behind the length: kind, number, revision, code, name, data. */
#define TDS_LINKFRAME_MAX (1 + 8 + 8 + 1 + 1 + TDS_LINKFRAME_NAME_MAX + TDS_LINKFRAME_DATA_MAX)

/* Which fields a kind has. */
enum {
	TDS_LINKFRAME_NUMBER = 1,
	TDS_LINKFRAME_REVISION = 2,
	TDS_LINKFRAME_CODE = 4,
	TDS_LINKFRAME_NAME = 8,
	TDS_LINKFRAME_DATA = 16,
};

/*
 * Kind, its letter, which way it goes (DOWN: to tds-link; UP: from it), how many codes it has (0: it has none), its fields
 * beside the code.
 */
#define TDS_LINKFRAMES(X)                                                                                        \
	/* The first, and only it: the JSON of linkconfig.h. */                                                  \
	X(TDS_LINK_CONFIG, 'C', DOWN, 0, TDS_LINKFRAME_DATA)                                                     \
	/* Publish data on the subject name. Nothing answers; what is refused comes as trouble. */               \
	X(TDS_LINK_PUBLISH, 'P', DOWN, 0, TDS_LINKFRAME_NAME | TDS_LINKFRAME_DATA)                               \
	/* Of the record name in the store; each is answered under its number, which is not 0. */                \
	X(TDS_LINK_GET, 'G', DOWN, 0, TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_NAME)                                 \
	X(TDS_LINK_CREATE, 'N', DOWN, 0,                                                                         \
	  TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_NAME | TDS_LINKFRAME_DATA)                                        \
	X(TDS_LINK_UPDATE, 'U', DOWN, 0,                                                                         \
	  TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_REVISION | TDS_LINKFRAME_NAME | TDS_LINKFRAME_DATA)               \
	/* Where its revision is this one. */                                                                    \
	X(TDS_LINK_DELETE, 'D', DOWN, 0,                                                                         \
	  TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_REVISION | TDS_LINKFRAME_NAME)                                    \
	/* Tell of each record of the store what it is, and from now on what it becomes. */                      \
	X(TDS_LINK_WATCH, 'W', DOWN, 0, 0)                                                                       \
	/* Code: enum tds_link_state; number: enum tds_link_side, which connection; data: why, for people. */    \
	X(TDS_LINK_STATE, 'S', UP, TDS_LINK_STATES, TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_DATA)                   \
	/* What was published, and on which subject. */                                                          \
	X(TDS_LINK_MESSAGE, 'M', UP, 0, TDS_LINKFRAME_NAME | TDS_LINKFRAME_DATA)                                 \
	/* Code: enum tds_link_result; revision and data (of a get) where it is DONE, else 0, and why. */        \
	X(TDS_LINK_ANSWER, 'A', UP, TDS_LINK_RESULTS,                                                            \
	  TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_REVISION | TDS_LINKFRAME_DATA)                                    \
	/* Code: enum tds_link_change; what the record name is now. Each revision may be told more than once. */ \
	X(TDS_LINK_CHANGED, 'H', UP, TDS_LINK_CHANGES,                                                           \
	  TDS_LINKFRAME_REVISION | TDS_LINKFRAME_NAME | TDS_LINKFRAME_DATA)                                      \
	/* Code: enum tds_link_trouble; number: enum tds_link_side; data: what, for people. */                   \
	X(TDS_LINK_TROUBLE, 'T', UP, TDS_LINK_TROUBLES, TDS_LINKFRAME_NUMBER | TDS_LINKFRAME_DATA)

enum tds_link_kind {
#define TDS_LINKFRAME_ENUM(kind, letter, way, codes, fields) kind = letter,
	TDS_LINKFRAMES(TDS_LINKFRAME_ENUM)
#undef TDS_LINKFRAME_ENUM
};

/* The connections of tds-link, each with an account of its own. */
enum tds_link_side {
	TDS_LINK_BUS,
	TDS_LINK_STORE,
	TDS_LINK_SIDES,
};

enum tds_link_state {
	TDS_LINK_CONNECTING, /* it never stood; it is tried for ever */
	TDS_LINK_UP,
	TDS_LINK_LOST,    /* it stood; it is tried for ever */
	TDS_LINK_REFUSED, /* it is not tried any more; tds-link ends where it is the bus */
	TDS_LINK_STATES,
};

enum tds_link_result {
	TDS_LINK_DONE,
	TDS_LINK_CONFLICT, /* the record is there already, or has another revision: nothing was changed */
	TDS_LINK_MISSING, /* there is no such record */
	TDS_LINK_UNKNOWN, /* no answer in time: it may have been done, or will be; what is there says it */
	TDS_LINK_DENIED, /* certainly not done */
	TDS_LINK_RESULTS,
};

enum tds_link_change {
	TDS_LINK_PUT,
	TDS_LINK_DELETED,
	TDS_LINK_CHANGES,
};

enum tds_link_trouble {
	TDS_LINK_NOT_PERMITTED, /* the server refused a publish or a subscription; the text names it */
	TDS_LINK_DROPPED,       /* messages came faster than they were taken, and some are gone */
	TDS_LINK_NOT_SENT,      /* a publish or a request that certainly did not leave */
	TDS_LINK_FOREIGN,       /* what came is nothing that a server or a system of ours sends */
	TDS_LINK_OTHER,
	TDS_LINK_TROUBLES,
};

/* The fields that its kind does not have are zero. */
struct tds_linkframe {
	enum tds_link_kind kind;
	uint64_t number;
	uint64_t revision;
	uint8_t code;     /* below the number of codes of the kind */
	const char *name; /* name_len bytes, at most TDS_LINKFRAME_NAME_MAX, any bytes */
	size_t name_len;
	const void *data; /* len bytes, at most TDS_LINKFRAME_DATA_MAX, any bytes */
	size_t len;
};

/* Add a frame to the end of out. False: name or data are too long for one, or there is no memory; out is as it was. */
bool tds_linkframe_add(struct tds_buf *out, const struct tds_linkframe *frame);

/*
 * The bytes before the data of a frame, for who writes the data from where it is.
 * Shape:   head has room for TDS_LINKFRAME_FRONT_MAX bytes. Returns how many; 0: as above.
 */
#define TDS_LINKFRAME_FRONT_MAX (TDS_LINKFRAME_HEAD + 8 + 8 + 1 + 1 + TDS_LINKFRAME_NAME_MAX)
size_t tds_linkframe_front(unsigned char *head, const struct tds_linkframe *frame);

/*
 * Read the first frame of len bytes, all of them hostile.
 * Source:  to_link: which side reads; a kind that goes the other way is refused.
 * Owner:   frame borrows from bytes.
 * Errors:  TDS_E_SYNTAX: no such frame may be. Else how many bytes it has; 0: it is not whole yet.
 */
long tds_linkframe_read(const void *bytes, size_t len, bool to_link, struct tds_linkframe *frame,
			struct tds_err *err) TDS_MUST_CHECK;

#endif
