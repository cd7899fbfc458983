/* SPDX-License-Identifier: MIT */
/* systemd's way of being told: a datagram to the socket that the environment names. */
#include "supervisor.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/base/clock.h"

static void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	tds_autofd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, len);
}

void supervisor_tell(enum supervisor_word word)
{
	char reloading[64];

	switch (word) {
	case SUPERVISOR_READY:
		notify("READY=1");
		break;
	case SUPERVISOR_RELOADING: /* with the time, by which systemd tells this reload from one before */
		(void)snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%jd",
			       (intmax_t)clock_now_mono_ms() * 1000);
		notify(reloading);
		break;
	case SUPERVISOR_STOPPING:
		notify("STOPPING=1");
		break;
	}
}
