/* SPDX-License-Identifier: MIT */
/* Patterns against trees: by hand where a rule or a guard is to be shown, and against Python's own glob. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "tool/expand.h"
#include "tool/glob.h"

#define TREES 10     /* per unit of TDS_SCALE */
#define PATTERNS 300 /* per tree */

static char folder[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/t_glob.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static int open_folder(void)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void make(int fd, const char *path)
{
	size_t len = strlen(path);

	if (path[len - 1] == '/') {
		assert_int_equal(mkdirat(fd, path, 0755), 0);
	} else {
		int made = openat(fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		assert_true(made >= 0);
		assert_int_equal(close(made), 0);
	}
}

/* pattern must match exactly these paths, with a '/' behind folders, a blank between them. */
static void expect(int fd, const char *pattern, const char *paths)
{
	struct tds_matches found = { 0 };
	struct tds_err err = { 0 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(tds_glob(fd, pattern, &found, &err), 0);
	for (size_t i = 0; i < found.n; i++)
		(void)fprintf(out, "%s%s%s", i ? " " : "", found.v[i].path,
			      found.v[i].folder ? "/" : "");
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, paths);
	free(text);
	tds_matches_fini(&found);
}

static void plain_rules(void **state)
{
	static const char *const tree[] = { "a/",    "a/x.py",    "a/b/",    "a/b/y.py",
					    "a/.h/", "a/.h/z.py", "a/.f.py", "top.py" };
	tds_autofd int fd = open_folder();
	char too_long[300] = "";

	(void)state;
	memset(too_long, 'x', sizeof(too_long) - 1);
	for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
		make(fd, tree[i]);
	expect(fd, "", "");
	expect(fd, "/", "");
	expect(fd, ".", "");
	expect(fd, "top.py", "top.py");
	expect(fd, "top.py/", "");
	expect(fd, "./a//./x.py", "a/x.py");
	expect(fd, "*", "a/ top.py");
	expect(fd, "*/", "a/");
	expect(fd, "*/*.py", "a/x.py");
	expect(fd, "**", "a/ a/b/ a/b/y.py a/x.py top.py");
	expect(fd, "**/", "a/ a/b/");
	expect(fd, "a/**", "a/ a/b/ a/b/y.py a/x.py");
	expect(fd, "a/**/*.py", "a/b/y.py a/x.py");
	expect(fd, "**/**/y.py", "a/b/y.py");
	expect(fd, "**.py", "top.py");
	expect(fd, "a/.*", "a/.f.py a/.h/");
	expect(fd, "a/.h/**", "a/.h/ a/.h/z.py");
	expect(fd, "a/[.]h/*", "");
	expect(fd, "top.py/**", "");
	expect(fd, "no/**", "");
	expect(fd, "top.py/x.py", "");
	expect(fd, too_long, "");
}

/* fnmatch drops empty ranges first, and then looks for the '!'. */
static void odd_sets(void **state)
{
	(void)state;
	assert_true(tds_fnmatch("[b-a!x]", "y"));
	assert_false(tds_fnmatch("[b-a!x]", "x"));
	assert_true(tds_fnmatch("[b-a!-z]", "a"));
	assert_false(tds_fnmatch("[b-a!-z]", "-"));
	assert_false(tds_fnmatch("[b-a!-z]", "z"));
	assert_true(tds_fnmatch("[!b-a]", "b"));
	assert_false(tds_fnmatch("[b-a]", "b"));
}

/* A link to a folder above is not entered again, though what is named in it is found. */
static void loops(void **state)
{
	tds_autofd int fd = open_folder();

	(void)state;
	make(fd, "d/");
	make(fd, "d/x.py");
	assert_int_equal(symlinkat("..", fd, "d/up"), 0);
	assert_int_equal(symlinkat(".", fd, "d/self"), 0);
	expect(fd, "**/*.py", "d/x.py");
	expect(fd, "**/up/d/x.py", "d/up/d/x.py");
	expect(fd, "d/self/**", "d/self/ d/self/self/ d/self/up/ d/self/x.py");
}

/* Seventeen levels of two links each are 130,000 folders, and many "**" are many ways to each. */
static void guards(void **state)
{
	tds_autofd int fd = open_folder();
	struct tds_matches found = { 0 };
	struct tds_err err = { 0 };
	char path[512] = "";
	struct timespec began;
	struct timespec ended;

	(void)state;
	for (int i = 0; i < 30; i++) {
		strcat(path, "a/");
		make(fd, path);
	}
	clock_gettime(CLOCK_MONOTONIC, &began);
	expect(fd, "**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/nothing", "");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(ended.tv_sec - began.tv_sec < 5);
	for (int i = 0; i < 17; i++) {
		char name[32];
		char target[32];

		(void)snprintf(name, sizeof(name), "f%d/", i);
		make(fd, name);
		(void)snprintf(target, sizeof(target), "../f%d", i + 1);
		(void)snprintf(name, sizeof(name), "f%d/l", i);
		assert_int_equal(symlinkat(target, fd, name), 0);
		(void)snprintf(name, sizeof(name), "f%d/m", i);
		assert_int_equal(symlinkat(target, fd, name), 0);
	}
	assert_int_equal(tds_glob(fd, "f0/**/nothing", &found, &err), TDS_E_UNUSABLE);
	assert_non_null(strstr(err.reason, "folders"));
	assert_null(found.v);
}

/* Root may read everything, so it is nobody for a while. */
static void be_plain_user(int fd, bool plain)
{
	if (getuid() != 0)
		return;
	if (plain)
		assert_int_equal(fchmod(fd, 0755), 0);
	assert_int_equal(seteuid(plain ? 65534 : 0), 0);
}

static void unreadable(void **state)
{
	static const char *const patterns[] = { "**/*.py", "shut/*.py", "shut/x.py", "shut/none",
						"*/x.py" };
	tds_autofd int fd = open_folder();
	struct tds_matches found = { 0 };
	struct tds_err err = { 0 };

	(void)state;
	make(fd, "shut/");
	make(fd, "shut/x.py");
	assert_int_equal(fchmodat(fd, "shut", 0, 0), 0);
	be_plain_user(fd, true);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		assert_int_equal(tds_glob(fd, patterns[i], &found, &err), TDS_E_UNUSABLE);
		assert_string_equal(err.reason, "shut: cannot be read: Permission denied");
	}
	be_plain_user(fd, false);
	/* Only now: which of two that cannot be read is met first is the file system's. */
	assert_int_equal(symlinkat("shut/deep", fd, "link"), 0);
	be_plain_user(fd, true);
	assert_int_equal(tds_glob(fd, "link/x.py", &found, &err), TDS_E_UNUSABLE);
	assert_string_equal(err.reason, "link: cannot be read: Permission denied");
	expect(fd, "shut", "shut/");
	expect(fd, "*", "link shut/");
	be_plain_user(fd, false);
	assert_int_equal(fchmodat(fd, "shut", 0700, 0), 0);
}

/* A cursor over texts that end in NUL. */
static const char *next(char **at, const char *end)
{
	char *text = *at;

	assert_true(text < end);
	*at += strlen(text) + 1;
	return text;
}

static void compare_paths(int fd, char **at, const char *end)
{
	struct tds_matches found = { 0 };
	struct tds_err err = { 0 };
	const char *pattern = next(at, end);
	const char *path;
	size_t i = 0;

	assert_int_equal(tds_glob(fd, pattern, &found, &err), 0);
	while (path = next(at, end), *path) {
		if (i == found.n || strcmp(found.v[i].path, path) != 0)
			fail_msg("%s: Python finds %s, we find %s", pattern, path,
				 i < found.n ? found.v[i].path : "no more");
		i++;
	}
	if (i < found.n)
		fail_msg("%s: only we find %s", pattern, found.v[i].path);
	tds_matches_fini(&found);
}

static void compare_tree(unsigned seed)
{
	tds_autofd int fd = open_folder();
	char command[256];
	char *text = NULL;
	size_t len = 0;
	struct tds_err err = { 0 };

	(void)snprintf(command, sizeof(command),
		       "python3 -I tests/unit/data/glob_cases.py %u %d '%s'", seed, PATTERNS,
		       folder);
	FILE *python = popen(command, "r");
	assert_non_null(python);
	assert_int_equal(tds_io_slurp_fd(fileno(python), 64 << 20, &text, &len, &err), 0);
	assert_int_equal(pclose(python), 0);
	char *at = text;
	for (int i = 0; i < PATTERNS; i++)
		compare_paths(fd, &at, text + len);
	for (int i = 0; i < PATTERNS; i++) {
		const char *pattern = next(&at, text + len);
		const char *name = next(&at, text + len);
		bool yes = strcmp(next(&at, text + len), "yes") == 0;

		if (tds_fnmatch(pattern, name) != yes)
			fail_msg("seed %u: %s %s %s", seed, pattern,
				 yes ? "matches" : "does not match", name);
	}
	free(text);
}

static void as_python(void **state)
{
	const char *scale = getenv("TDS_SCALE");
	unsigned trees = TREES * (scale ? (unsigned)atoi(scale) : 1);

	for (unsigned seed = 0; seed < trees; seed++) {
		compare_tree(seed);
		assert_int_equal(teardown(state), 0);
		assert_int_equal(mkdir(folder, 0755), 0);
	}
}

static void long_patterns(void **state)
{
	tds_autofd int fd = open_folder();
	struct tds_matches found = { 0 };
	struct tds_err err = { 0 };
	char pattern[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern) - 2; i += 2)
		memcpy(pattern + i, "*/", 3);
	assert_int_equal(tds_glob(fd, pattern, &found, &err), TDS_E_UNUSABLE);
	memset(pattern, '*', sizeof(pattern) - 1);
	assert_true(tds_fnmatch(pattern, "name"));
	for (size_t i = 0; i < sizeof(pattern) - 2; i += 2)
		memcpy(pattern + i, "*a", 3);
	assert_false(tds_fnmatch(pattern, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}

static void check_expansion(char *(*expand)(const char *path), const char *path, const char *want)
{
	char *got = expand(path);

	assert_string_equal(got, want);
	free(got);
}

static void users(void **state)
{
	(void)state;
	assert_int_equal(setenv("HOME", "/home/x//", 1), 0);
	check_expansion(tds_expand_user, "~", "/home/x");
	check_expansion(tds_expand_user, "~/a~", "/home/x/a~");
	check_expansion(tds_expand_user, "a/~", "a/~");
	check_expansion(tds_expand_user, "~no such user/a", "~no such user/a");
	check_expansion(tds_expand_user, "~root", "/root");
	assert_int_equal(setenv("HOME", "/", 1), 0);
	check_expansion(tds_expand_user, "~", "/");
	check_expansion(tds_expand_user, "~/a", "/a");
	assert_int_equal(setenv("HOME", "", 1), 0);
	check_expansion(tds_expand_user, "~", "/");
	check_expansion(tds_expand_user, "~/a", "/a");
}

static void variables(void **state)
{
	(void)state;
	assert_int_equal(setenv("A", "$B", 1), 0);
	assert_int_equal(setenv("B", "b", 1), 0);
	assert_int_equal(setenv("A_1", "", 1), 0);
	assert_int_equal(unsetenv("NONE"), 0);
	check_expansion(tds_expand_vars, "$A/$B", "$B/b");
	check_expansion(tds_expand_vars, "${B}x$Bx", "bx$Bx");
	check_expansion(tds_expand_vars, "x$A_1.py", "x.py");
	check_expansion(tds_expand_vars, "$NONE${NONE}$", "$NONE${NONE}$");
	check_expansion(tds_expand_vars, "$$B ${} ${B", "$b ${} ${B");
	check_expansion(tds_expand_vars, "$\xc3\xbc ${A=} $", "$\xc3\xbc ${A=} $");
	check_expansion(tds_expand_vars, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_rules, setup, teardown),
		cmocka_unit_test(odd_sets),
		cmocka_unit_test_setup_teardown(loops, setup, teardown),
		cmocka_unit_test_setup_teardown(guards, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(as_python, setup, teardown),
		cmocka_unit_test_setup_teardown(long_patterns, setup, teardown),
		cmocka_unit_test(users),
		cmocka_unit_test(variables),
	};

	return cmocka_run_group_tests_name("glob", tests, NULL, NULL);
}
