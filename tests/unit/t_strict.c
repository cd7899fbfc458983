/* SPDX-License-Identifier: MIT */
/* Strict modes: owner, mode and kind of a file, as root and as a user judge them; folders above, links, lists of access. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strict.h"

#define ADMIN 61001
#define OWNER 61002
#define CALLER 61003
#define STRANGER 61004
#define NOBODYS 61009 /* a group that nobody is known to be in */

static char folder[64];
static int dirfd_;
static struct tds_strict strict = { .owner = OWNER, .admin = ADMIN };

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/t_strict.XXXXXX");
	if (!mkdtemp(folder) || chmod(folder, 0755) != 0)
		return -1;
	dirfd_ = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	close(dirfd_);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void make(const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	int fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, uid, gid), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static const char *says(enum tds_strict_kind kind, const char *name)
{
	static char why[TDS_STRICT_WHY_MAX];
	bool holds = tds_strict_judge_name(&strict, kind, dirfd_, name, why);

	assert_int_equal(holds, why[0] == '\0');
	return why;
}

/* --- owner x mode x kind --- */

/* Who may own a file of each kind besides the caller, written down a second time. */
static const struct {
	enum tds_strict_kind kind;
	uid_t owners[3];
	bool caller;
	bool sticky; /* of a folder: with the bit all may write it */
} kinds[] = {
	{ TDS_STRICT_DIR, { 0, OWNER, ADMIN }, true, false },
	{ TDS_STRICT_ABOVE, { 0, OWNER, ADMIN }, true, true },
	{ TDS_STRICT_KEY, { 0, OWNER, ADMIN }, true, false },
	{ TDS_STRICT_CONFIG, { 0, OWNER, ADMIN }, true, false },
	{ TDS_STRICT_DECLARATION, { 0, OWNER, ADMIN }, true, false },
	{ TDS_STRICT_ADMINUSER, { 0, OWNER, OWNER }, false, false },
	{ TDS_STRICT_SWITCH, { 0, 0, 0 }, false, false },
	{ TDS_STRICT_DATA, { 0, OWNER, OWNER }, true, false },
};

static const struct {
	mode_t mode;
	bool writable; /* by others, whom nobody vouches for */
} modes[] = {
	{ 0400, false }, { 0644, false }, { 0755, false }, { 01755, false }, { 0664, true },
	{ 0620, true },  { 0646, true },  { 0602, true },  { 0777, true },   { 01777, true },
};

static bool may_own(size_t k, uid_t uid)
{
	return (kinds[k].caller && uid == geteuid()) || uid == kinds[k].owners[0] ||
	       uid == kinds[k].owners[1] || uid == kinds[k].owners[2];
}

/* Each file of each kind; 0: all as it should be, else the number of the first case that is not. */
static int judge_all(const uid_t *owners, size_t n)
{
	int number = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (size_t o = 0; o < n; o++)
			for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
				char name[32];
				char belongs[64];
				bool open = modes[m].writable &&
					    !(kinds[k].sticky && (modes[m].mode & S_ISVTX));
				bool ours = may_own(k, owners[o]);

				number++;
				(void)snprintf(name, sizeof(name), "%u-%o", owners[o],
					       modes[m].mode);
				(void)snprintf(belongs, sizeof(belongs), "belongs to uid %u",
					       owners[o]);
				if (strcmp(says(kinds[k].kind, name), open   ? "others may write it"
								      : ours ? ""
									     : belongs) != 0)
					return number;
			}
	return 0;
}

static void make_all(const uid_t *owners, size_t n)
{
	for (size_t o = 0; o < n; o++)
		for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "%u-%o", owners[o], modes[m].mode);
			make(name, owners[o], NOBODYS, modes[m].mode);
		}
}

static void matrix(void **state)
{
	static const uid_t owners[] = { 0, OWNER, ADMIN, CALLER, STRANGER };
	const size_t n = sizeof(owners) / sizeof(owners[0]);

	(void)state;
	if (geteuid() != 0)
		skip();
	make_all(owners, n);
	assert_int_equal(judge_all(owners, n), 0);
	assert_int_equal(seteuid(CALLER), 0);
	int as_user = judge_all(owners, n);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(as_user, 0);
}

/* --- groups --- */

/* A user alone in a group of its own, as Debian makes them: daemon. */
static void own_groups(void **state)
{
	const struct passwd *user = getpwnam("daemon");
	const struct tds_strict before = strict;

	(void)state;
	if (geteuid() != 0 || !user || user->pw_gid == 0)
		skip();
	uid_t uid = user->pw_uid;
	gid_t gid = user->pw_gid;
	strict.owner = uid;
	make("own", uid, gid, 0664);
	assert_string_equal(says(TDS_STRICT_KEY, "own"), "");
	make("roots", 0, gid, 0664); /* daemon may write what is root's */
	assert_string_equal(says(TDS_STRICT_KEY, "roots"), "others may write it");
	make("unknown", uid, NOBODYS, 0664);
	assert_string_equal(says(TDS_STRICT_KEY, "unknown"), "others may write it");
	make("all", uid, gid, 0666);
	assert_string_equal(says(TDS_STRICT_KEY, "all"), "others may write it");
	strict = before;
}

/* A group that lets nobody else in may yet have a list of access beside it. */
static void access_lists(void **state)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag;
			uint16_t perm;
			uint32_t id;
		} entries[5];
	} list = { 2,
		   { { 1, 6, UINT32_MAX },
		     { 2, 6, STRANGER },
		     { 4, 4, UINT32_MAX },
		     { 0x10, 6, UINT32_MAX },
		     { 0x20, 4, UINT32_MAX } } };
	char path[96];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	const struct group *roots = getgrgid(0);
	if (geteuid() != 0 || !roots || roots->gr_mem[0])
		skip();
	make("key", 0, 0, 0664);
	if (says(TDS_STRICT_KEY, "key")[0])
		skip(); /* others have the group of root as their first one */
	if (setxattr(path, "system.posix_acl_access", &list, sizeof(list), 0) != 0)
		skip();
	assert_string_equal(says(TDS_STRICT_KEY, "key"), "others may write it");
}

/* --- where it is --- */

static const char *dir_says(const char *name)
{
	static char why[TDS_STRICT_WHY_MAX];
	tds_autofd int fd = openat(dirfd_, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	bool holds = tds_strict_judge_dir(&strict, fd, why);
	assert_int_equal(holds, why[0] == '\0');
	return why;
}

static void make_dir(const char *name, uid_t uid, mode_t mode)
{
	(void)mkdirat(dirfd_, name, 0700);
	assert_int_equal(fchownat(dirfd_, name, uid, (gid_t)-1, 0), 0);
	assert_int_equal(fchmodat(dirfd_, name, mode, 0), 0);
}

static void folders_above(void **state)
{
	uid_t own = geteuid();
	char expected[128];

	(void)state;
	make_dir("a", own, 0755);
	make_dir("a/b", own, 0755);
	make_dir("a/b/c", own, 0755);
	assert_string_equal(dir_says("a/b/c"), "");
	make_dir("a/b/c", own, 0757);
	assert_string_equal(dir_says("a/b/c"), "others may write it");
	make_dir("a/b/c", own, 0755);
	make_dir("a", own, 0757);
	(void)snprintf(expected, sizeof(expected), "others may write %s/a", folder);
	assert_string_equal(dir_says("a/b/c"), expected);
	make_dir("a", own, 01777);
	assert_string_equal(dir_says("a/b/c"), "");
	if (own != 0)
		return;
	/* Its owner may rename what is in it, whatever the bit says. */
	make_dir("a", STRANGER, 01777);
	(void)snprintf(expected, sizeof(expected), "%s/a belongs to uid %d", folder, STRANGER);
	assert_string_equal(dir_says("a/b/c"), expected);
	make_dir("a", OWNER, 0755);
	assert_string_equal(dir_says("a/b/c"), "");
}

static void links(void **state)
{
	uid_t own = geteuid();
	char expected[128];

	(void)state;
	make_dir("elsewhere", own, 0755);
	make("elsewhere/key", own, getegid(), 0644);
	assert_int_equal(symlinkat("elsewhere/key", dirfd_, "link"), 0);
	assert_int_equal(symlinkat("link", dirfd_, "again"), 0);
	assert_int_equal(symlinkat("nowhere", dirfd_, "lost"), 0);
	assert_string_equal(says(TDS_STRICT_KEY, "again"), "");
	assert_string_equal(says(TDS_STRICT_KEY, "lost"), "");
	assert_string_equal(says(TDS_STRICT_KEY, "nothing"), "");
	make("elsewhere/key", own, getegid(), 0646);
	assert_string_equal(says(TDS_STRICT_KEY, "link"), "others may write it");
	make("elsewhere/key", own, getegid(), 0644);
	make_dir("elsewhere", own, 0757);
	(void)snprintf(expected, sizeof(expected), "others may write %s/elsewhere", folder);
	assert_string_equal(says(TDS_STRICT_KEY, "again"), expected);
	/* Of what is no link the folder is the directory, which is judged for itself. */
	assert_string_equal(says(TDS_STRICT_KEY, "elsewhere/key"), "");
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(matrix),        EACH(own_groups), EACH(access_lists),
		EACH(folders_above), EACH(links),
	};

	return cmocka_run_group_tests_name("strict", tests, NULL, NULL);
}
