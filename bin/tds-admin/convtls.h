/* SPDX-License-Identifier: MIT */
/* A TCP connection that becomes one of TLS, both ends with certificates, by OpenSSL, whose types stay in here. */
#ifndef TDS_ADMIN_CONVTLS_H
#define TDS_ADMIN_CONVTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "convention/conventioncfg.h"

struct convtls; /* opaque */

enum convtls_end { CONVTLS_DONE, CONVTLS_UNTRUSTED, CONVTLS_FAILED };

/*
 * Connect to the first address of the host that listens. wait_ms: for this, and for each read and write later.
 * Owner:   caller frees with convtls_free, on success only.
 * Errors:  TDS_E_REFUSED, TDS_E_NOMEM.
 */
int convtls_connect(const struct tds_bus_server *server, int64_t wait_ms, struct convtls **tls,
		    struct tds_err *err) TDS_MUST_CHECK;

/* Go on in TLS. The server's certificate has to be for its host, signed by the CA of pems. */
enum convtls_end convtls_secure(struct convtls *tls, const struct tds_bus_server *server,
				const struct tds_convention_pems *pems, struct tds_err *err);

/*
 * Read some bytes, or write them all: 0 or the count; -1: the connection has ended.
 * Errors:  TDS_E_TIMEOUT; TDS_E_REFUSED with the words of who ended it, the other side's alert where there is one.
 */
ssize_t convtls_read(struct convtls *tls, char *data, size_t len, struct tds_err *err);
int convtls_write(struct convtls *tls, const char *data, size_t len,
		  struct tds_err *err) TDS_MUST_CHECK;

void convtls_free(struct convtls *tls);

#endif
