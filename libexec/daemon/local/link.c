/* SPDX-License-Identifier: MIT */
/* Frames over a stream socket. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire.h"

#define READ_AT_ONCE (64 << 10)
#define CORKED_FULL (16 << 20) /* bytes waiting for who cannot take them yet */
#define OPERATIONS 256         /* frames in a turn of the loop, of who has no budget */

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);

bool link_init(struct link *link, struct event_base *base, int fd, const struct link_events *events,
	       void *ctx)
{
	*link = (struct link){ .fd = fd, .events = events, .ctx = ctx };
	link->last = &link->first;
	link->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, link);
	link->writable = event_new(base, fd, EV_WRITE, on_writable, link);
	if (!link->readable || !link->writable || evutil_make_socket_nonblocking(fd) != 0 ||
	    event_add(link->readable, NULL) != 0) {
		link->fd = -1;
		link_fini(link);
		return false;
	}
	return true;
}

void link_charge(struct link *link, struct budget *budget)
{
	link->budget = budget;
	budget->bytes_out += link->queued;
}

static void add_queued(struct link *link, size_t bytes)
{
	link->queued += bytes;
	if (link->budget)
		link->budget->bytes_out += bytes;
}

static void take_queued(struct link *link, size_t bytes)
{
	link->queued -= bytes;
	if (link->budget)
		link->budget->bytes_out -= bytes;
}

/* A descriptor that waits is dearer than the few bytes that it goes with. */
static size_t weight_of_fds(const struct frame *frame)
{
	return (size_t)((frame->fds[0] >= 0) + (frame->fds[1] >= 0)) * LINK_FD_WEIGHT;
}

/*
 * What waits to be taken in counts where it is more than one read behind a part of the largest message: a whole source of
 * actors may be amid such messages, and none does anything wrong.
 */
static bool set_kept(struct link *link, size_t len)
{
	const size_t usual = FRAME_HEAD + 16 + LINK_INLINE_MAX + READ_AT_ONCE;
	struct budget *budget = link->budget;
	size_t before = link->in_len > usual ? link->in_len - usual : 0;
	size_t after = len > usual ? len - usual : 0;

	if (budget && after > before && budget->bytes_in + after - before > budget->limits->bytes)
		return false;
	if (budget)
		budget->bytes_in += after - before;
	link->in_len = len;
	return true;
}

static void leave_waiters(struct link *link)
{
	if (!link->waiting_for)
		return;
	struct link **p = &link->waiting_for->waiters;

	while (*p && *p != link)
		p = &(*p)->next_waiter;
	if (*p)
		*p = link->next_waiter;
	link->waiting_for = NULL;
}

/*
 * The link can neither be served nor waited for: both ends are told, and what was sent already is still read, also where
 * it was paused: for room in itself, say, which nothing makes any more.
 */
static void cut(struct link *link)
{
	link->deaf = true;
	link->draining = true;
	leave_waiters(link);
	(void)shutdown(link->fd, SHUT_RDWR);
	if (link->paused)
		(void)event_add(link->readable, NULL);
	link->paused = false;
	/* What it had sent before may be in its buffer: no event tells. */
	event_active(link->readable, EV_READ, 0);
}

static void read_on(struct link *link)
{
	if (event_add(link->readable, NULL) != 0)
		cut(link);
}

/* Those who waited for this link read on. */
static void release_waiters(struct link *link)
{
	struct link *waiter;

	while ((waiter = link->waiters)) {
		link->waiters = waiter->next_waiter;
		waiter->waiting_for = NULL;
		waiter->paused = false;
		if (!waiter->ended)
			read_on(waiter);
		/* What it had sent before is already in its buffer: no event will tell. */
		event_active(waiter->readable, EV_READ, 0);
	}
}

void link_fini(struct link *link)
{
	leave_waiters(link);
	release_waiters(link);
	take_queued(link, link->queued);
	(void)set_kept(link, 0);
	if (link->readable)
		event_free(link->readable);
	if (link->writable)
		event_free(link->writable);
	if (link->fd >= 0)
		(void)close(link->fd);
	for (unsigned i = 0; i < link->in_nfds; i++)
		tds_close_fd(&link->in_fds[i]);
	for (struct frame *f = link->first, *next; f; f = next) {
		next = f->next;
		frame_free(f);
	}
	free(link->in);
	*link = (struct link){ .fd = -1, .ended = true };
}

static void end(struct link *link)
{
	if (link->ended || !link->events)
		return; /* what waits for a process yet has nobody to tell */
	link->ended = true;
	(void)event_del(link->readable);
	(void)event_del(link->writable);
	release_waiters(link);
	link->events->ended(link->ctx);
}

/* Send what is left of one frame, its descriptor with the first byte. */
static ssize_t send_some(struct link *link, struct frame *frame)
{
	struct iovec iov = { .iov_base = frame->data + frame->sent,
			     .iov_len = frame->len - frame->sent };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (frame->sent == 0 && frame->fds[0] >= 0) {
		size_t size = (frame->fds[1] >= 0 ? 2 : 1) * sizeof(int);

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(size);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(c), frame->fds, size);
	}
	return sendmsg(link->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Nothing could be sent, for this reason: it is tried again when there is room, or the link is on its end. */
static void pause_sending(struct link *link, int why)
{
	switch (why) {
	case EAGAIN:
	case ETOOMANYREFS:
	case ENOMEM:
	case ENOBUFS:
		if (event_add(link->writable, NULL) != 0)
			cut(link);
		break;
	default: /* EPIPE and ECONNRESET: the other end is gone */
		cut(link);
	}
}

static void flush(struct link *link)
{
	while (link->first && !link->corked && !link->deaf && !link->ended) {
		struct frame *frame = link->first;
		ssize_t n = send_some(link, frame);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			pause_sending(link, errno);
			break;
		}
		take_queued(link, (size_t)n + (frame->sent == 0 ? weight_of_fds(frame) : 0));
		frame->sent += (size_t)n;
		if (frame->sent < frame->len)
			continue;
		link->first = frame->next;
		if (!link->first)
			link->last = &link->first;
		frame_free(frame);
	}
	if (link->queued < LINK_QUEUE_FULL / 2)
		release_waiters(link);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

void link_send(struct link *link, struct frame *frame)
{
	if (!frame) {
		end(link);
		return;
	}
	if (!link->last) {
		frame_free(frame); /* it was never opened */
		return;
	}
	if (link->deaf && frame_type(frame) == FRAME_CONTROL) {
		frame_free(frame); /* of what is heard out the answers would pile up */
		return;
	}
	/* Where the link has ended it stays, for whoever takes back what was never delivered. */
	bool idle = !link->first;
	*link->last = frame;
	link->last = &frame->next;
	add_queued(link, frame->len - frame->sent + weight_of_fds(frame));
	if (idle)
		flush(link);
}

void link_control(struct link *link, json_t *op)
{
	link_send(link, frame_control(op));
}

void link_uncork(struct link *link)
{
	link->corked = false;
	flush(link);
}

struct frame *link_take_queue(struct link *link)
{
	struct frame *first = link->first;

	link->first = NULL;
	link->last = &link->first;
	take_queued(link, link->queued);
	return first;
}

void link_wait_for(struct link *sender, struct link *full)
{
	if (sender->paused || sender->draining)
		return;
	sender->paused = true;
	(void)event_del(sender->readable);
	sender->waiting_for = full;
	sender->next_waiter = full->waiters;
	full->waiters = sender;
}

/*
 * Who asks and does not read the answers is not read on. An actor that is not up yet cannot read, and has to be heard
 * when it is: what waits for it then is most of it from others, and may be much more.
 */
void link_pace(struct link *link, size_t before)
{
	bool full = link->corked ? link->queued >= CORKED_FULL : link_is_full(link);

	if (link->queued > before && full)
		link_wait_for(link, link);
}

/* Keep what is not yet a whole frame. Most links have nothing to keep most of the time, and then hold no memory. */
static bool keep(struct link *link, size_t kept, const unsigned char *data, size_t len)
{
	unsigned char *more = realloc(link->in, kept + len);

	if (!more)
		return false;
	link->in = more;
	memcpy(more + kept, data, len);
	return true;
}

/* A descriptor, or LINK_FD_LOST, waits for its frame. */
static void keep_fd(struct link *link, int fd)
{
	if (link->in_nfds < LINK_FDS)
		link->in_fds[link->in_nfds++] = fd;
	else
		tds_close_fd(&fd);
}

/* Read what is there. Returns as read(2) does. */
static ssize_t receive(struct link *link, unsigned char *data, size_t room)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = room };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(link->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0)
		return n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		int fd;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		/* Room for one is, for its alignment, room for two. */
		for (size_t at = CMSG_LEN(0); at + sizeof(fd) <= c->cmsg_len; at += sizeof(fd)) {
			memcpy(&fd, (unsigned char *)c + at, sizeof(fd));
			keep_fd(link, fd);
		}
	}
	/* A host sends one at a time: where that is cut off, none came. */
	if (msg.msg_flags & MSG_CTRUNC)
		keep_fd(link, LINK_FD_LOST);
	return n;
}

/* One read may bring several frames, and the descriptor of the last: frames take theirs in order, by their kind. */
int link_take_fd(struct link *link)
{
	if (link->in_nfds == 0)
		return -1;
	int fd = link->in_fds[0];
	memmove(link->in_fds, link->in_fds + 1, --link->in_nfds * sizeof(int));
	return fd;
}

/* Take whole frames off the front of data. Returns how many bytes they had, or -1: the link is to end. */
static ssize_t take_frames(struct link *link, const unsigned char *data, size_t len)
{
	size_t at = 0;

	while (!link->paused && link->may_take > 0 && len - at >= FRAME_HEAD) {
		size_t frame = wire_get32(data + at);

		if (frame == 0 || frame > FRAME_MAX)
			return -1;
		if (len - at < 4 + frame)
			break;
		if (!link->events->frame(link->ctx, (enum frame_type)data[at + 4],
					 data + at + FRAME_HEAD, frame - 1))
			return -1;
		at += 4 + frame;
		link->may_take--;
	}
	return (ssize_t)at;
}

/* Of what was kept so much is taken, and so much is left. False: that is more than there may be. */
static bool keep_rest(struct link *link, size_t taken, size_t left)
{
	if (left > 0) {
		memmove(link->in, link->in + taken, left);
	} else {
		free(link->in);
		link->in = NULL;
	}
	return set_kept(link, left);
}

/* Take frames from what was kept, with more behind it, and keep the rest. False: the link is to end. */
static bool take_in(struct link *link, const unsigned char *data, size_t len)
{
	size_t kept = link->in_len;

	if (kept > 0) {
		if (len > 0 && !keep(link, kept, data, len))
			return false;
		data = link->in;
		len += kept;
	}
	ssize_t taken = take_frames(link, data, len);
	if (taken < 0)
		return false;
	size_t left = len - (size_t)taken;
	if (kept > 0)
		return keep_rest(link, (size_t)taken, left);
	return left == 0 || (keep(link, 0, data + taken, left) && set_kept(link, left));
}

/* Nothing has come; or there is no memory for it, and the loop comes back to what is still there. */
static bool is_nothing(int why)
{
	return why == EAGAIN || why == EWOULDBLOCK || why == ENOMEM || why == ENOBUFS;
}

/* Read up to so many times (0: to the end), and no further where there is more to come anyway. */
static void drain(struct link *link, int turns)
{
	tds_unset unsigned char data[READ_AT_ONCE];

	if (link->ended || link->paused)
		return;
	if (link->in_len > 0 && !take_in(link, NULL, 0)) {
		end(link);
		return;
	}
	for (int i = 0;
	     (turns == 0 || i < turns) && link->may_take > 0 && !link->paused && !link->ended;
	     i++) {
		ssize_t n = receive(link, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && is_nothing(errno))
			return;
		if (n <= 0 || !take_in(link, data, (size_t)n)) {
			end(link);
			return;
		}
		if (turns > 0 && (size_t)n < sizeof(data) / 2)
			return; /* all there is, most likely; if not, the loop comes back */
	}
}

/* One that has much to say lets others speak between. What of it is read already no event tells but a timer's. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = { 0 };
	struct link *link = arg;

	(void)fd;
	if ((what & EV_TIMEOUT) && !link->paused && !link->ended)
		read_on(link); /* the timer took the event out */
	link->may_take = link->budget ? link->budget->limits->operations : OPERATIONS;
	drain(link, 16);
	if (link->may_take == 0 && link->in_len > 0 && !link->paused && !link->ended)
		if (event_add(link->readable, &at_once) != 0)
			event_active(link->readable, EV_TIMEOUT, 0);
}

void link_drain(struct link *link)
{
	/* A process that it forked may hold its end too, and would write for ever. */
	if (link->fd >= 0)
		(void)shutdown(link->fd, SHUT_RDWR);
	leave_waiters(link);
	link->paused = false;
	link->draining = true;
	link->may_take = UINT64_MAX;
	drain(link, 0);
}
