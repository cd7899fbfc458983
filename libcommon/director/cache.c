/* SPDX-License-Identifier: MIT */
/*
 * The cache's file: a header, then entries sorted by device and inode. It is read whole, checked by a sum over
 * the entries, and replaced whole, so that concurrent users at worst lose each other's additions.
 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"

/* Numbers are in this machine's byte order: the magic of another one's does not match. */
#define MAGIC 0x0a3135646d736474ULL /* "tdsmd51\n", read as little-endian */

struct header {
	uint64_t magic;
	uint64_t n;
	unsigned char sum[TDS_MD5_LEN]; /* of all entries */
};

struct entry {
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	int64_t mtime;
	int64_t ctime;
	uint32_t mtime_ns;
	uint32_t ctime_ns;
	unsigned char md5[TDS_MD5_LEN];
};
_Static_assert(sizeof(struct entry) == 64 && sizeof(struct header) == 32, "written as they are");

struct tds_cache {
	const struct tds_dir *dir;
	const char *home;
	time_t opened_wall_s;
	struct entry *v;   /* read, sorted */
	atomic_bool *used; /* of each, whether it was found */
	size_t n;
	struct entry *added;
	size_t nadded;
	uint64_t added_bytes; /* sum of the sizes of added */
};

static struct entry entry_of(const struct stat *st)
{
	return (struct entry){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = st->st_mtim.tv_sec,
		.ctime = st->st_ctim.tv_sec,
		.mtime_ns = (uint32_t)st->st_mtim.tv_nsec,
		.ctime_ns = (uint32_t)st->st_ctim.tv_nsec,
	};
}

/* By file alone: there is one entry for each. */
static int by_file(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return (x->ino > y->ino) - (x->ino < y->ino);
}

static bool sum_of(const struct entry *v, size_t n, unsigned char sum[TDS_MD5_LEN])
{
	return tds_digest_of(TDS_DIGEST_MD5, v, n * sizeof(*v), sum);
}

/* May what st describes be believed: root's or the caller's, and nobody else may write it? */
static bool trusted(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Read the entries of an open cache file. Returns their number; 0: nothing of it can be used. */
static size_t read_entries(int fd, struct entry **v)
{
	struct header header;
	struct stat st;
	unsigned char sum[TDS_MD5_LEN];

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !trusted(&st) ||
	    tds_io_read(fd, &header, sizeof(header)) != sizeof(header) || header.magic != MAGIC ||
	    header.n == 0 || header.n > TDS_CACHE_MAX_ENTRIES ||
	    (uint64_t)st.st_size != sizeof(header) + header.n * sizeof(struct entry))
		return 0;
	size_t bytes = (size_t)header.n * sizeof(struct entry);
	tds_autofree struct entry *entries = malloc(bytes);
	if (!entries || tds_io_read(fd, entries, bytes) != (ssize_t)bytes ||
	    !sum_of(entries, header.n, sum) || memcmp(sum, header.sum, sizeof(sum)) != 0)
		return 0;
	for (size_t i = 1; i < header.n; i++)
		if (by_file(&entries[i - 1], &entries[i]) >= 0)
			return 0;
	*v = tds_steal(&entries);
	return header.n;
}

/* Add the entries of a file to those there are; where both know a file, the earlier ones are kept. */
static void load(struct tds_cache *cache, int dirfd, const char *name)
{
	tds_autofd int fd =
		openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	tds_autofree struct entry *v = NULL;
	size_t n = fd < 0 ? 0 : read_entries(fd, &v);

	if (n == 0)
		return;
	if (cache->n == 0) {
		cache->v = tds_steal(&v);
		cache->n = n;
		return;
	}
	struct entry *both = reallocarray(cache->v, cache->n + n, sizeof(*both));
	if (!both)
		return;
	size_t known = cache->n;
	for (size_t i = 0; i < n; i++)
		if (!bsearch(&v[i], both, known, sizeof(*both), by_file))
			both[cache->n++] = v[i];
	cache->v = both;
	qsort(both, cache->n, sizeof(*both), by_file);
}

/* A cache folder must be the caller's own: root does not write into the home of whoever called sudo. */
static int open_own_folder(int dirfd, const char *name, int flags)
{
	tds_autofd int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -1;
	return tds_steal_fd(&fd);
}

/* The folder "tds" in the caller's cache folder, both made where they are missing. -1: none. */
static int open_home(const struct tds_cache *cache, bool make)
{
	if (!cache->home)
		return -1;
	if (make)
		(void)mkdir(cache->home, 0700);
	tds_autofd int home = open_own_folder(AT_FDCWD, cache->home, 0);
	if (home < 0)
		return -1;
	if (make)
		(void)mkdirat(home, "tds", 0700);
	return open_own_folder(home, "tds", O_NOFOLLOW);
}

/* The name there: the directory is the same one by whichever path it is reached. */
static bool home_name(const struct tds_cache *cache, char name[64])
{
	struct stat st;

	if (fstat(cache->dir->fd, &st) != 0)
		return false;
	(void)snprintf(name, 64, "%jx-%jx.hashes", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return true;
}

struct tds_cache *tds_cache_open(const struct tds_dir *dir, const char *home)
{
	struct tds_cache *cache = calloc(1, sizeof(*cache));
	char name[64];

	if (!cache)
		return NULL;
	cache->dir = dir;
	cache->home = home;
	cache->opened_wall_s = time(NULL);
	load(cache, dir->fd, TDS_CACHE_NAME);
	tds_autofd int folder = open_home(cache, false);
	if (folder >= 0 && home_name(cache, name))
		load(cache, folder, name);
	cache->used = calloc(cache->n + 1, sizeof(*cache->used));
	if (!cache->used)
		cache->n = 0;
	return cache;
}

void tds_cache_free(struct tds_cache *cache)
{
	if (!cache)
		return;
	free(cache->v);
	free(cache->used);
	free(cache->added);
	free(cache);
}

bool tds_cache_get(const struct tds_cache *cache, const struct stat *st,
		   unsigned char md5[TDS_MD5_LEN])
{
	struct entry key = entry_of(st);

	if (!cache || cache->n == 0)
		return false;
	const struct entry *found = bsearch(&key, cache->v, cache->n, sizeof(key), by_file);
	if (!found || memcmp(found, &key, offsetof(struct entry, md5)) != 0)
		return false;
	memcpy(md5, found->md5, TDS_MD5_LEN);
	atomic_store_explicit(&cache->used[found - cache->v], true, memory_order_relaxed);
	return true;
}

/* Times in the future count as young: nothing can be told from them. */
static bool young(const struct tds_cache *cache, const struct stat *st)
{
	time_t limit = cache->opened_wall_s - TDS_CACHE_GRAIN_S;

	return st->st_mtim.tv_sec >= limit || st->st_ctim.tv_sec >= limit;
}

void tds_cache_put(struct tds_cache *cache, const struct stat *st,
		   const unsigned char md5[TDS_MD5_LEN])
{
	if (!cache || young(cache, st) || cache->nadded == TDS_CACHE_MAX_ENTRIES)
		return;
	/* Grows at powers of two. */
	if ((cache->nadded & (cache->nadded - 1)) == 0) {
		struct entry *more = reallocarray(
			cache->added, cache->nadded ? 2 * cache->nadded : 1, sizeof(*more));

		if (!more)
			return;
		cache->added = more;
	}
	struct entry *entry = &cache->added[cache->nadded++];
	*entry = entry_of(st);
	memcpy(entry->md5, md5, TDS_MD5_LEN);
	cache->added_bytes += entry->size;
}

/* What goes into the new file, sorted: the added ones, and those of the old that are not outdated. NULL: memory. */
static struct entry *merge(const struct tds_cache *cache, bool complete, size_t *n)
{
	struct entry *v = reallocarray(NULL, cache->n + cache->nadded, sizeof(*v));

	if (!v)
		return NULL;
	/* Two names of one file are two additions, and equal. */
	qsort(cache->added, cache->nadded, sizeof(*v), by_file);
	*n = 0;
	for (size_t i = 0; i < cache->nadded; i++)
		if (i == 0 || by_file(&cache->added[i - 1], &cache->added[i]) != 0)
			v[(*n)++] = cache->added[i];
	for (size_t i = 0; i < cache->n && *n < TDS_CACHE_MAX_ENTRIES; i++)
		if ((!complete || cache->used[i]) &&
		    !bsearch(&cache->v[i], cache->added, cache->nadded, sizeof(*v), by_file))
			v[(*n)++] = cache->v[i];
	qsort(v, *n, sizeof(*v), by_file);
	return v;
}

static bool write_to(int dirfd, const char *name, const struct entry *v, size_t n)
{
	struct header header = { .magic = MAGIC, .n = n };
	struct tds_outfile out;

	if (!sum_of(v, n, header.sum) || tds_outfile_open(dirfd, name, &out, NULL) != 0)
		return false;
	if (tds_io_write(out.fd, &header, sizeof(header)) == 0 &&
	    tds_io_write(out.fd, v, n * sizeof(*v)) == 0)
		return tds_outfile_commit(&out, 0644, NULL) == 0;
	tds_outfile_discard(&out);
	return false;
}

/* May the cache in the director directory be replaced: is there none, or one of the caller's own? */
static bool ours(const struct tds_dir *dir)
{
	struct stat st;

	if (fstatat(dir->fd, TDS_CACHE_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT;
	return st.st_uid == geteuid();
}

void tds_cache_save(struct tds_cache *cache, bool complete)
{
	size_t n;
	char name[64];

	if (!cache || cache->added_bytes < TDS_CACHE_WORTH_BYTES)
		return;
	tds_autofree struct entry *v = merge(cache, complete, &n);
	if (!v || (ours(cache->dir) && write_to(cache->dir->fd, TDS_CACHE_NAME, v, n)))
		return;
	tds_autofd int folder = open_home(cache, true);
	if (folder >= 0 && home_name(cache, name))
		(void)write_to(folder, name, v, n);
}
