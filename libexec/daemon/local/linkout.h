/* SPDX-License-Identifier: MIT */
/* What both ways of a link share, for link.c alone. */
#ifndef TDS_DAEMON_LINKOUT_H
#define TDS_DAEMON_LINKOUT_H

#include "link.h"

void link_on_writable(evutil_socket_t fd, short what, void *arg);

/* It is over, which is told; the link is still there. */
void link_end(struct link *link);

/* Be read from now on; where the loop has no memory for that it is on its end. */
void link_read_on(struct link *link);
void link_leave_waiters(struct link *link); /* wait no longer; who calls has it read on */

/* So many bytes are kept of what was read. */
void link_set_kept(struct link *link, size_t len);

/*
 * May more be read? Where the budget is used up only one link may, until what it has begun is whole: what others of a
 * source have begun may wait for no end that never comes. False: it waits.
 */
bool link_may_read(struct link *link);
void link_end_overdraft(struct link *link); /* it may be another's turn */

/* Is it read only as far as it has begun, since there is no more room? */
static inline bool link_overdraws(const struct link *link)
{
	return link->budget && link->budget->overdraw == link;
}

/* A descriptor that came with what was read waits for its frame; and waits no more: it is the caller's. */
void link_keep_fd(struct link *link, int fd);

#endif
