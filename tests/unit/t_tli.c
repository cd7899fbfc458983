/* SPDX-License-Identifier: MIT */
/* Declarations of groups: what is taken, what is warned of, what is refused, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "director/tli.h"

static char said[1000]; /* all warnings, each "LINE:COLUMN: TEXT;" */

static void take_warning(void *ctx, unsigned line, unsigned column, const char *text)
{
	size_t n = strlen(said);

	(void)ctx;
	(void)snprintf(said + n, sizeof(said) - n, "%u:%u: %s;", line, column, text);
}

/* Good, with these warnings. */
static void good(const char *text, int64_t keep_limit, const char *warnings)
{
	struct tds_tli_watcher watcher = { take_warning, NULL };
	struct tds_tli tli;
	struct tds_err err = { 0 };

	said[0] = '\0';
	if (tds_tli_parse(text, strlen(text), watcher, &tli, &err) != 0)
		fail_msg("%s: %u:%u: %s", text, err.line, err.column, err.reason);
	assert_int_equal(tli.value->type, TDS_VALUE_DICT);
	assert_int_equal(tli.keep_limit, keep_limit);
	assert_string_equal(said, warnings);
	tds_tli_fini(&tli);
}

/* Refused; wanted is "LINE:COLUMN: REASON". */
static void bad(const char *text, const char *wanted)
{
	struct tds_tli_watcher nobody = { NULL, NULL };
	char got[700];
	struct tds_tli tli;
	struct tds_err err = { 0 };

	assert_int_equal(tds_tli_parse(text, strlen(text), nobody, &tli, &err), TDS_E_SYNTAX);
	assert_null(tli.value);
	(void)snprintf(got, sizeof(got), "%u:%u: %s", err.line, err.column, err.reason);
	assert_string_equal(got, wanted);
}

static void known_keys(void **state)
{
	(void)state;
	good("{}", 0, "");
	good("{'Actors': {'a.b': {}}}", 0, "");
	good("{'Actors': {'pkg.mod.\xc3\x89"
	     "cole_1': {\n"
	     "  'OnLoad': {'Role': 'r', 'Message': [0], 'GlobalName': None},\n"
	     "  'OnDeactivate': {'Message': b''}, 'OnReactivate': {}, 'Health': {'Message': 0}}},\n"
	     " 'AutoUnload': -1, 'TLS_Keep_Limit': 3,\n"
	     " 'Health': {'Message': None, 'Timeout': 0.5}, 'Activate': 'ready-first',\n"
	     " 'May': ['load:web-*', 'capabilities']}",
	     3, "");
	bad("{'May': ['load', 'lode:web']}", "1:18: no such right: 'lode'");
}

static void keep_limit(void **state)
{
	(void)state;
	good("{'TLS_Keep_Limit': 0}", 0, "");
	good("{'TLS_Keep_Limit': -1}", 0, "");
	good("{'TLS_Keep_Limit': True}", 1, "");
	good("{'TLS_Keep_Limit': None}", 0, "");
	good("{'TLS_Keep_Limit': 99999999999999999999}", INT64_MAX, "");
	good("{'TLS_Keep_Limit': ' 2_0 '}", 20,
	     "1:20: TLS_Keep_Limit is an int, not a str; taken as 20;");
	bad("{'TLS_Keep_Limit': 'abc'}", "1:20: TLS_Keep_Limit is an int, and this str is none");
	bad("{'TLS_Keep_Limit': 2.9}", "1:20: TLS_Keep_Limit is an int, not float");
	bad("{'TLS_Keep_Limit': [1]}", "1:20: TLS_Keep_Limit is an int, not list");
}

static void unknown_keys(void **state)
{
	(void)state;
	good("{'actors': {}, 1: 2}", 0, "1:2: unknown key 'actors';1:16: unknown key of type int;");
	good("{'Actors': {'a.b': {'OnLoad': {'role': 1},\n 'Onload': 2}}}", 0,
	     "1:32: unknown key 'role';2:2: unknown key 'Onload';");
}

static void wrong_types(void **state)
{
	(void)state;
	bad("[]", "1:1: a declaration is a dictionary, not list");
	bad("{'Actors':\n []}", "2:2: Actors is a dictionary, not list");
	bad("{'Actors': {'a.b': None}}",
	    "1:20: what is declared of an actor is a dictionary, not NoneType");
	bad("{'Actors': {'a.b': {'OnLoad': 'x'}}}", "1:31: OnLoad is a dictionary, not str");
	bad("{'Actors': {'a.b': {'OnLoad': {'Role': 1}}}}", "1:40: Role is a str, not int");
	bad("{'Actors': {'a.b': {'OnLoad': {'GlobalName': b'x'}}}}",
	    "1:46: GlobalName is a str, not bytes");
	bad("{'AutoUnload': 'yes'}", "1:16: AutoUnload is True, False or a count, not str");
	bad("{'Activate': 'first'}", "1:14: Activate is 'ready-first' or left out");
	bad("{'Health': {}}", "1:12: Health needs a 'Message'");
	bad("{'Health': {'Message': 1, 'Timeout': 0}}", "1:38: Timeout is more than 0");
	bad("{'Health': {'Message': 1, 'Timeout': True}}",
	    "1:38: Timeout is a number of seconds, not bool");
	bad("{'Actors': {'x': os.system('id')}}", "1:18: call to os.system is not allowed");
}

static void import_paths(void **state)
{
	static const char *const paths[] = { "a",    "",      ".a",    "a.",   "a..b",
					     "a.1b", "a.b-c", "a b.c", "a/b.c" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char text[100];
		char wanted[100];

		(void)snprintf(text, sizeof(text), "{'Actors': {'%s': {}}}", paths[i]);
		(void)snprintf(wanted, sizeof(wanted),
			       "1:13: '%s' is not an import path (module.Class)", paths[i]);
		bad(text, wanted);
	}
	bad("{'Actors': {b'a.b': {}}}", "1:13: an actor's import path is a str, not bytes");
}

static void files(void **state)
{
	struct tds_tli_watcher nobody = { NULL, NULL };
	struct tds_tli tli;
	struct tds_err err;

	(void)state;
	assert_int_equal(tds_tli_read(AT_FDCWD, "/nonexistent/x.tli", nobody, &tli, &err),
			 TDS_E_MISSING);
	assert_int_equal(tds_tli_read(AT_FDCWD, "/", nobody, &tli, &err), TDS_E_UNUSABLE);
	assert_int_equal(tds_tli_read(AT_FDCWD, "/dev/null", nobody, &tli, &err), TDS_E_UNUSABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_keys),   cmocka_unit_test(keep_limit),
		cmocka_unit_test(unknown_keys), cmocka_unit_test(wrong_types),
		cmocka_unit_test(import_paths), cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("tli", tests, NULL, NULL);
}
