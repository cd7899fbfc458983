/* SPDX-License-Identifier: MIT */
/*
 * The remembered sums. The first byte says what the rest is: a whole file (F), or entries alone, to which a header that
 * fits is made, in the director directory (E) or half of them there and half in the home (B). Whatever the bytes, a sum is
 * given only for the very file that an entry is about; what is entered is found, after it was written as well.
 */
#include "fuzz.h"

#include <stddef.h>

#include "base/mem.h"
#include "director/cache.h"

#define MAGIC 0x0a3135646d736474ULL /* as in cache.c */
#define SIZE_WORTH (2 * TDS_CACHE_WORTH_BYTES)

/* As they are in the file. */
struct header {
	uint64_t magic;
	uint64_t n;
	unsigned char sum[TDS_MD5_LEN];
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

static char folder[64];
static char home[80];
static char home_file[64];
static struct tds_dir dir = { .fd = -1, .path = folder };
static int own = -1; /* the folder tds of the home */

static void remove_folder(void)
{
	(void)unlinkat(dir.fd, TDS_CACHE_NAME, 0);
	(void)unlinkat(own, home_file, 0);
	(void)unlinkat(dir.fd, "home/tds", AT_REMOVEDIR);
	(void)unlinkat(dir.fd, "home", AT_REMOVEDIR);
	(void)rmdir(folder);
}

static void make_folders(void)
{
	struct stat st;

	dir.fd = make_folder(folder, "cache");
	CHECK(atexit(remove_folder) == 0);
	(void)snprintf(home, sizeof(home), "%s/home", folder);
	CHECK(mkdirat(dir.fd, "home", 0700) == 0 && mkdirat(dir.fd, "home/tds", 0700) == 0);
	own = openat(dir.fd, "home/tds", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(own >= 0 && fstat(dir.fd, &st) == 0);
	(void)snprintf(home_file, sizeof(home_file), "%jx-%jx.hashes", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
}

/* A file of these entries, with a header that says so. */
static void put_entries(int at, const char *name, const char *entries, size_t n)
{
	struct header header = { .magic = MAGIC, .n = n };
	struct tds_digest *digest = tds_digest_new(TDS_DIGEST_MD5);
	size_t bytes = n * sizeof(struct entry);
	tds_autofree char *file = malloc(sizeof(header) + bytes);

	CHECK(digest && file);
	tds_digest_update(digest, entries, bytes);
	CHECK(tds_digest_final(digest, header.sum));
	tds_digest_free(digest);
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), entries, bytes);
	put_file(at, name, (struct input){ file, sizeof(header) + bytes });
}

static struct stat stat_of(const struct entry *entry)
{
	return (struct stat){
		.st_dev = entry->dev,
		.st_ino = entry->ino,
		.st_size = (off_t)entry->size,
		.st_mtim = { .tv_sec = entry->mtime, .tv_nsec = entry->mtime_ns },
		.st_ctim = { .tv_sec = entry->ctime, .tv_nsec = entry->ctime_ns },
	};
}

/* What is told of a file is the sum of an entry that is about it in every part. */
static void check_told(const struct tds_cache *cache, const char *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char md5[TDS_MD5_LEN];
		struct entry entry;
		bool known = false;

		memcpy(&entry, entries + i * sizeof(entry), sizeof(entry));
		struct stat st = stat_of(&entry);
		if (!tds_cache_get(cache, &st, md5))
			continue;
		memcpy(entry.md5, md5, sizeof(md5));
		for (size_t k = 0; k < n; k++)
			known |= memcmp(entries + k * sizeof(entry), &entry, sizeof(entry)) == 0;
		CHECK(known);
		st.st_size ^= 1;
		CHECK(!tds_cache_get(cache, &st, md5) || n > 1);
	}
}

/* One more is entered, and all is written: the next one to read it finds it. */
static void check_written(struct tds_cache *cache, bool complete)
{
	const struct stat st = { .st_dev = 1, .st_ino = 2, .st_size = SIZE_WORTH };
	const unsigned char sum[TDS_MD5_LEN] = "0123456789abcde";
	unsigned char md5[TDS_MD5_LEN];

	tds_cache_put(cache, &st, sum);
	tds_cache_put(cache, &st, sum);
	tds_cache_save(cache, complete);
	struct tds_cache *again = tds_cache_open(&dir, home);
	CHECK(again && tds_cache_get(again, &st, md5) && memcmp(md5, sum, sizeof(sum)) == 0);
	tds_cache_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (dir.fd < 0)
		make_folders();
	if (size == 0 || !data[0] || !strchr("FEB", data[0]))
		return 0;
	const char *entries = (const char *)data + 1;
	size_t n = (size - 1) / sizeof(struct entry);
	size_t here = data[0] == 'B' ? n / 2 : n;
	if (data[0] == 'F')
		put_file(dir.fd, TDS_CACHE_NAME, (struct input){ entries, size - 1 });
	else
		put_entries(dir.fd, TDS_CACHE_NAME, entries, here);
	if (data[0] == 'B')
		put_entries(own, home_file, entries + here * sizeof(struct entry), n - here);
	struct tds_cache *cache = tds_cache_open(&dir, home);
	CHECK(cache);
	if (data[0] != 'F')
		check_told(cache, entries, n);
	check_written(cache, size % 2);
	tds_cache_free(cache);
	(void)unlinkat(dir.fd, TDS_CACHE_NAME, 0);
	(void)unlinkat(own, home_file, 0);
	return 0;
}
