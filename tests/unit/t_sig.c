/* SPDX-License-Identifier: MIT */
/* Keys and signatures. Keys are made here, by OpenSSL itself, or come from tests/vectors. */
#include "unit.h"

#include <ftw.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "package/sig.h"

#define KEYS "tests/vectors/keys/"

static const struct tds_signed archive = { TDS_SIG_RSA, "thirty-two bytes, any will do..." };

/* A key as PEM text, made here. Caller frees. */
static char *private_pem(EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
	long len = BIO_get_mem_data(bio, &text);
	text = strndup(text, (size_t)len);
	BIO_free(bio);
	return text;
}

static struct tds_privkey *private_key(const char *text)
{
	struct tds_privkey *key;
	struct tds_err err = { 0 };

	assert_fine(tds_privkey_parse(text, strlen(text), NULL, NULL, &key, &err), &err);
	return key;
}

static struct tds_pubkey *public_half(const struct tds_privkey *key)
{
	struct tds_pubkey *pub;
	struct tds_err err = { 0 };

	assert_fine(tds_privkey_public(key, &pub, &err), &err);
	return pub;
}

static struct tds_privkey *make_key(unsigned bits)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);
	char *text = private_pem(pkey);
	struct tds_privkey *key = private_key(text);

	free(text);
	EVP_PKEY_free(pkey);
	return key;
}

/*
 * Signatures of one key, of every length around the right one, of another key, of another digest.
 */
static void signatures(void **state)
{
	static const unsigned sizes[] = { 1024, 1025, 2048 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct tds_privkey *key = make_key(sizes[i]);
		struct tds_privkey *other = make_key(sizes[i]);
		struct tds_pubkey *pub = public_half(key);
		struct tds_pubkey *stranger = public_half(other);
		unsigned char sig[TDS_SIG_MAX + 1] = { 0 };
		struct tds_signed changed = archive;
		size_t len;
		struct tds_err err = { 0 };

		assert_int_equal(tds_pubkey_bits(pub), sizes[i]);
		assert_int_equal(tds_pubkey_siglen(pub), (sizes[i] + 7) / 8);
		assert_int_equal(tds_pubkey_exponent(pub), 65537);
		assert_fine(tds_sig_sign(key, &archive, sig, &len, &err), &err);
		assert_int_equal(len, tds_pubkey_siglen(pub));
		assert_fine(tds_sig_verify(pub, &archive, sig, len, &err), &err);
		assert_int_equal(tds_sig_verify(stranger, &archive, sig, len, &err),
				 TDS_E_UNTRUSTED);
		for (size_t n = 0; n <= len + 1; n++)
			assert_int_equal(tds_sig_verify(pub, &archive, sig, n, &err),
					 n == len ? 0 : TDS_E_UNTRUSTED);
		for (size_t bit = 0; bit < 8 * len; bit += 37) {
			sig[bit / 8] ^= (unsigned char)(1U << bit % 8);
			assert_int_equal(tds_sig_verify(pub, &archive, sig, len, &err),
					 TDS_E_UNTRUSTED);
			sig[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		changed.digest[31] ^= 1;
		assert_int_equal(tds_sig_verify(pub, &changed, sig, len, &err), TDS_E_UNTRUSTED);
		tds_pubkey_free(pub);
		tds_pubkey_free(stranger);
		tds_privkey_free(key);
		tds_privkey_free(other);
	}
}

static int read_public(const char *name, struct tds_pubkey **key, struct tds_err *err)
{
	size_t len;
	char path[128];
	(void)snprintf(path, sizeof(path), KEYS "%s", name);
	char *text = get(AT_FDCWD, path, &len);
	int rc = tds_pubkey_parse(text, len, key, err);

	free(text);
	return rc;
}

static void public_keys(void **state)
{
	static const struct {
		const char *name;
		unsigned bits;
		unsigned long long e;
	} good[] = {
		{ "alder_tls.key", 1024, 65537 }, { "birch_tls.key", 2048, 65537 },
		{ "cedar_tls.key", 3072, 65537 }, { "dogwood_tls.key", 4096, 65537 },
		{ "sorrel_tls.key", 2048, 3 },    { "yarrow_tls.key", 2048, 65537 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct tds_pubkey *key;
		struct tds_err err = { 0 };

		assert_fine(read_public(good[i].name, &key, &err), &err);
		assert_int_equal(tds_pubkey_bits(key), good[i].bits);
		assert_int_equal(tds_pubkey_exponent(key), good[i].e);
		tds_pubkey_free(key);
	}
	tds_pubkey_free(NULL);
	tds_privkey_free(NULL);
}

static void refused_public_keys(void **state)
{
	static const struct {
		const char *name;
		const char *reason;
	} bad[] = {
		{ "moss_tls.key", "is an RSA key of 512 bits, fewer than 1024" },
		{ "birch.pem", "holds a private key, not a public one" },
		{ "birch_trad.pem", "holds a private key, not a public one" },
		{ "birch_enc.pem", "holds a private key, not a public one" },
		{ "junk/ec_tls.key", "is neither an RSA nor an Ed25519 key" },
		{ "junk/e0_tls.key", "is an RSA key whose numbers cannot be right" },
		{ "junk/e1_tls.key", "is an RSA key whose numbers cannot be right" },
		{ "junk/n0_tls.key", "is an RSA key whose numbers cannot be right" },
		{ "junk/empty_tls.key", "is not a PEM file (no start line)" },
		{ "junk/rsapub_tls.key", "holds a \"RSA PUBLIC KEY\", not a \"PUBLIC KEY\"" },
		{ "junk/private_tls.key", "holds a private key, not a public one" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct tds_pubkey *key = NULL;
		struct tds_err err = { 0 };

		assert_failed(read_public(bad[i].name, &key, &err), &err, TDS_E_UNUSABLE,
			      bad[i].reason);
		assert_null(key);
	}
}

/* Its key as d2i_PUBKEY reads it, whole and of a kind that we know; NULL: it is none. */
static EVP_PKEY *key_of_provider(const unsigned char *der, long len)
{
	const unsigned char *end = der;
	EVP_PKEY *pkey = d2i_PUBKEY(NULL, &end, len);

	int kind = pkey ? EVP_PKEY_get_base_id(pkey) : EVP_PKEY_NONE;

	if (end == der + len && (kind == EVP_PKEY_RSA || kind == EVP_PKEY_ED25519))
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

static bool numbers_are_right(const EVP_PKEY *pkey)
{
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;

	bool right = EVP_PKEY_get_bn_param(pkey, "n", &n) == 1 &&
		     EVP_PKEY_get_bn_param(pkey, "e", &e) == 1 && BN_is_odd(n) && BN_is_odd(e) &&
		     !BN_is_one(e) && BN_cmp(e, n) < 0 && BN_num_bits(n) >= TDS_KEY_MIN_BITS &&
		     BN_num_bytes(n) <= TDS_SIG_MAX;

	BN_free(n);
	BN_free(e);
	return right;
}

/* The verdict on a public key in PEM must be the one that OpenSSL's providers come to, the key the same. */
static void compare_readers(const char *text, size_t len, const char *what)
{
	char *name = NULL;
	char *header = NULL;
	unsigned char *der = NULL;
	unsigned char *again = NULL;
	long derlen = 0;
	struct tds_pubkey *key;
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *pkey = NULL;

	if (PEM_read_bio(bio, &name, &header, &der, &derlen) == 1 &&
	    strcmp(name, "PUBLIC KEY") == 0)
		pkey = key_of_provider(der, derlen);
	int rc = tds_pubkey_parse(text, len, &key, NULL);
	/* Which Ed25519 keys are refused besides is tested in t_ed25519.c. */
	bool is_rsa = pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA;
	bool good = pkey && (is_rsa ? numbers_are_right(pkey) : rc == 0);
	if ((rc == 0) != good)
		fail_msg("%s: %d, but of a provider %d", what, rc, good);
	if (good) {
		unsigned char theirs[TDS_SHA256_LEN];
		unsigned char ours[TDS_SHA256_LEN];
		int n = i2d_PUBKEY(pkey, &again);

		assert_true(n > 0 &&
			    EVP_Digest(again, (size_t)n, theirs, NULL, EVP_sha256(), NULL) == 1);
		assert_true(tds_pubkey_sha256(key, ours));
		assert_memory_equal(ours, theirs, sizeof(ours));
		if (tds_pubkey_kind(key) == TDS_SIG_RSA)
			assert_int_equal(tds_pubkey_bits(key), EVP_PKEY_get_bits(pkey));
		assert_int_equal(tds_pubkey_siglen(key), EVP_PKEY_get_size(pkey));
	}
	tds_pubkey_free(key);
	EVP_PKEY_free(pkey);
	OPENSSL_free(again);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
}

static unsigned compared;

/* A key file, or one of the fuzzer's, whose first byte says what the rest is. */
static int compare_file(const char *path, const struct stat *st, int type)
{
	size_t len;

	(void)st;
	if (type != FTW_F)
		return 0;
	char *text = get(AT_FDCWD, path, &len);
	const size_t skip = strstr(path, "corpus") && len > 0 ? 1 : 0;
	compare_readers(text + skip, len - skip, path);
	free(text);
	compared++;
	return 0;
}

static void verdicts_on_files(void **state)
{
	(void)state;
	assert_int_equal(ftw("tests/vectors/keys", compare_file, 8), 0);
	assert_int_equal(ftw("tests/fuzz/corpus/key", compare_file, 8), 0);
	assert_true(compared > 60);
}

static void compare_der(const unsigned char *der, long len, const char *what)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;

	assert_true(PEM_write_bio(bio, "PUBLIC KEY", "", der, len) > 0 || len == 0);
	long pemlen = BIO_get_mem_data(bio, &pem);
	compare_readers(pem, (size_t)pemlen, what);
	BIO_free(bio);
}

/* Each bit of a key flipped, each of its prefixes, and a byte behind it. */
static void verdicts_on_changes(void **state)
{
	static const char *const files[] = { "birch_tls.key", "sorrel_tls.key", "junk/ec_tls.key" };

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		unsigned char der[1024] = { 0 };
		unsigned char *end = der;
		char path[128];
		(void)snprintf(path, sizeof(path), KEYS "%s", files[i]);
		FILE *f = fopen(path, "r");
		EVP_PKEY *pkey = PEM_read_PUBKEY(f, NULL, NULL, NULL);
		int len = i2d_PUBKEY(pkey, NULL);

		assert_true(len > 0 && len < (int)sizeof(der) && i2d_PUBKEY(pkey, &end) == len);
		for (int n = 0; n <= len + 1; n++)
			compare_der(der, n, files[i]);
		for (int bit = 0; bit < 8 * len; bit++) {
			der[bit / 8] ^= (unsigned char)(1U << bit % 8);
			compare_der(der, len, files[i]);
			der[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		EVP_PKEY_free(pkey);
		fclose(f);
	}
}

/* It has RSA's numbers, but is no key for the signatures of packages. */
static void a_key_for_pss_alone(void **state)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	EVP_PKEY *pkey = NULL;
	struct tds_pubkey *key;
	struct tds_err err = { 0 };
	char *pem;

	(void)state;
	assert_true(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 1024) == 1 &&
		    EVP_PKEY_generate(ctx, &pkey) == 1);
	BIO *bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	long len = BIO_get_mem_data(bio, &pem);
	assert_failed(tds_pubkey_parse(pem, (size_t)len, &key, &err), &err, TDS_E_UNUSABLE,
		      "is neither an RSA nor an Ed25519 key");
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
}

/* The same key in other clothes has the same digest; revoking one revokes all. */
static void digests_of_keys(void **state)
{
	static const char *const same[] = { "birch_tls.key",        "junk/crlf_tls.key",
					    "junk/comment_tls.key", "junk/oneline_tls.key",
					    "junk/indef_tls.key",   "junk/two_tls.key" };
	unsigned char first[TDS_SHA256_LEN];
	char hex[TDS_DIGEST_HEX_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		unsigned char got[TDS_SHA256_LEN];
		struct tds_pubkey *key;
		struct tds_err err = { 0 };

		assert_fine(read_public(same[i], &key, &err), &err);
		assert_true(tds_pubkey_sha256(key, i ? got : first));
		if (i)
			assert_memory_equal(got, first, sizeof(first));
		tds_pubkey_free(key);
	}
	/* openssl pkey -pubin -in birch_tls.key -outform DER | sha256sum */
	tds_digest_hex(first, sizeof(first), hex);
	assert_string_equal(hex,
			    "862b02bd3037eaa96c5516488e474e63a3c82aa5c67a03dad44a9105385d8b47");
}

static int secret(void *ctx, char *buf, int size)
{
	const char *passphrase = ctx;

	if (!passphrase)
		return -1;
	assert_true(size > (int)strlen(passphrase));
	memcpy(buf, passphrase, strlen(passphrase));
	return (int)strlen(passphrase);
}

static int read_private(const char *name, const char *passphrase, struct tds_privkey **key,
			struct tds_err *err)
{
	char path[128];
	size_t len;
	(void)snprintf(path, sizeof(path), KEYS "%s", name);
	char *text = get(AT_FDCWD, path, &len);
	int rc = tds_privkey_parse(text, len, secret, (void *)(uintptr_t)passphrase, key, err);

	free(text);
	return rc;
}

static void private_keys(void **state)
{
	static const char *const same[] = { "birch.pem", "birch_trad.pem", "birch_enc.pem",
					    "birch_tradenc.pem" };
	struct tds_privkey *key;
	struct tds_pubkey *birch;
	struct tds_err err = { 0 };

	(void)state;
	assert_fine(read_public("birch_tls.key", &birch, &err), &err);
	for (size_t i = 0; i < COUNT(same); i++) {
		unsigned char sig[TDS_SIG_MAX];
		size_t len;

		assert_fine(read_private(same[i], "correct-horse", &key, &err), &err);
		assert_fine(tds_sig_sign(key, &archive, sig, &len, &err), &err);
		assert_fine(tds_sig_verify(birch, &archive, sig, len, &err), &err);
		tds_privkey_free(key);
	}
	tds_pubkey_free(birch);
	for (size_t i = 2; i < COUNT(same); i++) {
		assert_int_equal(read_private(same[i], "wrong", &key, &err), TDS_E_UNUSABLE);
		assert_int_equal(strncmp(err.reason, "wrong passphrase, or a damaged key", 34), 0);
		assert_int_equal(read_private(same[i], NULL, &key, &err), TDS_E_UNUSABLE);
		assert_int_equal(
			strncmp(err.reason, "the key is encrypted, and there is no passphrase", 48),
			0);
		assert_null(key);
	}
	assert_int_equal(read_private("birch_tls.key", NULL, &key, &err), TDS_E_UNUSABLE);
	assert_int_equal(strncmp(err.reason, "is not a private key", 20), 0);
	assert_failed(read_private("moss.pem", NULL, &key, &err), &err, TDS_E_UNUSABLE,
		      "is an RSA key of 512 bits, fewer than 1024");
	assert_failed(read_private("junk/ec.pem", NULL, &key, &err), &err, TDS_E_UNUSABLE,
		      "is neither an RSA nor an Ed25519 key");
}

int main(void)
{
	const struct CMUnitTest sig[] = {
		cmocka_unit_test(signatures),          cmocka_unit_test(public_keys),
		cmocka_unit_test(refused_public_keys), cmocka_unit_test(digests_of_keys),
		cmocka_unit_test(private_keys),        cmocka_unit_test(verdicts_on_files),
		cmocka_unit_test(verdicts_on_changes), cmocka_unit_test(a_key_for_pss_alone),
	};

	return cmocka_run_group_tests(sig, NULL, NULL);
}
