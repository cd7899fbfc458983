/* SPDX-License-Identifier: MIT */
/* Whole reads and writes, files that appear complete or not at all, sealed memory files. */
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "mem.h"

ssize_t tds_io_read(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int tds_io_write(int fd, const void *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static int check_kind(int fd, bool any_kind, struct stat *st, struct tds_err *err)
{
	if (fstat(fd, st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	if (S_ISDIR(st->st_mode))
		return tds_err_set(err, TDS_E_UNUSABLE, "is a folder");
	if (!S_ISREG(st->st_mode) && !any_kind)
		return tds_err_set(err, TDS_E_UNUSABLE, "is not a regular file");
	return 0;
}

/* A FIFO that was opened without waiting is at its end until somebody opens the other one. */
static int wait_for_writer(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	while (poll(&poll_fd, 1, -1) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

int tds_io_open(int dirfd, const char *name, bool any_kind, int *fd, struct stat *st,
		struct tds_err *err)
{
	struct stat own;
	struct stat *kind = st ? st : &own;
	/*
	 * O_NONBLOCK: a FIFO planted under the name must not hold us up before its kind is known.
	 */
	tds_autofd int opened = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (opened < 0)
		return tds_err_sys(
			err, errno == ENOENT || errno == ENOTDIR ? TDS_E_MISSING : TDS_E_UNUSABLE,
			"cannot be opened");
	int rc = check_kind(opened, any_kind, kind, err);
	if (rc != 0)
		return rc;
	if ((S_ISFIFO(kind->st_mode) && wait_for_writer(opened) != 0) ||
	    fcntl(opened, F_SETFL, 0) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	*fd = tds_steal_fd(&opened);
	return 0;
}

/* Read fd to its end into a buffer that begins with room for expect bytes. */
static int slurp(int fd, size_t expect, size_t max, char **data, size_t *len, struct tds_err *err)
{
	size_t room = expect + 1; /* one more, to see that the end is there */
	size_t used = 0;
	tds_autofree char *buf = malloc(room + 1);

	while (buf) {
		ssize_t n = tds_io_read(fd, buf + used, room - used);

		if (n < 0)
			return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
		used += (size_t)n;
		if (used > max)
			return tds_err_set(err, TDS_E_UNUSABLE, "is larger than %zu bytes", max);
		if (used < room)
			break;
		room = 2 * room > max ? max + 1 : 2 * room;
		char *more = realloc(buf, room + 1);
		if (!more)
			free(buf);
		buf = more;
	}
	if (!buf)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	buf[used] = '\0';
	*len = used;
	*data = tds_steal(&buf);
	return 0;
}

int tds_io_slurp(int dirfd, const char *name, size_t max, char **data, size_t *len,
		 struct tds_err *err)
{
	struct stat st;
	tds_autofd int fd = -1;
	int rc = tds_io_open(dirfd, name, false, &fd, &st, err);

	if (rc != 0)
		return rc;
	if ((uintmax_t)st.st_size > max)
		return tds_err_set(err, TDS_E_UNUSABLE, "is larger than %zu bytes", max);
	return slurp(fd, (size_t)st.st_size, max, data, len, err);
}

int tds_io_slurp_fd(int fd, size_t max, char **data, size_t *len, struct tds_err *err)
{
	return slurp(fd, max < 65535 ? max : 65535, max, data, len, err);
}

/* A name that nobody can guess and nothing lists. Caller frees. */
static char *temp_name(void)
{
	uint64_t random;
	char *name = NULL;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return NULL;
	if (asprintf(&name, TDS_IO_TEMP_PREFIX "%016jx", (uintmax_t)random) < 0)
		return NULL;
	return name;
}

int tds_outfile_open(int dirfd, const char *name, struct tds_outfile *out, struct tds_err *err)
{
	struct stat st;

	*out = (struct tds_outfile){ .fd = -1, .dirfd = dirfd };
	/*
	 * Between the creation and the lock a sweep may take the file for a dead writer's: then
	 * another one.
	 */
	do {
		tds_outfile_discard(out);
		out->name = strdup(name);
		out->temp = temp_name();
		if (!out->name || !out->temp) {
			tds_outfile_discard(out);
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		}
		out->fd = openat(dirfd, out->temp,
				 O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (out->fd < 0) {
			tds_err_sys(err, TDS_E_WRITE, "cannot be created");
			free(out->temp); /* not ours */
			out->temp = NULL;
			tds_outfile_discard(out);
			return TDS_E_WRITE;
		}
		/*
		 * A sweep that looks at it lets go at once. A file system without locks has no
		 * sweeping either.
		 */
		while (flock(out->fd, LOCK_EX) != 0 && errno == EINTR)
			;
	} while (fstat(out->fd, &st) == 0 && st.st_nlink == 0);
	return 0;
}

/* Rename, but not onto a file. Network file systems have no such rename, but hard links. */
static int rename_new(const struct tds_outfile *out)
{
	if (renameat2(out->dirfd, out->temp, out->dirfd, out->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL || linkat(out->dirfd, out->temp, out->dirfd, out->name, 0) != 0)
		return -1;
	return unlinkat(out->dirfd, out->temp, 0);
}

static int make_ready(struct tds_outfile *out, mode_t mode, struct tds_err *err)
{
	return fchmod(out->fd, mode) == 0 && fsync(out->fd) == 0
		       ? 0
		       : tds_err_sys(err, TDS_E_WRITE, "cannot be written");
}

static void forget_temp(struct tds_outfile *out)
{
	free(out->temp);
	out->temp = NULL;
}

/* It has its name: make that last. */
static int finish(struct tds_outfile *out, struct tds_err *err)
{
	int rc = 0;

	if (fsync(out->dirfd) != 0 && errno != EINVAL)
		rc = tds_err_sys(err, TDS_E_WRITE, "the folder cannot be synced");
	/*
	 * NFS and quotas report what did not fit only now; after fsync there is nothing left to
	 * lose.
	 */
	if (close(tds_steal_fd(&out->fd)) != 0 && rc == 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return rc;
}

static int commit(struct tds_outfile *out, mode_t mode, bool replace, struct tds_err *err)
{
	int rc = make_ready(out, mode, err);

	if (rc == 0 && (replace ? renameat(out->dirfd, out->temp, out->dirfd, out->name)
				: rename_new(out)) != 0)
		rc = !replace && errno == EEXIST
			     ? tds_err_set(err, TDS_E_WRITE, "exists, and is not overwritten")
			     : tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	if (rc == 0) {
		forget_temp(out);
		rc = finish(out, err);
	}
	tds_outfile_discard(out);
	return rc;
}

/* What became of the file that had the name. */
enum old_file { OLD_NONE, OLD_REPLACED, OLD_KEPT };

/* Give it its name. The file that had it is kept under the temporary one, where the file system can exchange the two. */
static int place_keeping(struct tds_outfile *out, enum old_file *old)
{
	struct stat st;
	bool there = fstatat(out->dirfd, out->name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	/* A folder must not be replaced, but could be exchanged. */
	if (there && !S_ISDIR(st.st_mode) &&
	    renameat2(out->dirfd, out->temp, out->dirfd, out->name, RENAME_EXCHANGE) == 0) {
		*old = OLD_KEPT;
		return 0;
	}
	*old = there ? OLD_REPLACED : OLD_NONE;
	if (renameat(out->dirfd, out->temp, out->dirfd, out->name) != 0)
		return -1;
	forget_temp(out);
	return 0;
}

/* As if it had not been placed, if that can be. */
static void put_back(struct tds_outfile *out, enum old_file old)
{
	if (old == OLD_KEPT)
		(void)renameat2(out->dirfd, out->temp, out->dirfd, out->name, RENAME_EXCHANGE);
	else if (old == OLD_NONE)
		(void)unlinkat(out->dirfd, out->name, 0);
}

/* Nothing is left to do but the names, which change right after each other. */
static int place_both(struct tds_outfile *first, struct tds_outfile *second,
		      const struct tds_outfile **failed, struct tds_err *err)
{
	enum old_file old;

	*failed = first;
	if (place_keeping(first, &old) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	*failed = second;
	if (renameat(second->dirfd, second->temp, second->dirfd, second->name) != 0) {
		int rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");

		put_back(first, old);
		return rc;
	}
	forget_temp(second);
	return 0;
}

int tds_outfile_commit_pair(struct tds_outfile *first, struct tds_outfile *second, mode_t mode,
			    const struct tds_outfile **failed, struct tds_err *err)
{
	*failed = first;
	int rc = make_ready(first, mode, err);

	if (rc == 0) {
		*failed = second;
		rc = make_ready(second, mode, err);
	}
	if (rc == 0)
		rc = place_both(first, second, failed, err);
	if (rc == 0) {
		struct tds_err other;
		int late = finish(first, &other);

		rc = finish(second, err);
		if (rc == 0 && late != 0) {
			*failed = first;
			*err = other;
			rc = late;
		}
	}
	tds_outfile_discard(first);
	tds_outfile_discard(second);
	return rc;
}

int tds_outfile_commit(struct tds_outfile *out, mode_t mode, struct tds_err *err)
{
	return commit(out, mode, true, err);
}

int tds_outfile_commit_new(struct tds_outfile *out, mode_t mode, struct tds_err *err)
{
	return commit(out, mode, false, err);
}

int tds_outfile_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
		      struct tds_err *err)
{
	struct tds_outfile out;
	int rc = tds_outfile_open(dirfd, name, &out, err);

	if (rc == 0 && tds_io_write(out.fd, data, len) != 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	if (rc == 0)
		return tds_outfile_commit(&out, mode, err);
	tds_outfile_discard(&out);
	return rc;
}

void tds_outfile_discard(struct tds_outfile *out)
{
	if (out->temp)
		(void)unlinkat(out->dirfd, out->temp, 0);
	if (out->name && out->fd >= 0)
		(void)close(out->fd);
	free(out->temp);
	free(out->name);
	*out = (struct tds_outfile){ .fd = -1, .dirfd = out->dirfd };
}

static void sweep_one(int dirfd, const char *name)
{
	tds_autofd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dirfd, name, 0);
}

void tds_io_sweep(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		tds_close_fd(&fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, TDS_IO_TEMP_PREFIX, strlen(TDS_IO_TEMP_PREFIX)) == 0)
			sweep_one(dirfd, entry->d_name);
	(void)closedir(dir);
}

int tds_io_memfd(const char *name)
{
	return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

/*
 * The kernel may hold a page of the file for a moment of its own, to move it, say, and then seals nothing: it says so when it
 * has waited a seventh of a second itself, and by the next time it may hold another.
 */
#define SEAL_TRIES 20

int tds_io_seal(int fd)
{
	int tries = SEAL_TRIES;
	int rc;

	do
		rc = fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL);
	while (rc != 0 && errno == EBUSY && --tries > 0);
	return rc;
}

bool tds_io_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}
