/* SPDX-License-Identifier: MIT */
/*
 * usage: onesig KEY SIGNATURE FILE
 * Loads one key and checks one signature, as plainly as OpenSSL allows: the least that tds-verify has to do.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>

#define MAX (1 << 20)

static size_t slurp(const char *name, unsigned char *buf)
{
	FILE *f = fopen(name, "rb");
	size_t len = f ? fread(buf, 1, MAX, f) : 0;

	if (f)
		fclose(f);
	return len;
}

int main(int argc, char **argv)
{
	static unsigned char sig[MAX];
	static unsigned char data[MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *key = NULL;
	FILE *f = argc == 4 ? fopen(argv[1], "r") : NULL;
	size_t siglen;
	size_t len;
	int good;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (!f || !ctx || !(key = PEM_read_PUBKEY(f, NULL, NULL, NULL)))
		return 2;
	fclose(f);
	siglen = slurp(argv[2], sig);
	len = slurp(argv[3], data);
	good = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	       EVP_DigestVerify(ctx, sig, siglen, data, len) == 1;
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
	return good ? 0 : 1;
}
