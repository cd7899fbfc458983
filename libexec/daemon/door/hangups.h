/* SPDX-License-Identifier: MIT */
/*
 * Which sockets the other side has closed altogether. libevent tells of that only where one reads
 * or writes; but a socket that is half closed stays readable, so that who waits for the other half
 * would spin. A set of epoll's that asks for no events tells of EPOLLHUP and EPOLLERR alone, and
 * costs one descriptor, however many sockets are in it.
 */
#ifndef TDS_DAEMON_HANGUPS_H
#define TDS_DAEMON_HANGUPS_H

#include <event2/event.h>
#include <stdbool.h>

struct hangups;

/* hung_up(client) is called in each turn of the loop until it is removed. NULL: out of memory. */
struct hangups *hangups_new(struct event_base *base, void (*hung_up)(void *client));
void hangups_free(struct hangups *hangups);

/*
 * False: out of memory. A descriptor is to be removed before it is closed: where it has a copy, the
 * set would keep it.
 */
bool hangups_add(struct hangups *hangups, int fd, void *client);
void hangups_remove(struct hangups *hangups, int fd);

#endif
