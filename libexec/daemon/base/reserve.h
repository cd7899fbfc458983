/* SPDX-License-Identifier: MIT */
/*
 * Memory kept aside for jansson, whose parser aborts, or reads past its text, where an allocation fails within a string:
 * what lost characters for want of memory it takes for what it has checked already.
 */
#ifndef TDS_DAEMON_RESERVE_H
#define TDS_DAEMON_RESERVE_H

#include <stddef.h>

#define RESERVE_BYTES \
	(4 << 20) /* a line of a client's, and what it is parsed into; none of it is touched */

/* All of jansson's memory comes from alloc from now on, and from the reserve where that has none. */
void reserve_for_json(void *(*alloc)(size_t), void (*release)(void *));

#endif
