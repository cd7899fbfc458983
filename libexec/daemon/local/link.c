/* SPDX-License-Identifier: MIT */
/* Frames over a stream socket: a link as a whole, and its way in. The way out is below it (linkout.c). */
#include "linkout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/base/loop.h"
#include "base/wire.h"

#define READ_AT_ONCE (64 << 10)
#define ADDRESSED (FRAME_HEAD + 8) /* bytes of a message until it is known whom it is for */
#define OPERATIONS 256             /* frames in a turn of the loop, of who has no budget */
#define BYTES_WEIGH_ONE 256        /* of a control frame, to parse which takes its time */

static void on_readable(evutil_socket_t fd, short what, void *arg);

bool link_init(struct link *link, struct event_base *base, int fd, const struct link_events *events,
	       void *ctx)
{
	*link = (struct link){ .fd = fd, .events = events, .ctx = ctx };
	link->last = &link->first;
	link->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, link);
	link->writable = event_new(base, fd, EV_WRITE, link_on_writable, link);
	if (!link->readable || !link->writable || evutil_make_socket_nonblocking(fd) != 0 ||
	    event_add(link->readable, NULL) != 0) {
		link->fd = -1;
		link_fini(link);
		return false;
	}
	return true;
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
			link_keep_fd(link, fd);
		}
	}
	/* A host sends one at a time: where that is cut off, none came. */
	if (msg.msg_flags & MSG_CTRUNC)
		link_keep_fd(link, LINK_FD_LOST);
	return n;
}

/*
 * Take whole frames off the front of data. One that has to wait stays; the link is paused then. Returns how many bytes
 * were taken, or -1: the link is to end.
 */
static ssize_t take_frames(struct link *link, const unsigned char *data, size_t len)
{
	size_t at = 0;

	while (!link->paused && link->may_take > 0 && len - at >= FRAME_HEAD) {
		size_t frame = wire_get32(data + at);

		if (frame == 0 || frame > FRAME_MAX)
			return -1;
		if (len - at < 4 + frame)
			break;
		enum frame_type type = (enum frame_type)data[at + 4];
		enum link_verdict verdict =
			link->events->frame(link->ctx, type, data + at + FRAME_HEAD, frame - 1);
		if (verdict == LINK_BROKEN)
			return -1;
		if (verdict == LINK_LATER)
			break;
		if (type == FRAME_CONTROL)
			link_weigh(link, (unsigned)(frame / BYTES_WEIGH_ONE));
		at += 4 + frame;
		link->may_take--;
	}
	return (ssize_t)at;
}

/* Of what was kept so much is taken, and so much is left. */
static void keep_rest(struct link *link, size_t taken, size_t left)
{
	if (left > 0) {
		memmove(link->in, link->in + taken, left);
	} else {
		free(link->in);
		link->in = NULL;
	}
	link_set_kept(link, left);
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
	if (kept > 0) {
		keep_rest(link, (size_t)taken, left);
	} else if (left > 0) {
		if (!keep(link, 0, data + taken, left))
			return false;
		link_set_kept(link, left);
	}
	return true;
}

/* Nothing has come; or there is no memory for it, and the loop comes back to what is still there. */
static bool is_nothing(int why)
{
	return why == EAGAIN || why == EWOULDBLOCK || why == ENOMEM || why == ENOBUFS;
}

/*
 * How much may be read at once. Where there is no room for more than this link has begun: its head, which says whom it is
 * for, and then the rest of it, unless that has to wait anyway.
 */
static size_t room_in(const struct link *link)
{
	size_t frame = link->in_len >= FRAME_HEAD ? 4 + wire_get32(link->in) : 0;

	if (!link_overdraws(link))
		return READ_AT_ONCE;
	if (link->in_len < ADDRESSED)
		return ADDRESSED - link->in_len;
	return frame > link->in_len && frame - link->in_len < READ_AT_ONCE ? frame - link->in_len
									   : READ_AT_ONCE;
}

/* Is this link's turn over, since it waits? What it has begun in an overdraft is read on only where it will be taken. */
static bool has_to_wait(struct link *link)
{
	if (link->paused || !link_may_read(link))
		return true;
	if (link_overdraws(link) && link->in_len >= ADDRESSED && link->events->begins)
		link->events->begins(link->ctx, (enum frame_type)link->in[4],
				     link->in + FRAME_HEAD);
	return link->paused;
}

/* Read up to so many times (0: to the end), and no further where there is more to come anyway. */
static void drain(struct link *link, int turns)
{
	tds_unset unsigned char data[READ_AT_ONCE];

	if (link->ended || link->paused)
		return;
	if (link->in_len > 0 && !take_in(link, NULL, 0)) {
		link_end(link);
		return;
	}
	for (int i = 0;
	     (turns == 0 || i < turns) && link->may_take > 0 && !has_to_wait(link) && !link->ended;
	     i++) {
		size_t room = room_in(link);
		ssize_t n = receive(link, data, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && is_nothing(errno))
			return;
		if (n <= 0 || !take_in(link, data, (size_t)n)) {
			link_end(link);
			return;
		}
		if (turns > 0 && (size_t)n < room / 2)
			return; /* all there is, most likely; if not, the loop comes back */
	}
}

static uint64_t operations_left(const struct link *link)
{
	return link->budget ? budget_operations_left(link->budget, loop_turn()) : OPERATIONS;
}

void link_weigh(struct link *link, unsigned operations)
{
	link->may_take -= link->may_take > operations ? operations : link->may_take - 1;
}

/*
 * There is no memory for a timer: the link goes on in this turn as if it were the next one, after those whose events are due.
 * With nothing left for this turn it would be called again and again in it, and take nothing.
 */
static void go_on(struct link *link)
{
	if (link->budget)
		link->budget->operations = 0;
	event_active(link->readable, EV_TIMEOUT, 0);
}

/* One that has much to say lets others speak between. What of it is read already no event tells but a timer's. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = { 0 };
	struct link *link = arg;

	(void)fd;
	if ((what & EV_TIMEOUT) && !link->paused && !link->ended)
		link_read_on(link); /* the timer took the event out */
	link->may_take = operations_left(link);
	uint64_t before = link->may_take;
	drain(link, 16);
	if (link->budget)
		link->budget->operations += before - link->may_take;
	if (link->may_take == 0 && link->in_len > 0 && !link->paused && !link->ended)
		if (event_add(link->readable, &at_once) != 0)
			go_on(link);
}

void link_drain(struct link *link)
{
	/* A process that it forked may hold its end too, and would write for ever. */
	if (link->fd >= 0)
		(void)shutdown(link->fd, SHUT_RDWR);
	link_leave_waiters(link);
	link->paused = false;
	link->draining = true;
	link->may_take = UINT64_MAX;
	drain(link, 0);
}
