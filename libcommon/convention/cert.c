/* SPDX-License-Identifier: MIT */
/* Certificates that are read, and judged, by OpenSSL. */
#include "cert.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "pem.h"

/* What is judged, as OpenSSL has it. */
struct parsed {
	X509 *ca;
	X509 *cert;
	EVP_PKEY *key;
};

static void tds_parsed_cleanup(struct parsed *parsed)
{
	X509_free(parsed->ca);
	X509_free(parsed->cert);
	EVP_PKEY_free(parsed->key);
	ERR_clear_error();
}

static int parse(const struct tds_cert *cert, const char *ca, struct parsed *parsed,
		 struct tds_err *err)
{
	parsed->ca = tds_pem_cert(ca);
	parsed->cert = tds_pem_cert(cert->cert);
	parsed->key = tds_pem_key(cert->key);
	return !parsed->ca     ? tds_err_set(err, TDS_E_UNUSABLE, "the CA is not a PEM certificate")
	       : !parsed->cert ? tds_err_set(err, TDS_E_UNUSABLE, "it is not a PEM certificate")
	       : !parsed->key  ? tds_err_set(err, TDS_E_UNUSABLE,
					     "its key is not a PEM key without a passphrase")
			       : 0;
}

static bool is_uri(const GENERAL_NAME *name, const char *uri)
{
	const ASN1_IA5STRING *text =
		name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;

	return text && (size_t)ASN1_STRING_length(text) == strlen(uri) &&
	       memcmp(ASN1_STRING_get0_data(text), uri, strlen(uri)) == 0;
}

/* The bus takes the first of its names for the user: so it is the only one. */
static bool is_of(X509 *cert, const char *uri)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool is = names && sk_GENERAL_NAME_num(names) == 1 &&
		  is_uri(sk_GENERAL_NAME_value(names, 0), uri);

	GENERAL_NAMES_free(names);
	return is;
}

/* Signed by the CA, in force, and, where it is a system's, for a client. */
static int verify(const struct parsed *parsed, bool as_client, int64_t wall_ms, struct tds_err *err)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");

	if (store && ctx && X509_STORE_add_cert(store, parsed->ca) == 1 &&
	    X509_STORE_CTX_init(ctx, store, parsed->cert, NULL) == 1) {
		X509_STORE_CTX_set_time(ctx, 0, (time_t)(wall_ms / 1000));
		if (as_client)
			(void)X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
		rc = X509_verify_cert(ctx) == 1
			     ? 0
			     : tds_err_set(err, TDS_E_UNUSABLE, "it does not count: %s",
					   X509_verify_cert_error_string(
						   X509_STORE_CTX_get_error(ctx)));
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return rc;
}

int tds_cert_judge(const struct tds_cert *cert, const char *ca, const char *uri, int64_t wall_ms,
		   struct tds_err *err)
{
	tds_auto(parsed) struct parsed parsed = { 0 };
	int rc = parse(cert, ca, &parsed, err);

	if (rc == 0 && X509_check_private_key(parsed.cert, parsed.key) != 1)
		rc = tds_err_set(err, TDS_E_UNUSABLE, "its key is another one's");
	if (rc == 0 && uri && !is_of(parsed.cert, uri))
		rc = tds_err_set(err, TDS_E_UNUSABLE, "it is not that of %s", uri);
	return rc == 0 ? verify(&parsed, uri != NULL, wall_ms, err) : rc;
}

int tds_cert_expires(const char *pem, int64_t *wall_ms, struct tds_err *err)
{
	X509 *cert = tds_pem_cert(pem);
	struct tm when;
	bool known = cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &when) == 1;

	X509_free(cert);
	ERR_clear_error();
	if (!known)
		return tds_err_set(err, TDS_E_UNUSABLE, "it is not a PEM certificate");
	*wall_ms = (int64_t)timegm(&when) * 1000;
	return 0;
}
