/* SPDX-License-Identifier: MIT */
/*
 * The admin's end of a link to a host: frames in and out over one stream socket, as tds-protocol(7) has them, with
 * descriptors, back pressure, and nothing of what the frames mean.
 */
#ifndef TDS_ADMIN_LINK_H
#define TDS_ADMIN_LINK_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_FRAME_MAX (1 << 20)   /* bytes of a frame behind its length */
#define LINK_QUEUE_FULL (64 << 10) /* bytes waiting for a host from which on its senders wait */
#define LINK_INLINE_MAX (64 << 10) /* bytes of a payload; larger ones travel as a memory file */

#define LINK_FDS 16       /* descriptors ahead of their frames; a sane host has one or two */
#define LINK_FD_LOST (-2) /* in place of a descriptor that could not be received */

enum frame_type {
	FRAME_CONTROL = 'C',
	FRAME_MESSAGE = 'M',
	FRAME_MESSAGE_FD = 'F',
	FRAME_DEAD = 'D',
	FRAME_DEAD_FD = 'E',
	FRAME_RETURNED = 'R',
	FRAME_RETURNED_FD = 'S',
};

/* A frame on its way out, owned by the link that it waits on. */
struct frame {
	struct frame *next;
	int fds[2]; /* go with the first byte; -1: none */
	size_t len; /* of data, length field included */
	size_t sent;
	unsigned char data[];
};

struct link;

struct link_events {
	/* One whole frame; body borrowed. One that comes with a descriptor calls link_take_fd. False ends the link. */
	bool (*frame)(void *ctx, enum frame_type type, const unsigned char *body, size_t len);
	/* The other end is gone, or broke the grammar. The link is still there; free it or leave it. */
	void (*ended)(void *ctx);
};

struct link {
	int fd;
	struct event *readable;
	struct event *writable;
	const struct link_events *events;
	void *ctx;
	unsigned char *in; /* what is read and not yet a whole frame */
	size_t in_len;
	int in_fds
		[LINK_FDS]; /* descriptors that came, in order, and whose frames are not taken yet */
	unsigned in_nfds;
	struct frame *first; /* waiting to be sent */
	struct frame **last;
	size_t queued; /* bytes of them */
	bool corked;   /* frames wait until link_uncork */
	bool paused;   /* not read: what it sent waits for room elsewhere */
	bool deaf;     /* takes nothing more, but what it had sent is still read */
	bool draining; /* its end is there: read whoever is full, since there is only so much left */
	bool ended;
	struct link *waiting_for; /* the full link that this one is paused for */
	struct link *waiters;     /* links that are paused for this one */
	struct link *next_waiter;
};

/* Begin with one end of a socket pair, which it takes over. False: out of memory; fd is then closed. */
bool link_init(struct link *link, struct event_base *base, int fd, const struct link_events *events,
	       void *ctx);
void link_fini(struct link *link);

/* Make a frame with room for len bytes of body; its body is frame_body(). NULL: out of memory. Takes fd in any case (-1: none). */
struct frame *frame_new(enum frame_type type, size_t len, int fd);

/* Let a second descriptor go with it; takes it. */
void frame_add_fd(struct frame *frame, int fd);
void frame_free(struct frame *frame);
static inline unsigned char *frame_body(struct frame *frame)
{
	return frame->data + 5;
}
static inline enum frame_type frame_type(const struct frame *frame)
{
	return (enum frame_type)frame->data[4];
}

/* Queue a frame, which it takes over, and send what can be sent. NULL is out of memory: the link ends. */
void link_send(struct link *link, struct frame *frame);

/* A control frame; takes the reference. NULL: out of memory. */
struct frame *frame_control(json_t *op);
void link_control(struct link *link, json_t *op);

/* Send what waited; take what waits, for somebody else. */
void link_uncork(struct link *link);
struct frame *link_take_queue(struct link *link);

static inline bool link_is_full(const struct link *link)
{
	return link->queued >= LINK_QUEUE_FULL;
}

/* Stop reading from sender until full has room again, or ends. Both may be the same. */
void link_wait_for(struct link *sender, struct link *full);

/* The descriptor of the frame at hand, now the caller's; -1: it came without one; LINK_FD_LOST: there was no room for it. */
int link_take_fd(struct link *link);

/* At the end of a process: read what it had written, even if another one has no room, and nothing after that. */
void link_drain(struct link *link);

#endif
