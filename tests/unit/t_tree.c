/* SPDX-License-Identifier: MIT */
/* Removing folders that others have filled: nothing that is not in them is touched. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tree.h"
#include "unit.h"

static void make(const struct folder *f, const char *path)
{
	assert_int_equal(mkdirat(f->fd, path, 0700), 0);
}

static void removes(const struct folder *f, const char *left)
{
	struct tds_err err = { 0 };

	assert_fine(tds_tree_remove(f->fd, "tree", &err), &err);
	assert_names(f, left);
}

static void all_kinds_go(void **state)
{
	const struct folder *f = *state;

	make(f, "tree");
	make(f, "tree/empty");
	make(f, "tree/full");
	make(f, "tree/full/full");
	put(f, "tree/file", 0000, "1");
	put(f, "tree/full/.hidden", 0600, "2");
	put(f, "tree/full/full/file", 0600, "3");
	assert_int_equal(mkfifoat(f->fd, "tree/fifo", 0600), 0);
	assert_int_equal(fchmodat(f->fd, "tree/full/full", 0000, 0), 0);
	assert_int_equal(fchmodat(f->fd, "tree/full", 0500, 0), 0);
	removes(f, "");
}

static void links_are_not_followed(void **state)
{
	const struct folder *f = *state;

	make(f, "other");
	put(f, "other/file", 0600, "stays");
	make(f, "tree");
	make(f, "tree/in");
	assert_int_equal(symlinkat("../other", f->fd, "tree/link"), 0);
	assert_int_equal(symlinkat("../../other", f->fd, "tree/in/link"), 0);
	assert_int_equal(symlinkat("..", f->fd, "tree/in/up"), 0);
	assert_int_equal(linkat(f->fd, "other/file", f->fd, "tree/in/file", 0), 0);
	removes(f, "other");
	assert_file(f, "other/file", "stays");
}

static void a_link_in_its_place(void **state)
{
	const struct folder *f = *state;
	struct tds_err err = { 0 };

	make(f, "other");
	put(f, "other/file", 0600, "stays");
	assert_int_equal(symlinkat("other", f->fd, "tree"), 0);
	assert_failed(tds_tree_remove(f->fd, "tree", &err), &err, TDS_E_MISSING,
		      "tree: no such folder");
	assert_failed(tds_tree_remove(f->fd, "none", &err), &err, TDS_E_MISSING,
		      "none: no such folder");
	assert_file(f, "other/file", "stays");
}

/* Deeper than there are descriptors, and than a path may be long. */
static void as_deep_as_it_likes(void **state)
{
	const struct folder *f = *state;
	tds_autofd int fd = dup(f->fd);

	for (int depth = 0; depth < 3000; depth++) {
		const char *name = depth == 0 ? "tree" : "a";

		assert_int_equal(mkdirat(fd, name, 0700), 0);
		int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(inner >= 0);
		assert_int_equal(close(fd), 0);
		fd = inner;
	}
	removes(f, "");
}

/* Names that it makes itself are no obstacle. */
static void names_that_are_taken(void **state)
{
	const struct folder *f = *state;

	make(f, "tree");
	make(f, "tree/.tds-moved-0");
	make(f, "tree/.tds-moved-0/in");
	make(f, "tree/.tds-moved-0/in/in");
	make(f, "tree/.tds-moved-1");
	make(f, "tree/.tds-moved-1/in");
	put(f, "tree/.tds-moved-1/in/file", 0600, "1");
	removes(f, "");
}

/* What is mounted within it is left, and named; its own folder is on the same file system. False: nothing can be mounted. */
static bool is_left(const struct folder *f, const char *at)
{
	struct tds_err err = { 0 };
	char from[64];
	char to[64];

	(void)snprintf(from, sizeof(from), "%s/other", f->path);
	(void)snprintf(to, sizeof(to), "%s/%s", f->path, at);
	make(f, at);
	if (geteuid() != 0 || mount(from, to, NULL, MS_BIND, NULL) != 0)
		return false;
	int rc = tds_tree_remove(f->fd, "tree", &err);
	assert_int_equal(umount2(to, MNT_DETACH), 0);
	assert_int_equal(rc, TDS_E_WRITE);
	assert_non_null(strstr(err.reason, "mounted"));
	assert_file(f, "other/file", "stays");
	return true;
}

static void what_is_mounted_stays(void **state)
{
	const struct folder *f = *state;

	make(f, "other");
	put(f, "other/file", 0600, "stays");
	make(f, "tree");
	make(f, "tree/in");
	if (!is_left(f, "tree/in/mounted") || !is_left(f, "tree/mounted")) {
		(void)printf("# nothing can be mounted here\n");
		return;
	}
	removes(f, "other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(all_kinds_go),         IN_FOLDER(links_are_not_followed),
		IN_FOLDER(a_link_in_its_place),  IN_FOLDER(as_deep_as_it_likes),
		IN_FOLDER(names_that_are_taken), IN_FOLDER(what_is_mounted_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
