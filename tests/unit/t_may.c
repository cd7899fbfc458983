/* SPDX-License-Identifier: MIT */
/* Lists of rights: what is read, what is refused and where, and what is granted. */
#include "unit.h"

#include "base/mem.h"
#include "director/may.h"
#include "literal/literal.h"

#define MAX TDS_RIGHT_PATTERN_MAX

/* The list as it is written again, "ask;load:web-*;". */
static void write_again(const struct tds_rights *rights, char *out, size_t size)
{
	char text[TDS_RIGHT_TEXT_MAX];

	out[0] = '\0';
	for (size_t i = 0; tds_rights_text(rights, i, text); i++)
		(void)snprintf(out + strlen(out), size - strlen(out), "%s;",
			       tds_rights_text(rights, i, text));
}

static void good(const char *text, enum tds_right_holder holder, const char *wanted)
{
	struct tds_rights *rights;
	struct tds_err err = { 0 };
	char got[1000];

	if (tds_rights_parse(text, strlen(text), holder, &rights, &err) != 0)
		fail_msg("%s: %s", text, err.reason);
	write_again(rights, got, sizeof(got));
	assert_string_equal(got, wanted);
	tds_rights_free(rights);
}

static void bad(const char *text, enum tds_right_holder holder, const char *wanted)
{
	struct tds_rights *rights;
	struct tds_err err = { 0 };
	char got[700];

	assert_int_equal(tds_rights_parse(text, strlen(text), holder, &rights, &err), TDS_E_SYNTAX);
	assert_null(rights);
	(void)snprintf(got, sizeof(got), "%u: %s", err.column, err.reason);
	assert_string_equal(got, wanted);
}

static void lists(void **state)
{
	(void)state;
	good("", TDS_HELD_BY_USERS, "");
	good(" \t", TDS_HELD_BY_USERS, "");
	good("ask,tell, list ,\twatch,load:web-*", TDS_HELD_BY_USERS,
	     "ask;tell;list;watch;load:web-*;");
	good("load:a:b, unload, shutdown", TDS_HELD_BY_ACTORS, "load:a:b;unload;shutdown;");
	bad("ask,,tell", TDS_HELD_BY_USERS, "5: a right is missing");
	bad("ask, ", TDS_HELD_BY_USERS, "6: a right is missing");
	bad(",", TDS_HELD_BY_USERS, "1: a right is missing");
	bad("ask, lode:web", TDS_HELD_BY_USERS, "6: no such right: 'lode'");
	bad("\xc3\xa9,ask", TDS_HELD_BY_USERS, "1: no such right: '\xc3\xa9'");
	bad("ask tell", TDS_HELD_BY_USERS, "1: no such right: 'ask tell'");
	bad("Ask", TDS_HELD_BY_USERS, "1: no such right: 'Ask'");
	bad("load:*,create:web", TDS_HELD_BY_USERS, "8: 'create' is not a right of users");
	bad("watch", TDS_HELD_BY_ACTORS, "1: 'watch' is not a right of actors");
	bad("shutdown:web", TDS_HELD_BY_ACTORS, "1: the right 'shutdown' is not about groups");
	bad("load:", TDS_HELD_BY_ACTORS, "1: a right has no group behind its ':'");
	bad("load:a/b", TDS_HELD_BY_ACTORS, "1: no group has a name like that");
	bad("load:a\x1b[2J", TDS_HELD_BY_ACTORS, "1: no group has a name like that");
}

static void too_much(void **state)
{
	char text[(TDS_RIGHTS_MAX + 2) * 5] = "load:";

	(void)state;
	memset(text + 5, 'x', MAX);
	text[5 + MAX] = '\0';
	struct tds_rights *rights;
	assert_int_equal(tds_rights_parse(text, strlen(text), TDS_HELD_BY_ACTORS, &rights, NULL),
			 0);
	tds_rights_free(rights);
	text[5 + MAX] = 'x';
	bad(text, TDS_HELD_BY_ACTORS, "1: no group has a name as long as that");
	text[0] = '\0';
	for (int i = 0; i <= TDS_RIGHTS_MAX; i++)
		strcpy(text + (ptrdiff_t)5 * i, "load,");
	text[5 * TDS_RIGHTS_MAX + 4] = '\0';
	bad(text, TDS_HELD_BY_ACTORS, "5001: more than 1000 rights");
}

/* The value of a May, its list written again or "LINE:COLUMN: REASON". */
static void value(const char *literal, const char *wanted)
{
	tds_auto(value) struct tds_value *may = NULL;
	struct tds_rights *rights;
	struct tds_err err = { 0 };
	char got[700];

	assert_int_equal(tds_literal_parse(literal, strlen(literal), false, &may, &err), 0);
	if (tds_rights_of_value(may, &rights, &err) == 0)
		write_again(rights, got, sizeof(got));
	else
		(void)snprintf(got, sizeof(got), "%u:%u: %s", err.line, err.column, err.reason);
	assert_string_equal(got, wanted);
	tds_rights_free(rights);
}

static void values(void **state)
{
	struct tds_rights *rights;

	(void)state;
	value("[]", "");
	value("None", "");
	value("('load:web-*', 'capabilities')", "load:web-*;capabilities;");
	value("'load'", "1:1: May is a list of rights, not str");
	value("{'load': 1}", "1:1: May is a list of rights, not dict");
	value("['load',\n 7]", "2:2: a right is a str, not int");
	value("['create', 'ask']", "1:12: 'ask' is not a right of actors");
	value("['load', 'reboot']", "1:10: no such right: 'reboot'");
	value("[' load']", "1:2: no such right: ' load'");
	value("['load:a\\0b']", "1:2: no group has a name like that");
	assert_int_equal(tds_rights_of_value(NULL, &rights, NULL), 0);
	assert_int_equal(tds_rights_count(rights), 0);
	tds_rights_free(rights);
}

static void grants(void **state)
{
	static const char text[] = "load:web-*,load:db,unload,shutdown";
	struct tds_rights *rights;

	(void)state;
	assert_int_equal(tds_rights_parse(text, strlen(text), TDS_HELD_BY_ACTORS, &rights, NULL),
			 0);
	assert_true(tds_rights_grant(rights, TDS_RIGHT_LOAD, "web-1"));
	assert_true(tds_rights_grant(rights, TDS_RIGHT_LOAD, "db"));
	assert_false(tds_rights_grant(rights, TDS_RIGHT_LOAD, "db2"));
	assert_false(tds_rights_grant(rights, TDS_RIGHT_LOAD, "web"));
	assert_false(tds_rights_grant(rights, TDS_RIGHT_LOAD, NULL));
	assert_true(tds_rights_grant(rights, TDS_RIGHT_UNLOAD, "anything"));
	assert_true(tds_rights_grant(rights, TDS_RIGHT_UNLOAD, NULL));
	assert_true(tds_rights_grant(rights, TDS_RIGHT_SHUTDOWN, NULL));
	assert_false(tds_rights_grant(rights, TDS_RIGHT_DEFINE, "db"));
	assert_false(tds_rights_grant(rights, TDS_RIGHT_NONE, "db"));
	assert_true(tds_rights_grant_any(rights, TDS_RIGHT_LOAD));
	assert_false(tds_rights_grant_any(rights, TDS_RIGHT_DEFINE));
	tds_rights_free(rights);
	assert_false(tds_rights_grant(NULL, TDS_RIGHT_LOAD, "db"));
	assert_false(tds_rights_grant_any(NULL, TDS_RIGHT_LOAD));
	assert_true(tds_rights_grant(tds_rights_all(), TDS_RIGHT_LOAD, "db"));
	assert_true(tds_rights_grant(tds_rights_all(), TDS_RIGHT_LOAD, NULL));
	assert_true(tds_rights_grant_any(tds_rights_all(), TDS_RIGHT_DEFINE));
	assert_false(tds_rights_grant(tds_rights_all(), TDS_RIGHT_NONE, NULL));
	assert_int_equal(tds_rights_count(tds_rights_all()), 1);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern;
		const char *group;
		bool fits;
	} samples[] = {
		{ "a", "a", true },          { "a", "ab", false },
		{ "a", "", false },          { "", "", true },
		{ "*", "", true },           { "*", "any", true },
		{ "a*", "a", true },         { "a*b*c", "aXbYbc", true },
		{ "a*b*c", "aXbYb", false }, { "*a", "ba", true },
		{ "*a", "bab", false },      { "?", "\xc3\xa9", true },
		{ "??", "\xc3\xa9", false }, { "a?c", "abc", true },
		{ "[ab]", "a", false },      { "[ab]", "[ab]", true },
		{ "**b", "aab", true },      { "*?", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++)
		if (tds_group_pattern_fits(samples[i].pattern, samples[i].group) != samples[i].fits)
			fail_msg("'%s' and '%s'", samples[i].pattern, samples[i].group);
}

/* A matcher that goes back to every star would not end with this one. */
static void many_stars(void **state)
{
	char pattern[MAX + 1];
	char group[MAX + 1];

	(void)state;
	for (int i = 0; i < MAX; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[MAX - 1] = 'b';
	pattern[MAX] = '\0';
	memset(group, 'a', MAX);
	group[MAX] = '\0';
	assert_false(tds_group_pattern_fits(pattern, group));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),  cmocka_unit_test(too_much), cmocka_unit_test(values),
		cmocka_unit_test(grants), cmocka_unit_test(patterns), cmocka_unit_test(many_stars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
