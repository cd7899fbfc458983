/* SPDX-License-Identifier: MIT */
/* PEM texts that are read, by OpenSSL. */
#include "pem.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

X509 *tds_pem_cert(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return cert;
}

EVP_PKEY *tds_pem_key(const char *text)
{
	char none[] = "";
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, none) : NULL;

	BIO_free(bio);
	return key;
}
