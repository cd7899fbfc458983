/* SPDX-License-Identifier: MIT */
/* Times: RFC 3339, and so long ago. */
#include "base/when.h"
#include "unit.h"

#define NOW INT64_C(1700000000123)

static void assert_parsed(const char *text, int64_t expected)
{
	int64_t found = -1;

	assert_true(tds_when_parse(text, NOW, &found));
	assert_int_equal(found, expected);
}

static void what_is_written_is_read(void **state)
{
	static const int64_t times[] = { 0, 1, 999, NOW, -1, -1000, INT64_C(253402300799999) };
	char text[TDS_WHEN_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		tds_when_text(times[i], text);
		assert_parsed(text, times[i]);
	}
	tds_when_text(NOW, text);
	assert_string_equal(text, "2023-11-14T22:13:20.123Z");
	tds_when_text(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999Z");
	tds_when_text(INT64_MAX, text);
	assert_string_equal(text, "-");
}

static void rfc_3339_has_more_than_one_spelling(void **state)
{
	(void)state;
	assert_parsed("2023-11-14T22:13:20Z", NOW - 123);
	assert_parsed("2023-11-14t22:13:20.1z", NOW - 23);
	assert_parsed("2023-11-14 22:13:20.123456789Z", NOW);
	assert_parsed("2023-11-15T00:13:20.123+02:00", NOW);
	assert_parsed("2023-11-14T17:43:20.123-04:30", NOW);
	assert_parsed("2023-11-14", INT64_C(1699920000000));
	assert_parsed("2024-02-29", INT64_C(1709164800000));
}

static void so_long_ago_is_before_now(void **state)
{
	(void)state;
	assert_parsed("0s", NOW);
	assert_parsed("30s", NOW - 30000);
	assert_parsed("10m", NOW - 600000);
	assert_parsed("2h", NOW - 7200000);
	assert_parsed("1d", NOW - 86400000);
}

static void what_is_neither_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"m",
		"10",
		"-10m",
		"1.5h",
		"10w",
		"10 m",
		"999999999999999999999d",
		"yesterday",
		"2023-11-14T22:13:20",
		"2023-11-14T22:13Z",
		"2023-11-14T24:00:00Z",
		"2023-11-14T22:13:20.Z",
		"2023-11-14T22:13:20+0200",
		"2023-11-14T22:13:20+24:00",
		"2023-02-29",
		"2023-13-01",
		"2023-00-10",
		"2023-1-1",
		"2023-11-14T22:13:20Z ",
		" 2023-11-14",
		"2023-11-14Z",
	};
	int64_t found = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (tds_when_parse(wrong[i], NOW, &found))
			fail_msg("%s was taken", wrong[i]);
	assert_int_equal(found, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(rfc_3339_has_more_than_one_spelling),
		cmocka_unit_test(so_long_ago_is_before_now),
		cmocka_unit_test(what_is_neither_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
