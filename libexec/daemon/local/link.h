/* SPDX-License-Identifier: MIT */
/*
 * The admin's end of a link to a host: frames in and out over one stream socket, as tds-protocol(7) has them, with
 * descriptors, back pressure, and nothing of what the frames mean.
 */
#ifndef TDS_DAEMON_LINK_H
#define TDS_DAEMON_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/budget.h"
#include "frames.h"

#define LINK_QUEUE_FULL (64 << 10) /* bytes waiting for a host from which on its senders wait */
#define LINK_FD_WEIGHT (4 << 10)   /* bytes that a descriptor in a queue counts for */
#define LINK_INLINE_MAX (64 << 10) /* bytes of a payload; larger ones travel as a memory file */

#define LINK_FDS 16       /* descriptors ahead of their frames; a sane host has one or two */
#define LINK_FD_LOST (-2) /* in place of a descriptor that could not be received */

struct link;

struct link_events {
	/* One whole frame; body borrowed. One that comes with a descriptor calls link_take_fd. False ends the link. */
	bool (*frame)(void *ctx, enum frame_type type, const unsigned char *body, size_t len);
	/* The other end is gone, or broke the grammar. The link is still there; free it or leave it. */
	void (*ended)(void *ctx);
};

struct link {
	int fd;
	struct budget *budget; /* whose bytes wait here, and how much it may do; NULL: nobody's */
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
	size_t queued;     /* bytes of them, and as many as LINK_FD_WEIGHT for each descriptor */
	uint64_t may_take; /* frames, in this turn of the loop */
	bool corked;       /* frames wait until link_uncork */
	bool paused;       /* not read: what it sent waits for room elsewhere */
	bool deaf;         /* takes nothing more, but what it had sent is still read */
	bool draining; /* its end is there: read whoever is full, since there is only so much left */
	bool ended;
	struct link *waiting_for; /* the full link that this one is paused for */
	struct link *waiters;     /* links that are paused for this one */
	struct link *next_waiter;
};

/* Begin with one end of a socket pair. False: out of memory; fd is taken over on success only. */
bool link_init(struct link *link, struct event_base *base, int fd, const struct link_events *events,
	       void *ctx);
void link_charge(struct link *link, struct budget *budget); /* from now on, which outlives it */
void link_fini(struct link *link);

/* Queue a frame, which it takes over, and send what can be sent. NULL is out of memory: the link ends. */
void link_send(struct link *link, struct frame *frame);

/* Queue a control frame; takes the reference. */
void link_control(struct link *link, json_t *op);

/* Send what waited; take what waits, for somebody else. */
void link_uncork(struct link *link);
struct frame *link_take_queue(struct link *link);

/* Has to wait who would send more? Where the budget is used up, for whatever waits here already. */
static inline bool link_is_full(const struct link *link)
{
	return link->queued >= LINK_QUEUE_FULL ||
	       (link->queued > 0 && link->budget &&
		link->budget->bytes_out >= link->budget->limits->bytes);
}

/* Stop reading from sender until full has room again, or ends. Both may be the same. */
void link_wait_for(struct link *sender, struct link *full);

/* After a control frame, before which so much waited for who sent it: does that one read what it is answered? */
void link_pace(struct link *link, size_t before);

/* The descriptor of the frame at hand, now the caller's; -1: it came without one; LINK_FD_LOST: there was no room for it. */
int link_take_fd(struct link *link);

/* At the end of a process: read what it had written, even if another one has no room, and nothing after that. */
void link_drain(struct link *link);

#endif
