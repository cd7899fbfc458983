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

/* What becomes of a frame. */
enum link_verdict {
	LINK_BROKEN, /* the grammar; the link ends */
	LINK_TAKEN,
	LINK_LATER, /* it was not, and comes again when the link, which waits by now, is read on */
};

struct link_events {
	/* One whole frame; body borrowed. One that comes with a descriptor calls link_take_fd. */
	enum link_verdict (*frame)(void *ctx, enum frame_type type, const unsigned char *body,
				   size_t len);
	/*
	 * The first 8 bytes of a frame are there, and there is hardly room for more: one that would have to wait lets the
	 * link wait now. NULL: none ever has to.
	 */
	void (*begins)(void *ctx, enum frame_type type, const unsigned char *body);
	/* All is sent to a link that is behind: it is told what it was not told (link_is_behind). */
	void (*caught_up)(void *ctx);
	/* The other end is gone, or broke the grammar. The link is still there; free it or leave it. */
	void (*ended)(void *ctx);
};

/* A memory file of ours that was sent (lent.h). */
struct lent {
	bool there;            /* it may not have been taken yet */
	struct charge *charge; /* whose it is; NULL: nobody's */
	size_t behind;         /* bytes that were sent after it */
	struct event *look;    /* whether it was taken; NULL: none was ever sent */
	unsigned look_ms;
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
	size_t queued; /* bytes of them and of files lent, and LINK_FD_WEIGHT for each descriptor */
	struct lent lent;
	uint64_t may_take; /* frames, in this turn of the loop */
	bool corked;       /* frames wait until link_uncork */
	bool paused;       /* not read: what it sent waits for room elsewhere */
	bool deaf;         /* takes nothing more, but what it had sent is still read */
	bool draining; /* its end is there: read whoever is full, since there is only so much left */
	bool ended;
	bool behind;            /* there is news for it that waits for its queue to be empty */
	unsigned told;          /* which news it was told last */
	struct link **waits_in; /* where this one waits while it is paused; NULL: nowhere */
	struct link *waiters;   /* links that are paused for this one */
	struct link *next_waiter;
};

/* Begin with one end of a socket pair. False: out of memory; fd is taken over on success only. */
bool link_init(struct link *link, struct event_base *base, int fd, const struct link_events *events,
	       void *ctx);
void link_charge(struct link *link, struct budget *budget); /* from now on, which outlives it */
void link_fini(struct link *link);

/* Queue a frame, which it takes over, and send what can be sent. NULL is out of memory: the link ends. */
void link_send(struct link *link, struct frame *frame);

/*
 * Queue a control frame; takes the reference. False: it would be longer than a frame may be, and nothing is sent: whoever
 * asked for it, or made it so long, has failed, and not the host that the link leads to.
 */
bool link_control(struct link *link, json_t *op);

/* Send what waited; take what waits, for somebody else. */
void link_uncork(struct link *link);
struct frame *link_take_queue(struct link *link);

/*
 * Has to wait who would send more, when it has sent this? Where half of the budget is used, for whatever waits here
 * already; where all of it is (link_is_over), before that.
 */
static inline bool link_is_full(const struct link *link)
{
	return link->queued >= LINK_QUEUE_FULL ||
	       (link->queued > 0 && link->budget &&
		link->budget->bytes_out >= link->budget->limits->bytes / 2);
}

static inline bool link_is_over(const struct link *link)
{
	return link->budget && !budget_has_out(link->budget);
}

/* A program reads when it wants an answer, not before: it may leave unread half of what all of its user may, who has no more. */
static inline bool link_has_much(const struct link *program)
{
	return program->queued >= program->budget->limits->bytes / 2 ||
	       (program->queued > 0 && link_is_over(program));
}

/* Stop reading from sender until full has room again, or ends. Both may be the same. One that drains cannot wait. */
void link_wait_for(struct link *sender, struct link *full);
void link_wait_in(struct link *sender, struct link **waiting); /* the same, for that list */

/*
 * Before a control frame that is answered: who asks and does not read what it is told is not read on (LINK_LATER); nor
 * where its budget is used up, or where to, which what it asks for goes to besides (NULL: none), has no room. One that is
 * not up yet cannot read, and has to be heard when it is: over its budget it fails (LINK_BROKEN).
 */
enum link_verdict link_may_ask(struct link *asker, struct link *to);

/* What the frame at hand asks for takes as long as so many others. */
void link_weigh(struct link *link, unsigned operations);

/* The descriptor of the frame at hand, now the caller's; -1: it came without one; LINK_FD_LOST: there was no room for it. */
int link_take_fd(struct link *link);

/* At the end of a process: read what it had written, even if another one has no room, and nothing after that. */
void link_drain(struct link *link);

#endif
