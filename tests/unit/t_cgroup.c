/* SPDX-License-Identifier: MIT */
/* Delegated cgroups, on a tree that behaves as the kernel's: mkdir brings the files, rmdir takes them along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/io.h"
#include "base/mem.h"

#define OURS "/system.slice/tds.service"
#define EMPTY "populated 0\nfrozen 0\n"
#define BUSY "populated 1\nfrozen 0\n"

static char root[64]; /* the file system */
static char self[96]; /* /proc/self/cgroup */

static const char *const files[] = { "pids.current", "memory.current",     "memory.events",
				     "cgroup.procs", "cgroup.controllers", "cgroup.events",
				     "cgroup.kill",  "pids.max",           "cgroup.subtree_control",
				     "memory.max",   "memory.swap.max" };

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(tds_io_write(fd, text, strlen(text)), 0);
	assert_int_equal(close(fd), 0);
}

/* A file of a cgroup below OURS; "": of OURS itself. */
static const char *at(const char *name, const char *file)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s" OURS "/%s/%s", root, name, file);
	return path;
}

static void set(const char *name, const char *file, const char *text)
{
	write_file(at(name, file), text);
}

static bool is_there(const char *name)
{
	return access(at(name, ""), F_OK) == 0;
}

static void holds(const char *name, const char *file, const char *expected)
{
	tds_autofree char *text = NULL;
	size_t len;

	assert_int_equal(tds_io_slurp(AT_FDCWD, at(name, file), 4096, &text, &len, NULL), 0);
	assert_string_equal(text, expected);
}

/* In place of the C library's. */
int mkdir(const char *path, mode_t mode)
{
	char file[PATH_MAX + 32];

	if (syscall(SYS_mkdirat, AT_FDCWD, path, mode) != 0)
		return -1;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		write_file(file, "");
	}
	return 0;
}

int rmdir(const char *path)
{
	char file[PATH_MAX + 32];
	tds_autofree char *events = NULL;
	size_t len;

	(void)snprintf(file, sizeof(file), "%s/cgroup.events", path);
	if (tds_io_slurp(AT_FDCWD, file, 4096, &events, &len, NULL) == 0 &&
	    strcmp(events, BUSY) == 0) {
		errno = EBUSY;
		return -1;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s", path, files[i]);
		(void)unlink(file);
	}
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

/* What systemd gives a unit that says Delegate=yes. */
static int setup(void **state)
{
	char path[PATH_MAX];
	char pid[32];

	(void)state;
	strcpy(root, "/tmp/t_cgroup.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(self, sizeof(self), "%s/self", root);
	write_file(self, "1:name=systemd:/other\n0::" OURS "\n");
	(void)snprintf(path, sizeof(path), "%s/system.slice", root);
	(void)mkdir(path, 0755);
	(void)mkdir(at("", ""), 0755);
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	set("", "cgroup.procs", pid);
	set("", "cgroup.controllers", "cpu memory pids\n");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static bool opens(struct tds_cgroup *cg)
{
	return tds_cgroup_open(root, self, "tds-1", cg);
}

/* It must not be taken, and must be left as it was. */
static void does_without(void)
{
	struct tds_cgroup cg;

	assert_false(opens(&cg));
	assert_null(cg.path);
	assert_false(is_there("tds-1-admin"));
	holds("", "cgroup.subtree_control", "");
	tds_cgroup_close(&cg);
}

static int add(const struct tds_cgroup *cg, uint32_t source, uint64_t pids, uint64_t memory,
	       pid_t pid, struct tds_err *err)
{
	const struct tds_cgroup_limits limits = { .pids = pids, .memory = memory };

	return tds_cgroup_add(cg, source, &limits, pid, err);
}

static int limit(const struct tds_cgroup *cg, uint32_t source, uint64_t pids, uint64_t memory,
		 struct tds_err *err)
{
	const struct tds_cgroup_limits limits = { .pids = pids, .memory = memory };

	return tds_cgroup_limit(cg, source, &limits, err);
}

static void delegated(void **state)
{
	struct tds_cgroup cg;
	struct tds_err err;
	int watch = -1;

	(void)state;
	assert_true(opens(&cg));
	holds("tds-1-admin", "cgroup.procs", "0");
	holds("", "cgroup.subtree_control", "+memory"); /* the last of what was written */
	assert_int_equal(add(&cg, 7, 2048, 1 << 20, 4711, &err), 0);
	holds("tds-1-source-7", "pids.max", "2048");
	holds("tds-1-source-7", "memory.max", "1048576");
	holds("tds-1-source-7", "memory.swap.max", "0");
	holds("tds-1-source-7", "cgroup.procs", "4711");
	assert_int_equal(add(&cg, 8, UINT64_MAX, TDS_CGROUP_NONE, 4712, &err), 0);
	holds("tds-1-source-8", "pids.max", "max");
	holds("tds-1-source-8", "memory.max", "max");
	holds("tds-1-source-8", "memory.swap.max", "");
	assert_int_equal(limit(&cg, 8, 500, 4096, &err), 0);
	holds("tds-1-source-8", "pids.max", "500");
	holds("tds-1-source-8", "memory.max", "4096");
	assert_int_equal(limit(&cg, 9, 5, 5, &err), TDS_E_WRITE);
	assert_true(tds_cgroup_remove(&cg, 7, &watch));
	assert_int_equal(watch, -1);
	assert_false(is_there("tds-1-source-7"));
	assert_true(tds_cgroup_remove(&cg, 99, &watch));
	/* The end: as before, but for what is not ours. */
	(void)mkdir(at("other", ""), 0755);
	tds_cgroup_close(&cg);
	assert_null(cg.path);
	holds("", "cgroup.subtree_control", "-memory");
	assert_false(is_there("tds-1-source-8"));
	assert_false(is_there("tds-1-admin"));
	assert_true(is_there("other"));
}

/* What the kernel says is read; what is no number, or not there, is not known. */
static void measured(void **state)
{
	struct tds_cgroup cg;
	struct tds_cgroup_use use;
	struct tds_err err;

	(void)state;
	assert_true(opens(&cg));
	assert_int_equal(add(&cg, 7, 2048, TDS_CGROUP_NONE, 4711, &err), 0);
	set("tds-1-source-7", "pids.current", "3\n");
	set("tds-1-source-7", "memory.current", "123456789012\n");
	set("tds-1-source-7", "memory.max", "max\n");
	tds_cgroup_measure(&cg, 7, &use);
	assert_true(use.pids == 3 && use.most.pids == 2048);
	assert_true(use.memory == 123456789012 && use.most.memory == TDS_CGROUP_NONE);
	assert_int_equal(tds_cgroup_oom_kills(&cg, 7), 0);
	set("tds-1-source-7", "memory.events", "low 9\noom 8\noom_kill 2\noom_group_kill 1\n");
	assert_int_equal(tds_cgroup_oom_kills(&cg, 7), 2);
	set("tds-1-source-7", "memory.events", "oom_kill x\n");
	assert_int_equal(tds_cgroup_oom_kills(&cg, 7), 0);
	tds_cgroup_measure(&cg, 8, &use);
	assert_true(use.pids == TDS_CGROUP_NONE && use.memory == TDS_CGROUP_NONE);
	tds_cgroup_close(&cg);
}

/* A kernel without the memory controller, or a unit that has it not: processes are limited all the same. */
static void no_memory(void **state)
{
	struct tds_cgroup cg;
	struct tds_err err;

	(void)state;
	set("", "cgroup.controllers", "cpu pids\n");
	assert_true(opens(&cg));
	assert_false(cg.has_memory);
	holds("", "cgroup.subtree_control", "+pids");
	assert_int_equal(add(&cg, 7, 2048, 4096, 4711, &err), 0);
	holds("tds-1-source-7", "pids.max", "2048");
	holds("tds-1-source-7", "memory.max", "");
	tds_cgroup_close(&cg);
	holds("", "cgroup.subtree_control", "-pids");
}

/* Its end is waited for by an event; a cgroup that somebody made below it goes too. */
static void busy(void **state)
{
	struct tds_cgroup cg;
	struct tds_err err;
	tds_autofd int watch = -1;

	(void)state;
	assert_true(opens(&cg));
	assert_int_equal(add(&cg, 7, 1, TDS_CGROUP_NONE, 4711, &err), 0);
	set("tds-1-source-7", "cgroup.events", BUSY);
	(void)mkdir(at("tds-1-source-7/nested", ""), 0755);
	assert_false(tds_cgroup_remove(&cg, 7, &watch));
	holds("tds-1-source-7", "cgroup.kill", "1");
	assert_true(watch >= 0);
	assert_int_equal(poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, 0), 0);
	set("tds-1-source-7", "cgroup.events", BUSY);
	assert_false(tds_cgroup_remove(&cg, 7, &watch));
	assert_int_equal(poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, 0), 0);
	set("tds-1-source-7", "cgroup.events", EMPTY);
	assert_int_equal(poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, 10000), 1);
	assert_true(tds_cgroup_remove(&cg, 7, &watch));
	assert_false(is_there("tds-1-source-7"));
	tds_cgroup_close(&cg);
}

static void leftovers(void **state)
{
	struct tds_cgroup cg;

	(void)state;
	(void)mkdir(at("tds-1-source-3", ""), 0755);
	(void)mkdir(at("tds-1-admin", ""), 0755);
	(void)mkdir(at("tds-12-source-3", ""), 0755);
	(void)mkdir(at("tds-1-source-4", ""), 0755);
	set("tds-1-source-4", "cgroup.events", BUSY);
	assert_true(opens(&cg)); /* what does not end holds nobody up */
	assert_false(is_there("tds-1-source-3"));
	holds("tds-1-source-4", "cgroup.kill", "1");
	holds("tds-1-admin", "cgroup.procs", "0");
	assert_true(is_there("tds-12-source-3"));
	holds("tds-12-source-3", "cgroup.kill", "");
	set("tds-1-source-4", "cgroup.events", EMPTY);
	tds_cgroup_close(&cg);
	assert_false(is_there("tds-1-source-4"));
}

static void not_delegated(void **state)
{
	char pids[64];

	(void)state;
	set("", "cgroup.controllers", "cpu memory\n");
	does_without();
	set("", "cgroup.controllers", "rpids pids2\n");
	does_without();
	set("", "cgroup.controllers", "pids\n");
	(void)snprintf(pids, sizeof(pids), "%d\n%d\n", (int)getpid(), (int)getppid());
	set("", "cgroup.procs", pids);
	does_without();
	set("", "cgroup.procs", "0\n"); /* of another pid namespace */
	does_without();
	(void)snprintf(pids, sizeof(pids), "%d\n", (int)getpid());
	set("", "cgroup.procs", pids);
	(void)unlink(at("", "cgroup.controllers"));
	does_without();
}

/* We may make folders, but not switch the controller on: undone. */
static void half_delegated(void **state)
{
	struct tds_cgroup cg;

	(void)state;
	(void)unlink(at("", "cgroup.subtree_control"));
	assert_false(opens(&cg));
	assert_null(cg.path);
	assert_false(is_there("tds-1-admin"));
}

static void failures(void **state)
{
	struct tds_cgroup cg;
	struct tds_err err;
	int watch = -1;

	(void)state;
	assert_true(opens(&cg));
	(void)mkdir(at("tds-1-source-7", ""), 0755);
	assert_int_equal(add(&cg, 7, 1, TDS_CGROUP_NONE, 4711, &err), TDS_E_WRITE);
	assert_non_null(strstr(err.reason, OURS "/tds-1-source-7: "));
	assert_true(tds_cgroup_remove(&cg, 7, &watch));
	tds_cgroup_close(&cg);
}

static void hostile_self(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"0::",
		"0::\n",
		"0::system.slice/tds.service\n",
		"0::/..\n",
		"0::/system.slice/../system.slice/tds.service\n",
		"0::" OURS " (deleted)\n",
		"1:pids:" OURS "\n",
		"10::" OURS "\n",
		" 0::" OURS "\n",
	};
	char *longest = malloc(70000);

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(self, texts[i]);
		does_without();
	}
	memset(longest, '/', 70000);
	memcpy(longest, "0::", 3);
	longest[69999] = '\0';
	write_file(self, longest);
	does_without();
	longest[9000] = '\0';
	write_file(self, longest);
	does_without();
	free(longest);
	int fd = open(self, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(tds_io_write(fd, "0::" OURS "\0x\n", sizeof("0::" OURS "\0x\n") - 1), 0);
	assert_int_equal(close(fd), 0);
	does_without();
	(void)unlink(self);
	does_without();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(delegated, setup, teardown),
		cmocka_unit_test_setup_teardown(measured, setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(busy, setup, teardown),
		cmocka_unit_test_setup_teardown(leftovers, setup, teardown),
		cmocka_unit_test_setup_teardown(not_delegated, setup, teardown),
		cmocka_unit_test_setup_teardown(half_delegated, setup, teardown),
		cmocka_unit_test_setup_teardown(failures, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_self, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
