/* SPDX-License-Identifier: MIT */
/* Frames to who started tds-link, from any thread; whole, in the order of the calls. A write waits for the reader. */
#ifndef TDS_LINK_OUT_H
#define TDS_LINK_OUT_H

#include "convention/linkframe.h"

/* Once, before all else: the socket. */
void out_open(int fd);

/*
 * Write a frame; where more follow at once it may wait for them. A frame that cannot be (its data is too long, say) is told
 * as trouble instead. The process ends where nobody reads any more.
 */
void out_frame(const struct tds_linkframe *frame, bool more);

void out_state(enum tds_link_side side, enum tds_link_state state, const char *why);
void out_trouble(enum tds_link_side side, enum tds_link_trouble trouble, const char *what);

#endif
