/* SPDX-License-Identifier: MIT */
/* Keys of both kinds, and RSASSA-PKCS1-v1_5 signatures, by OpenSSL. */
#define OPENSSL_SUPPRESS_DEPRECATED /* parse_spki says why */
#include "sig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ed25519.h"

struct tds_pubkey {
	enum tds_sig_kind kind;
	EVP_PKEY *pkey; /* of an RSA key; NULL: it is none */
	unsigned long long exponent;
	unsigned char raw[TDS_ED25519_KEY_LEN]; /* of an Ed25519 key */
};

struct tds_privkey {
	EVP_PKEY *pkey;
};

/*
 * The words of OpenSSL for the failure, after ours: its first ones, which are the cause. Empties
 * its queue.
 */
static int openssl_err(struct tds_err *err, enum tds_code code, const char *what)
{
	unsigned long e = ERR_peek_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return tds_err_set(err, code, "%s%s%s%s", what, reason ? " (" : "", reason ? reason : "",
			   reason ? ")" : "");
}

/* The first PEM block of text as DER; *name and *der are OpenSSL's memory. */
static int first_block(const char *text, size_t len, char **name, unsigned char **der, long *derlen,
		       struct tds_err *err)
{
	char *header = NULL;
	BIO *bio = BIO_new_mem_buf(text, (int)len);

	if (!bio)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int ok = PEM_read_bio(bio, name, &header, der, derlen);
	OPENSSL_free(header);
	BIO_free(bio);
	return ok == 1 ? 0 : openssl_err(err, TDS_E_UNUSABLE, "is not a PEM file");
}

static unsigned long long exponent_of(const EVP_PKEY *pkey)
{
	unsigned long long exponent = 0;
	BIGNUM *e = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= 64)
		exponent = BN_get_word(e);
	BN_free(e);
	return exponent;
}

static int wrong_kind(struct tds_err *err)
{
	ERR_clear_error();
	return tds_err_set(err, TDS_E_UNUSABLE, "is neither an RSA nor an Ed25519 key");
}

/*
 * What makes a key no RSA key, though OpenSSL reads it: with an exponent of 1 a signature is no
 * secret.
 */
static int check_rsa(const EVP_PKEY *pkey, struct tds_err *err)
{
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	bool odd;

	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		return wrong_kind(err);
	odd = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	      EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(n) &&
	      BN_is_odd(e) && !BN_is_one(e) && BN_cmp(e, n) < 0;
	BN_free(n);
	BN_free(e);
	if (!odd)
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "is an RSA key whose numbers cannot be right");
	int bits = EVP_PKEY_get_bits(pkey);
	if (bits < TDS_KEY_MIN_BITS)
		return tds_err_set(err, TDS_E_UNUSABLE, "is an RSA key of %d bits, fewer than %d",
				   bits, TDS_KEY_MIN_BITS);
	if (EVP_PKEY_get_size(pkey) > TDS_SIG_MAX)
		return tds_err_set(err, TDS_E_UNUSABLE, "is an RSA key of %d bits, more than %d",
				   bits, 8 * TDS_SIG_MAX);
	return 0;
}

/*
 * d2i_PUBKEY ends in d2i_RSA_PUBKEY too, but looks through all decoders of all providers for it,
 * which takes longer than the rest of a small tool's run. The key goes to a provider when a
 * signature is checked.
 */
static int parse_spki(const unsigned char *der, long derlen, struct tds_pubkey *key,
		      struct tds_err *err)
{
	const unsigned char *end = der;

	if (tds_ed25519_spki_is(der, (size_t)derlen)) {
		key->kind = TDS_SIG_ED25519;
		return tds_ed25519_spki_read(der, (size_t)derlen, key->raw, err);
	}
	RSA *rsa = d2i_RSA_PUBKEY(NULL, &end, derlen);
	if (!rsa && ERR_GET_REASON(ERR_peek_error()) == EVP_R_EXPECTING_AN_RSA_KEY)
		return wrong_kind(err);
	if (!rsa)
		return openssl_err(err, TDS_E_UNUSABLE, "holds no key that OpenSSL can read");
	/* Else it is one for RSA-PSS alone. */
	bool plain = RSA_test_flags(rsa, RSA_FLAG_TYPE_MASK) == RSA_FLAG_TYPE_RSA;
	key->pkey = EVP_PKEY_new();
	if (!key->pkey || EVP_PKEY_assign_RSA(key->pkey, rsa) != 1) {
		RSA_free(rsa);
		return openssl_err(err, TDS_E_NOMEM, "out of memory");
	}
	if (!plain)
		return wrong_kind(err);
	if (end != der + derlen)
		return tds_err_set(err, TDS_E_UNUSABLE, "has %ld bytes behind the key",
				   (long)(der + derlen - end));
	int rc = check_rsa(key->pkey, err);
	if (rc != 0)
		return rc;
	key->exponent = exponent_of(key->pkey);
	return 0;
}

int tds_pubkey_parse(const char *text, size_t len, struct tds_pubkey **key, struct tds_err *err)
{
	char *name = NULL;
	unsigned char *der = NULL;
	long derlen = 0;
	struct tds_pubkey *read = calloc(1, sizeof(*read));

	*key = NULL;
	tds_crypto_init();
	int rc = read ? first_block(text, len, &name, &der, &derlen, err)
		      : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0 && strstr(name, "PRIVATE"))
		rc = tds_err_set(err, TDS_E_UNUSABLE, "holds a private key, not a public one");
	else if (rc == 0 && strcmp(name, PEM_STRING_PUBLIC) != 0)
		rc = tds_err_set(err, TDS_E_UNUSABLE,
				 "holds a \"%.40s\", not a \"" PEM_STRING_PUBLIC "\"", name);
	if (rc == 0)
		rc = parse_spki(der, derlen, read, err);
	OPENSSL_free(name);
	OPENSSL_free(der);
	if (rc != 0)
		tds_pubkey_free(read);
	else
		*key = read;
	return rc;
}

void tds_pubkey_free(struct tds_pubkey *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

const char *tds_sig_kind_name(enum tds_sig_kind kind)
{
	return kind == TDS_SIG_RSA ? "RSA" : "Ed25519";
}

enum tds_digest_kind tds_sig_digest(enum tds_sig_kind kind)
{
	return kind == TDS_SIG_RSA ? TDS_DIGEST_SHA256 : TDS_DIGEST_SHA512;
}

size_t tds_sig_message(const struct tds_signed *what, unsigned char message[TDS_SIG_MESSAGE_MAX])
{
	/* SEQUENCE { SEQUENCE { OID of SHA-256, NULL }, OCTET STRING: the digest } (RFC 8017) */
	static const unsigned char digest_info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
						     0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
						     0x01, 0x05, 0x00, 0x04, 0x20 };
	const bool is_rsa = what->kind == TDS_SIG_RSA;
	const void *head = is_rsa ? (const void *)digest_info : TDS_SIG_ED25519_HEAD;
	size_t n = is_rsa ? sizeof(digest_info) : strlen(TDS_SIG_ED25519_HEAD);
	size_t len = is_rsa ? TDS_SHA256_LEN : TDS_SHA512_LEN;

	memcpy(message, head, n);
	memcpy(message + n, what->digest, len);
	return n + len;
}

enum tds_sig_kind tds_pubkey_kind(const struct tds_pubkey *key)
{
	return key->kind;
}

const char *tds_pubkey_text(const struct tds_pubkey *key, char text[TDS_PUBKEY_TEXT_MAX])
{
	if (key->kind == TDS_SIG_RSA)
		(void)snprintf(text, TDS_PUBKEY_TEXT_MAX, "RSA, %u bits", tds_pubkey_bits(key));
	else
		(void)snprintf(text, TDS_PUBKEY_TEXT_MAX, "%s", tds_sig_kind_name(key->kind));
	return text;
}

unsigned tds_pubkey_bits(const struct tds_pubkey *key)
{
	if (key->kind == TDS_SIG_ED25519)
		return 8 * TDS_ED25519_KEY_LEN;
	return (unsigned)EVP_PKEY_get_bits(key->pkey);
}

size_t tds_pubkey_siglen(const struct tds_pubkey *key)
{
	return key->kind == TDS_SIG_ED25519 ? TDS_ED25519_SIG_LEN
					    : (size_t)EVP_PKEY_get_size(key->pkey);
}

unsigned long long tds_pubkey_exponent(const struct tds_pubkey *key)
{
	return key->exponent;
}

bool tds_pubkey_sha256(const struct tds_pubkey *key, unsigned char sha256[TDS_SHA256_LEN])
{
	unsigned char spki[TDS_ED25519_SPKI_LEN];
	unsigned char *der = NULL;

	if (key->kind == TDS_SIG_ED25519) {
		tds_ed25519_spki_print(key->raw, spki);
		return EVP_Digest(spki, sizeof(spki), sha256, NULL, EVP_sha256(), NULL) == 1;
	}
	int derlen = i2d_PUBKEY(key->pkey, &der);
	bool ok = derlen > 0 &&
		  EVP_Digest(der, (size_t)derlen, sha256, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return ok;
}

/*
 * A context for PKCS#1 v1.5 with SHA-256; NULL on failure. init is EVP_PKEY_sign_init or
 * _verify_init.
 */
static EVP_PKEY_CTX *pkcs1_ctx(EVP_PKEY *pkey, int (*init)(EVP_PKEY_CTX *))
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	if (!ctx || init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) != 1) {
		EVP_PKEY_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static int verify_rsa(const struct tds_pubkey *key, const unsigned char sha256[TDS_SHA256_LEN],
		      const unsigned char *sig, size_t siglen, struct tds_err *err)
{
	EVP_PKEY_CTX *ctx = pkcs1_ctx(key->pkey, EVP_PKEY_verify_init);
	if (!ctx)
		return openssl_err(err, TDS_E_NOMEM, "the signature cannot be checked");
	int ok = EVP_PKEY_verify(ctx, sig, siglen, sha256, TDS_SHA256_LEN);
	EVP_PKEY_CTX_free(ctx);
	return ok == 1 ? 0 : openssl_err(err, TDS_E_UNTRUSTED, "the signature is not this key's");
}

int tds_sig_verify(const struct tds_pubkey *key, const struct tds_signed *what,
		   const unsigned char *sig, size_t siglen, struct tds_err *err)
{
	unsigned char message[TDS_SIG_MESSAGE_MAX];

	if (what->kind != key->kind)
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "the package is signed with a key of %s, and this is one of %s",
				   tds_sig_kind_name(what->kind), tds_sig_kind_name(key->kind));
	if (siglen != tds_pubkey_siglen(key))
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "the signature has %zu bytes, those of the key have %zu", siglen,
				   tds_pubkey_siglen(key));
	if (key->kind == TDS_SIG_RSA)
		return verify_rsa(key, what->digest, sig, siglen, err);
	return tds_ed25519_verify(key->raw, message, tds_sig_message(what, message), sig, err);
}

/* What OpenSSL's callback gets, and whether it was called at all. */
struct ask {
	tds_passphrase_fn *passphrase;
	void *ctx;
	bool asked;
	bool refused;
};

static int ask_passphrase(char *buf, int size, int rwflag, void *arg)
{
	struct ask *ask = arg;
	int n = -1;

	(void)rwflag;
	ask->asked = true;
	if (ask->passphrase)
		n = ask->passphrase(ask->ctx, buf, size);
	ask->refused = n < 0;
	return n;
}

int tds_privkey_parse(const char *text, size_t len, tds_passphrase_fn *passphrase, void *ctx,
		      struct tds_privkey **key, struct tds_err *err)
{
	struct ask ask = { .passphrase = passphrase, .ctx = ctx };
	struct tds_privkey *read = calloc(1, sizeof(*read));
	int rc = 0;

	*key = NULL;
	tds_crypto_init();
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	if (!read || !bio)
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	else
		read->pkey = PEM_read_bio_PrivateKey(bio, NULL, ask_passphrase, &ask);
	if (rc == 0 && !read->pkey) {
		if (ask.refused)
			rc = openssl_err(err, TDS_E_UNUSABLE,
					 "the key is encrypted, and there is no passphrase");
		else if (ask.asked)
			rc = openssl_err(err, TDS_E_UNUSABLE, "wrong passphrase, or a damaged key");
		else
			rc = openssl_err(err, TDS_E_UNUSABLE, "is not a private key");
	}
	if (rc == 0 && EVP_PKEY_get_base_id(read->pkey) != EVP_PKEY_ED25519)
		rc = check_rsa(read->pkey, err);
	BIO_free(bio);
	if (rc != 0)
		tds_privkey_free(read);
	else
		*key = read;
	ERR_clear_error();
	return rc;
}

void tds_privkey_free(struct tds_privkey *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

int tds_privkey_public(const struct tds_privkey *key, struct tds_pubkey **pub, struct tds_err *err)
{
	unsigned char *der = NULL;
	int derlen = i2d_PUBKEY(key->pkey, &der);
	struct tds_pubkey *made = calloc(1, sizeof(*made));
	int rc = derlen > 0 && made
			 ? parse_spki(der, derlen, made, err)
			 : openssl_err(err, TDS_E_NOMEM, "its public half cannot be made");

	OPENSSL_free(der);
	*pub = rc == 0 ? made : NULL;
	if (rc != 0)
		tds_pubkey_free(made);
	return rc;
}

static int sign_rsa(EVP_PKEY *pkey, const struct tds_signed *what, unsigned char *sig,
		    size_t *siglen)
{
	EVP_PKEY_CTX *ctx = pkcs1_ctx(pkey, EVP_PKEY_sign_init);
	int ok = ctx ? EVP_PKEY_sign(ctx, sig, siglen, what->digest, TDS_SHA256_LEN) : 0;

	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static int sign_ed25519(EVP_PKEY *pkey, const struct tds_signed *what, unsigned char *sig,
			size_t *siglen)
{
	unsigned char message[TDS_SIG_MESSAGE_MAX];
	size_t len = tds_sig_message(what, message);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1
			 ? EVP_DigestSign(ctx, sig, siglen, message, len)
			 : 0;

	EVP_MD_CTX_free(ctx);
	return ok;
}

int tds_sig_sign(const struct tds_privkey *key, const struct tds_signed *what, unsigned char *sig,
		 size_t *siglen, struct tds_err *err)
{
	const bool is_ed25519 = EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519;

	*siglen = TDS_SIG_MAX;
	if (is_ed25519 != (what->kind == TDS_SIG_ED25519))
		return tds_err_set(err, TDS_E_UNUSABLE, "cannot sign for keys of %s",
				   tds_sig_kind_name(what->kind));
	int ok = is_ed25519 ? sign_ed25519(key->pkey, what, sig, siglen)
			    : sign_rsa(key->pkey, what, sig, siglen);
	return ok == 1 ? 0 : openssl_err(err, TDS_E_UNUSABLE, "cannot sign");
}
