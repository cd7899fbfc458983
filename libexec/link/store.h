/* SPDX-License-Identifier: MIT */
/*
 * The convention's records, in a bucket of JetStream: what a request of the frames comes to in requests of the server, and
 * what the server's answers mean. One thread calls all of this, and nothing here waits; each request ends in an answer, at
 * the latest when its time is over. It believes neither side.
 */
#ifndef TDS_LINK_STORE_H
#define TDS_LINK_STORE_H

#include "side.h"

struct store;

/* For the convention of this name. NULL: out of memory. It lives as long as the process does. */
struct store *store_new(natsConnection *nc, const char *name);

/* The connection stands, or not any more: the bucket is made where it is not there, then the side is told to be up. */
void store_up(struct store *store);
void store_down(struct store *store, const char *why);

void store_ask(struct store *store, const struct tds_linkframe *frame);
void store_take(struct store *store, natsMsg *msg); /* borrowed */

/* What is over by now; returns milliseconds to the next such time, -1: there is none. */
int store_tick(struct store *store);

#endif
