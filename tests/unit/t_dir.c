/* SPDX-License-Identifier: MIT */
/* Names, versions, and sorting a director directory into groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/mem.h"
#include "director/groups.h"

static char folder[64];

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/t_dir.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void make(const struct tds_dir *dir, const char *name)
{
	int fd = openat(dir->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void open_folder(struct tds_dir *dir)
{
	struct tds_err err;

	assert_int_equal(tds_dir_open(folder, dir, &err), 0);
}

static void scan(const struct tds_dir *dir, struct tds_groups *groups)
{
	struct tds_err err;

	assert_int_equal(tds_groups_scan(dir, groups, &err), 0);
}

/* The group must have exactly these files, newest first, with a blank between them. */
static void expect(const struct tds_groups *groups, const char *name, const char *files)
{
	const struct tds_group *group = tds_groups_find(groups, name);
	char text[1024] = "";

	assert_non_null(group);
	assert_string_equal(group->name, name);
	for (size_t i = 0; i < group->n; i++) {
		assert_ptr_equal(tds_groups_owner(groups, group->files[i].name), group);
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			       i ? " " : "", group->files[i].name);
	}
	assert_string_equal(text, files);
}

static void group_names(void **state)
{
	static const char *const good[] = {
		"a",     "a-b",      "a.b", "a b", "_", "0", "gr\303\274\303\237e",
		"a\xff", "\xc2\xa0", "\x80"
	};
	static const char *const bad[] = { "",    ".",    ".a",    "-a",       "a/b",       "/",
					   "a\n", "\x01", "a\x7f", "\xc2\x80", "a\302\237b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(tds_group_name_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(tds_group_name_ok(bad[i]));
}

static void fits(void **state)
{
	const char *version;

	(void)state;
	assert_true(tds_group_fits("foo", "foo-1.0.tls", &version));
	assert_string_equal(version, "1.0.tls");
	assert_true(tds_group_fits("foo", "foo-.tls", &version));
	assert_string_equal(version, ".tls");
	assert_true(tds_group_fits("foo", "foo.tls", &version));
	assert_null(version);
	assert_true(tds_group_fits("foo-bar", "foo-bar-1.tls", NULL));
	assert_true(tds_group_fits("foo", "foo-bar-1.tls", NULL));
	assert_false(tds_group_fits("foo", "foo", NULL));
	assert_false(tds_group_fits("foo", "foo-1.TLS", NULL));
	assert_false(tds_group_fits("foo", "foo1.tls", NULL));
	assert_false(tds_group_fits("foo", "foo1-1.tls", NULL));
	assert_false(tds_group_fits("foo", "fo-1.tls", NULL));
	assert_false(tds_group_fits("foo.tls", "foo.tls", NULL));
	assert_false(tds_group_fits("foo", ".tls", NULL));
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void versions(void **state)
{
	static const char *const order[] = {
		"a.tls",
		"a-.tls",
		"a-0.tls",
		"a-00.tls",
		"a-0.0.tls",
		"a-01.tls",
		"a-1.tls",
		"a-1.2.tls",
		"a-1.10.tls",
		"a-1-2.tls",
		"a-2.tls",
		"a-10.tls",
		"a-99999999999999999999.tls",
		"a-100000000000000000000.tls",
		"a-1.tls~.tls",
		"a-a.tls",
		"a-a1.tls",
		"a-aa.tls",
		"a-b.tls",
		"a-\xc3\xa9.tls",
		"a-\xf0\x9f\x98\x80.tls",
		"a-\xff.tls",
	};
	const size_t n = sizeof(order) / sizeof(order[0]);

	(void)state;
	assert_true(tds_version_cmp("a", "a-9.tls", "a-10.tls") < 0);
	assert_true(tds_version_cmp("a", "a-1.tls", "a-01.tls") > 0);
	assert_true(tds_version_cmp("a", "a-1.0.tls", "a-1.tls") > 0);
	assert_true(tds_version_cmp("a", "a-a.tls", "a-99.tls") > 0);
	/* It is an order, and different names are never equal. */
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			int cmp = tds_version_cmp("a", order[i], order[j]);

			assert_int_equal(sign(cmp),
					 -sign(tds_version_cmp("a", order[j], order[i])));
			assert_int_equal(cmp == 0, i == j);
			for (size_t k = 0; k < n; k++)
				if (cmp < 0 && tds_version_cmp("a", order[j], order[k]) < 0)
					assert_true(tds_version_cmp("a", order[i], order[k]) < 0);
		}
}

/* Which of the sets of equal rank a file is in; -1: none. */
static int rank(json_t *sets, const char *file)
{
	json_t *set;
	json_t *name;
	size_t i;
	size_t j;

	json_array_foreach(sets, i, set) json_array_foreach(
		set, j, name) if (strcmp(json_string_value(name), file) == 0) return (int)i;
	return -1;
}

static void check_order(json_t *one, const struct tds_group *group)
{
	json_t *order = json_object_get(one, "order");
	json_t *sets = json_object_get(one, "order_groups");
	size_t expected = json_array_size(order);
	json_t *set;
	size_t i;

	json_array_foreach(sets, i, set) expected += json_array_size(set);
	assert_int_equal(group->n, expected);
	for (i = 0; i < group->n; i++) {
		if (json_is_array(order)) {
			assert_string_equal(group->files[i].name,
					    json_string_value(json_array_get(order, i)));
		} else {
			assert_true(rank(sets, group->files[i].name) >= 0);
			assert_true(i == 0 || rank(sets, group->files[i - 1].name) <=
						      rank(sets, group->files[i].name));
		}
	}
}

static bool is_pattern_for_director(const char *group)
{
	return group[0] == '\0' || strpbrk(group, ".*?[");
}

/* The orders that the Director was seen to make. */
static void recorded(void **state)
{
	json_t *doc = json_load_file("tests/vectors/versions.json", 0, NULL);
	json_t *one;
	size_t i;
	unsigned n = 0;

	assert_non_null(doc);
	json_array_foreach(json_object_get(doc, "cases"), i, one)
	{
		const char *group = json_string_value(json_object_get(one, "group"));
		tds_auto(dir) struct tds_dir dir = { .fd = -1 };
		tds_auto(groups) struct tds_groups groups = { 0 };
		char tli[256];
		json_t *name;
		size_t j;

		if (is_pattern_for_director(group))
			continue;
		assert_int_equal(setup(state), 0);
		open_folder(&dir);
		(void)snprintf(tli, sizeof(tli), "%s.tli", group);
		make(&dir, tli);
		json_array_foreach(json_object_get(one, "files"), j, name)
			make(&dir, json_string_value(name));
		scan(&dir, &groups);
		check_order(one, tds_groups_find(&groups, group));
		assert_int_equal(teardown(state), 0);
		n++;
	}
	assert_true(n > 300);
	json_decref(doc);
}

static void owners(void **state)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	static const char *const names[] = {
		"a.tli",       "a-b.tli",     "a-b.c.tli", "a-1-2.tli",   "z.tls.tli",
		".hidden.tli", "-dash.tli",   "bad\n.tli", ".tli",        "a.tls",
		"a-1.tls",     "a-bc-3.tls",  "a-b.tls",   "a-b-2.tls",   "a-b.c-1.tls",
		"a-b.d-1.tls", "a-1-2-3.tls", "a-1-2.tls", "a1.tls",      "a-x.zip",
		".a-1.tls",    "-.tls",       ".tls",      "z.tls-1.tls", "a-\n.tls",
		"b-1.tls",
	};

	(void)state;
	open_folder(&dir);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make(&dir, names[i]);
	scan(&dir, &groups);
	assert_int_equal(groups.n, 5);
	expect(&groups, "a", "a-bc-3.tls a-b.d-1.tls a-\n.tls a-1.tls a.tls");
	expect(&groups, "a-1-2", "a-1-2-3.tls a-1-2.tls");
	expect(&groups, "a-b", "a-b-2.tls a-b.tls");
	expect(&groups, "a-b.c", "a-b.c-1.tls");
	expect(&groups, "z.tls", "z.tls-1.tls");
	for (size_t i = 1; i < groups.n; i++)
		assert_true(strcmp(groups.v[i - 1].name, groups.v[i].name) < 0);
	assert_null(tds_groups_find(&groups, "b"));
	assert_null(tds_groups_find(&groups, ""));
	assert_null(tds_groups_find(&groups, "a-b."));
	assert_null(tds_groups_owner(&groups, "b-1.tls"));
	assert_null(tds_groups_owner(&groups, "a"));
	assert_null(tds_groups_owner(&groups, ".tls"));
	assert_null(tds_groups_owner(&groups, ""));
}

static void kinds(void **state)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };

	(void)state;
	open_folder(&dir);
	make(&dir, "a.tli");
	make(&dir, "a-1.tls");
	assert_int_equal(mkdirat(dir.fd, "a-2.tls", 0755), 0);
	assert_int_equal(mkfifoat(dir.fd, "a-3.tls", 0644), 0);
	assert_int_equal(symlinkat("a-1.tls", dir.fd, "a-4.tls"), 0);
	assert_int_equal(symlinkat("a-2.tls", dir.fd, "a-5.tls"), 0);
	assert_int_equal(symlinkat("a-3.tls", dir.fd, "a-6.tls"), 0);
	assert_int_equal(symlinkat("nowhere", dir.fd, "a-7.tls"), 0);
	assert_int_equal(symlinkat("/dev/null", dir.fd, "a-8.tls"), 0);
	assert_int_equal(mkdirat(dir.fd, "folder.tli", 0755), 0);
	assert_int_equal(symlinkat("a.tli", dir.fd, "link.tli"), 0);
	assert_int_equal(symlinkat("nowhere", dir.fd, "dangling.tli"), 0);
	assert_int_equal(mkfifoat(dir.fd, "fifo.tli", 0644), 0);
	scan(&dir, &groups);
	assert_int_equal(groups.n, 2);
	expect(&groups, "a", "a-7.tls a-4.tls a-1.tls");
	expect(&groups, "link", "");
}

static void opening(void **state)
{
	struct tds_dir dir;
	struct tds_err err;
	char path[128];

	(void)state;
	assert_int_equal(tds_dir_open("/nonexistent/folder", &dir, &err), TDS_E_MISSING);
	tds_dir_close(&dir);
	assert_int_equal(tds_dir_open("/dev/null", &dir, &err), TDS_E_UNUSABLE);
	tds_dir_close(&dir);
	(void)snprintf(path, sizeof(path), "%s/", folder);
	assert_int_equal(tds_dir_open(path, &dir, &err), 0);
	tds_autofree char *slashed = tds_dir_join(&dir, "x");
	(void)snprintf(path, sizeof(path), "%s/x", folder);
	assert_string_equal(slashed, path);
	tds_dir_close(&dir);
	tds_dir_close(&dir);
	open_folder(&dir);
	tds_autofree char *plain = tds_dir_join(&dir, "x");
	assert_string_equal(plain, path);
	tds_dir_close(&dir);
	/* A zeroed one never was open: descriptor 0 is not its own. */
	struct tds_dir zero = { 0 };
	tds_dir_close(&zero);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

static void empty(void **state)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	struct tds_groups zero = { 0 };

	(void)state;
	open_folder(&dir);
	make(&dir, "a-1.tls");
	scan(&dir, &groups);
	assert_int_equal(groups.n, 0);
	assert_null(tds_groups_find(&groups, "a"));
	assert_null(tds_groups_owner(&groups, "a-1.tls"));
	assert_null(tds_groups_find(&zero, "a"));
	tds_groups_fini(&zero);
}

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return 1e3 * (double)now.tv_sec + (double)now.tv_nsec / 1e6;
}

/* Names full of '-' have as many possible owners as they are long; it must not cost a look at every group. */
static void many(void **state)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	tds_auto(groups) struct tds_groups groups = { 0 };
	char name[256];

	(void)state;
	open_folder(&dir);
	for (int g = 0; g < 1000; g++) {
		(void)snprintf(name, sizeof(name), "g%0*d.tli", 1 + g % 200, g);
		make(&dir, name);
	}
	for (int i = 0; i < 2000; i++) {
		int n = snprintf(name, sizeof(name), "g%d", i);

		memset(name + n, '-', (size_t)(240 - n));
		(void)snprintf(name + 240, sizeof(name) - 240, "%d.tls", i);
		make(&dir, name);
	}
	double before = now_ms();
	scan(&dir, &groups);
	assert_true(now_ms() - before <
		    2000); /* some 15 ms, also under sanitizers on a busy machine */
	assert_true(groups.n > 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(group_names),
		cmocka_unit_test(fits),
		cmocka_unit_test(versions),
		cmocka_unit_test(recorded),
		cmocka_unit_test_setup_teardown(owners, setup, teardown),
		cmocka_unit_test_setup_teardown(kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(opening, setup, teardown),
		cmocka_unit_test_setup_teardown(empty, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
	};

	return cmocka_run_group_tests_name("dir", tests, NULL, NULL);
}
