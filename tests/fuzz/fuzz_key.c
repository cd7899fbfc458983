/* SPDX-License-Identifier: MIT */
/*
 * Keys and the files that limit them. The first byte says what the rest is: a public key, a private
 * key, or, with a line of "--" between them, the files of a director directory: a key, its .allow,
 * revoked.cfg, minkeybits.cfg.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "package/keyring.h"
#include "package/sig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static const char *const names[] = { "a_tls.key", "a_tls.allow", "revoked.cfg", "minkeybits.cfg" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static char folder[] = "/tmp/tds-fuzz-key-XXXXXX";
static struct tds_dir dir = { .fd = -1, .path = folder };

static void remove_folder(void)
{
	for (size_t i = 0; i < NAMES; i++)
		(void)unlinkat(dir.fd, names[i], 0);
	(void)rmdir(folder);
}

static void make_folder(void)
{
	if (dir.fd >= 0)
		return;
	CHECK(mkdtemp(folder) && atexit(remove_folder) == 0);
	dir.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(dir.fd >= 0);
}

static void check_public(const struct tds_pubkey *key)
{
	unsigned char sha256[TDS_SHA256_LEN];
	unsigned char sig[TDS_SIG_MAX] = { 0 };
	size_t siglen = tds_pubkey_siglen(key);
	const bool is_rsa = tds_pubkey_kind(key) == TDS_SIG_RSA;
	const struct tds_signed what = { .kind = tds_pubkey_kind(key) };
	const struct tds_signed other = { .kind = is_rsa ? TDS_SIG_ED25519 : TDS_SIG_RSA };

	CHECK(!is_rsa ||
	      (tds_pubkey_bits(key) >= TDS_KEY_MIN_BITS && tds_pubkey_exponent(key) != 1));
	CHECK(siglen == (is_rsa ? (tds_pubkey_bits(key) + 7) / 8 : 64) && siglen <= TDS_SIG_MAX);
	CHECK(tds_pubkey_sha256(key, sha256));
	CHECK(tds_sig_verify(key, &what, sig, siglen, NULL) == TDS_E_UNTRUSTED);
	sig[siglen - 1] = 1;
	CHECK(tds_sig_verify(key, &what, sig, siglen, NULL) == TDS_E_UNTRUSTED);
	CHECK(tds_sig_verify(key, &what, sig, siglen - 1, NULL) == TDS_E_UNTRUSTED);
	CHECK(tds_sig_verify(key, &other, sig, siglen, NULL) == TDS_E_UNTRUSTED);
}

static void fuzz_public(const char *text, size_t len)
{
	struct tds_pubkey *key;
	struct tds_err err = { 0 };
	int rc = tds_pubkey_parse(text, len, &key, &err);

	CHECK((rc == 0) == (key != NULL));
	CHECK(rc == 0 || (rc == TDS_E_UNUSABLE && err.code == rc && err.reason[0]));
	if (key)
		check_public(key);
	tds_pubkey_free(key);
}

static int passphrase(void *ctx, char *buf, int size)
{
	(void)ctx;
	CHECK(size >= 6);
	memcpy(buf, "secret", 6);
	return 6;
}

static void fuzz_private(const char *text, size_t len)
{
	struct tds_privkey *key;
	struct tds_pubkey *pub;
	struct tds_err err = { 0 };
	int rc = tds_privkey_parse(text, len, passphrase, NULL, &key, &err);

	CHECK((rc == 0) == (key != NULL));
	CHECK(rc == 0 || (rc == TDS_E_UNUSABLE && err.code == rc && err.reason[0]));
	if (key && tds_privkey_public(key, &pub, &err) == 0) {
		check_public(pub);
		tds_pubkey_free(pub);
	}
	tds_privkey_free(key);
}

/* Write the parts of text to the files of the folder; one that has no part is not there. */
static void write_files(const char *text, size_t len)
{
	static const char between[] = "\n--\n";

	for (size_t i = 0; i < NAMES; i++) {
		(void)unlinkat(dir.fd, names[i], 0);
		if (!text)
			continue;
		const char *end = memmem(text, len, between, strlen(between));
		size_t n = end ? (size_t)(end - text) : len;
		int fd = openat(dir.fd, names[i], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		CHECK(fd >= 0 && tds_io_write(fd, text, n) == 0 && close(fd) == 0);
		len -= end ? n + strlen(between) : 0;
		text = end ? end + strlen(between) : NULL;
	}
}

static void fuzz_ring(const char *text, size_t len)
{
	const struct tds_strict own = { .owner = geteuid(), .admin = geteuid() };
	struct tds_keyring ring;
	struct tds_err err = { 0 };

	make_folder();
	write_files(text, len);
	int rc = tds_keyring_read(&dir, &own, &ring, &err);
	CHECK(rc == 0 || (rc == TDS_E_UNTRUSTED && err.code == rc && err.reason[0]));
	if (rc != 0)
		return;
	CHECK(ring.n == 1 && !ring.warning);
	const struct tds_key *key = &ring.v[0];
	CHECK((key->pub != NULL) == (key->fault.code == TDS_OK) && !key->insecure);
	CHECK(key->limited || key->nallow == 0);
	(void)tds_key_allows(key, "group");
	CHECK(!key->limited || !tds_key_allows(key, NULL));
	for (size_t i = 0; i < ring.nrevoked; i++)
		CHECK(tds_keyring_revoked(&ring, ring.revoked[i].sha256));
	if (key->pub)
		CHECK(tds_pubkey_kind(key->pub) != TDS_SIG_RSA ||
		      tds_pubkey_bits(key->pub) >= ring.min_bits);
	tds_keyring_fini(&ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	/* With a NUL behind it, as tds_io_slurp leaves one. */
	char *text = malloc(size);
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'P')
		fuzz_public(text, size - 1);
	else if (data[0] == 'S')
		fuzz_private(text, size - 1);
	else
		fuzz_ring(text, size - 1);
	free(text);
	return 0;
}
