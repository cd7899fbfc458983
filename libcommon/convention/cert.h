/* SPDX-License-Identifier: MIT */
/*
 * The certificates of a convention, as PEM texts: a CA of its own, and what it signs for systems and for the server of the bus.
 * Whose a certificate is says a URI in it, TDS_CERT_URI or TDS_CERT_STORE_URI with the system's name behind, by which the bus
 * knows the user. Keys are of the curve P-256. OpenSSL's types stay in here.
 */
#ifndef TDS_CERT_H
#define TDS_CERT_H

#include <stdint.h>

#include "base/err.h"
#include "director/bus.h"

#define TDS_CERT_MAX_BYTES 65536 /* of a PEM file */
#define TDS_CERT_URI "tds:"
#define TDS_CERT_STORE_URI "tds-store:"
#define TDS_CERT_URI_MAX (sizeof(TDS_CERT_STORE_URI) + TDS_SYSTEM_NAME_MAX) /* with the NUL */

/* What is to be made. */
struct tds_cert_wish {
	const char *name;                   /* for people: the common name */
	const char *uri;                    /* of a system; NULL: none */
	const struct tds_bus_server *hosts; /* names and addresses of a server; n 0: none */
	size_t n;
	unsigned days; /* until it expires, or with its CA where that is sooner */
};

/* A certificate and its key, PEM texts. */
struct tds_cert {
	char *cert;
	char *key; /* wiped by fini */
};

/*
 * Make a key and a certificate for it. ca is who signs; NULL: itself, it is a CA. One with hosts is a server's, one with a uri
 * a client's.
 * Owner:   caller frees *made with tds_cert_fini, on success only.
 * Errors:  TDS_E_UNUSABLE: ca cannot sign; TDS_E_NOMEM.
 */
int tds_cert_make(const struct tds_cert_wish *wish, const struct tds_cert *ca,
		  struct tds_cert *made, struct tds_err *err) TDS_MUST_CHECK;

void tds_cert_fini(struct tds_cert *cert);
#define tds_cert_cleanup tds_cert_fini

/*
 * Judge what came from a file: do key and certificate belong together, is it the one for this uri (NULL: whatever it is), did
 * the CA sign it, and is it in force now (wall_ms)?
 * Errors:  TDS_E_UNUSABLE with the reason, which names none of the files but says which of the three it is about; TDS_E_NOMEM.
 */
int tds_cert_judge(const struct tds_cert *cert, const char *ca, const char *uri, int64_t wall_ms,
		   struct tds_err *err) TDS_MUST_CHECK;

/* When the first certificate of a text expires. Errors: TDS_E_UNUSABLE: there is none. */
int tds_cert_expires(const char *pem, int64_t *wall_ms, struct tds_err *err) TDS_MUST_CHECK;

#endif
