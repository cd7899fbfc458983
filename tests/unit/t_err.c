/* SPDX-License-Identifier: MIT */
/* Codes, their statuses, and reasons that rise. */
#include "unit.h"

#include <errno.h>

static void statuses(void **state)
{
	static const struct {
		enum tds_code code;
		int status;
	} expected[] = {
		{ TDS_OK, 0 },          { TDS_E_REFUSED, 1 },  { TDS_E_SYNTAX, 1 },
		{ TDS_E_USAGE, 2 },     { TDS_E_MISSING, 4 },  { TDS_E_UNUSABLE, 4 },
		{ TDS_E_WRITE, 5 },     { TDS_E_NOMEM, 5 },    { TDS_E_ARCHIVE, 6 },
		{ TDS_E_UNTRUSTED, 7 }, { TDS_E_NO_ADMIN, 8 }, { TDS_E_TIMEOUT, 9 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_int_equal(tds_code_status(expected[i].code), expected[i].status);
		assert_true(tds_code_words(expected[i].code)[0] != '\0');
		assert_true(i == 0 || expected[i].code < 0);
	}
	/* A number that is no code is a failure all the same. */
	assert_int_equal(tds_code_status((enum tds_code)77), 1);
	assert_string_equal(tds_code_words((enum tds_code)77), "unknown failure");
}

static void reasons(void **state)
{
	struct tds_err err = { 0 };

	(void)state;
	assert_failed(tds_err_set(&err, TDS_E_SYNTAX, "%s %d", "line", 7), &err, TDS_E_SYNTAX,
		      "line 7");
	assert_failed(tds_err_prefix(&err, "%s.tli", "foo"), &err, TDS_E_SYNTAX, "foo.tli: line 7");
	errno = ENOSPC;
	assert_failed(tds_err_sys(&err, TDS_E_WRITE, "out"), &err, TDS_E_WRITE,
		      "out: No space left on device");
	errno = EACCES;
	assert_failed(tds_err_sys(&err, TDS_E_WRITE, "%s", ""), &err, TDS_E_WRITE,
		      "Permission denied");
	assert_int_equal(tds_err_at(&err, TDS_E_SYNTAX, 3, 9, "odd"), TDS_E_SYNTAX);
	assert_true(err.line == 3 && err.column == 9);
	/* A new failure forgets the place of the old one; a prefix keeps it. */
	tds_err_prefix(&err, "f");
	assert_int_equal(err.line, 3);
	tds_err_set(&err, TDS_E_SYNTAX, "other");
	assert_true(err.line == 0 && err.column == 0);
	/* About another file: the place is that file's. */
	assert_failed(tds_err_name(&err, "f.cfg"), &err, TDS_E_SYNTAX, "f.cfg: other");
	(void)tds_err_at(&err, TDS_E_SYNTAX, 3, 9, "odd");
	assert_failed(tds_err_name(&err, "f.cfg"), &err, TDS_E_SYNTAX, "f.cfg:3:9: odd");
	assert_true(err.line == 0 && err.column == 0);
}

static void nobody_listens(void **state)
{
	(void)state;
	errno = EIO;
	assert_int_equal(tds_err_set(NULL, TDS_E_USAGE, "x"), TDS_E_USAGE);
	assert_int_equal(tds_err_sys(NULL, TDS_E_WRITE, "x"), TDS_E_WRITE);
	assert_int_equal(tds_err_at(NULL, TDS_E_SYNTAX, 1, 1, "x"), TDS_E_SYNTAX);
	assert_true(tds_err_prefix(NULL, "x") < 0);
}

static void long_reasons_are_cut(void **state)
{
	char text[2 * TDS_ERR_REASON_MAX];
	struct tds_err err = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	tds_err_set(&err, TDS_E_USAGE, "%s", text);
	assert_int_equal(strlen(err.reason), TDS_ERR_REASON_MAX - 1);
	tds_err_prefix(&err, "%s", text);
	assert_int_equal(strlen(err.reason), TDS_ERR_REASON_MAX - 1);
	errno = EIO;
	tds_err_sys(&err, TDS_E_USAGE, "%s", text);
	assert_int_equal(strlen(err.reason), TDS_ERR_REASON_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest err[] = {
		cmocka_unit_test(statuses),
		cmocka_unit_test(reasons),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(long_reasons_are_cut),
	};

	return cmocka_run_group_tests(err, NULL, NULL);
}
