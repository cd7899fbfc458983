/* SPDX-License-Identifier: MIT */
/* Ed25519: the vectors of RFC 8032, what OpenSSL lets pass and what it does not, and that no kind stands for the other. */
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "package/ed25519.h"
#include "package/sig.h"

static size_t unhex(const char *hex, unsigned char *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (unsigned char)byte;
	}
	return n;
}

/* RFC 8032, 7.1: tests 1, 2, 3 and SHA(abc). */
static const struct {
	const char *key;
	const char *message;
	const char *sig;
} rfc[] = {
	{ "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
	{ "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
	  "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704" },
};

static int verify(const char *key, const unsigned char *message, size_t len,
		  const unsigned char *sig)
{
	unsigned char raw[TDS_ED25519_KEY_LEN];

	assert_int_equal(unhex(key, raw), sizeof(raw));
	return tds_ed25519_verify(raw, message, len, sig, NULL);
}

static void vectors(void **state)
{
	unsigned char message[64];
	unsigned char sig[TDS_ED25519_SIG_LEN];

	(void)state;
	for (size_t i = 0; i < COUNT(rfc); i++) {
		size_t len = unhex(rfc[i].message, message);

		assert_int_equal(unhex(rfc[i].sig, sig), sizeof(sig));
		assert_int_equal(verify(rfc[i].key, message, len, sig), 0);
		for (size_t bit = 0; bit < 8 * sizeof(sig); bit++) {
			sig[bit / 8] ^= (unsigned char)(1U << bit % 8);
			assert_int_equal(verify(rfc[i].key, message, len, sig), TDS_E_UNTRUSTED);
			sig[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		message[0] ^= 1;
		assert_int_equal(verify(rfc[i].key, message, len ? len : 1, sig), TDS_E_UNTRUSTED);
		assert_int_equal(verify(rfc[(i + 1) % COUNT(rfc)].key, message, len, sig),
				 TDS_E_UNTRUSTED);
	}
}

/* The order of the group, little-endian: 2^252 + 27742317777372353535851937790883648493. */
static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/* S and S + L are the same to the equation: only the smaller one is a signature. */
static void another_form_of_a_signature(void **state)
{
	unsigned char sig[TDS_ED25519_SIG_LEN];
	unsigned char l[TDS_ED25519_KEY_LEN];
	unsigned carry = 0;

	(void)state;
	(void)unhex(rfc[0].sig, sig);
	(void)unhex(order, l);
	for (size_t i = 0; i < sizeof(l); i++) {
		carry += sig[32 + i] + l[i];
		sig[32 + i] = (unsigned char)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(verify(rfc[0].key, NULL, 0, sig), TDS_E_UNTRUSTED);
	memcpy(sig + 32, l, sizeof(l)); /* S = L, which is 0 */
	assert_int_equal(verify(rfc[0].key, NULL, 0, sig), TDS_E_UNTRUSTED);
	memset(sig, 0, sizeof(sig));
	assert_int_equal(verify(rfc[0].key, NULL, 0, sig), TDS_E_UNTRUSTED);
	sig[0] = 1; /* R: the neutral point */
	assert_int_equal(verify(rfc[0].key, NULL, 0, sig), TDS_E_UNTRUSTED);
}

/* Of small order, in each of their forms, and what is no canonical form of any other. */
static const char *const weak[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static int read_key(const char *hex, size_t len, struct tds_err *err)
{
	unsigned char der[TDS_ED25519_SPKI_LEN + 8] = { 0 };
	unsigned char raw[TDS_ED25519_KEY_LEN];
	unsigned char again[TDS_ED25519_SPKI_LEN];

	(void)unhex(hex, raw);
	tds_ed25519_spki_print(raw, der);
	assert_true(tds_ed25519_spki_is(der, len));
	int rc = tds_ed25519_spki_read(der, len, raw, err);
	tds_ed25519_spki_print(raw, again);
	assert_true(rc != 0 || memcmp(der, again, sizeof(again)) == 0);
	return rc;
}

/* They are refused where keys are read, since OpenSSL takes signatures of the neutral point by nobody, of anything. */
static void weak_keys(void **state)
{
	static const unsigned char by_nobody[TDS_ED25519_SIG_LEN] = { 1 };
	struct tds_err err;

	(void)state;
	assert_int_equal(verify(weak[2], (const unsigned char *)"any", 3, by_nobody), 0);
	for (size_t i = 0; i < COUNT(weak); i++)
		assert_failed(read_key(weak[i], TDS_ED25519_SPKI_LEN, &err), &err, TDS_E_UNUSABLE,
			      "is an Ed25519 key whose number cannot be right");
	for (size_t i = 0; i < COUNT(rfc); i++)
		assert_fine(read_key(rfc[i].key, TDS_ED25519_SPKI_LEN, &err), &err);
	/* One less than the prime's bytes in one place: canonical. */
	assert_fine(read_key("edfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe7f",
			     TDS_ED25519_SPKI_LEN, &err),
		    &err);
	assert_failed(read_key(rfc[0].key, TDS_ED25519_SPKI_LEN - 1, &err), &err, TDS_E_UNUSABLE,
		      "holds a key that is cut off");
	assert_failed(read_key(rfc[0].key, TDS_ED25519_SPKI_LEN + 3, &err), &err, TDS_E_UNUSABLE,
		      "has 3 bytes behind the key");
}

#define DATA "tests/unit/data/"

static struct tds_privkey *private_key(const char *path)
{
	struct tds_privkey *key;
	struct tds_err err = { 0 };
	size_t len;
	char *text = get(AT_FDCWD, path, &len);

	assert_fine(tds_privkey_parse(text, len, NULL, NULL, &key, &err), &err);
	free(text);
	return key;
}

static struct tds_pubkey *public_key(const char *path)
{
	struct tds_pubkey *key;
	struct tds_err err = { 0 };
	size_t len;
	char *text = get(AT_FDCWD, path, &len);

	assert_fine(tds_pubkey_parse(text, len, &key, &err), &err);
	free(text);
	return key;
}

static void what_is_signed(void **state)
{
	struct tds_signed what = { .kind = TDS_SIG_ED25519 };
	unsigned char message[TDS_SIG_MESSAGE_MAX];

	(void)state;
	memset(what.digest, 7, sizeof(what.digest));
	assert_int_equal(tds_sig_message(&what, message), 80);
	assert_memory_equal(message, "tdsFMT1-ed25519\n\7\7\7", 19);
	assert_int_equal(message[79], 7);
	what.kind = TDS_SIG_RSA;
	assert_int_equal(tds_sig_message(&what, message), 51);
	assert_memory_equal(message, "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01",
			    15);
	assert_memory_equal(message + 15, "\5\0\4\x20\7\7", 6);
}

static void no_kind_is_the_other(void **state)
{
	static const char *const pem[] = { "tests/vectors/keys/birch.pem", DATA "rfc8032.pem" };
	static const char *const pub[] = { "tests/vectors/keys/birch_tls.key",
					   DATA "rfc8032_tls.key" };
	struct tds_err err;

	(void)state;
	for (int kind = TDS_SIG_RSA; kind <= TDS_SIG_ED25519; kind++) {
		struct tds_signed what = { .kind = (enum tds_sig_kind)kind, .digest = "any" };
		struct tds_signed other = { .kind = (enum tds_sig_kind) !kind, .digest = "any" };
		struct tds_privkey *key = private_key(pem[kind]);
		struct tds_pubkey *half = public_key(pub[kind]);
		struct tds_pubkey *stranger = public_key(pub[!kind]);
		unsigned char sig[TDS_SIG_MAX] = { 0 };
		size_t len;

		assert_int_equal(tds_pubkey_kind(half), kind);
		assert_failed(tds_sig_sign(key, &other, sig, &len, &err), &err, TDS_E_UNUSABLE,
			      kind ? "cannot sign for keys of RSA"
				   : "cannot sign for keys of Ed25519");
		assert_fine(tds_sig_sign(key, &what, sig, &len, &err), &err);
		assert_int_equal(len, tds_pubkey_siglen(half));
		assert_fine(tds_sig_verify(half, &what, sig, len, &err), &err);
		assert_failed(
			tds_sig_verify(half, &other, sig, len, &err), &err, TDS_E_UNTRUSTED,
			kind ? "the package is signed with a key of RSA, and this is one of Ed25519"
			     : "the package is signed with a key of Ed25519, and this is one of "
			       "RSA");
		for (size_t n = 0; n <= 256; n++)
			assert_int_equal(tds_sig_verify(stranger, &what, sig, n, &err),
					 TDS_E_UNTRUSTED);
		for (size_t n = 0; n < len; n++)
			assert_int_equal(tds_sig_verify(half, &what, sig, n, &err),
					 TDS_E_UNTRUSTED);
		tds_privkey_free(key);
		tds_pubkey_free(half);
		tds_pubkey_free(stranger);
	}
}

static int secret(void *ctx, char *buf, int size)
{
	const char *passphrase = ctx;

	assert_true(size > (int)strlen(passphrase));
	memcpy(buf, passphrase, strlen(passphrase));
	return (int)strlen(passphrase);
}

/* An encrypted one, made by OpenSSL; its public half, and the name by which it is revoked. */
static void private_keys(void **state)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char *der = NULL;
	unsigned char theirs[TDS_SHA256_LEN];
	unsigned char ours[TDS_SHA256_LEN];
	char phrase[] = "correct-horse";
	struct tds_privkey *key;
	struct tds_pubkey *pub;
	struct tds_err err = { 0 };
	char *text;

	(void)state;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, EVP_aes_256_cbc(), phrase,
						       (int)strlen(phrase), NULL, NULL),
			 1);
	size_t len = (size_t)BIO_get_mem_data(bio, &text);
	phrase[0] = 'x';
	assert_int_equal(tds_privkey_parse(text, len, secret, phrase, &key, &err), TDS_E_UNUSABLE);
	phrase[0] = 'c';
	assert_fine(tds_privkey_parse(text, len, secret, phrase, &key, &err), &err);
	assert_fine(tds_privkey_public(key, &pub, &err), &err);
	int n = i2d_PUBKEY(pkey, &der);
	assert_int_equal(n, TDS_ED25519_SPKI_LEN);
	assert_int_equal(EVP_Digest(der, (size_t)n, theirs, NULL, EVP_sha256(), NULL), 1);
	assert_true(tds_pubkey_sha256(pub, ours));
	assert_memory_equal(ours, theirs, sizeof(ours));
	tds_privkey_free(key);
	tds_pubkey_free(pub);
	OPENSSL_free(der);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(another_form_of_a_signature),
		cmocka_unit_test(weak_keys),
		cmocka_unit_test(what_is_signed),
		cmocka_unit_test(no_kind_is_the_other),
		cmocka_unit_test(private_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
