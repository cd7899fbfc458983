/* SPDX-License-Identifier: MIT */
/*
 * A port of this machine alone that is open while the system runs, for programs that look whether it does. Who connects is
 * told nothing and let go.
 */
#ifndef TDS_DAEMON_BEACON_H
#define TDS_DAEMON_BEACON_H

#include <event2/event.h>
#include <stdint.h>

#include "base/err.h"

struct beacon;

/*
 * Listen at 127.0.0.1. 0: nowhere.
 * Errors:  TDS_E_WRITE: the port cannot be had, somebody else has it, say; TDS_E_NOMEM. On error, and for 0, NULL.
 */
struct beacon *beacon_open(struct event_base *base, uint16_t port, struct tds_err *err);
void beacon_close(struct beacon *beacon); /* accepts NULL */

#endif
