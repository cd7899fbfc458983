/* SPDX-License-Identifier: MIT */
/* The open port: a listener whose connections end at once. */
#include "beacon.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "listener.h"

#define BACKLOG 128

struct beacon {
	struct listener *listener;
};

static void on_accepted(void *ctx, int fd, bool scarce)
{
	(void)ctx, (void)scarce;
	(void)close(fd);
}

/* What a system that ended just now leaves of its connections does not keep the port from the next. */
static int listen_at(uint16_t port, struct tds_err *err)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr = { htonl(INADDR_LOOPBACK) } };
	tds_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) != 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, BACKLOG) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "port %u", port);
	return tds_steal_fd(&fd);
}

struct beacon *beacon_open(struct event_base *base, uint16_t port, struct tds_err *err)
{
	int fd = port == 0 ? -1 : listen_at(port, err);

	if (fd < 0)
		return NULL;
	struct beacon *beacon = calloc(1, sizeof(*beacon));
	struct listener *listener = listener_new(base, fd, on_accepted, NULL);
	if (!beacon || !listener) {
		tds_err_set(err, TDS_E_NOMEM, "out of memory");
		listener_free(listener);
		free(beacon);
		return NULL;
	}
	listener_be_modest(listener);
	beacon->listener = listener;
	return beacon;
}

void beacon_close(struct beacon *beacon)
{
	if (!beacon)
		return;
	listener_free(beacon->listener);
	free(beacon);
}
