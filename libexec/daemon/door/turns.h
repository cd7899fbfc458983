/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is. All clients of a user share a part of each turn of the loop; those that it has no time for wait, in the
 * order in which they came, for the next. So nobody waits for the clients of another user, and for each of his own one once.
 */
#ifndef TDS_DAEMON_TURNS_H
#define TDS_DAEMON_TURNS_H

#include "clients.h"

struct turns;

typedef void turns_serve_fn(struct client *client); /* may free it */

struct turns *turns_new(struct event_base *base, turns_serve_fn *serve); /* NULL: out of memory */
void turns_free(struct turns *turns);                                    /* accepts NULL */

/* May it be served now? If not, serve is called when it may. */
bool turns_may(struct turns *turns, struct client *client);

/* How long it may be served, with what it has begun by then; and how long it was. */
int64_t turns_part_us(const struct client *client);
void turns_took(struct turns *turns, struct client *client, int64_t us);

/* It has its turn when those that wait have had theirs; or none any more. Nothing, where it waits, or does not. */
void turns_wait(struct turns *turns, struct client *client);
void turns_leave(struct turns *turns, struct client *client);

#endif
