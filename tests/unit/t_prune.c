/* SPDX-License-Identifier: MIT */
/* Which packages are too many, deleting what was looked at and nothing else, and the lock. */
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
#include <unistd.h>

#include "base/mem.h"
#include "director/groups.h"
#include "director/prune.h"

#define NOBODY 65534

static char folder[64];
static struct tds_dir dir;

static int setup(void **state)
{
	struct tds_err err;

	(void)state;
	strcpy(folder, "/tmp/t_prune.XXXXXX");
	return mkdtemp(folder) && tds_dir_open(folder, &dir, &err) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	tds_dir_close(&dir);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void make(const char *name)
{
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static bool is_there(const char *name)
{
	struct stat st;

	return fstatat(dir.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Remove a as it was identified; it must be said, and be true, that it is gone or not. */
static void removes(const struct tds_identity *identity, bool expected)
{
	struct tds_err err;
	bool removed;

	assert_int_equal(tds_prune_remove(&dir, "a", identity, &removed, &err), 0);
	assert_int_equal(removed, expected);
}

static void which(void **state)
{
	struct tds_file files[] = {
		{ "a-5.tls" }, { "a-4.tls" }, { "a-3.tls" }, { "a-2.tls" }, { "a-1.tls" }
	};
	const struct tds_group group = { .name = "a", .files = files, .n = 5 };
	const char *names[] = { "a-1.tls", "a-3.tls" };
	const struct tds_loaded nothing = { 0 };
	const struct tds_loaded loaded = { .names = names, .n = 2 };
	static const int64_t all[] = { 0, -1, INT64_MIN, 5, 6, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			assert_false(tds_prune_excess(&group, i, all[k], &nothing));
		assert_int_equal(tds_prune_excess(&group, i, 1, &nothing), i >= 1);
		assert_int_equal(tds_prune_excess(&group, i, 4, &nothing), i >= 4);
		assert_int_equal(tds_prune_excess(&group, i, 1, &loaded), i == 1 || i == 3);
		assert_false(tds_prune_excess(&group, i, 4, &loaded));
	}
}

static void files_and_links(void **state)
{
	(void)state;
	make("a");
	struct tds_identity identity = tds_prune_identify(&dir, "a");
	removes(&identity, true);
	assert_false(is_there("a"));
	removes(&identity, false); /* gone already */
	make("target");
	assert_int_equal(symlinkat("target", dir.fd, "a"), 0);
	identity = tds_prune_identify(&dir, "a");
	removes(&identity, true);
	assert_false(is_there("a"));
	assert_true(is_there("target"));
}

/* Another file, folder or link under the name by now stays. */
static void replaced(void **state)
{
	struct stat st;

	(void)state;
	make("a");
	struct tds_identity identity = tds_prune_identify(&dir, "a");
	make("new");
	assert_int_equal(renameat(dir.fd, "new", dir.fd, "a"), 0);
	removes(&identity, false);
	assert_true(is_there("a"));

	identity = tds_prune_identify(&dir, "a");
	assert_int_equal(renameat(dir.fd, "a", dir.fd, "target"), 0);
	assert_int_equal(symlinkat("target", dir.fd, "a"), 0);
	removes(&identity, false);
	assert_true(is_there("a"));

	identity = tds_prune_identify(&dir, "a");
	assert_int_equal(unlinkat(dir.fd, "a", 0), 0);
	assert_int_equal(mkdirat(dir.fd, "a", 0755), 0);
	removes(&identity, false);
	assert_true(is_there("a"));
	identity = tds_prune_identify(&dir, "a");
	assert_false(identity.there);
	removes(&identity, false);
	assert_int_equal(unlinkat(dir.fd, "a", AT_REMOVEDIR), 0);

	/* Nothing was there, now there is something. */
	identity = tds_prune_identify(&dir, "a");
	make("a");
	removes(&identity, false);
	/* The same inode number alone does not do. */
	identity = tds_prune_identify(&dir, "a");
	assert_int_equal(fstatat(dir.fd, "a", &st, 0), 0);
	assert_int_equal(identity.ino, st.st_ino);
	identity.ctime.tv_nsec ^= 1;
	removes(&identity, false);
	assert_true(is_there("a"));
}

static void not_allowed(void **state)
{
	struct tds_err err;
	bool removed;

	(void)state;
	if (geteuid() != 0)
		skip();
	make("a");
	struct tds_identity identity = tds_prune_identify(&dir, "a");
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	int rc = tds_prune_remove(&dir, "a", &identity, &removed, &err);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(rc, TDS_E_WRITE);
	assert_false(removed);
	assert_true(is_there("a"));
}

static void lock(void **state)
{
	tds_auto(dir) struct tds_dir other = { .fd = -1 };
	struct tds_err err;

	(void)state;
	assert_int_equal(tds_dir_open(folder, &other, &err), 0);
	assert_int_equal(tds_prune_lock(&dir, 0, &err), 0);
	assert_int_equal(tds_prune_lock(&other, 0, &err), TDS_E_TIMEOUT);
	assert_int_equal(tds_prune_lock(&other, 30, &err), TDS_E_TIMEOUT);
	assert_int_equal(tds_prune_sync(&dir, &err), 0);
	tds_dir_close(&dir);
	assert_int_equal(tds_prune_lock(&other, 0, &err), 0);
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which),
		EACH(files_and_links),
		EACH(replaced),
		EACH(not_allowed),
		EACH(lock),
	};

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
