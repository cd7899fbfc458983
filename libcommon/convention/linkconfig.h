/* SPDX-License-Identifier: MIT */
/*
 * What tds-link is told first, as JSON: which servers, as which system of which convention, with which certificates. Written
 * by who starts it, read by it; tds-protocol(7) has the keys.
 */
#ifndef TDS_LINKCONFIG_H
#define TDS_LINKCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "convention/conventioncfg.h"

#define TDS_LINKCONFIG_SERVERS_MAX 16

/* One of the two connections. */
struct tds_linkconfig_side {
	bool wanted;                     /* the bus always is */
	struct tds_convention_pems pems; /* NULLs: without TLS */
};

struct tds_linkconfig {
	struct tds_bus_server servers[TDS_LINKCONFIG_SERVERS_MAX];
	size_t n; /* 1 at least */
	char name[TDS_SYSTEM_NAME_MAX + 1];
	char system[TDS_SYSTEM_NAME_MAX + 1];
	bool tls;
	struct tds_linkconfig_side bus;
	struct tds_linkconfig_side store;
};

/*
 * The JSON of it.
 * Source:  bus, store: NULL without TLS; wants_store: the second connection is made too.
 * Owner:   caller wipes and frees it, tds_linkconfig_text_free. NULL: out of memory.
 */
char *tds_linkconfig_text(const struct tds_convention *convention,
			  const struct tds_convention_pems *bus,
			  const struct tds_convention_pems *store, bool wants_store);
void tds_linkconfig_text_free(char *text);

/*
 * Read it; hostile.
 * Owner:   caller frees with tds_linkconfig_fini, on success only.
 * Errors:  TDS_E_SYNTAX: the reason says what is wrong; TDS_E_NOMEM.
 */
int tds_linkconfig_read(const void *data, size_t len, struct tds_linkconfig *config,
			struct tds_err *err) TDS_MUST_CHECK;
void tds_linkconfig_fini(struct tds_linkconfig *config);
#define tds_linkconfig_cleanup tds_linkconfig_fini

#endif
