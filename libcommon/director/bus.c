/* SPDX-License-Identifier: MIT */
/* Names of systems, and URLs of the bus's servers. */
#include "bus.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Is all of it of these characters? */
static bool is_of(const char *text, size_t len, const char *characters)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || !strchr(characters, text[i]))
			return false;
	return len > 0;
}

bool tds_system_name_fits(const char *text, size_t len)
{
	return len <= TDS_SYSTEM_NAME_MAX && is_of(text, len, LETTERS "_-") &&
	       !(len == 3 && memcmp(text, "all", 3) == 0);
}

static bool take_port(const char *text, size_t len, struct tds_bus_server *server)
{
	uint64_t port;

	if (!tds_parse_uint(text, len, UINT16_MAX, &port) || port == 0)
		return false;
	server->port = (uint16_t)port;
	return true;
}

static bool take_host(const char *text, size_t len, const char *characters,
		      struct tds_bus_server *server)
{
	if (len > TDS_BUS_HOST_MAX || !is_of(text, len, characters))
		return false;
	memcpy(server->host, text, len);
	server->host[len] = '\0';
	return true;
}

static bool take_ipv6(const char *text, size_t len, struct tds_bus_server *server)
{
	struct in6_addr address;

	return take_host(text, len, "0123456789abcdefABCDEF:.", server) &&
	       inet_pton(AF_INET6, server->host, &address) == 1;
}

/* A name or an IPv4 address, perhaps with a port behind it. */
static bool take_name(const char *text, size_t len, struct tds_bus_server *server)
{
	const char *colon = memchr(text, ':', len);
	size_t host = colon ? (size_t)(colon - text) : len;

	return take_host(text, host, LETTERS "._-", server) && text[0] != '-' &&
	       (!colon || take_port(colon + 1, len - host - 1, server));
}

/* [ADDRESS], perhaps with a port behind it. */
static bool take_bracketed(const char *text, size_t len, struct tds_bus_server *server)
{
	const char *end = memchr(text, ']', len);

	if (!end || !take_ipv6(text + 1, (size_t)(end - text) - 1, server))
		return false;
	size_t rest = len - (size_t)(end + 1 - text);
	return rest == 0 || (end[1] == ':' && take_port(end + 2, rest - 1, server));
}

bool tds_bus_host_parse(const char *text, size_t len, uint16_t port, struct tds_bus_server *server)
{
	const char *colon = memchr(text, ':', len);
	bool several = colon && memchr(colon + 1, ':', len - (size_t)(colon + 1 - text));

	*server = (struct tds_bus_server){ .port = port };
	if (len > 0 && text[0] == '[')
		return take_bracketed(text, len, server);
	return several ? take_ipv6(text, len, server) : take_name(text, len, server);
}

bool tds_bus_url_parse(const char *text, size_t len, struct tds_bus_server *server)
{
	static const struct {
		const char *scheme;
		bool tls;
	} schemes[] = { { "tls://", true }, { "nats://", false } };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t n = strlen(schemes[i].scheme);

		if (len <= n || memcmp(text, schemes[i].scheme, n) != 0)
			continue;
		/* An IPv6 address without brackets would leave open where the port begins. */
		const char *host = text + n;
		const char *colon = memchr(host, ':', len - n);
		bool bare = colon && host[0] != '[' &&
			    memchr(colon + 1, ':', len - (size_t)(colon + 1 - text));
		bool is_good = !bare && tds_bus_host_parse(host, len - n, TDS_BUS_PORT, server);
		server->tls = schemes[i].tls;
		return is_good;
	}
	return false;
}

bool tds_bus_is_loopback(const struct tds_bus_server *server)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, server->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, server->host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
		       (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
	return strcmp(server->host, "localhost") == 0;
}
