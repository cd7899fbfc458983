/* SPDX-License-Identifier: MIT */
/*
 * Signatures of packages, by OpenSSL: public and private keys of two kinds, signing, checking. Besides ed25519.c, no other
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

/* How a package is signed. A key is of one kind, and validates nothing of the other. */
enum tds_sig_kind {
	TDS_SIG_RSA,     /* RSASSA-PKCS1-v1_5 with SHA-256 */
	TDS_SIG_ED25519, /* Ed25519 of TDS_SIG_ED25519_HEAD and the SHA-512 */
};
#define TDS_SIG_ED25519_HEAD "tdsFMT1-ed25519\n"

/* What a signature is of: the digest of an archive, of the kind that tds_sig_digest names. */
struct tds_signed {
	enum tds_sig_kind kind;
	unsigned char digest[TDS_SHA512_LEN]; /* the first bytes of it, where it has fewer */
};

const char *tds_sig_kind_name(enum tds_sig_kind kind); /* "RSA", "Ed25519" */
enum tds_digest_kind tds_sig_digest(enum tds_sig_kind kind);

/* The bytes that a private key is applied to: the DER of a DigestInfo, or the message. Returns their number. */
#define TDS_SIG_MESSAGE_MAX 80
size_t tds_sig_message(const struct tds_signed *what, unsigned char message[TDS_SIG_MESSAGE_MAX]);

struct tds_pubkey; /* opaque */

/*
 * Read the first PEM block of text, which must be a SubjectPublicKeyInfo of an RSA or an Ed25519 key.
 * Errors:  TDS_E_UNUSABLE. On error *key is NULL.
 */
int tds_pubkey_parse(const char *text, size_t len, struct tds_pubkey **key,
		     struct tds_err *err) TDS_MUST_CHECK;
void tds_pubkey_free(struct tds_pubkey *key);

enum tds_sig_kind tds_pubkey_kind(const struct tds_pubkey *key);

/*
 * Bits of the modulus; the length of its signatures, which is the modulus in bytes; the exponent (0: over 64 bits). Of an
 * Ed25519 key the bits are 256, and the exponent 0.
 */
unsigned tds_pubkey_bits(const struct tds_pubkey *key);
size_t tds_pubkey_siglen(const struct tds_pubkey *key);
unsigned long long tds_pubkey_exponent(const struct tds_pubkey *key);

/*
 * SHA-256 of its SubjectPublicKeyInfo in DER, in whatever encoding it was read: the name by which
 * it can be revoked. false: out of memory.
 */
bool tds_pubkey_sha256(const struct tds_pubkey *key,
		       unsigned char sha256[TDS_SHA256_LEN]) TDS_MUST_CHECK;

/* For people: "RSA, 2048 bits", "Ed25519". */
#define TDS_PUBKEY_TEXT_MAX 32
const char *tds_pubkey_text(const struct tds_pubkey *key, char text[TDS_PUBKEY_TEXT_MAX]);

/* Errors: TDS_E_UNTRUSTED (it is not this key's signature of that), TDS_E_NOMEM. */
int tds_sig_verify(const struct tds_pubkey *key, const struct tds_signed *what,
		   const unsigned char *sig, size_t siglen, struct tds_err *err) TDS_MUST_CHECK;

struct tds_privkey; /* opaque */

/*
 * Asked for the passphrase of an encrypted key: writes at most size bytes to buf, returns their
 * number, or -1 where there is none (err says why). The buffer is wiped after use.
 */
typedef int tds_passphrase_fn(void *ctx, char *buf, int size);

/*
 * Read an RSA or Ed25519 private key in PEM (PKCS#8 or, of RSA, PKCS#1; encrypted or not).
 * Errors:  TDS_E_UNUSABLE: not a private key, of another kind, below TDS_KEY_MIN_BITS, no or wrong
 *          passphrase.
 */
int tds_privkey_parse(const char *text, size_t len, tds_passphrase_fn *passphrase, void *ctx,
		      struct tds_privkey **key, struct tds_err *err) TDS_MUST_CHECK;
void tds_privkey_free(struct tds_privkey *key);

/* Its public half. Caller frees. Errors: TDS_E_NOMEM. */
int tds_privkey_public(const struct tds_privkey *key, struct tds_pubkey **pub,
		       struct tds_err *err) TDS_MUST_CHECK;

/*
 * Sign an archive; what->kind is the key's. sig has room for TDS_SIG_MAX bytes; *siglen gets the length. Errors:
 * TDS_E_UNUSABLE.
 */
int tds_sig_sign(const struct tds_privkey *key, const struct tds_signed *what, unsigned char *sig,
		 size_t *siglen, struct tds_err *err) TDS_MUST_CHECK;

#endif
