/* SPDX-License-Identifier: MIT */
/* When a file is believed to be the very one that was verified. */
#include "unit.h"

#include "daemon/authority/identity.h"

/* One that nobody has touched for long. */
static struct identity old_file(void)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	struct identity identity = identity_of(fd);
	(void)close(fd);
	return identity;
}

static void same_while_nothing_differs(void **state)
{
	struct identity then = old_file();
	struct identity now = old_file();

	(void)state;
	assert_true(then.settled);
	assert_true(identity_is_same(&then, &now));
}

static void another_where_anything_differs(void **state)
{
	const struct identity then = old_file();
	struct identity others[7];

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++)
		others[i] = then;
	others[0].dev++;
	others[1].ino++;
	others[2].size++;
	others[3].mtime.tv_sec++;
	others[4].mtime.tv_nsec++;
	others[5].ctime.tv_sec++;
	others[6].ctime.tv_nsec++;
	for (size_t i = 0; i < COUNT(others); i++)
		if (identity_is_same(&then, &others[i]))
			fail_msg("field %zu is not looked at", i);
}

/* Another change in the same moment would leave no mark. */
static void a_file_just_written_is_never_the_same(void **state)
{
	const struct folder *folder = *state;

	put(folder, "package", 0644, "1");
	int fd = openat(folder->fd, "package", O_RDONLY | O_CLOEXEC);
	struct identity then = identity_of(fd);
	struct identity now = identity_of(fd);
	(void)close(fd);
	assert_false(then.settled);
	assert_false(identity_is_same(&then, &now));
}

static void what_never_was_is_nothing(void **state)
{
	const struct identity none = { 0 };
	struct identity closed = identity_of(-1);

	(void)state;
	assert_false(identity_is_same(&none, &none));
	assert_false(identity_is_same(&closed, &closed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_while_nothing_differs),
		cmocka_unit_test(another_where_anything_differs),
		IN_FOLDER(a_file_just_written_is_never_the_same),
		cmocka_unit_test(what_never_was_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
