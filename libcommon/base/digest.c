/* SPDX-License-Identifier: MIT */
/* Digests by OpenSSL's EVP. */
#include "digest.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct tds_digest {
	EVP_MD_CTX *ctx;
	bool failed;
};

void tds_crypto_init(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL);
}

void tds_crypto_init_lean(void)
{
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
					  OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
					  OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
				  NULL);
}

static const EVP_MD *algorithm(enum tds_digest_kind kind)
{
	switch (kind) {
	case TDS_DIGEST_MD5:
		return EVP_md5();
	case TDS_DIGEST_SHA512:
		return EVP_sha512();
	default:
		return EVP_sha256();
	}
}

struct tds_digest *tds_digest_new(enum tds_digest_kind kind)
{
	struct tds_digest *digest = calloc(1, sizeof(*digest));

	tds_crypto_init();
	if (!digest)
		return NULL;
	digest->ctx = EVP_MD_CTX_new();
	if (!digest->ctx || EVP_DigestInit_ex(digest->ctx, algorithm(kind), NULL) != 1) {
		tds_digest_free(digest);
		return NULL;
	}
	return digest;
}

void tds_digest_free(struct tds_digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->ctx);
	free(digest);
}

void tds_digest_update(struct tds_digest *digest, const void *data, size_t len)
{
	if (EVP_DigestUpdate(digest->ctx, data, len) != 1)
		digest->failed = true;
}

bool tds_digest_final(struct tds_digest *digest, unsigned char *out)
{
	return EVP_DigestFinal_ex(digest->ctx, out, NULL) == 1 && !digest->failed;
}

bool tds_digest_of(enum tds_digest_kind kind, const void *data, size_t len, unsigned char *out)
{
	struct tds_digest *digest = tds_digest_new(kind);

	if (!digest)
		return false;
	tds_digest_update(digest, data, len);
	bool ok = tds_digest_final(digest, out);
	tds_digest_free(digest);
	return ok;
}

void tds_digest_restart(struct tds_digest *digest)
{
	digest->failed = EVP_DigestInit_ex(digest->ctx, NULL, NULL) != 1;
}

void tds_digest_hex(const unsigned char *digest, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*hex++ = digits[digest[i] >> 4];
		*hex++ = digits[digest[i] & 15];
	}
	*hex = '\0';
}
