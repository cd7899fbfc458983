/* SPDX-License-Identifier: MIT */
/* A link's way out: what waits for a host, and who waits until that is less. */
#include "linkout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "lent.h"

#define CORKED_FULL (16 << 20) /* bytes waiting for who cannot take them yet */

/* --- budgets --- */

static void release(struct link **waiting);

void link_charge(struct link *link, struct budget *budget)
{
	link->budget = budget;
	budget->bytes_out += link->queued;
}

/* What a frame takes while it waits. */
struct weight {
	size_t bytes;
	size_t fds;
};

static struct weight weight_of(const struct frame *frame)
{
	struct weight w = { .bytes = frame->len - frame->sent };

	if (frame->sent == 0) {
		w.fds = (size_t)((frame->fds[0] >= 0) + (frame->fds[1] >= 0));
		w.bytes += w.fds * LINK_FD_WEIGHT + frame->lent;
	}
	return w;
}

static void add_queued(struct link *link, struct weight w)
{
	link->queued += w.bytes;
	if (!link->budget)
		return;
	link->budget->bytes_out += w.bytes;
	link->budget->passing += w.fds;
}

static void take_queued(struct link *link, struct weight w)
{
	struct budget *budget = link->budget;

	link->queued -= w.bytes;
	if (!budget)
		return;
	budget->bytes_out -= w.bytes;
	budget->passing -= w.fds;
	if (budget->unsent && budget_has_out(budget))
		release(&budget->unsent);
}

/* --- who waits --- */

void link_wait_in(struct link *link, struct link **waiting)
{
	if (link->paused || link->draining)
		return;
	link->paused = true;
	(void)event_del(link->readable);
	link->waits_in = waiting;
	link->next_waiter = *waiting;
	*waiting = link;
	link_end_overdraft(link);
}

void link_wait_for(struct link *sender, struct link *full)
{
	link_wait_in(sender, &full->waiters);
}

void link_leave_waiters(struct link *link)
{
	struct link **p = link->waits_in;

	while (p && *p && *p != link)
		p = &(*p)->next_waiter;
	if (p && *p)
		*p = link->next_waiter;
	link->waits_in = NULL;
}

/*
 * The link can neither be served nor waited for: both ends are told, and what was sent already is still read, also where
 * it was paused: for room in itself, say, which nothing makes any more.
 */
static void cut(struct link *link)
{
	link->deaf = true;
	link->draining = true;
	link_leave_waiters(link);
	(void)shutdown(link->fd, SHUT_RDWR);
	if (link->paused)
		(void)event_add(link->readable, NULL);
	link->paused = false;
	/* What it had sent before may be in its buffer: no event tells. */
	event_active(link->readable, EV_READ, 0);
}

void link_read_on(struct link *link)
{
	if (event_add(link->readable, NULL) != 0)
		cut(link);
}

static void release_first(struct link **waiting)
{
	struct link *waiter = *waiting;

	*waiting = waiter->next_waiter;
	waiter->waits_in = NULL;
	waiter->paused = false;
	if (!waiter->ended)
		link_read_on(waiter);
	/* What it had sent before is already in its buffer: no event will tell. */
	event_active(waiter->readable, EV_READ, 0);
}

/* Those who waited there read on. */
static void release(struct link **waiting)
{
	while (*waiting)
		release_first(waiting);
}

/* Where there is room for no more than one of those that wait to be read, it is one. */
static void let_read(struct budget *budget)
{
	if (budget_has_in(budget))
		release(&budget->unread);
	else if (!budget->overdraw && budget->unread)
		release_first(&budget->unread);
}

void link_end_overdraft(struct link *link)
{
	struct budget *budget = link->budget;

	if (!budget || budget->overdraw != link)
		return;
	budget->overdraw = NULL;
	let_read(budget);
}

void link_set_kept(struct link *link, size_t len)
{
	struct budget *budget = link->budget;
	size_t before = link->in_len;

	link->in_len = len;
	if (!budget || len == before)
		return;
	budget->bytes_in += len - before;
	if (len == 0 && budget->overdraw == link)
		budget->overdraw = NULL;
	if (len < before && budget->unread)
		let_read(budget);
}

bool link_may_read(struct link *link)
{
	struct budget *budget = link->budget;

	if (!budget || link->draining || budget_has_in(budget))
		return true;
	if (budget->overdraw && budget->overdraw != link) {
		link_wait_in(link, &budget->unread);
		return false;
	}
	budget->overdraw = link;
	return true;
}

/* --- descriptors that came --- */

/* A sane host has one or two under way. One that there is no room for is lost, and its frame finds that out. */
void link_keep_fd(struct link *link, int fd)
{
	struct budget *budget = link->budget;

	if (link->in_nfds == LINK_FDS) {
		tds_close_fd(&fd);
		return;
	}
	if (fd >= 0 && budget && !budget_has_passing(budget, fd)) {
		tds_close_fd(&fd);
		fd = LINK_FD_LOST;
	}
	if (budget)
		budget->passing += fd >= 0;
	link->in_fds[link->in_nfds++] = fd;
}

/* One read may bring several frames, and the descriptor of the last: frames take theirs in order, by their kind. */
int link_take_fd(struct link *link)
{
	if (link->in_nfds == 0)
		return -1;
	int fd = link->in_fds[0];
	memmove(link->in_fds, link->in_fds + 1, --link->in_nfds * sizeof(int));
	if (link->budget)
		link->budget->passing -= fd >= 0;
	return fd;
}

/* --- its end --- */

void link_fini(struct link *link)
{
	link_leave_waiters(link);
	release(&link->waiters);
	link_set_kept(link, 0);
	link_end_overdraft(link);
	while (link->in_nfds > 0) {
		tds_autofd int fd = link_take_fd(link);
		(void)fd;
	}
	if (link->readable)
		event_free(link->readable);
	if (link->writable)
		event_free(link->writable);
	lent_fini(link);
	if (link->fd >= 0)
		(void)close(link->fd);
	for (struct frame *f = link_take_queue(link), *next; f; f = next) {
		next = f->next;
		frame_free(f);
	}
	free(link->in);
	*link = (struct link){ .fd = -1, .ended = true };
}

void link_end(struct link *link)
{
	if (link->ended || !link->events)
		return; /* what waits for a process yet has nobody to tell */
	link->ended = true;
	link_end_overdraft(link);
	(void)event_del(link->readable);
	(void)event_del(link->writable);
	lent_end(link);
	release(&link->waiters);
	link->events->ended(link->ctx);
}

/* --- sending --- */

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

static void drop_first(struct link *link)
{
	struct frame *frame = link->first;

	link->first = frame->next;
	if (!link->first)
		link->last = &link->first;
	frame_free(frame);
}

static void flush(struct link *link);

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct link *link = arg;

	(void)fd;
	(void)what;
	if (!lent_is_there(link) || !lent_look(link, on_look))
		flush(link);
}

static void lend(struct link *link, struct frame *frame)
{
	lent_begin(link, frame);
	(void)lent_look(link, on_look);
}

/* Returns as write(2) does. */
static ssize_t send_first(struct link *link)
{
	struct frame *frame = link->first;
	const struct weight before = weight_of(frame);
	bool lends = frame->sent == 0 && frame->lent > 0;
	ssize_t n = send_some(link, frame);

	if (n < 0)
		return n;
	frame->sent += (size_t)n;
	link->lent.behind += (size_t)n;
	if (lends)
		lend(link, frame);
	const struct weight after = weight_of(frame);
	take_queued(link, (struct weight){ .bytes = before.bytes - after.bytes,
					   .fds = before.fds - after.fds });
	if (frame->sent == frame->len)
		drop_first(link);
	return n;
}

/* Send as much as there is room for now. */
static void send_all(struct link *link)
{
	while (link->first && !link->corked && !link->deaf && !link->ended) {
		if (link->first->sent == 0 && link->first->lent > 0 && lent_is_there(link))
			return; /* on_look() goes on */
		if (send_first(link) < 0 && errno != EINTR) {
			pause_sending(link, errno);
			return;
		}
	}
}

static void flush(struct link *link)
{
	send_all(link);
	if (link->queued < LINK_QUEUE_FULL / 2)
		release(&link->waiters);
	if (link->behind && !link->first)
		link->events->caught_up(link->ctx);
}

void link_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	flush(arg);
}

void link_send(struct link *link, struct frame *frame)
{
	if (!frame) {
		link_end(link);
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
	add_queued(link, weight_of(frame));
	if (idle)
		flush(link);
}

bool link_control(struct link *link, json_t *op)
{
	struct frame *frame = frame_control(json_incref(op));
	bool fits = frame || frame_would_fit(op);

	json_decref(op);
	if (fits)
		link_send(link, frame);
	return fits;
}

void link_uncork(struct link *link)
{
	link->corked = false;
	flush(link);
}

struct frame *link_take_queue(struct link *link)
{
	struct frame *first = link->first;
	struct weight all = { 0 };

	for (const struct frame *f = first; f; f = f->next) {
		const struct weight w = weight_of(f);

		all.bytes += w.bytes;
		all.fds += w.fds;
	}
	link->first = NULL;
	link->last = &link->first;
	take_queued(link, all);
	return first;
}

/* --- back pressure --- */

static enum link_verdict wait(struct link *link, struct link **waiting)
{
	link_wait_in(link, waiting);
	return LINK_LATER;
}

enum link_verdict link_may_ask(struct link *asker, struct link *to)
{
	if (asker->draining)
		return LINK_TAKEN;
	if (to && !to->ended && to->queued >= LINK_QUEUE_FULL)
		return wait(asker, &to->waiters);
	if (asker->corked)
		return link_is_over(asker) || asker->queued >= CORKED_FULL ? LINK_BROKEN
									   : LINK_TAKEN;
	if (link_is_full(asker))
		return wait(asker, &asker->waiters);
	return link_is_over(asker) ? wait(asker, &asker->budget->unsent) : LINK_TAKEN;
}
