/* SPDX-License-Identifier: MIT */
/* A set of epoll's own, itself a descriptor in the loop. */
#include "hangups.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TURN_MAX 64 /* hangups told in a turn of the loop */

struct hangups {
	int set;
	struct event *event;
	void (*hung_up)(void *client);
};

static void on_hangups(evutil_socket_t fd, short what, void *arg)
{
	struct hangups *hangups = arg;
	struct epoll_event one;

	(void)what;
	/* Hangups are taken one by one: what one causes may free the client of the next. */
	for (int i = 0; i < TURN_MAX && epoll_wait(fd, &one, 1, 0) == 1; i++)
		hangups->hung_up(one.data.ptr);
}

struct hangups *hangups_new(struct event_base *base, void (*hung_up)(void *client))
{
	struct hangups *hangups = calloc(1, sizeof(*hangups));

	if (!hangups)
		return NULL;
	hangups->hung_up = hung_up;
	hangups->set = epoll_create1(EPOLL_CLOEXEC);
	if (hangups->set >= 0)
		hangups->event =
			event_new(base, hangups->set, EV_READ | EV_PERSIST, on_hangups, hangups);
	if (!hangups->event || event_add(hangups->event, NULL) != 0) {
		hangups_free(hangups);
		return NULL;
	}
	return hangups;
}

void hangups_free(struct hangups *hangups)
{
	if (!hangups)
		return;
	if (hangups->event)
		event_free(hangups->event);
	if (hangups->set >= 0)
		(void)close(hangups->set);
	free(hangups);
}

bool hangups_add(struct hangups *hangups, int fd, void *client)
{
	struct epoll_event none = { .data.ptr = client };

	return epoll_ctl(hangups->set, EPOLL_CTL_ADD, fd, &none) == 0;
}

void hangups_remove(struct hangups *hangups, int fd)
{
	(void)epoll_ctl(hangups->set, EPOLL_CTL_DEL, fd, NULL);
}
