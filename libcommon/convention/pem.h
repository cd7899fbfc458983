/* SPDX-License-Identifier: MIT */
/* PEM texts as OpenSSL has them: for who makes and judges certificates, and who speaks TLS with them. */
#ifndef TDS_PEM_H
#define TDS_PEM_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* The first certificate of a text. Caller frees with X509_free; NULL: there is none. */
X509 *tds_pem_cert(const char *text);

/* The first private key, without a passphrase: nobody is asked for one. Caller frees with EVP_PKEY_free; NULL: there is none. */
EVP_PKEY *tds_pem_key(const char *text);

#endif
