/* SPDX-License-Identifier: MIT */
/*
 * Configuration files: what each may hold, as the Director reads it, and the places of what it may
 * not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "director/bus.h"
#include "director/config.h"
#include "literal/pytext.h"

static unsigned warnings;

static void count_warning(void *ctx, unsigned line, unsigned column, const char *text)
{
	(void)ctx;
	assert_true(line > 0 && column > 0 && *text);
	warnings++;
}

/* The stripped text and plain JSON of the value, or "LINE:COLUMN: REASON"; caller frees. */
static char *answer(const char *name, const char *text, size_t len)
{
	struct tds_tli_watcher watcher = { count_warning, NULL };
	struct tds_config config;
	struct tds_err err = { 0 };
	char *out = NULL;

	warnings = 0;
	if (tds_config_parse(name, text, len, watcher, &config, &err) != 0) {
		assert_int_equal(err.code, TDS_E_SYNTAX);
		assert_true(asprintf(&out, "%u:%u: %s", err.line, err.column, err.reason) > 0);
		return out;
	}
	json_t *json = tds_value_plain_json(config.value);
	assert_non_null(json);
	tds_autofree char *value = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
	assert_true(asprintf(&out, "%s=%s", config.text, value) > 0);
	json_decref(json);
	tds_config_fini(&config);
	return out;
}

static void same(const char *name, const char *text, const char *wanted)
{
	tds_autofree char *got = answer(name, text, strlen(text));

	assert_string_equal(got, wanted);
}

static void names(void **state)
{
	(void)state;
	assert_non_null(tds_config_find("adminport.cfg"));
	assert_null(tds_config_find("adminport"));
	assert_null(tds_config_find("Adminport.cfg"));
	assert_non_null(tds_config_find("guests.cfg"));
	assert_null(tds_config_find("guest.cfg")); /* nobody reads it */
}

static void numbers(void **state)
{
	(void)state;
	same("adminport.cfg", "  2950  ", "2950=2950");
	same("adminport.cfg", "29_50\r\n", "29_50=2950");
	same("adminport.cfg", "+0002950", "+0002950=2950");
	/* Arabic digits, between no-break spaces. */
	same("adminport.cfg", "\xc2\xa0\xd9\xa2\xd9\xa9\xd9\xa5\xd9\xa0\xe3\x80\x80\n",
	     "\xd9\xa2\xd9\xa9\xd9\xa5\xd9\xa0=2950");
	same("adminport.cfg", "junk\n", "1:1: not an int");
	same("adminport.cfg", "", "1:1: not an int");
	same("adminport.cfg", "\n\n  0x1234", "3:3: not an int");
	same("adminport.cfg", "2950\n2951", "1:1: not an int");
	same("adminport.cfg", "29__50", "1:1: not an int");
	same("adminport.cfg", "2950_", "1:1: not an int");
	same("adminport.cfg", "-5", "1:1: not from 1 to 65535");
	same("adminport.cfg", "99999999999999999999999999", "1:1: not from 1 to 65535");
	same("thesplogs.cfg", "51200\n", "51200=51200");
	same("minkeybits.cfg", "# at least\n 2048 \n", "# at least\n 2048=2048");
	same("minkeybits.cfg", "2048\n3072\n", "2:1: not one number of bits, at most 16384");
	same("minkeybits.cfg", "# x\n  many", "2:3: not one number of bits, at most 16384");
	same("minkeybits.cfg", "# x\n", "1:1: holds no number");
}

static void ints(void **state)
{
	int64_t v = 7;

	(void)state;
	assert_true(tds_pytext_int("-9223372036854775808", 20, &v));
	assert_true(v == INT64_MIN);
	assert_true(tds_pytext_int("-9223372036854775809", 20, &v));
	assert_true(v == INT64_MIN);
	assert_true(tds_pytext_int("9223372036854775807", 19, &v));
	assert_true(v == INT64_MAX);
	assert_true(tds_pytext_int("9223372036854775808", 19, &v));
	assert_true(v == INT64_MAX);
	assert_false(tds_pytext_int("-", 1, &v));
	assert_false(tds_pytext_int("+-1", 3, &v));
	assert_false(tds_pytext_int("_1", 2, &v));
	assert_false(tds_pytext_int("1 1", 3, &v));
}

static const char *const no_ranges[] = { "1-2",
					 "70000",
					 "70000-",
					 "70000-60000",
					 "65000-65533",
					 "60000-70000",
					 "65535-65536",
					 "-1--2",
					 "70000 - 70001",
					 "999-70000",
					 "4294967294-4294967295" };

static void words(void **state)
{
	(void)state;
	same("thespbase.cfg", "multiprocUDPBase\n", "multiprocUDPBase=\"multiprocUDPBase\"");
	assert_int_equal(warnings, 0);
	same("thespbase.cfg", "otherBase", "otherBase=\"otherBase\"");
	assert_int_equal(warnings, 1);
	same("thespbase.cfg", "'multiprocTCPBase'\n", "1:1: quotes do not belong here");
	same("thespbase.cfg", "no such base\n", "1:3: more than one word");
	same("thespbase.cfg", "\n", "1:1: nothing in it");
	same("oldthespbase.cfg", "", "=\"\"");
	same("oldthespbase.cfg", "two\nlines\n", "1:4: more than one line");
	same("convleader.cfg", "10.0.0.1:2950\n", "10.0.0.1:2950=\"10.0.0.1:2950\"");
	same("convleader.cfg", "fe80::1", "fe80::1=\"fe80::1\"");
	same("convleader.cfg", "host:99999", "1:5: not HOST or HOST:PORT");
	same("convleader.cfg", ":1900", "1:1: not HOST or HOST:PORT");
	same("convleader.cfg", "", "=\"\"");
	same("convleader.cfg", "a host", "1:2: more than one word");
	same("convleader.cfg", "tls://a\nnats://[::1]:4223",
	     "tls://a\nnats://[::1]:4223=[\"tls://a\",\"nats://[::1]:4223\"]");
	same("convleader.cfg", "tls://a\nb", "2:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "# none\n", "1:1: names no server");
	same("convbus.cfg", "tls://user@a", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "tls://::1", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "tls://a:0", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "tls://a/", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "tls://[::1]x", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "tls://[::1", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convbus.cfg", "tls://", "1:1: not nats://HOST[:PORT] or tls://HOST[:PORT]");
	same("convsystem.cfg", "db-1_x", "db-1_x=\"db-1_x\"");
	same("convsystem.cfg", "db1.example.com", "1:1: not " TDS_SYSTEM_NAME_RULE);
	same("convsystem.cfg", "all", "1:1: not " TDS_SYSTEM_NAME_RULE);
	same("convsystem.cfg", "a*", "1:1: not " TDS_SYSTEM_NAME_RULE);
	same("convname.cfg", "", "1:1: not " TDS_SYSTEM_NAME_RULE);
	same("convrole.cfg", "chief", "1:1: not leader, candidate or member");
	same("convlost.cfg", "2", "1:1: not from 3 to 3600");
	same("logsize.cfg", "1048575", "1:1: not from 1048576 to 1099511627776");
	same("logkeep.cfg", "0\n", "0=0");
	same("logkeep.cfg", "-1", "1:1: not from 0 to 1000");
	same("actoruser.cfg", "nobody\n", "nobody=\"nobody\"");
	same("actoruser.cfg", "root nobody", "1:1: not the name of a user, or a uid");
	same("actoruser.cfg", "dynamic\n", "dynamic=\"dynamic\"");
	same("actorenv.cfg", "http_proxy\n # one\nSTOCK_*\n*", "4:1: not the name of a variable");
	same("actorenv.cfg", "http_proxy\n # one\nSTOCK_*",
	     "http_proxy\n # one\nSTOCK_*=[\"http_proxy\",\"STOCK_*\"]");
	same("actorenv.cfg", "A=1", "1:1: not the name of a variable");
	same("actorenv.cfg", "1A", "1:1: not the name of a variable");
	same("uidrange.cfg", "70000-79999\n", "70000-79999=\"70000-79999\"");
	for (size_t i = 0; i < sizeof(no_ranges) / sizeof(no_ranges[0]); i++)
		same("uidrange.cfg", no_ranges[i],
		     "1:1: not two uids with a dash, such as 65536-99999");
	same("newprivs.cfg", "yes\n", "yes=true");
	same("newprivs.cfg", "1", "1:1: not yes or no");
}

static void paths(void **state)
{
	(void)state;
	same("thesplogd.cfg", " /var/tmp \n", "/var/tmp=\"/var/tmp\"");
	same("thesplogd.cfg", "", "=\"\"");
	same("thesplogf.cfg", "", "1:1: not an absolute path");
	same("thesplogf.cfg", "/a\tb", "1:3: control character");
	same("rundir.cfg", "run\n", "1:1: not an absolute path");
	same("rundir.cfg", "/run/my tds\n", "/run/my tds=\"/run/my tds\"");
}

static void dictionaries(void **state)
{
	(void)state;
	same("othercaps.cfg", "{'Slot': 19}\n", "{'Slot': 19}={\"Slot\":19}");
	same("othercaps.cfg", "\n {'a':\n [}",
	     "3:3: '}' does not match the '[' of line 2, column 2");
	same("othercaps.cfg", "\n  [1]", "2:3: a dictionary is expected, not list");
	same("othercaps.cfg", "\n  {'a': x}", "2:9: name x is not allowed");
	same("thesplog.cfg", "{'filename': logdir}", "1:14: name logdir is not allowed");
	same("actorlimits.cfg", "{'nofile': 64,\n'as': None, 'pids': 9, 'memory': 1 << 30}",
	     "{'nofile': 64,\n'as': None, 'pids': 9, 'memory': 1 << "
	     "30}={\"nofile\":64,\"as\":null,\"pids\":9,"
	     "\"memory\":1073741824}");
	same("actorlimits.cfg", "\n{'nofiles': 64}", "2:2: no such limit");
	same("actorlimits.cfg", " {'nofile': -1}", "1:13: a limit is an int or None");
	same("budget.cfg", "{'Bytes': 65536, 'Actors': None}",
	     "{'Bytes': 65536, 'Actors': None}={\"Bytes\":65536,\"Actors\":null}");
	same("budget.cfg", "\n{'bytes': 64}", "2:2: no such limit");
	same("budget.cfg", "{'Bytes': 1.5}", "1:11: a limit is an int or None");
}

static void lines(void **state)
{
	(void)state;
	same("adminusers.cfg", "# who\nalice\r\n\n  bob \n",
	     "# who\nalice\n\n  bob=[\"alice\",\"bob\"]");
	same("adminusers.cfg", "", "=[]");
	same("adminusers.cfg", "# who\nbob: ask,\tload:web-*\n 7 :\n",
	     "# who\nbob: ask,\tload:web-*\n 7 :=[\"bob: ask,\\tload:web-*\",\"7 :\"]");
	same("adminusers.cfg", "bob\n  eve: ask, lode:x\n", "2:13: no such right: 'lode'");
	same("adminusers.cfg", "b b: ask\n", "1:1: not the name of a user, or a uid");
	same("adminusers.cfg", "bob:ask,create:x", "1:9: 'create' is not a right of users");
	same("may.cfg", "web-*: load:web-*\n*\n",
	     "web-*: load:web-*\n*=[\"web-*: load:web-*\",\"*\"]");
	same("may.cfg", "\n : load", "2:2: not a pattern of group names");
	same("may.cfg", "a/b", "1:1: not a pattern of group names");
	same("may.cfg", "a: load,\n", "1:9: a right is missing");
	same("may.cfg", "\xc3\xa9: w\xc3\xa9", "1:4: no such right: 'w\xc3\xa9'");
	same("adminusers.cfg", "alice\n bob!\n", "2:2: not the name of a user, or a uid");
	same("revoked.cfg",
	     "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF  foo-1.tls\n"
	     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg\n",
	     "2:1: not a SHA-256 digest");
	/* A name behind it is ignored, whatever bytes it has. */
	same("revoked.cfg",
	     "\t0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF  caf\xe9.tls\r\n",
	     "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF  caf\xe9.tls="
	     "[\"0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF\"]");
}

static void bytes(void **state)
{
	tds_autofree char *latin = answer("convleader.cfg", "a\ncaf\xe9", 6);
	tds_autofree char *nul = answer("convleader.cfg", "ab\0c", 4);

	(void)state;
	assert_string_equal(latin, "2:4: byte that is not UTF-8");
	assert_string_equal(nul, "1:3: NUL byte");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names), cmocka_unit_test(numbers), cmocka_unit_test(ints),
		cmocka_unit_test(words), cmocka_unit_test(paths),   cmocka_unit_test(dictionaries),
		cmocka_unit_test(lines), cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
