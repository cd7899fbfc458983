/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ADDRESSES 4 /* of a server, at most */

/* The address of one, as libnats takes it. False: out of memory. */
static bool add_url(struct side_servers *servers, const struct addrinfo *info,
		    const struct tds_bus_server *server)
{
	char host[64];
	bool is_ipv6 = info->ai_family == AF_INET6;

	if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), NULL, 0,
			NI_NUMERICHOST) != 0)
		return true;
	if (asprintf(&servers->urls[servers->n], "%s://%s%s%s:%u", server->tls ? "tls" : "nats",
		     is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", (unsigned)server->port) < 0)
		return false;
	servers->n++;
	return true;
}

/* The last failure stays in *failed; a server without address is left out while another has one. */
static bool add_server(struct side_servers *servers, const struct tds_bus_server *server,
		       int *failed)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int rc = getaddrinfo(server->host, NULL, &hints, &found);
	bool done = true;
	int n = 0;

	if (rc != 0) {
		*failed = rc;
		return true;
	}
	for (const struct addrinfo *i = found; i && done && n < ADDRESSES; i = i->ai_next, n++)
		done = add_url(servers, i, server);
	freeaddrinfo(found);
	return done;
}

int resolve_servers(const struct tds_linkconfig *config, struct side_servers *servers,
		    struct tds_err *err)
{
	int failed = 0;
	bool done = true;

	*servers = (struct side_servers){ .host = config->servers[0].host };
	servers->urls = calloc(config->n * ADDRESSES, sizeof(*servers->urls));
	for (size_t i = 0; servers->urls && i < config->n && done; i++)
		done = add_server(servers, &config->servers[i], &failed);
	if (servers->urls && done && servers->n > 0)
		return 0;
	resolve_free(servers);
	return failed != 0 && done ? tds_err_set(err, TDS_E_UNUSABLE, "%s: %s",
						 config->servers[0].host, gai_strerror(failed))
				   : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

void resolve_free(struct side_servers *servers)
{
	for (int i = 0; i < servers->n; i++)
		free(servers->urls[i]);
	free(servers->urls);
	*servers = (struct side_servers){ 0 };
}
