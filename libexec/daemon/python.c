/* SPDX-License-Identifier: MIT */
/* What a declaration may ask the Python for is asked at the daemon's start, so that the loop does not wait for it later. */
#include <fcntl.h>
#include <unistd.h>

#include "inside.h"
#include "literal/literal_env.h"

static void on_answer(evutil_socket_t fd, short what, void *ctx)
{
	struct tds_env_version version;

	(void)what;
	(void)ctx;
	/* One that does not tell is asked again by the declaration that wants to know, whose failure that is. */
	int rc = tds_env_python_version(&version, NULL);
	(void)rc;
	(void)close(fd);
}

void python_ask(struct daemon *d)
{
	int fd = tds_env_python_ask();

	if (fd >= 0 && event_base_once(d->base, fd, EV_READ, on_answer, NULL, NULL) != 0)
		(void)close(fd);
}
