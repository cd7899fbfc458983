/* SPDX-License-Identifier: MIT */
/* Escaping, UTF-8, percent-escapes and numbers. */
#include "unit.h"

#include "base/text.h"

static void escaped(const char *text, const char *expected)
{
	char *got = tds_text_escaped(text);

	assert_string_equal(got, expected);
	free(got);
}

static void escapes(void **state)
{
	(void)state;
	escaped("", "");
	escaped("plain text, 50%", "plain text, 50%");
	escaped("a\tb\nc\rd\x1b[2J\x7f", "a\\x09b\\x0ac\\x0dd\\x1b[2J\\x7f");
	escaped("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x8d");
	/* C1, as UTF-8 and as a bare byte; the first character behind it */
	escaped("\xc2\x9b"
		"31m\x9b\xc2\xa0",
		"\\xc2\\x9b31m\\x9b\xc2\xa0");
	/*
	 * not UTF-8: cut off, overlong, surrogate, beyond the last character, a continuation alone
	 */
	escaped("\xe2\x82", "\\xe2\\x82");
	escaped("\xc0\xaf", "\\xc0\\xaf");
	escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");
	escaped("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	escaped("\x80"
		"a",
		"\\x80a");
	/* What looks like an escape is one itself, so that each output has one meaning. */
	escaped("a\\x41b\\n", "a\\x5cx41b\\n");
	escaped("\\", "\\");
}

static void utf8(void **state)
{
	static const char *const good[] = { "",
					    "a",
					    "\x7f",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xef\xbf\xbf",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf" };
	static const char *const bad[] = { "\x80",
					   "\xbf",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xc2",
					   "\xc2\x61",
					   "\xe0\x9f\xbf",
					   "\xe1\x80",
					   "\xed\xa0\x80",
					   "\xed\xbf\xbf",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xf8\x88\x80\x80\x80",
					   "\xff",
					   "\xfe",
					   "a\xff",
					   "\xe2\x82\xac\xe2" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(tds_text_is_utf8(good[i], strlen(good[i])));
		assert_int_equal(tds_text_utf8_len(good[i], strlen(good[i])), strlen(good[i]));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(tds_text_is_utf8(bad[i], strlen(bad[i])));
	assert_true(tds_text_is_utf8("a\0b", 3));
	assert_int_equal(tds_text_utf8_len("\0", 1), 1);
}

static void percent(void **state)
{
	char bytes[256];
	char *there;
	char *back;

	(void)state;
	for (int i = 1; i < 256; i++)
		bytes[i - 1] = (char)i;
	bytes[255] = '\0';
	there = tds_text_percent(bytes);
	assert_int_equal(
		strspn(there,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%"),
		strlen(there));
	back = tds_text_unpercent(there, strlen(there));
	assert_string_equal(back, bytes);
	free(there);
	free(back);
	there = tds_text_percent("1.0-b_2~ /%\xc3\xa9");
	assert_string_equal(there, "1.0-b_2~%20%2F%25%C3%A9");
	free(there);
}

/* Each value has one spelling. */
static void unpercent_is_strict(void **state)
{
	static const char *const bad[] = { "%",   "%4",  "%41", "%2f",      "%2E", "%zz",
					   "%G0", "%0G", "%00", " ",        "/",   "a b",
					   "%%",  "%2",  "a%",  "\xc3\xa9", "+",   "=" };
	char *empty = tds_text_unpercent("", 0);

	(void)state;
	assert_string_equal(empty, "");
	free(empty);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (tds_text_unpercent(bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
	assert_null(tds_text_unpercent("a\0b", 3));
	assert_null(tds_text_unpercent("%2F", 2)); /* of a longer text */
}

static bool number(const char *text, uint64_t max, uint64_t expected)
{
	uint64_t value = 12345;
	bool ok = tds_parse_uint(text, strlen(text), max, &value);

	assert_int_equal(value, ok ? expected : 12345);
	return ok;
}

static void numbers(void **state)
{
	static const char *const bad[] = { "",    "-1",  "+1",  " 1",  "1 ", "01",   "00",
					   "0x1", "1e3", "1.0", "1\n", "a",  "\xb2", "1_0" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(number(bad[i], UINT64_MAX, 0));
	assert_true(number("0", 0, 0));
	assert_true(number("5", 5, 5));
	assert_false(number("6", 5, 0));
	assert_false(number("7", 0, 0));
	assert_true(number("10", 10, 10));
	assert_false(number("11", 10, 0));
	assert_true(number("18446744073709551615", UINT64_MAX, UINT64_MAX));
	assert_false(number("18446744073709551616", UINT64_MAX, 0));
	assert_false(number("28446744073709551615", UINT64_MAX, 0));
	assert_false(number("184467440737095516150", UINT64_MAX, 0));
	assert_false(number("999999999999999999999999999999999999", UINT64_MAX, 0));
	for (uint64_t max = 0; max < 130; max++) {
		for (uint64_t v = 0; v < 1300; v++) {
			char text[8];

			(void)snprintf(text, sizeof(text), "%u", (unsigned)v);
			assert_int_equal(number(text, max, v), v <= max);
		}
	}
}

static void suffixes(void **state)
{
	(void)state;
	assert_true(tds_text_has_suffix("a_tls.key", "_tls.key") &&
		    tds_text_has_suffix(".key", ".key") && tds_text_has_suffix("x", ""));
	assert_false(tds_text_has_suffix("key", ".key") || tds_text_has_suffix("a.key ", ".key") ||
		     tds_text_has_suffix("a.KEY", ".key"));
}

static void hexadecimal(void **state)
{
	(void)state;
	assert_true(tds_text_is_hex("0123456789abcdef", 16) && tds_text_is_hex("", 0));
	assert_false(tds_text_is_hex("0123456789abcde", 16) ||
		     tds_text_is_hex("0123456789abcdef0", 16) ||
		     tds_text_is_hex("0123456789abcdeg", 16) ||
		     tds_text_is_hex("0123456789ABCDEF", 16) || tds_text_is_hex(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest text[] = {
		cmocka_unit_test(escapes),     cmocka_unit_test(utf8),
		cmocka_unit_test(percent),     cmocka_unit_test(unpercent_is_strict),
		cmocka_unit_test(numbers),     cmocka_unit_test(suffixes),
		cmocka_unit_test(hexadecimal),
	};

	return cmocka_run_group_tests(text, NULL, NULL);
}
