/* SPDX-License-Identifier: MIT */
/* SHA-256, SHA-512 and MD5, by OpenSSL. MD5 is a source's name, never a proof of anything. */
#ifndef TDS_DIGEST_H
#define TDS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define TDS_SHA256_LEN 32
#define TDS_SHA512_LEN 64
#define TDS_MD5_LEN 16
#define TDS_DIGEST_HEX_MAX (2 * TDS_SHA256_LEN + 1)

/*
 * Ready libcrypto for use, without its configuration file: none of it concerns us, and reading it
 * costs more than checking a signature. Cheap to call again; every function of digest.h and sig.h
 * does.
 */
void tds_crypto_init(void);

/*
 * The same, called before it by a tool that reads no encrypted key: the tables of names that such
 * keys need are left out too, which halves the time it takes.
 */
void tds_crypto_init_lean(void);

enum tds_digest_kind {
	TDS_DIGEST_SHA256,
	TDS_DIGEST_MD5,
	TDS_DIGEST_SHA512,
};

struct tds_digest; /* opaque: a digest under way */

/* NULL: out of memory, or a libcrypto without the algorithm. Caller frees; free accepts NULL. */
struct tds_digest *tds_digest_new(enum tds_digest_kind kind);
void tds_digest_free(struct tds_digest *digest);

/*
 * A failure in between shows in the final's result. final writes as many bytes as its kind has.
 */
void tds_digest_update(struct tds_digest *digest, const void *data, size_t len);
bool tds_digest_final(struct tds_digest *digest, unsigned char *out);

/* The digest of what is in memory as a whole. False: it cannot be computed. */
bool tds_digest_of(enum tds_digest_kind kind, const void *data, size_t len, unsigned char *out);

/* Begin anew with the same kind: for many files cheaper than a new one each. */
void tds_digest_restart(struct tds_digest *digest);

/* Lower-case hexadecimal with a NUL; hex has room for 2 * len + 1 bytes. */
void tds_digest_hex(const unsigned char *digest, size_t len, char *hex);

#endif
