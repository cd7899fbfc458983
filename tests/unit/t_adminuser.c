/* SPDX-License-Identifier: MIT */
/* Whom adminuser.cfg names, when it counts, and what a run directory of that user is worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "director/adminuser.h"
#include "director/rundir.h"

#define ADMIN 61001
#define OWNER 61002
#define STRANGER 61003
#define NOBODYS 61009 /* a group that nobody is known to be in */

static char folder[64];
static struct tds_dir dir;

static int setup(void **state)
{
	struct tds_err err;

	(void)state;
	strcpy(folder, "/tmp/t_adminuser.XXXXXX");
	return mkdtemp(folder) && chmod(folder, 0755) == 0 && tds_dir_open(folder, &dir, &err) == 0
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	tds_dir_close(&dir);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void write_file(const char *text)
{
	(void)unlinkat(dir.fd, TDS_ADMINUSER_CFG, 0);
	int fd = openat(dir.fd, TDS_ADMINUSER_CFG, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(tds_io_write(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(close(fd), 0);
}

static void names(const char *text, uid_t uid, const char *name)
{
	tds_auto(adminuser) struct tds_adminuser found;
	struct tds_err err = { 0 };

	write_file(text);
	assert_int_equal(tds_adminuser_read(&dir, &found, &err), 0);
	assert_true(found.is_named);
	assert_int_equal(found.user.uid, uid);
	if (name)
		assert_string_equal(found.user.name, name);
	else
		assert_null(found.user.name);
}

static void refused(const char *why)
{
	struct tds_adminuser found;
	struct tds_err err = { 0 };

	assert_int_equal(tds_adminuser_read(&dir, &found, &err), TDS_E_UNUSABLE);
	assert_string_equal(err.reason, why);
	assert_false(found.is_named);
}

static void contents(void **state)
{
	struct tds_adminuser found;

	(void)state;
	assert_int_equal(tds_adminuser_read(&dir, &found, NULL), 0);
	assert_false(found.is_named);
	names("root\n", 0, "root");
	names("  0\r\n\n", 0, "root");
	names("4294967294", 4294967294, NULL);
	write_file("root\ndaemon\n");
	refused("more than one line (adminusers.cfg?)");
	write_file("no-such-user-here\n");
	refused("no such user: no-such-user-here");
	write_file("");
	refused("not the name of a user, or a uid");
	write_file("4294967295\n");
	refused("no such user: 4294967295");
}

static void kinds(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("/etc/hostname", dir.fd, TDS_ADMINUSER_CFG), 0);
	refused("is a symbolic link, so it does not count");
	assert_int_equal(unlinkat(dir.fd, TDS_ADMINUSER_CFG, 0), 0);
	assert_int_equal(mkfifoat(dir.fd, TDS_ADMINUSER_CFG, 0644), 0);
	refused("is not a regular file"); /* and nobody waits */
}

static void strict_modes(void **state)
{
	static const struct {
		uid_t home;
		mode_t home_mode;
		uid_t file;
		mode_t file_mode;
		const char *why; /* NULL: it counts */
	} cases[] = {
		{ 0, 0755, 0, 0644, NULL },
		{ OWNER, 0755, OWNER, 0644, NULL },
		{ OWNER, 0755, 0, 0600, NULL },
		{ 0, 0755, OWNER, 0644, "it belongs to uid 61002, so it does not count" },
		{ 0, 0755, ADMIN, 0644, "it belongs to uid 61001, so it does not count" },
		{ OWNER, 0755, STRANGER, 0644, "it belongs to uid 61003, so it does not count" },
		{ 0, 0755, 0, 0664, "others may write it, so it does not count" },
		{ 0, 0755, 0, 0646, "others may write it, so it does not count" },
		{ 0, 0775, 0, 0644, "others may write its folder, so it does not count" },
		{ 0, 01777, 0, 0644, "others may write its folder, so it does not count" },
	};

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file("61001\n");
		assert_int_equal(fchownat(dir.fd, ".", cases[i].home, NOBODYS, 0), 0);
		assert_int_equal(fchmodat(dir.fd, ".", cases[i].home_mode, 0), 0);
		assert_int_equal(fchownat(dir.fd, TDS_ADMINUSER_CFG, cases[i].file, NOBODYS, 0), 0);
		assert_int_equal(fchmodat(dir.fd, TDS_ADMINUSER_CFG, cases[i].file_mode, 0), 0);
		if (cases[i].why) {
			refused(cases[i].why);
		} else {
			struct tds_adminuser found;

			assert_int_equal(tds_adminuser_read(&dir, &found, NULL), 0);
			assert_int_equal(found.user.uid, ADMIN);
			tds_adminuser_fini(&found);
		}
	}
}

/* What the caller is told of a run directory of this owner and mode. */
static void run_directory(uid_t owner, mode_t mode, int rc, const char *why)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct tds_err err = { 0 };

	(void)mkdirat(dir.fd, ".tds", 0711);
	assert_int_equal(fchownat(dir.fd, ".tds", owner, 0, 0), 0);
	assert_int_equal(fchmodat(dir.fd, ".tds", mode, 0), 0);
	assert_int_equal(tds_rundir_open(&dir, &rundir, &err), rc);
	assert_true((rundir.fd >= 0) == (rc == 0));
	if (why && !strstr(err.reason, why))
		fail_msg("'%s' does not say '%s'", err.reason, why);
}

static void believed(void **state)
{
	struct tds_dir rundir;

	(void)state;
	assert_int_equal(tds_rundir_open(&dir, &rundir, NULL), TDS_E_MISSING);
	if (geteuid() != 0)
		skip();
	assert_int_equal(fchownat(dir.fd, ".", OWNER, 0, 0), 0);
	run_directory(0, 0711, 0, NULL);
	run_directory(OWNER, 0711, 0, NULL);
	run_directory(
		ADMIN, 0711, TDS_E_NO_ADMIN,
		".tds: belongs to another user (uid 61001), whom adminuser.cfg does not name");
	assert_int_equal(seteuid(ADMIN), 0);
	assert_int_equal(tds_rundir_open(&dir, &rundir, NULL), 0); /* one's own */
	tds_dir_close(&rundir);
	assert_int_equal(seteuid(0), 0);
	write_file("61001\n");
	run_directory(ADMIN, 0711, 0, NULL);
	run_directory(ADMIN, 0731, TDS_E_NO_ADMIN, ".tds: others may write it");
	run_directory(
		STRANGER, 0711, TDS_E_NO_ADMIN,
		".tds: belongs to another user (uid 61003), whom adminuser.cfg does not name");
	assert_int_equal(fchmodat(dir.fd, TDS_ADMINUSER_CFG, 0666, 0), 0);
	run_directory(ADMIN, 0711, TDS_E_UNUSABLE, "adminuser.cfg: others may write it");
	run_directory(OWNER, 0711, 0, NULL); /* it is not asked where it decides nothing */
	assert_int_equal(unlinkat(dir.fd, ".tds", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/", dir.fd, ".tds"), 0);
	assert_int_equal(tds_rundir_open(&dir, &rundir, NULL), TDS_E_NO_ADMIN);
}

/* In a process of its own, whose exit status says where it went wrong. */
static int become_and_look(const struct tds_user *user)
{
	gid_t groups[8];
	struct tds_err err;

	if (setgroups(1, (gid_t[]){ 0 }) != 0 || tds_user_become(user, &err) != 0)
		return 1;
	if (getuid() != user->uid || geteuid() != user->uid || getgid() != user->gid ||
	    getegid() != user->gid)
		return 2;
	if (setuid(0) == 0 || setgid(0) == 0)
		return 3;
	for (int n = getgroups(8, groups); n > 0; n--)
		if (groups[n - 1] == 0)
			return 4;
	/* It is one already: nothing to do, though nothing could be done. */
	if (tds_user_become(user, &err) != 0)
		return 5;
	/* And another cannot be had any more. */
	return tds_user_become(&(struct tds_user){ .uid = STRANGER, .gid = STRANGER }, &err) ==
			       TDS_E_REFUSED
		       ? 0
		       : 6;
}

static void becoming(void **state)
{
	static const char *const texts[] = { "61001", "daemon" };

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		tds_auto(user) struct tds_user user;
		int status;

		assert_int_equal(tds_user_find(texts[i], &user, NULL), 0);
		pid_t pid = fork();
		if (pid == 0)
			_exit(become_and_look(&user));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(contents), EACH(kinds), EACH(strict_modes), EACH(believed), EACH(becoming),
	};

	return cmocka_run_group_tests_name("adminuser", tests, NULL, NULL);
}
