/* SPDX-License-Identifier: MIT */
/* One buffer behind one lock: libnats calls from threads of its own. */
#include "out.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define TOGETHER (64 << 10) /* bytes that wait for more at most */

static struct {
	pthread_mutex_t lock;
	int fd;
	struct tds_buf waits;
} out = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

void out_open(int fd)
{
	out.fd = fd;
}

static void write_all(void)
{
	if (tds_io_write(out.fd, out.waits.data, out.waits.len) != 0)
		_exit(0);
	out.waits.len = 0;
}

static bool add(const struct tds_linkframe *frame, bool more)
{
	(void)pthread_mutex_lock(&out.lock);
	bool added = tds_linkframe_add(&out.waits, frame);
	if (out.waits.len > 0 && (!more || !added || out.waits.len >= TOGETHER))
		write_all();
	(void)pthread_mutex_unlock(&out.lock);
	return added;
}

void out_frame(const struct tds_linkframe *frame, bool more)
{
	if (!add(frame, more))
		out_trouble(TDS_LINK_BUS, TDS_LINK_FOREIGN,
			    "what came is too long for a frame, or there is no memory");
}

static void tell(enum tds_link_kind kind, enum tds_link_side side, unsigned code, const char *text)
{
	(void)add(&(struct tds_linkframe){ .kind = kind,
					   .number = side,
					   .code = (uint8_t)code,
					   .data = text,
					   .len = strlen(text) },
		  false);
}

void out_state(enum tds_link_side side, enum tds_link_state state, const char *why)
{
	tell(TDS_LINK_STATE, side, state, why);
}

void out_trouble(enum tds_link_side side, enum tds_link_trouble trouble, const char *what)
{
	tell(TDS_LINK_TROUBLE, side, trouble, what);
}
