/* SPDX-License-Identifier: MIT */
/*
 * Reading a director directory once and sorting its names into groups. Directories of a thousand groups and
 * tens of thousands of packages are usual: nothing here goes over all groups for each file.
 */
#include "groups.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define SUFFIX_LEN (sizeof(TDS_TLS_SUFFIX) - 1) /* TDS_TLI_SUFFIX is as long */

/* Names of one kind, by their offsets in the scan's text, which moves while it grows. */
struct list {
	size_t *at;
	size_t n;
};

struct scan {
	char *names; /* each with its NUL */
	size_t used;
	size_t room;
	struct list groups; /* without their suffix */
	struct list files;
};

static void scan_cleanup(struct scan *scan)
{
	free(scan->names);
	free(scan->groups.at);
	free(scan->files.at);
}

/* Append len bytes of name to the text, and its place to the list. Returns false where memory is short. */
static bool keep(struct scan *scan, struct list *list, const char *name, size_t len)
{
	if ((list->n & (list->n - 1)) == 0) {
		size_t *more = reallocarray(list->at, list->n ? 2 * list->n : 1, sizeof(*more));

		if (!more)
			return false;
		list->at = more;
	}
	if (len + 1 > scan->room - scan->used) {
		size_t room = 2 * scan->room + len + 4096;
		char *more = realloc(scan->names, room);

		if (!more)
			return false;
		scan->names = more;
		scan->room = room;
	}
	list->at[list->n++] = scan->used;
	memcpy(scan->names + scan->used, name, len);
	scan->names[scan->used + len] = '\0';
	scan->used += len + 1;
	return true;
}

/* What a directory entry is, links followed: S_IFREG, S_IFDIR, ...; S_IFLNK: they lead nowhere; 0: it is gone. */
static mode_t kind_of(int dirfd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return DTTOIF(entry->d_type);
	if (fstatat(dirfd, entry->d_name, &st, 0) == 0 ||
	    fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return st.st_mode & S_IFMT;
	return 0;
}

static bool take_entry(struct scan *scan, int dirfd, const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t len = strlen(name);

	/* No group begins with '.' or '-', so no package of one does. */
	if (len <= SUFFIX_LEN || name[0] == '.' || name[0] == '-')
		return true;
	if (strcmp(name + len - SUFFIX_LEN, TDS_TLS_SUFFIX) == 0) {
		mode_t kind = kind_of(dirfd, entry);

		return (kind != S_IFREG && kind != S_IFLNK) || keep(scan, &scan->files, name, len);
	}
	if (strcmp(name + len - SUFFIX_LEN, TDS_TLI_SUFFIX) == 0)
		return kind_of(dirfd, entry) != S_IFREG ||
		       keep(scan, &scan->groups, name, len - SUFFIX_LEN);
	return true;
}

static int read_names(const struct tds_dir *dir, struct scan *scan, struct tds_err *err)
{
	/* A descriptor of its own: the place of reading belongs to the open file, and dir stays as it is. */
	tds_autofd int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!stream)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	(void)tds_steal_fd(&fd);
	while (rc == 0 && (errno = 0, entry = readdir(stream))) {
		if (!take_entry(scan, dir->fd, entry))
			rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
		else if (scan->used > TDS_DIR_MAX_BYTES)
			rc = tds_err_set(err, TDS_E_UNUSABLE, "holds more names than %d bytes",
					 TDS_DIR_MAX_BYTES);
	}
	if (rc == 0 && errno != 0)
		rc = tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	(void)closedir(stream);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tds_group *)a)->name, ((const struct tds_group *)b)->name);
}

/* The declared groups, sorted, no files yet. A file system may show a name twice while it is being replaced. */
static void sort_groups(const struct scan *scan, struct tds_groups *groups)
{
	size_t n = 0;

	for (size_t i = 0; i < scan->groups.n; i++) {
		const char *name = scan->names + scan->groups.at[i];

		if (tds_group_name_ok(name))
			groups->v[n++].name = name;
	}
	if (n > 0)
		qsort(groups->v, n, sizeof(*groups->v), by_name);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(groups->v[i].name);

		if (groups->n == 0 || by_name(&groups->v[groups->n - 1], &groups->v[i]) != 0)
			groups->v[groups->n++] = groups->v[i];
		groups->lengths[len / 64] |= UINT64_C(1) << len % 64;
	}
}

static int newest_first(const void *a, const void *b, void *ctx)
{
	const struct tds_group *group = ctx;

	return tds_version_cmp(group->name, ((const struct tds_file *)b)->name,
			       ((const struct tds_file *)a)->name);
}

static void sort_files(struct tds_group *group)
{
	size_t n = group->n;

	if (n == 0)
		return;
	qsort_r(group->files, n, sizeof(*group->files), newest_first, group);
	group->n = 1;
	for (size_t i = 1; i < n; i++)
		if (strcmp(group->files[group->n - 1].name, group->files[i].name) != 0)
			group->files[group->n++] = group->files[i];
}

/* Give each file to its owner: count, cut the array into one piece a group, fill, sort. */
static int share_out(const struct scan *scan, struct tds_groups *groups)
{
	tds_autofree const struct tds_group **owner = calloc(scan->files.n + 1, sizeof(*owner));
	size_t at = 0;

	if (!owner)
		return TDS_E_NOMEM;
	for (size_t i = 0; i < scan->files.n; i++) {
		owner[i] = tds_groups_owner(groups, scan->names + scan->files.at[i]);
		if (owner[i])
			groups->v[owner[i] - groups->v].n++;
	}
	for (struct tds_group *g = groups->v; g < groups->v + groups->n; g++) {
		g->files = groups->files + at;
		at += g->n;
		g->n = 0;
	}
	groups->nfiles = at;
	for (size_t i = 0; i < scan->files.n; i++) {
		if (!owner[i])
			continue;
		struct tds_group *g = &groups->v[owner[i] - groups->v];
		g->files[g->n++].name = scan->names + scan->files.at[i];
	}
	for (struct tds_group *g = groups->v; g < groups->v + groups->n; g++)
		sort_files(g);
	return 0;
}

int tds_groups_scan(const struct tds_dir *dir, struct tds_groups *groups, struct tds_err *err)
{
	__attribute__((cleanup(scan_cleanup))) struct scan scan = { 0 };
	int rc = read_names(dir, &scan, err);

	*groups = (struct tds_groups){ 0 };
	if (rc != 0)
		return rc;
	groups->v = calloc(scan.groups.n + 1, sizeof(*groups->v));
	groups->files = calloc(scan.files.n + 1, sizeof(*groups->files));
	if (groups->v && groups->files)
		sort_groups(&scan, groups);
	if (!groups->v || !groups->files || share_out(&scan, groups) != 0) {
		tds_groups_fini(groups);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	groups->names = tds_steal(&scan.names);
	return 0;
}

void tds_groups_fini(struct tds_groups *groups)
{
	free(groups->v);
	free(groups->files);
	free(groups->names);
	*groups = (struct tds_groups){ 0 };
}

struct key {
	const char *at; /* not NUL-terminated */
	size_t len;
};

static int key_cmp(const void *key, const void *group)
{
	const struct key *k = key;
	const char *name = ((const struct tds_group *)group)->name;
	int cmp = strncmp(k->at, name, k->len);

	return cmp != 0 || name[k->len] == '\0' ? cmp : -1;
}

static const struct tds_group *find(const struct tds_groups *groups, const char *name, size_t len)
{
	struct key key = { name, len };

	/* Most parts of a file's name have a length that no group's name has. */
	if (len > NAME_MAX || !(groups->lengths[len / 64] & UINT64_C(1) << len % 64))
		return NULL;
	return bsearch(&key, groups->v, groups->n, sizeof(*groups->v), key_cmp);
}

const struct tds_group *tds_groups_find(const struct tds_groups *groups, const char *name)
{
	return find(groups, name, strlen(name));
}

/* The whole stem may be the group's name, or any part of it that ends before a '-': the longest one has it. */
const struct tds_group *tds_groups_owner(const struct tds_groups *groups, const char *file)
{
	size_t len = strlen(file);

	if (len <= SUFFIX_LEN || strcmp(file + len - SUFFIX_LEN, TDS_TLS_SUFFIX) != 0)
		return NULL;
	const struct tds_group *group = find(groups, file, len -= SUFFIX_LEN);
	while (!group && len-- > 0)
		if (file[len] == '-')
			group = find(groups, file, len);
	return group;
}

static bool is_declared(const struct tds_dir *dir, const char *group, char *name)
{
	struct stat st;

	(void)stpcpy(stpcpy(name, group), TDS_TLI_SUFFIX);
	return tds_group_name_ok(group) && fstatat(dir->fd, name, &st, 0) == 0 &&
	       S_ISREG(st.st_mode);
}

int tds_dir_owner(const struct tds_dir *dir, const char *file, char **group, struct tds_err *err)
{
	size_t len = strlen(file);

	*group = NULL;
	if (len <= SUFFIX_LEN || strcmp(file + len - SUFFIX_LEN, TDS_TLS_SUFFIX) != 0)
		return 0;
	tds_autofree char *name = malloc(len + 1);
	tds_autofree char *stem = strndup(file, len - SUFFIX_LEN);
	if (!name || !stem)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (char *dash = stem; dash;) {
		if (is_declared(dir, stem, name)) {
			*group = tds_steal(&stem);
			return 0;
		}
		dash = strrchr(stem, '-');
		if (dash)
			*dash = '\0';
	}
	return 0;
}
