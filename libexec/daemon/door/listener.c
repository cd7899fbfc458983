/* SPDX-License-Identifier: MIT */
/* New connections: a few in a turn of the loop; a refusal or a pause where descriptors run out. */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/release.h"
#include "daemon/base/descriptors.h"

struct listener {
	int fd;
	int reserve; /* given up for a moment to refuse a connection; -1: lost */
	struct event *readable;
	struct event *resume;
	listener_accepted *accepted;
	void *ctx;
	bool modest; /* the reserve of descriptors is not for its connections */
};

void listener_tell(int fd, const char *why, const char *kind)
{
	char line[LISTENER_REFUSAL_MAX];
	int len = snprintf(line, sizeof(line),
			   "{\"DirectorResponse\":\"Error\",\"Success\":false,"
			   "\"Status\":8,\"Message\":\"%s\",%s%s%s\"Protocol\":%d}\n",
			   why, kind ? "\"Kind\":\"" : "", kind ? kind : "", kind ? "\"," : "",
			   tds_release_protocol);

	(void)send(fd, line, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void listener_refuse(int fd, const char *why, const char *kind)
{
	listener_tell(fd, why, kind);
	(void)close(fd);
}

static int take(const struct listener *listener)
{
	return accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* The reserve is a copy of the listener's descriptor: no file of its own, only a number. */
static void fill_reserve(struct listener *listener)
{
	if (listener->reserve < 0)
		listener->reserve = fcntl(listener->fd, F_DUPFD_CLOEXEC, 3);
}

/*
 * With the reserve's number a connection can be taken, and told that there is no room, or get the number of one that makes room.
 * False, with errno: it cannot.
 */
static bool take_scarce(struct listener *listener)
{
	if (listener->reserve < 0)
		return false;
	tds_close_fd(&listener->reserve);
	int fd = take(listener);
	int saved = errno;
	if (fd >= 0)
		listener->accepted(listener->ctx, fd, true);
	fill_reserve(listener);
	errno = saved;
	return fd >= 0;
}

/* The listener leaves the loop for a while: its socket stays readable, and would make it spin. */
static void pause_listening(struct listener *listener)
{
	const struct timeval pause = { .tv_usec = LISTENER_PAUSE_MS * 1000 };

	if (evtimer_add(listener->resume, &pause) == 0)
		(void)event_del(listener->readable);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	fill_reserve(listener);
	if (event_add(listener->readable, NULL) != 0)
		pause_listening(listener);
}

/* Whether the next number that is free is none of the reserve. */
static bool has_room(const struct listener *listener)
{
	int next = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);

	if (next < 0)
		return false;
	(void)close(next);
	return descriptors_free(next) > 0;
}

/* False: enough for this turn. */
static bool accept_one(struct listener *listener)
{
	if (listener->modest && !has_room(listener)) {
		pause_listening(listener);
		return false;
	}
	int fd = take(listener);

	if (fd >= 0) {
		listener->accepted(listener->ctx, fd, false);
		return true;
	}
	/* Where no number is free the kernel says so before it looks whether anybody waits. */
	if (errno == EMFILE && take_scarce(listener))
		return true;
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno != EAGAIN)
		pause_listening(listener);
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < LISTENER_TURN_MAX && accept_one(listener); i++)
		continue;
}

struct listener *listener_new(struct event_base *base, int fd, listener_accepted *accepted,
			      void *ctx)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener) {
		(void)close(fd);
		return NULL;
	}
	*listener = (struct listener){ .fd = fd, .reserve = -1, .accepted = accepted, .ctx = ctx };
	fill_reserve(listener);
	listener->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, listener);
	listener->resume = evtimer_new(base, on_resume, listener);
	if (!listener->readable || !listener->resume || evutil_make_socket_nonblocking(fd) != 0 ||
	    event_add(listener->readable, NULL) != 0) {
		listener_free(listener);
		return NULL;
	}
	return listener;
}

void listener_be_modest(struct listener *listener)
{
	listener->modest = true;
}

void listener_free(struct listener *listener)
{
	if (!listener)
		return;
	if (listener->readable)
		event_free(listener->readable);
	if (listener->resume)
		event_free(listener->resume);
	tds_close_fd(&listener->reserve);
	(void)close(listener->fd);
	free(listener);
}
