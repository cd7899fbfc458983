/* SPDX-License-Identifier: MIT */
/* Where the run directory is, and what loaded.json keeps from being deleted. */
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

#include "base/io.h"
#include "base/mem.h"
#include "director/rundir.h"

#define NOBODY 65534
#define STRANGER 65533

static char folder[64];
static struct tds_dir dir;

static int setup(void **state)
{
	struct tds_err err;

	(void)state;
	strcpy(folder, "/tmp/t_rundir.XXXXXX");
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

static void write_file(const char *name, const char *data, size_t len)
{
	int fd = openat(dir.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(tds_io_write(fd, data, len), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(close(fd), 0);
}

static void write_loaded(const char *text)
{
	(void)mkdirat(dir.fd, ".tds", 0711);
	write_file(".tds/loaded.json", text, strlen(text));
}

static void network_file_systems(void **state)
{
	(void)state;
	static const struct {
		uint64_t type;
		const char *name;
	} cases[] = {
		{ 0x6969, "NFS" },
		{ 0xff534d42, "CIFS" },
		{ 0xffffffffff534d42, "CIFS" }, /* with its sign, as some kernels have it */
		{ 0xfe534d42, "SMB" },
		{ 0x01021997, "9p" },
		{ 0x5346414f, "AFS" },
		{ 0x00c36400, "Ceph" },
	};
	static const uint64_t local[] = { 0xef53,     0x01021994, 0x9123683e, 0x58465342,
					  0x794c7630, 0x65735546, 0x2fc12fc1, 0 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(tds_rundir_network(cases[i].type), cases[i].name);
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_null(tds_rundir_network(local[i]));
}

static void is_at(const char *expected)
{
	tds_autofree char *path = NULL;
	struct tds_err err;

	assert_int_equal(tds_rundir_path(&dir, &path, &err), 0);
	assert_string_equal(path, expected);
}

/* It must not be possible to tell what is loaded, and the reason must name the file. */
static void refused(const char *reason)
{
	struct tds_loaded loaded;
	struct tds_err err = { 0 };

	assert_int_equal(tds_loaded_read(&dir, &loaded, &err), TDS_E_WRITE);
	assert_non_null(strstr(err.reason, folder));
	if (!strstr(err.reason, reason))
		fail_msg("'%s' does not say '%s'", err.reason, reason);
	assert_int_equal(loaded.n, 0);
}

static void keeps(const char *file, bool kept)
{
	tds_auto(loaded) struct tds_loaded loaded = { 0 };
	struct tds_err err;

	assert_int_equal(tds_loaded_read(&dir, &loaded, &err), 0);
	assert_int_equal(tds_loaded_has(&loaded, file), kept);
}

static void place(void **state)
{
	char path[96];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/.tds", folder);
	is_at(path);
	write_file("rundir.cfg", "/run/tds\n", 9);
	is_at("/run/tds");
	write_file("rundir.cfg", "  /run/my tds \r\n\n", 17);
	is_at("/run/my tds");
}

static void bad_place(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = { { "", 0 },         { "\n", 1 },    { "run", 3 },   { "./run", 5 },
		    { "/a\n/b\n", 6 }, { "/a\0b", 4 }, { "/a\x01", 3 } };
	tds_autofree char *path = NULL;
	struct tds_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file("rundir.cfg", bad[i].text, bad[i].len);
		assert_int_equal(tds_rundir_path(&dir, &path, &err), TDS_E_UNUSABLE);
		assert_non_null(strstr(err.reason, "rundir.cfg"));
		refused("rundir.cfg: is not one absolute path");
	}
	char *longest = malloc(9000);
	memset(longest, '/', 9000);
	write_file("rundir.cfg", longest, 9000);
	refused("rundir.cfg: is larger than");
	write_file("rundir.cfg", longest, 5000);
	refused("rundir.cfg: is not one absolute path");
	free(longest);
	assert_int_equal(unlinkat(dir.fd, "rundir.cfg", 0), 0);
	/* A link that leads nowhere is not the same as no file. */
	assert_int_equal(symlinkat("nowhere", dir.fd, "rundir.cfg"), 0);
	refused("rundir.cfg");
}

static void absent(void **state)
{
	(void)state;
	keeps("a-1.tls", false);
	assert_int_equal(mkdirat(dir.fd, ".tds", 0711), 0);
	keeps("a-1.tls", false);
	write_file("rundir.cfg", "/nonexistent/tds\n", 17);
	keeps("a-1.tls", false);
}

static void names(void **state)
{
	(void)state;
	write_loaded("{\"Sources\": [{\"File\": \"/x/a-1.tls\", \"Active\": true}, \"a-2.tls\", "
		     "[[\"./a-3.tls\"]],"
		     " {\"a-4.tls\": null, \"/y/a-5.tls\": 1}, 6, \"\", \"a-\\u00e9.tls\", "
		     "\"a-\\\\xff.tls\","
		     " \"xa-6.tls\", \"a-7.tls/\", \"a-8.tls \", \"/z/a-8.tls.old\"]}");
	for (char i = '1'; i <= '9'; i++) {
		char file[] = { 'a', '-', i, '.', 't', 'l', 's', '\0' };

		keeps(file, i <= '5');
	}
	keeps("a-\xc3\xa9.tls", true);
	keeps("a-\xff.tls", true);
	keeps("a-\xfe.tls", false);
	keeps("1.tls", false);
}

/* What is held counts as what is loaded does, and is as strictly read. */
static void desired(void **state)
{
	(void)state;
	write_loaded("[\"a-1.tls\"]");
	write_file(".tds/desired.json", "{\"File\": \"a-2.tls\"}", 19);
	keeps("a-1.tls", true);
	keeps("a-2.tls", true);
	keeps("a-3.tls", false);
	write_file(".tds/desired.json", "{", 1);
	refused("desired.json: is not JSON: line 1: ");
	assert_int_equal(fchmodat(dir.fd, ".tds/desired.json", 0666, 0), 0);
	refused("desired.json: others may write it");
}

static void elsewhere(void **state)
{
	char path[96];

	(void)state;
	write_loaded("[\"a-1.tls\"]");
	assert_int_equal(mkdirat(dir.fd, "run", 0711), 0);
	write_file("run/loaded.json", "[\"a-2.tls\"]", 11);
	keeps("a-1.tls", true);
	(void)snprintf(path, sizeof(path), "%s/run", folder);
	write_file("rundir.cfg", path, strlen(path));
	keeps("a-1.tls", false);
	keeps("a-2.tls", true);
}

static void not_json(void **state)
{
	static const char *const bad[] = { "",
					   " ",
					   "{",
					   "[\"a-1.tls\"",
					   "\"a-1.tls\"",
					   "null",
					   "[] []",
					   "[\"\xff\"]",
					   "['a']",
					   "{\"File\": \"a-1.tls\", \"File\": \"a-2.tls\"}",
					   "[\"a-1.tls\\u0000\"]",
					   "[NaN]" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_loaded(bad[i]);
		refused("loaded.json: is not JSON: line 1: ");
	}
	/* Nested so deep that a careless reader would overflow its stack. */
	char *deep = malloc(2000001);
	memset(deep, '[', 1000000);
	memset(deep + 1000000, ']', 1000000);
	deep[2000000] = '\0';
	write_loaded(deep);
	free(deep);
	refused("loaded.json: is not JSON: line 1: ");
}

static void too_large(void **state)
{
	(void)state;
	write_loaded("[]");
	int fd = openat(dir.fd, ".tds/loaded.json", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, TDS_LOADED_MAX_BYTES + 1), 0);
	assert_int_equal(close(fd), 0);
	refused("is larger than 67108864 bytes");
}

static void not_a_file(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir.fd, ".tds", 0711), 0);
	assert_int_equal(mkdirat(dir.fd, ".tds/loaded.json", 0755), 0);
	refused("loaded.json: is not a regular file");
	assert_int_equal(unlinkat(dir.fd, ".tds/loaded.json", AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(dir.fd, ".tds/loaded.json", 0644), 0);
	refused("loaded.json: is not a regular file"); /* and nobody waits */
	assert_int_equal(unlinkat(dir.fd, ".tds/loaded.json", 0), 0);
	write_file("other", "[]", 2);
	assert_int_equal(symlinkat("../other", dir.fd, ".tds/loaded.json"), 0);
	refused("loaded.json: is a symbolic link");
	assert_int_equal(unlinkat(dir.fd, ".tds/loaded.json", 0), 0);
	assert_int_equal(unlinkat(dir.fd, ".tds", AT_REMOVEDIR), 0);
	write_file(".tds", "", 0);
	refused("is no folder, or a symbolic link");
	assert_int_equal(unlinkat(dir.fd, ".tds", 0), 0);
	assert_int_equal(symlinkat("nowhere", dir.fd, ".tds"), 0);
	refused("is no folder, or a symbolic link");
}

static void owners(void **state)
{
	(void)state;
	write_loaded("[\"a-1.tls\"]");
	assert_int_equal(fchmodat(dir.fd, ".tds/loaded.json", 0664, 0), 0);
	refused("loaded.json: others may write it");
	assert_int_equal(fchmodat(dir.fd, ".tds/loaded.json", 0644, 0), 0);
	assert_int_equal(fchmodat(dir.fd, ".tds", 0733, 0), 0);
	refused("others may write it");
	assert_int_equal(fchmodat(dir.fd, ".tds", 0711, 0), 0);
	keeps("a-1.tls", true);
	if (geteuid() != 0)
		skip();
	assert_int_equal(fchownat(dir.fd, ".tds/loaded.json", NOBODY, NOBODY, 0), 0);
	refused("loaded.json: belongs to another user (uid 65534), whom adminuser.cfg does not "
		"name");
	assert_int_equal(fchownat(dir.fd, ".", NOBODY, NOBODY, 0), 0);
	keeps("a-1.tls", true); /* the director directory's owner is no stranger */
	assert_int_equal(fchownat(dir.fd, ".tds", STRANGER, STRANGER, 0), 0);
	refused("belongs to another user (uid 65533), whom adminuser.cfg does not name");
	assert_int_equal(fchmodat(dir.fd, ".", 0755, 0), 0);
	assert_int_equal(seteuid(STRANGER), 0);
	keeps("a-1.tls", true); /* nor is the caller */
	assert_int_equal(seteuid(0), 0);
}

static void unreadable(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	write_loaded("[\"a-1.tls\"]");
	assert_int_equal(fchmodat(dir.fd, ".", 0755, 0), 0);
	assert_int_equal(fchmodat(dir.fd, ".tds/loaded.json", 0600, 0), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	refused("loaded.json: cannot be opened: Permission denied");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(fchmodat(dir.fd, ".tds", 0700, 0), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	refused("loaded.json: cannot be opened: Permission denied");
	assert_int_equal(seteuid(0), 0);
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(place),    EACH(bad_place),  EACH(absent),
		EACH(names),    EACH(desired),    EACH(elsewhere),
		EACH(not_json), EACH(too_large),  EACH(not_a_file),
		EACH(owners),   EACH(unreadable), cmocka_unit_test(network_file_systems),
	};

	return cmocka_run_group_tests_name("rundir", tests, NULL, NULL);
}
