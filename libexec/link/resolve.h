/* SPDX-License-Identifier: MIT */
/* The servers' names as addresses, once, before the sandbox: afterwards no resolver can be asked. */
#ifndef TDS_LINK_RESOLVE_H
#define TDS_LINK_RESOLVE_H

#include "base/err.h"
#include "side.h"

/*
 * Waits as long as the resolver does.
 * Owner:   caller frees with resolve_free, on success only.
 * Errors:  TDS_E_UNUSABLE: none of them has an address; TDS_E_NOMEM.
 */
int resolve_servers(const struct tds_linkconfig *config, struct side_servers *servers,
		    struct tds_err *err) TDS_MUST_CHECK;
void resolve_free(struct side_servers *servers);

#endif
