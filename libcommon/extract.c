/* SPDX-License-Identifier: MIT */
/* Members to files, one at a time, by descriptors of the folders they belong in. */
#include "extract.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "mem.h"

struct extraction {
	int top;      /* the folder that everything goes below */
	char *folder; /* of the file that is being written, relative to top; "" for top itself */
	int folder_fd;
	void *swept; /* the folders that were swept: a tree of their names, for tsearch */
	struct tds_outfile out;
	const struct tds_zip_entry *entry; /* being written; NULL: none */
};

/* O_PATH: to pass through a folder, nobody needs to read it. */
static int open_folder(int dirfd, const char *name, int flags)
{
	return openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
}

/*
 * Make and open the folder path below dirfd, name by name. flags: O_NOFOLLOW where links are not to
 * be trusted.
 */
static int make_folders(int dirfd, const char *path, int flags)
{
	tds_autofree char *names = strdup(path);
	int fd = path[0] == '/' ? open_folder(dirfd, "/", 0) : open_folder(dirfd, ".", 0);
	char *rest = NULL;

	if (!names) {
		tds_close_fd(&fd);
		errno = ENOMEM;
		return -1;
	}
	for (char *name = strtok_r(names, "/", &rest); name && fd >= 0;
	     name = strtok_r(NULL, "/", &rest)) {
		int next = -1;

		if (mkdirat(fd, name, 0755) == 0 || errno == EEXIST)
			next = open_folder(fd, name, flags);
		int saved = errno;
		(void)close(fd);
		errno = saved;
		fd = next;
	}
	int readable = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int saved = errno;
	tds_close_fd(&fd);
	errno = saved;
	return readable;
}

static int compare_folders(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Once for each folder: an archive may go to and fro between large ones. */
static int sweep(struct extraction *x)
{
	if (tfind(x->folder, &x->swept, compare_folders))
		return 0;
	char *folder = strdup(x->folder);
	if (!folder || !tsearch(folder, &x->swept, compare_folders)) {
		free(folder);
		return -1;
	}
	tds_io_sweep(x->folder_fd);
	return 0;
}

/* Be in the folder that holds name: the n bytes of it before the last slash. */
static int enter(struct extraction *x, const char *name, size_t n)
{
	if (x->folder && strlen(x->folder) == n && strncmp(x->folder, name, n) == 0)
		return 0;
	free(x->folder);
	tds_close_fd(&x->folder_fd);
	x->folder_fd = -1;
	x->folder = strndup(name, n);
	if (!x->folder)
		return -1;
	x->folder_fd = make_folders(x->top, x->folder, O_NOFOLLOW);
	if (x->folder_fd < 0)
		return -1;
	return sweep(x);
}

static int finish_file(struct extraction *x, struct tds_err *err)
{
	const struct tds_zip_entry *entry = x->entry;

	x->entry = NULL;
	if (!entry || !x->out.temp)
		return 0;
	if (tds_outfile_commit_new(&x->out, entry->executable ? 0755 : 0644, err) != 0)
		return tds_err_prefix(err, "member %.300s", entry->name);
	return 0;
}

static int begin(struct extraction *x, const struct tds_zip_entry *entry, struct tds_err *err)
{
	const char *slash = strrchr(entry->name, '/');
	size_t folder = slash ? (size_t)(slash - entry->name) : 0;

	if (enter(x, entry->name, folder) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "member %.300s", entry->name);
	if (entry->folder)
		return 0;
	x->entry = entry;
	if (tds_outfile_open(x->folder_fd, slash ? slash + 1 : entry->name, &x->out, err) != 0)
		return tds_err_prefix(err, "member %.300s", entry->name);
	return 0;
}

static int take(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		struct tds_err *err)
{
	struct extraction *x = ctx;

	if (!data) {
		int rc = finish_file(x, err);

		return rc == 0 ? begin(x, entry, err) : rc;
	}
	if (tds_io_write(x->out.fd, data, len) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "member %.300s", entry->name);
	return 0;
}

static bool is_first(void *ctx, const struct tds_zip_entry *entry)
{
	(void)ctx;
	return !entry->repeated;
}

int tds_extract(const struct tds_zip *zip, const char *path, struct tds_err *err)
{
	struct extraction x = { .folder_fd = -1, .out = { .fd = -1 } };

	errno = ENOENT; /* of the path "", which is no folder */
	x.top = path[0] ? make_folders(AT_FDCWD, path, 0) : -1;
	if (x.top < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", path);
	int rc = tds_zip_unpack(zip, is_first, take, &x, err);
	if (rc == 0)
		rc = finish_file(&x, err);
	tds_outfile_discard(&x.out);
	tdestroy(x.swept, free);
	free(x.folder);
	tds_close_fd(&x.folder_fd);
	tds_close_fd(&x.top);
	return rc;
}
