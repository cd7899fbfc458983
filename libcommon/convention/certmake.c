/* SPDX-License-Identifier: MIT */
/* Keys and certificates that are made, by OpenSSL. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "cert.h"
#include "pem.h"

#define SERIAL_BITS 128
#define BACKDATE_S (60 * 60L) /* clocks that go a little slow do not refuse what is new */
#define DAY_S (24 * 60 * 60L)
#define HOST_TEXT_MAX (TDS_BUS_HOST_MAX + sizeof("DNS:,"))

/* A certificate that is being made, and who signs it. */
struct making {
	X509 *cert;
	EVP_PKEY *key;
	X509 *ca;
	EVP_PKEY *ca_key;
};

static void tds_making_cleanup(struct making *m)
{
	X509_free(m->cert);
	EVP_PKEY_free(m->key);
	X509_free(m->ca);
	EVP_PKEY_free(m->ca_key);
	ERR_clear_error();
}

static bool read_ca(struct making *m, const struct tds_cert *ca)
{
	m->ca = tds_pem_cert(ca->cert);
	m->ca_key = tds_pem_key(ca->key);
	return m->ca && m->ca_key && X509_check_private_key(m->ca, m->ca_key) == 1 &&
	       X509_check_ca(m->ca) >= 1;
}

static bool set_serial(X509 *cert)
{
	BIGNUM *number = BN_new();
	bool is_set = number &&
		      BN_rand(number, SERIAL_BITS - 1, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		      BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));

	BN_free(number);
	return is_set;
}

/* Not beyond its CA: what that has signed ends with it. */
static bool set_times(struct making *m, unsigned days)
{
	if (!X509_gmtime_adj(X509_getm_notBefore(m->cert), -BACKDATE_S) ||
	    !X509_gmtime_adj(X509_getm_notAfter(m->cert), (long)days * DAY_S))
		return false;
	return !m->ca ||
	       ASN1_TIME_compare(X509_get0_notAfter(m->cert), X509_get0_notAfter(m->ca)) <= 0 ||
	       X509_set1_notAfter(m->cert, X509_get0_notAfter(m->ca)) == 1;
}

static bool set_names(struct making *m, const char *name)
{
	X509_NAME *own = X509_get_subject_name(m->cert);

	return X509_NAME_add_entry_by_txt(own, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
					  -1, 0) == 1 &&
	       X509_set_issuer_name(m->cert, m->ca ? X509_get_subject_name(m->ca) : own) == 1;
}

static bool add_extension(struct making *m, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, m->ca ? m->ca : m->cert, m->cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	bool is_added = extension && X509_add_ext(m->cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_added;
}

static bool is_address(const char *host)
{
	struct in6_addr any;

	return inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
}

/* "IP:192.0.2.1,DNS:bus.example.com". Hosts are of letters that mean nothing here. Caller frees. */
static char *hosts_text(const struct tds_cert_wish *wish)
{
	char *text = calloc(wish->n, HOST_TEXT_MAX);
	char *end = text;

	for (size_t i = 0; text && i < wish->n; i++)
		end += snprintf(end, HOST_TEXT_MAX, "%s%s:%s", i ? "," : "",
				is_address(wish->hosts[i].host) ? "IP" : "DNS",
				wish->hosts[i].host);
	return text;
}

/* Who it is: a server has names and addresses and nothing that the bus would take for a user, a system its URI alone. */
static bool add_whose(struct making *m, const struct tds_cert_wish *wish)
{
	tds_autofree char *text = NULL;

	if (wish->uri && asprintf(&text, "URI:%s", wish->uri) < 0)
		text = NULL;
	else if (!wish->uri)
		text = hosts_text(wish);
	return text && add_extension(m, NID_subject_alt_name, text) &&
	       add_extension(m, NID_ext_key_usage, wish->uri ? "clientAuth" : "serverAuth") &&
	       add_extension(m, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(m, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(m, NID_authority_key_identifier, "keyid");
}

static bool add_ca(struct making *m)
{
	return add_extension(m, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	       add_extension(m, NID_key_usage, "critical,keyCertSign,cRLSign");
}

static bool make(struct making *m, const struct tds_cert_wish *wish)
{
	m->cert = X509_new();
	m->key = EVP_EC_gen("P-256");
	return m->cert && m->key && X509_set_version(m->cert, X509_VERSION_3) == 1 &&
	       set_serial(m->cert) && set_times(m, wish->days) && set_names(m, wish->name) &&
	       X509_set_pubkey(m->cert, m->key) == 1 &&
	       add_extension(m, NID_subject_key_identifier, "hash") &&
	       (m->ca ? add_whose(m, wish) : add_ca(m)) &&
	       X509_sign(m->cert, m->ca_key ? m->ca_key : m->key, EVP_sha256()) > 0;
}

/* What is in the BIO as a text of its own; the BIO is freed, and its memory wiped. */
static char *take_text(BIO *bio, bool is_written)
{
	char *data = NULL;
	long len = bio && is_written ? BIO_get_mem_data(bio, &data) : 0;
	char *text = len > 0 ? strndup(data, (size_t)len) : NULL;

	if (len > 0)
		OPENSSL_cleanse(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static bool write_out(const struct making *m, struct tds_cert *made)
{
	BIO *cert = BIO_new(BIO_s_mem());
	BIO *key = BIO_new(BIO_s_mem());

	made->cert = take_text(cert, cert && PEM_write_bio_X509(cert, m->cert) == 1);
	made->key = take_text(
		key, key && PEM_write_bio_PrivateKey(key, m->key, NULL, NULL, 0, NULL, NULL) == 1);
	if (made->cert && made->key)
		return true;
	tds_cert_fini(made);
	return false;
}

int tds_cert_make(const struct tds_cert_wish *wish, const struct tds_cert *ca,
		  struct tds_cert *made, struct tds_err *err)
{
	tds_auto(making) struct making m = { 0 };

	*made = (struct tds_cert){ 0 };
	if (ca && !read_ca(&m, ca))
		return tds_err_set(err, TDS_E_UNUSABLE, "it is no CA, or its key is another one's");
	return make(&m, wish) && write_out(&m, made)
		       ? 0
		       : tds_err_set(err, TDS_E_NOMEM, "OpenSSL makes no certificate: %s",
				     ERR_reason_error_string(ERR_peek_error()));
}

void tds_cert_fini(struct tds_cert *cert)
{
	free(cert->cert);
	if (cert->key)
		OPENSSL_cleanse(cert->key, strlen(cert->key));
	free(cert->key);
	*cert = (struct tds_cert){ 0 };
}
