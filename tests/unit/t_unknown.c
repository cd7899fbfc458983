/* SPDX-License-Identifier: MIT */
/* What is told of a name that is no group: what is there instead, or what may be meant. */
#include "unit.h"

#include "base/dir.h"
#include "director/unknown.h"

static void unknown(void **state)
{
	static const struct {
		const char *name;
		const char *reason;
	} names[] = {
		{ "nothing", "no such group" },
		{ "", "no such group" },
		{ "mlil", "no such group (did you mean \"mill\"?)" },
		{ "mill-east", "no such group (did you mean \"mill-west\"?)" },
		{ "saw", "no such group: saw-1.tls is there, but no saw.tli" },
		{ "saw-1.tls", "belongs to no declared group: there is no saw.tli" },
		{ "/elsewhere/saw.tls", "belongs to no declared group: there is no saw.tli" },
		{ "mill-1.tls", "no such group" }, /* a package, where a group is wanted */
	};
	const struct folder *f = *state;
	struct tds_groups groups;
	struct tds_dir dir;
	struct tds_err err = { 0 };

	put(f, "mill.tli", 0644, "{}");
	put(f, "mill-west.tli", 0644, "{}");
	put(f, "mill-1.tls", 0644, "");
	put(f, "saw-1.tls", 0644, "");
	assert_fine(tds_dir_open(f->path, &dir, &err), &err);
	assert_fine(tds_groups_scan(&dir, &groups, &err), &err);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_failed(tds_unknown_group(&dir, &groups, names[i].name, &err), &err,
			      TDS_E_MISSING, names[i].reason);
	tds_groups_fini(&groups);
	tds_dir_close(&dir);
}

/* A package that is not there: one that is, or a group, may be meant. */
static void unknown_package(void **state)
{
	static const struct {
		const char *name;
		const char *reason;
	} names[] = {
		{ "mill-2.tls", "gone (did you mean \"mill-1.tls\"?)" },
		{ "/there/mill-11.tls", "gone (did you mean \"mill-1.tls\"?)" },
		{ "mil", "gone (did you mean \"mill\"?)" },
		{ "saw.tls", "gone" },
	};
	const struct folder *f = *state;
	struct tds_groups groups;
	struct tds_dir dir;
	struct tds_err err = { 0 };

	put(f, "mill.tli", 0644, "{}");
	put(f, "mill-1.tls", 0644, "");
	assert_fine(tds_dir_open(f->path, &dir, &err), &err);
	assert_fine(tds_groups_scan(&dir, &groups, &err), &err);
	for (size_t i = 0; i < COUNT(names); i++) {
		int rc = tds_err_set(&err, TDS_E_MISSING, "gone");

		tds_unknown_package(&groups, names[i].name, &err);
		assert_failed(rc, &err, TDS_E_MISSING, names[i].reason);
	}
	tds_groups_fini(&groups);
	tds_dir_close(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(unknown_package, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
