/* SPDX-License-Identifier: MIT */
/* Digests, by the examples of their standards (FIPS 180-4, RFC 1321). */
#include "unit.h"

#include "base/digest.h"

static void assert_digest(enum tds_digest_kind kind, const char *text, size_t step,
			  const char *expected)
{
	unsigned char digest[TDS_SHA256_LEN];
	char hex[TDS_DIGEST_HEX_MAX];
	struct tds_digest *d = tds_digest_new(kind);
	size_t len = strlen(text);

	assert_non_null(d);
	tds_digest_update(d, "left over", 9);
	tds_digest_restart(d);
	for (size_t at = 0; at < len; at += step)
		tds_digest_update(d, text + at, len - at < step ? len - at : step);
	assert_true(tds_digest_final(d, digest));
	tds_digest_hex(digest, kind == TDS_DIGEST_MD5 ? TDS_MD5_LEN : TDS_SHA256_LEN, hex);
	assert_string_equal(hex, expected);
	tds_digest_free(d);
}

static void examples(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	for (size_t step = 1; step < 60; step += 7) {
		assert_digest(TDS_DIGEST_SHA256, "", step,
			      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
		assert_digest(TDS_DIGEST_SHA256, "abc", step,
			      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		assert_digest(TDS_DIGEST_SHA256, two_blocks, step,
			      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
		assert_digest(TDS_DIGEST_MD5, "", step, "d41d8cd98f00b204e9800998ecf8427e");
		assert_digest(TDS_DIGEST_MD5, "message digest", step,
			      "f96b697d7cb7938d525a2f31aaf161d0");
	}
	tds_digest_free(NULL);
}

int main(void)
{
	const struct CMUnitTest digest[] = { cmocka_unit_test(examples) };

	return cmocka_run_group_tests(digest, NULL, NULL);
}
