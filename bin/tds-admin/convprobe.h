/* SPDX-License-Identifier: MIT */
/*
 * One connection to a server of the bus, to find out what the server lets this system do. It speaks the few lines that this
 * takes, waits for each answer, and has no other use. What the server says is hostile.
 */
#ifndef TDS_ADMIN_CONVPROBE_H
#define TDS_ADMIN_CONVPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "convention/conventioncfg.h"

/* How far it came. */
enum probe_end {
	PROBE_LET_IN,
	PROBE_UNREACHABLE, /* no such host, or nobody listens there */
	PROBE_SILENT,      /* no answer in time */
	PROBE_NO_NATS,     /* something else listens there */
	PROBE_NO_TLS,      /* the server has none, though it is wanted */
	PROBE_UNTRUSTED,   /* this system does not believe the server's certificate */
	PROBE_NOT_BELIEVED, /* the server does not believe this system's, or knows no user of its name */
};

struct probe; /* opaque */

/*
 * Connect and log in. pems NULL: without TLS. wait_ms: for the server, here and for each answer later.
 * Owner:   caller frees *probe with probe_free, whatever comes of it.
 * Shape:   where it is not PROBE_LET_IN err has the reason, of code TDS_E_REFUSED, TDS_E_TIMEOUT or TDS_E_NOMEM.
 */
enum probe_end probe_open(const struct tds_bus_server *server,
			  const struct tds_convention_pems *pems, int64_t wait_ms,
			  struct probe **probe, struct tds_err *err);
void probe_free(struct probe *probe);

/* What the server has said of itself: its version, "" where it said none; whether it has JetStream; its largest message. */
const char *probe_version(const struct probe *probe);
bool probe_has_jetstream(const struct probe *probe);
long long probe_max_payload(const struct probe *probe);

/*
 * May this connection do that? A message without bytes is published, or a subscription made and taken back.
 * Errors:  TDS_E_REFUSED, TDS_E_TIMEOUT: the connection is lost; TDS_E_NOMEM.
 */
int probe_may_publish(struct probe *probe, const char *subject, bool *may,
		      struct tds_err *err) TDS_MUST_CHECK;
int probe_may_hear(struct probe *probe, const char *subject, bool *may,
		   struct tds_err *err) TDS_MUST_CHECK;

/* Does somebody answer a request to the subject, which this connection may make, in time? Errors: the same. */
int probe_is_answered(struct probe *probe, const char *subject, bool *answered,
		      struct tds_err *err) TDS_MUST_CHECK;

#endif
