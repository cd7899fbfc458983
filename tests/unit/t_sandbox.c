/* SPDX-License-Identifier: MIT */
/* What a sandbox allows: read, put into words, compared, granted; sandbox.cfg's rules; what a kernel can hold. */
#include "unit.h"

#include "base/mem.h"
#include "director/sandboxdecide.h"
#include "literal/literal.h"

/* An older kernel, so that the tests are the same on all. */
static const struct tds_sandbox_kernel first = { .landlock = 1, .seccomp = true };

static struct tds_value *value_of(const char *text)
{
	struct tds_value *value = NULL;
	struct tds_err err = { 0 };

	assert_int_equal(tds_literal_parse(text, strlen(text), true, &value, &err), 0);
	return value;
}

static struct tds_sandbox *sandbox_of(const char *text)
{
	tds_auto(value) struct tds_value *value = value_of(text);
	struct tds_sandbox *sandbox = NULL;
	struct tds_err err = { 0 };

	if (tds_sandbox_read(value, &sandbox, &err) != 0)
		fail_msg("%s: %s", text, err.reason);
	return sandbox;
}

/* The words of what is read, or the place and the reason. */
static void reads(const char *text, const char *wanted)
{
	tds_auto(value) struct tds_value *value = value_of(text);
	tds_auto(sandbox) struct tds_sandbox *sandbox = NULL;
	struct tds_err err = { 0 };
	char got[TDS_ERR_REASON_MAX + 32];

	if (tds_sandbox_read(value, &sandbox, &err) == 0)
		(void)snprintf(got, sizeof(got), "%s", sandbox->words);
	else
		(void)snprintf(got, sizeof(got), "%u: %s", err.column, err.reason);
	assert_true(!sandbox == (err.code != 0));
	assert_string_equal(got, wanted);
}

static void reading(void **state)
{
	(void)state;
	reads("'strict'", "strict");
	reads("'trusted'", "trusted");
	reads("{}", "default");
	reads("{'Profile': 'net', 'Write': ['/a b'], 'Read': ('/', '/c')}",
	      "net, Read / /c, Write /a b");
	reads("{'Connect': True, 'Listen': [80, 8080]}", "default, Connect any, Listen 80 8080");
	reads("{'Connect': False, 'Listen': []}", "default");
	reads("{'Run': ['/bin/sh'], 'Env': ['A_1', '_*'], 'Memory': 1 << 30, 'Files': 1, "
	      "'Processes': 2}",
	      "default, Run /bin/sh, Env A_1 _*, Memory 1073741824, Processes 2, Files 1");
}

static void refusing(void **state)
{
	static const char path[] = "11: Read: not an absolute path without '.', '..' and double "
				   "slashes";
	static const char *const paths[] = { "",      "a",      "./a",  "/a/",   "//",  "//a",
					     "/a//b", "/a/./b", "/a/.", "/a/..", "/..", "/a/../b" };

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "{'Read': ['%s']}", paths[i]);
		reads(text, path);
	}
	reads("{'Read': ['/a\\x00b']}", path);
	reads("{'Read': [1]}", path);
	reads("{'Read': '/a'}", "10: Read is a list, not str");
	reads("{'Env': ['1A']}", "10: Env: not the name of a variable");
	reads("{'Env': ['A=B']}", "10: Env: not the name of a variable");
	reads("{'Env': ['*']}", "10: Env: not the name of a variable");
	reads("{'Connect': [0]}", "14: Connect: a port is an int from 1 to 65535");
	reads("{'Connect': [65536]}", "14: Connect: a port is an int from 1 to 65535");
	reads("{'Listen': 80}", "12: Listen is a list of ports or True, not int");
	reads("{'Memory': 0}", "12: Memory is an int of at least 1");
	reads("{'Files': -1}", "11: Files is an int of at least 1");
	reads("{'Files': True}", "11: Files is an int of at least 1");
	reads("'safe'", "1: a profile is 'strict', 'default', 'net' or 'trusted'");
	reads("{'Profile': None}", "13: a profile is 'strict', 'default', 'net' or 'trusted'");
	reads("{'read': []}", "2: a sandbox has no such key (Profile, Read, Write, Run, Env, "
			      "Connect, Listen, Memory, Processes, Files)");
	reads("{1: []}", "2: a sandbox has no such key (Profile, Read, Write, Run, Env, "
			 "Connect, Listen, Memory, Processes, Files)");
	reads("{'Read': ['/a'] * 257}", "10: Read is longer than 256");
}

/* what: the first thing that is not allowed; "": all is. */
static void compared(const char *asked, const char *allowed, const char *what)
{
	tds_auto(sandbox) struct tds_sandbox *a = sandbox_of(asked);
	tds_auto(sandbox) struct tds_sandbox *b = sandbox_of(allowed);
	struct tds_err err = { 0 };

	(void)!tds_sandbox_within(a, b, &err);
	assert_string_equal(err.reason, what);
}

static void comparing(void **state)
{
	static const char *const profiles[] = { "'strict'", "'default'", "'net'", "'trusted'" };

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++)
		for (size_t k = 0; k < COUNT(profiles); k++) {
			char name[16];

			(void)snprintf(name, sizeof(name), "%.*s", (int)strlen(profiles[i]) - 2,
				       profiles[i] + 1);
			compared(profiles[i], profiles[k], i <= k ? "" : name);
		}
	compared("'net'", "{'Connect': True}", "");
	compared("'net'", "{'Profile': 'strict', 'Connect': True}", "net");
	compared("{'Connect': True}", "'net'", "");
	compared("{'Connect': True}", "{'Connect': [1]}", "Connect any");
	compared("{'Connect': [1, 2]}", "{'Connect': [2, 3]}", "Connect 1");
	compared("{'Listen': [1]}", "'net'", "Listen 1");
	compared("{'Listen': True}", "'trusted'", "");
	compared("{'Read': ['/a/b']}", "{'Read': ['/a']}", "");
	compared("{'Read': ['/ab']}", "{'Read': ['/a']}", "Read /ab");
	compared("{'Read': ['/a']}", "{'Read': ['/a/b']}", "Read /a");
	compared("{'Read': ['/a']}", "{'Write': ['/a']}", "");
	compared("{'Write': ['/a']}", "{'Read': ['/a']}", "Write /a");
	compared("{'Write': ['/a']}", "{'Write': ['/']}", "");
	compared("{'Read': ['/usr/x']}", "'default'", "");
	compared("{'Read': ['/usr/x']}", "{'Profile': 'strict'}", "default");
	compared("{'Profile': 'strict', 'Read': ['/usr']}", "'strict'", "Read /usr");
	compared("{'Run': ['/usr/bin/x']}", "'net'", "Run /usr/bin/x");
	compared("{'Run': ['/usr/bin/x']}", "{'Run': ['/usr/bin']}", "");
	compared("{'Env': ['A_B', 'A']}", "{'Env': ['A_*']}", "Env A");
	compared("{'Env': ['A_*']}", "{'Env': ['A_*']}", "");
	compared("{'Memory': 5}", "{'Memory': 4}", "Memory 5");
	compared("{'Memory': 5}", "{'Files': 4}", "");
	compared("{'Memory': 5}", "'trusted'", "");
}

static void granted(const char *asked, const char *allowed, const char *wanted)
{
	tds_auto(sandbox) struct tds_sandbox *a = sandbox_of(asked);
	tds_auto(sandbox) struct tds_sandbox *b = sandbox_of(allowed);
	tds_auto(sandbox) struct tds_sandbox *got = NULL;
	struct tds_err err = { 0 };

	int rc = tds_sandbox_grant(a, b, &got, &err);
	assert_int_equal(rc == 0, got != NULL);
	assert_string_equal(got ? got->words : err.reason, wanted);
}

/* A link is followed, and may not lead out; a limit of the machine counts where none is asked for. */
static void granting(void **state)
{
	const struct folder *folder = *state;
	char text[3][256];

	assert_int_equal(mkdirat(folder->fd, "in", 0755), 0);
	assert_int_equal(symlinkat("in", folder->fd, "link"), 0);
	assert_int_equal(symlinkat("/etc", folder->fd, "in/out"), 0);
	(void)snprintf(text[0], sizeof(text[0]), "{'Read': ['%s/link']}", folder->path);
	(void)snprintf(text[1], sizeof(text[1]), "{'Read': ['%s']}", folder->path);
	(void)snprintf(text[2], sizeof(text[2]), "default, Read %s/in", folder->path);
	granted(text[0], text[1], text[2]);
	(void)snprintf(text[0], sizeof(text[0]), "{'Read': ['%s/in/out']}", folder->path);
	(void)snprintf(text[2], sizeof(text[2]), "Read %s/in/out, which is /etc,", folder->path);
	granted(text[0], text[1], text[2]);
	(void)snprintf(text[0], sizeof(text[0]), "{'Read': ['%s/none']}", folder->path);
	(void)snprintf(text[2], sizeof(text[2]), "Read %s/none: No such file or directory",
		       folder->path);
	granted(text[0], text[1], text[2]);
	granted("'strict'", "{'Memory': 7}", "strict, Memory 7");
	granted("{'Memory': 6, 'Connect': [80]}", "{'Memory': 7, 'Files': 8, 'Connect': True}",
		"default, Connect 80, Memory 6, Files 8");
}

/* The answers of a policy for a group: what is unasked, and most. */
static void rule(const char *text, const char *group, const char *unasked, const char *most)
{
	tds_auto(value) struct tds_value *value = text ? value_of(text) : NULL;
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };
	struct tds_err err = { 0 };

	assert_int_equal(tds_sandbox_policy_read(value, &policy, &err), 0);
	assert_int_equal(policy.is_there, text != NULL);
	const struct tds_sandbox_rule *found = tds_sandbox_rule_of(&policy, group);
	assert_string_equal(found->unasked->words, unasked);
	assert_string_equal(found->most->words, most);
}

static void no_policy(const char *text, const char *why)
{
	tds_auto(value) struct tds_value *value = value_of(text);
	struct tds_sandbox_policy policy;
	struct tds_err err = { 0 };

	assert_int_equal(tds_sandbox_policy_read(value, &policy, &err), TDS_E_SYNTAX);
	assert_string_equal(err.reason, why);
}

static void policies(void **state)
{
	static const char groups[] = "{'Unasked': 'default', 'Most': 'net', 'Groups': {'web-*': "
				     "'strict', 'web-1': 'trusted', '?': {'Most': 'trusted', "
				     "'Unasked': 'strict'}}}";

	(void)state;
	rule(NULL, "any", "trusted", "trusted");
	rule("'net'", "any", "net", "net");
	rule("{'Most': 'net'}", "any", "net", "net");
	rule("{'Unasked': {'Files': 9}}", "any", "default, Files 9", "default, Files 9");
	rule(groups, "any", "default", "net");
	rule(groups, "web-1", "strict", "strict"); /* the first that fits */
	rule(groups, "w", "strict", "trusted");
	no_policy("'loose'", "a profile is 'strict', 'default', 'net' or 'trusted'");
	no_policy("1", "a profile or a dictionary is expected, not int");
	no_policy("{}", "a sandbox needs 'Most' or 'Unasked'");
	no_policy("{'Groups': {}}", "a sandbox needs 'Most' or 'Unasked'");
	no_policy("{'Most': 'net', 'Groups': []}", "Groups is a dictionary, not list");
	no_policy("{'Most': 'net', 'Groups': {'': 'net'}}", "a pattern of groups is a str");
	no_policy("{'Most': 'net', 'Groups': {'a': {'Groups': {}}}}",
		  "no such key (Unasked, Most)");
	no_policy("{'Most': 'strict', 'Unasked': 'net'}", "Unasked has what Most does not: net");
	no_policy("{'most': 'net'}", "no such key (Groups, Unasked, Most)");
}

/* wanted: who asks and what is granted, or why nothing is. */
static void decided(const char *cfg, const char *declared, const char *defined,
		    const struct tds_sandbox_kernel *kernel, const char *wanted)
{
	tds_auto(value) struct tds_value *value = cfg ? value_of(cfg) : NULL;
	tds_auto(value) struct tds_value *a = declared ? value_of(declared) : NULL;
	tds_auto(value) struct tds_value *b = defined ? value_of(defined) : NULL;
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };
	tds_auto(sandbox_decision) struct tds_sandbox_decision decision = { 0 };
	struct tds_err err = { 0 };
	char got[2 * TDS_ERR_REASON_MAX];

	assert_int_equal(tds_sandbox_policy_read(value, &policy, &err), 0);
	if (tds_sandbox_decide(&policy, "g", a, b, kernel, &decision, &err) == 0)
		(void)snprintf(got, sizeof(got), "%s: %s%s%s", tds_sandbox_asker_words(decision.by),
			       decision.granted->words, decision.note ? "; " : "",
			       decision.note ? decision.note : "");
	else
		(void)snprintf(got, sizeof(got), "%s", err.reason);
	assert_int_equal(err.code == 0, decision.granted != NULL);
	assert_string_equal(got, wanted);
}

static void deciding(void **state)
{
	static const char less[] = "{'Most': 'trusted', 'Unasked': 'default'}";
	const struct tds_sandbox_kernel none = { .landlock = 0, .seccomp = true };
	const struct tds_sandbox_kernel unfiltered = { .landlock = 7, .seccomp = false };
	const struct tds_sandbox_kernel fourth = { .landlock = 4, .seccomp = true };

	(void)state;
	decided(NULL, NULL, NULL, &none, "sandbox.cfg: trusted");
	decided(NULL, "'strict'", NULL, &first, "its signed declaration: strict");
	decided(less, NULL, NULL, &first, "sandbox.cfg: default");
	decided(less, NULL, "'strict'", &first, "its definition: strict");
	decided(less, NULL, "'net'", &first,
		"sandbox.cfg: default; the definition asks for 'net', which is more than "
		"sandbox.cfg: 'default' counts");
	decided(less, "'net'", "'net'", &first, "its signed declaration: net");
	decided(less, "'net'", "'default'", &first, "its definition: default");
	decided("'net'", "'trusted'", NULL, &first,
		"its signed declaration asks for 'trusted': trusted is not allowed by "
		"sandbox.cfg, line 1: 'net'");
	decided(less, "'net'", NULL, &none,
		"its signed declaration asks for 'net': net needs Landlock, which this "
		"kernel does not have");
	decided(less, "'net'", NULL, &unfiltered,
		"its signed declaration asks for 'net': net needs filters of system "
		"calls, "
		"which this kernel does not have");
	decided(less, "{'Listen': [80]}", NULL, &first,
		"its signed declaration asks for 'default, Listen 80': ports need version "
		"4 of Landlock, and this kernel has 1");
	decided(less, "{'Listen': [80]}", NULL, &fourth,
		"its signed declaration: default, Listen 80");
	decided(less, "{'Listen': True, 'Profile': 'net', 'Connect': [80]}", NULL, &first,
		"its signed declaration: net, Connect 80, Listen any");
	decided(less, "'trusted'", NULL, &none, "its signed declaration: trusted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(refusing),
		cmocka_unit_test(comparing),
		cmocka_unit_test_setup_teardown(granting, folder_make, folder_remove),
		cmocka_unit_test(policies),
		cmocka_unit_test(deciding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
