/* SPDX-License-Identifier: MIT */
/* Members to files, one at a time, by descriptors of the folders they belong in. */
#include "extract.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

struct extraction {
	const struct tds_zip *zip;
	int top;      /* the folder that everything goes below */
	char *folder; /* of the file that is being written, relative to top; "" for top itself */
	int folder_fd;
	bool *sweeps; /* is its folder swept before? by the member's index in zip->v */
	struct tds_outfile out;
	const struct tds_zip_entry *entry; /* being written; NULL: none */
};

static bool is_kept(void *ctx, const struct tds_zip_entry *entry)
{
	(void)ctx;
	return !entry->repeated && !tds_zip_is_inf(entry);
}

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

/* How much of its name is that of its folder: what stands before the last slash. */
static size_t folder_len(const struct tds_zip_entry *entry)
{
	const char *slash = memrchr(entry->name, '/', entry->name_len);

	return slash ? (size_t)(slash - entry->name) : 0;
}

static int compare_folders(const struct tds_zip_entry *a, const struct tds_zip_entry *b)
{
	size_t n = folder_len(a);
	size_t m = folder_len(b);

	if (n != m)
		return n < m ? -1 : 1;
	return memcmp(a->name, b->name, n);
}

/* Places in zip->order, by folder; those of one folder as they are. */
static int compare_places(const void *a, const void *b, void *ctx)
{
	const struct tds_zip *zip = ctx;
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;
	int order = compare_folders(&zip->v[zip->order[x]], &zip->v[zip->order[y]]);

	return order != 0 ? order : x < y ? -1 : x > y;
}

/*
 * Mark the first of each folder: then it is swept, and never again, though the archive may go to
 * and fro between large ones.
 */
static int mark_sweeps(struct extraction *x, struct tds_err *err)
{
	const struct tds_zip *zip = x->zip;
	tds_autofree uint32_t *places = calloc(zip->n + 1, sizeof(*places));
	const struct tds_zip_entry *before = NULL;
	size_t n = 0;

	x->sweeps = calloc(zip->n + 1, sizeof(*x->sweeps));
	if (!places || !x->sweeps)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < zip->n; i++)
		if (is_kept(NULL, &zip->v[zip->order[i]]))
			places[n++] = (uint32_t)i;
	qsort_r(places, n, sizeof(*places), compare_places, (void *)(uintptr_t)zip);
	for (size_t i = 0; i < n; i++) {
		const struct tds_zip_entry *entry = &zip->v[zip->order[places[i]]];

		x->sweeps[entry - zip->v] = !before || compare_folders(before, entry) != 0;
		before = entry;
	}
	return 0;
}

/* Be in the folder that the member belongs in. */
static int enter(struct extraction *x, const struct tds_zip_entry *entry)
{
	size_t n = folder_len(entry);

	if (x->folder && strlen(x->folder) == n && memcmp(x->folder, entry->name, n) == 0)
		return 0;
	free(x->folder);
	tds_close_fd(&x->folder_fd);
	x->folder = strndup(entry->name, n);
	if (!x->folder)
		return -1;
	x->folder_fd = make_folders(x->top, x->folder, O_NOFOLLOW);
	return x->folder_fd < 0 ? -1 : 0;
}

static int finish_file(struct extraction *x, struct tds_err *err)
{
	const struct tds_zip_entry *entry = x->entry;

	x->entry = NULL;
	if (!entry || !x->out.temp)
		return 0;
	if (tds_outfile_commit_new(&x->out, entry->executable ? 0755 : 0644, err) != 0)
		return tds_err_prefix(err, "member %.*s", TDS_ZIP_SHOWN(entry));
	return 0;
}

static int begin(struct extraction *x, const struct tds_zip_entry *entry, struct tds_err *err)
{
	size_t base = folder_len(entry);

	if (enter(x, entry) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "member %.*s", TDS_ZIP_SHOWN(entry));
	if (x->sweeps[entry - x->zip->v])
		tds_io_sweep(x->folder_fd);
	if (entry->folder)
		return 0;
	base += base > 0; /* the slash */
	tds_autofree char *name = strndup(entry->name + base, entry->name_len - base);
	if (!name)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	x->entry = entry;
	if (tds_outfile_open(x->folder_fd, name, &x->out, err) != 0)
		return tds_err_prefix(err, "member %.*s", TDS_ZIP_SHOWN(entry));
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
		return tds_err_sys(err, TDS_E_WRITE, "member %.*s", TDS_ZIP_SHOWN(entry));
	return 0;
}

int tds_extract(const struct tds_zip *zip, const char *path, struct tds_err *err)
{
	struct extraction x = { .zip = zip, .folder_fd = -1, .out = { .fd = -1 } };

	errno = ENOENT; /* of the path "", which is no folder */
	x.top = path[0] ? make_folders(AT_FDCWD, path, 0) : -1;
	if (x.top < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", path);
	int rc = mark_sweeps(&x, err);
	if (rc == 0)
		rc = tds_zip_unpack(zip, is_kept, take, &x, err);
	if (rc == 0)
		rc = finish_file(&x, err);
	tds_outfile_discard(&x.out);
	free(x.sweeps);
	free(x.folder);
	tds_close_fd(&x.folder_fd);
	tds_close_fd(&x.top);
	return rc;
}
