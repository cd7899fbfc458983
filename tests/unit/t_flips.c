/* SPDX-License-Identifier: MIT */
/*
 * Every one-bit change and every truncation of two small packages, one of each kind of key: no key may validate any of
 * them, and nothing of them may be taken for an archive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "package/keyring.h"
#include "package/package.h"
#include "package/source.h"

#define DATA "tests/unit/data/"

struct world {
	char *data; /* of the untouched package */
	size_t len;
	int fd; /* a memory file that each case is written to */
	struct tds_keyring ring;
};

/* The package stands for its own kind, both keys are there for each. */
static int setup(void **state, const char *package)
{
	static struct world w;
	char rsa[] = "tests/vectors/keys/birch_tls.key";
	char ed25519[] = DATA "rfc8032_tls.key";
	char *keys[] = { rsa, ed25519 };
	const struct tds_strict own = { .owner = geteuid(), .admin = geteuid() };
	struct tds_err err = { 0 };

	assert_int_equal(tds_io_slurp(AT_FDCWD, package, 1 << 20, &w.data, &w.len, &err), 0);
	assert_int_equal(tds_keyring_named(NULL, &own, keys, 2, &w.ring, NULL, &err), 0);
	w.fd = tds_io_memfd("case");
	assert_true(w.fd >= 0);
	*state = &w;
	return 0;
}

static int setup_rsa(void **state)
{
	return setup(state, DATA "flips.tls");
}

static int setup_ed25519(void **state)
{
	return setup(state, DATA "flips-ed25519.tls");
}

static int teardown(void **state)
{
	struct world *w = *state;

	tds_keyring_fini(&w->ring);
	free(w->data);
	close(w->fd);
	return 0;
}

/* What the tools make of the first len bytes of data. */
static int verdict(const struct world *w, size_t len)
{
	const struct tds_source_opts opts = { .ring = &w->ring, .limits = TDS_ZIP_LIMITS_DEFAULT };
	struct tds_package package;
	struct tds_source source;
	struct tds_err err = { 0 };
	int rc;

	assert_int_equal(ftruncate(w->fd, 0), 0);
	assert_int_equal(pwrite(w->fd, w->data, len, 0), len);
	assert_int_equal(lseek(w->fd, 0, SEEK_SET), 0);
	rc = tds_package_read(w->fd, false, &package, &err);
	if (rc == 0)
		rc = tds_source_verify(&package, &opts, &source, &err);
	if (rc == 0)
		tds_source_close(&source);
	else
		assert_true(err.code == rc && err.reason[0] != '\0');
	return rc;
}

static void untouched(void **state)
{
	const struct world *w = *state;

	assert_in_range(w->len, 300, 4200);
	assert_int_equal(verdict(w, w->len), 0);
}

static void each_bit(void **state)
{
	const struct world *w = *state;
	size_t i;
	unsigned bit;

	for (i = 0; i < w->len; i++) {
		for (bit = 0; bit < 8; bit++) {
			w->data[i] ^= (char)(1U << bit);
			if (verdict(w, w->len) != TDS_E_UNTRUSTED)
				fail_msg("byte %zu, bit %u", i, bit);
			w->data[i] ^= (char)(1U << bit);
		}
	}
}

static void each_length(void **state)
{
	const struct world *w = *state;
	size_t len;

	for (len = 0; len < w->len; len++) {
		if (verdict(w, len) != TDS_E_UNTRUSTED)
			fail_msg("the first %zu bytes", len);
	}
}

int main(void)
{
	const struct CMUnitTest flips[] = {
		cmocka_unit_test(untouched),
		cmocka_unit_test(each_bit),
		cmocka_unit_test(each_length),
	};

	return cmocka_run_group_tests(flips, setup_rsa, teardown) +
	       cmocka_run_group_tests(flips, setup_ed25519, teardown);
}
