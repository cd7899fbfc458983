/* SPDX-License-Identifier: MIT */
/*
 * How the systems of a convention and the servers of its bus are written: names, and URLs. It resolves nothing, and does
 * not know who has which.
 */
#ifndef TDS_BUS_H
#define TDS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDS_BUS_PORT 4222      /* where nothing else is said */
#define TDS_BUS_HOST_MAX 253   /* bytes, as a domain name has at most */
#define TDS_SYSTEM_NAME_MAX 63 /* bytes */
#define TDS_SYSTEM_NAME_RULE "1 to 63 letters, digits, _ and -, and not \"all\""

/*
 * Is it the name of a system, or of a convention? It is one token of the bus's subjects, so that none is taken for another's;
 * "all" is whom a heartbeat is for.
 */
bool tds_system_name_fits(const char *text, size_t len);

/* A server of the bus. */
struct tds_bus_server {
	bool tls; /* tls://: it is spoken to over TLS, or not at all */
	uint16_t port;
	char host[TDS_BUS_HOST_MAX + 1]; /* a name or an address, without brackets */
};

/* nats://HOST[:PORT] or tls://HOST[:PORT]; an IPv6 address stands in brackets. Nothing else: no user, no path. */
bool tds_bus_url_parse(const char *text, size_t len, struct tds_bus_server *server);

/* HOST or HOST:PORT; what has several colons is an IPv6 address. port: where none is given. */
bool tds_bus_host_parse(const char *text, size_t len, uint16_t port, struct tds_bus_server *server);

/* Is the host this machine, by whatever is said on the network? An address of loopback, or localhost. */
bool tds_bus_is_loopback(const struct tds_bus_server *server);

#endif
