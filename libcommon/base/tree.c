/* SPDX-License-Identifier: MIT */
/*
 * Removing a folder, however deep, with two descriptors: what is in a folder within it is moved up to the top, and has its
 * turn there. So nobody can lead the way out of it by moving a folder under who walks through it.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"

#define MOVED ".tds-moved-"

struct tree {
	int top;
	dev_t dev;
	unsigned moved; /* folders, so far */
	bool progress;  /* something has gone, or moved up, in this turn */
	struct tds_err *err;
	int code; /* of the first thing that stays */
};

static void complain(struct tree *tree, const char *name)
{
	if (tree->code == 0)
		tree->code = errno == EXDEV ? tds_err_set(tree->err, TDS_E_WRITE,
							  "%s: is on another file system", name)
					    : tds_err_sys(tree->err, TDS_E_WRITE, "%s", name);
}

/* A kernel before 5.6 has no openat2; there a folder that is mounted from the same file system is not seen. */
static int open_within(const struct tree *tree, int dirfd, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				.resolve =
					RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH };
	struct stat st;
	int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	if (fd >= 0 || errno != ENOSYS)
		return fd;
	tds_autofd int opened = openat(dirfd, name, (int)how.flags);
	if (opened < 0 || fstat(opened, &st) != 0)
		return -1;
	if (st.st_dev == tree->dev)
		return tds_steal_fd(&opened);
	errno = EXDEV;
	return -1;
}

/* With the right to change it, where we may give us that; -1 with errno. */
static int open_folder(const struct tree *tree, int dirfd, const char *name)
{
	char path[32];
	tds_autofd int fd = open_within(tree, dirfd, name);

	if (fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	(void)chmod(path, 0700);
	return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A file, or a folder that is empty. */
static bool remove_simply(int dirfd, const char *name)
{
	return unlinkat(dirfd, name, 0) == 0 || unlinkat(dirfd, name, AT_REMOVEDIR) == 0 ||
	       errno == ENOENT;
}

/* A folder within a folder: to the top with it. */
static void move_up(struct tree *tree, int dirfd, const char *name)
{
	char to[40];
	tds_autofd int fd = open_folder(tree, dirfd, name);

	(void)snprintf(to, sizeof(to), MOVED "%u", tree->moved++);
	/* Where the name is taken, the next turn has another. */
	if (fd >= 0 &&
	    (renameat(dirfd, name, tree->top, to) == 0 || errno == EEXIST || errno == ENOTEMPTY))
		tree->progress = true;
	else
		complain(tree, name);
}

static void treat_all(struct tree *tree, int folder,
		      void (*treat)(struct tree *tree, int folder, const char *name))
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!names) {
		tds_close_fd(&fd);
		return;
	}
	while ((entry = readdir(names))) {
		if (is_dot(entry->d_name))
			continue;
		if (remove_simply(folder, entry->d_name))
			tree->progress = true;
		else
			treat(tree, folder, entry->d_name);
	}
	(void)closedir(names);
}

/* In the top, what is not removed simply. */
static void empty(struct tree *tree, int top, const char *name)
{
	tds_autofd int fd = open_folder(tree, top, name);

	if (fd >= 0)
		treat_all(tree, fd, move_up);
	if (fd >= 0 && remove_simply(top, name))
		tree->progress = true;
	else
		complain(tree, name);
}

int tds_tree_remove(int dirfd, const char *name, struct tds_err *err)
{
	struct tree tree = { .err = err };
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
		return tds_err_set(err, TDS_E_MISSING, "%s: no such folder", name);
	tree.dev = st.st_dev;
	tds_autofd int top = open_folder(&tree, dirfd, name);
	if (top < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", name);
	tree.top = top;
	do {
		tree.progress = false;
		tree.code = 0;
		treat_all(&tree, top, empty);
	} while (tree.progress);
	if (tree.code == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return tds_err_sys(err, TDS_E_WRITE, "%s", name);
	return tree.code;
}
