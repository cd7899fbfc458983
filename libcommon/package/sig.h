/* SPDX-License-Identifier: MIT */
/*
 * RSASSA-PKCS1-v1_5 with SHA-256, by OpenSSL: public and private keys, signing, checking. No other
 * file of libcommon knows OpenSSL's key types.
 */
#ifndef TDS_SIG_H
#define TDS_SIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"

#define TDS_SIG_MAX 2048       /* bytes: a modulus of 16384 bits */
#define TDS_KEY_MIN_BITS 1024  /* below: refused */
#define TDS_KEY_GOOD_BITS 2048 /* below: a warning */
#define TDS_KEY_GOOD_EXPONENT 65537

struct tds_pubkey; /* opaque */

/*
 * Read the first PEM block of text, which must be a SubjectPublicKeyInfo of an RSA key.
 * Errors:  TDS_E_UNUSABLE. On error *key is NULL.
 */
int tds_pubkey_parse(const char *text, size_t len, struct tds_pubkey **key,
		     struct tds_err *err) TDS_MUST_CHECK;
void tds_pubkey_free(struct tds_pubkey *key);

/*
 * Bits of the modulus; bytes of it, which is the length of its signatures; the exponent (0: over 64
 * bits).
 */
unsigned tds_pubkey_bits(const struct tds_pubkey *key);
size_t tds_pubkey_siglen(const struct tds_pubkey *key);
unsigned long long tds_pubkey_exponent(const struct tds_pubkey *key);

/* The kind of key, in a word: "RSA". */
const char *tds_pubkey_kind(const struct tds_pubkey *key);

/*
 * SHA-256 of its SubjectPublicKeyInfo in DER, in whatever encoding it was read: the name by which
 * it can be revoked. false: out of memory.
 */
bool tds_pubkey_sha256(const struct tds_pubkey *key,
		       unsigned char sha256[TDS_SHA256_LEN]) TDS_MUST_CHECK;

/* Errors: TDS_E_UNTRUSTED (it is not this key's signature of the digest), TDS_E_NOMEM. */
int tds_sig_verify(const struct tds_pubkey *key, const unsigned char sha256[TDS_SHA256_LEN],
		   const unsigned char *sig, size_t siglen, struct tds_err *err) TDS_MUST_CHECK;

struct tds_privkey; /* opaque */

/*
 * Asked for the passphrase of an encrypted key: writes at most size bytes to buf, returns their
 * number, or -1 where there is none (err says why). The buffer is wiped after use.
 */
typedef int tds_passphrase_fn(void *ctx, char *buf, int size);

/*
 * Read an RSA private key in PEM (PKCS#8 or PKCS#1, encrypted or not).
 * Errors:  TDS_E_UNUSABLE: not a private key, not RSA, below TDS_KEY_MIN_BITS, no or wrong
 *          passphrase.
 */
int tds_privkey_parse(const char *text, size_t len, tds_passphrase_fn *passphrase, void *ctx,
		      struct tds_privkey **key, struct tds_err *err) TDS_MUST_CHECK;
void tds_privkey_free(struct tds_privkey *key);

/* Its public half. Caller frees. Errors: TDS_E_NOMEM. */
int tds_privkey_public(const struct tds_privkey *key, struct tds_pubkey **pub,
		       struct tds_err *err) TDS_MUST_CHECK;

/*
 * Sign a digest. sig has room for TDS_SIG_MAX bytes; *siglen gets the length. Errors:
 * TDS_E_UNUSABLE.
 */
int tds_sig_sign(const struct tds_privkey *key, const unsigned char sha256[TDS_SHA256_LEN],
		 unsigned char *sig, size_t *siglen, struct tds_err *err) TDS_MUST_CHECK;

#endif
