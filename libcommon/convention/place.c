/* SPDX-License-Identifier: MIT */
/* Whether the bus is on this machine, which makes a system a candidate. */
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "conventioncfg.h"

static bool is_same(const struct sockaddr *a, const struct sockaddr *b)
{
	if (!a || a->sa_family != b->sa_family)
		return false;
	return a->sa_family == AF_INET
		       ? memcmp(&((const struct sockaddr_in *)a)->sin_addr,
				&((const struct sockaddr_in *)b)->sin_addr,
				sizeof(struct in_addr)) == 0
		       : a->sa_family == AF_INET6 &&
				 memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
					&((const struct sockaddr_in6 *)b)->sin6_addr,
					sizeof(struct in6_addr)) == 0;
}

/* Every machine has that one. */
static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static bool is_here(const struct tds_bus_server *server, const struct ifaddrs *own)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	bool is_own = false;

	if (getaddrinfo(server->host, NULL, &hints, &found) != 0)
		return false;
	for (const struct addrinfo *a = found; a; a = a->ai_next)
		for (const struct ifaddrs *o = own; o && !is_loopback(a->ai_addr); o = o->ifa_next)
			is_own = is_own || is_same(o->ifa_addr, a->ai_addr);
	freeaddrinfo(found);
	return is_own;
}

enum tds_convention_role tds_convention_role(const struct tds_convention *convention)
{
	struct ifaddrs *own = NULL;
	bool is_own = false;

	if (convention->role != TDS_CONVENTION_BY_PLACE)
		return convention->role;
	if (getifaddrs(&own) != 0)
		return TDS_CONVENTION_MEMBER;
	for (size_t i = 0; i < convention->n && !is_own; i++)
		is_own = is_here(&convention->servers[i], own);
	freeifaddrs(own);
	return is_own ? TDS_CONVENTION_CANDIDATE : TDS_CONVENTION_MEMBER;
}
