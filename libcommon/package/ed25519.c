/* SPDX-License-Identifier: MIT */
/* Ed25519 public keys and signatures. */
#include "ed25519.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

/* SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING without unused bits: the key } (RFC 8410) */
static const unsigned char head[] = { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
				      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00 };

_Static_assert(sizeof(head) + TDS_ED25519_KEY_LEN == TDS_ED25519_SPKI_LEN, "head and key");

/* The second coordinates, little-endian, of the eight points whose order divides the cofactor; the sign is left out. */
static const unsigned char small_order[][TDS_ED25519_KEY_LEN] = {
	{ 0 },
	{ 1 },
	{ 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
	  0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
	  0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 },
	{ 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
	  0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
	  0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a },
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

/* With one of small order, whoever wants to signs anything: OpenSSL takes that. */
static bool is_of_small_order(const unsigned char y[TDS_ED25519_KEY_LEN])
{
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
		if (memcmp(y, small_order[i], TDS_ED25519_KEY_LEN) == 0)
			return true;
	return false;
}

/* Is it less than 2^255 - 19? OpenSSL reads what is not by its remainder: another form of the same key. */
static bool is_canonical(const unsigned char y[TDS_ED25519_KEY_LEN])
{
	if (y[0] < 0xed || y[TDS_ED25519_KEY_LEN - 1] != 0x7f)
		return true;
	for (size_t i = 1; i < TDS_ED25519_KEY_LEN - 1; i++)
		if (y[i] != 0xff)
			return true;
	return false;
}

bool tds_ed25519_spki_is(const unsigned char *der, size_t len)
{
	return len >= sizeof(head) && memcmp(der, head, sizeof(head)) == 0;
}

int tds_ed25519_spki_read(const unsigned char *der, size_t len,
			  unsigned char key[TDS_ED25519_KEY_LEN], struct tds_err *err)
{
	unsigned char y[TDS_ED25519_KEY_LEN];

	if (len < TDS_ED25519_SPKI_LEN)
		return tds_err_set(err, TDS_E_UNUSABLE, "holds a key that is cut off");
	if (len > TDS_ED25519_SPKI_LEN)
		return tds_err_set(err, TDS_E_UNUSABLE, "has %zu bytes behind the key",
				   len - TDS_ED25519_SPKI_LEN);
	memcpy(key, der + sizeof(head), TDS_ED25519_KEY_LEN);
	memcpy(y, key, sizeof(y));
	y[sizeof(y) - 1] &= 0x7f;
	if (!is_canonical(y) || is_of_small_order(y))
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "is an Ed25519 key whose number cannot be right");
	return 0;
}

void tds_ed25519_spki_print(const unsigned char key[TDS_ED25519_KEY_LEN],
			    unsigned char der[TDS_ED25519_SPKI_LEN])
{
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), key, TDS_ED25519_KEY_LEN);
}

int tds_ed25519_verify(const unsigned char key[TDS_ED25519_KEY_LEN], const unsigned char *message,
		       size_t len, const unsigned char sig[TDS_ED25519_SIG_LEN],
		       struct tds_err *err)
{
	EVP_PKEY *pkey =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, TDS_ED25519_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ready = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1;
	int ok = ready ? EVP_DigestVerify(ctx, sig, TDS_ED25519_SIG_LEN, message, len) : 0;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	if (!ready)
		return tds_err_set(err, TDS_E_NOMEM, "the signature cannot be checked");
	return ok == 1 ? 0 : tds_err_set(err, TDS_E_UNTRUSTED, "the signature is not this key's");
}
