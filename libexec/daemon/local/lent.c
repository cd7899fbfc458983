/* SPDX-License-Identifier: MIT */
/* The memory file of ours that is in the socket of a link. */
#include "lent.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "daemon/base/charge.h"

#define LOOK_MS 2
#define LOOK_MS_MAX 256

void lent_begin(struct link *link, struct frame *frame)
{
	link->lent.there = true;
	link->lent.behind = 0;
	link->lent.look_ms = LOOK_MS;
	link->lent.charge = tds_steal(&frame->charge);
}

void lent_end(struct link *link)
{
	if (link->lent.look)
		(void)event_del(link->lent.look);
	charge_unref(tds_steal(&link->lent.charge));
	link->lent.there = false;
}

void lent_fini(struct link *link)
{
	lent_end(link);
	if (link->lent.look)
		event_free(link->lent.look);
}

/* Nothing is unread; or as much was sent behind it as the socket holds, where there is always something unread. */
static bool is_taken(const struct link *link)
{
	socklen_t size = sizeof(int);
	int unread;
	int room;

	return ioctl(link->fd, SIOCOUTQ, &unread) != 0 || unread == 0 ||
	       getsockopt(link->fd, SOL_SOCKET, SO_SNDBUF, &room, &size) != 0 ||
	       link->lent.behind >= (size_t)room;
}

bool lent_is_there(struct link *link)
{
	if (link->lent.there && is_taken(link))
		lent_end(link);
	return link->lent.there;
}

bool lent_look(struct link *link, event_callback_fn on_look)
{
	struct lent *lent = &link->lent;
	const struct timeval after = { .tv_usec = (suseconds_t)lent->look_ms * 1000 };

	if (!lent->look)
		lent->look = evtimer_new(event_get_base(link->readable), on_look, link);
	if (!lent->look || event_add(lent->look, &after) != 0) {
		lent_end(link);
		return false;
	}
	if (lent->look_ms < LOOK_MS_MAX)
		lent->look_ms *= 2;
	return true;
}
