/* SPDX-License-Identifier: MIT */
/* The cache of MD5 sums: what it remembers, whom it believes, where it is, and hostile files in its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "director/cache.h"

#define NOBODY 65534
#define FILES 50 /* in a cache of these tests */

static char folder[64];
static char home[80];
static char place[96]; /* of the cache in the director directory */
static struct tds_dir dir;

static int setup(void **state)
{
	char path[80];
	struct tds_err err;

	(void)state;
	strcpy(folder, "/tmp/t_cache.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/dir", folder);
	(void)snprintf(home, sizeof(home), "%s/home", folder);
	(void)snprintf(place, sizeof(place), "%s/" TDS_CACHE_NAME, path);
	return mkdir(path, 0755) == 0 ? tds_dir_open(path, &dir, &err) : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	tds_dir_close(&dir);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* A file as stat would describe it, and always the same. */
static struct stat file(unsigned i)
{
	const time_t old = 1600000000;

	return (struct stat){
		.st_dev = 7,
		.st_ino = i,
		.st_size = TDS_CACHE_WORTH_BYTES / 2 + i,
		.st_mtim = { .tv_sec = old - 100, .tv_nsec = 5 },
		.st_ctim = { .tv_sec = old, .tv_nsec = 6 },
		.st_mode = S_IFREG | 0644,
	};
}

static void sum(unsigned i, unsigned char md5[TDS_MD5_LEN])
{
	memset(md5, (int)(i * 7 + 1), TDS_MD5_LEN);
}

static void put(struct tds_cache *cache, unsigned i)
{
	struct stat st = file(i);
	unsigned char md5[TDS_MD5_LEN];

	sum(i, md5);
	tds_cache_put(cache, &st, md5);
}

/* Does the cache know this file, rightly? */
static bool knows(const struct tds_cache *cache, const struct stat *st)
{
	unsigned char md5[TDS_MD5_LEN];
	unsigned char right[TDS_MD5_LEN];

	if (!tds_cache_get(cache, st, md5))
		return false;
	sum((unsigned)st->st_ino, right);
	assert_memory_equal(md5, right, sizeof(md5));
	return true;
}

static unsigned count_known(void)
{
	tds_auto(cache) struct tds_cache *cache = tds_cache_open(&dir, home);
	unsigned n = 0;

	for (unsigned i = 0; i < FILES; i++) {
		struct stat st = file(i);

		n += knows(cache, &st);
	}
	return n;
}

static void fill(void)
{
	tds_auto(cache) struct tds_cache *cache = tds_cache_open(&dir, home);

	/* Not in order. */
	for (unsigned i = 0; i < FILES; i++)
		put(cache, (i * 17) % FILES);
	tds_cache_save(cache, true);
}

static void overwrite(const char *data, size_t len)
{
	int fd = open(place, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(tds_io_write(fd, data, len), 0);
	assert_int_equal(close(fd), 0);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The cache of the caller's own folder. Caller frees. */
static char *own_place(void)
{
	struct stat st;
	char *path = NULL;

	assert_int_equal(fstat(dir.fd, &st), 0);
	assert_true(asprintf(&path, "%s/tds/%jx-%jx.hashes", home, (uintmax_t)st.st_dev,
			     (uintmax_t)st.st_ino) > 0);
	return path;
}

static void remembers(void **state)
{
	(void)state;
	assert_int_equal(count_known(), 0);
	fill();
	assert_int_equal(count_known(), FILES);
	struct stat st;
	assert_int_equal(stat(place, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_false(is_there(home));
}

static void without_memory(void **state)
{
	struct stat st = file(1);
	unsigned char md5[TDS_MD5_LEN] = { 0 };

	(void)state;
	assert_false(tds_cache_get(NULL, &st, md5));
	tds_cache_put(NULL, &st, md5);
	tds_cache_save(NULL, true);
	tds_cache_free(NULL);
}

/* Each of the things that tell a changed file from the same one. */
static void notices_changes(void **state)
{
	struct stat st[7];

	(void)state;
	fill();
	tds_auto(cache) struct tds_cache *cache = tds_cache_open(&dir, home);
	for (size_t i = 0; i < 7; i++)
		st[i] = file(3);
	assert_true(knows(cache, &st[0]));
	st[0].st_dev++;
	st[1].st_ino = FILES;
	st[2].st_size++;
	st[3].st_mtim.tv_sec--;
	st[4].st_mtim.tv_nsec++;
	st[5].st_ctim.tv_sec--;
	st[6].st_ctim.tv_nsec++;
	for (size_t i = 0; i < 7; i++)
		assert_false(knows(cache, &st[i]));
}

static void young(void **state)
{
	static const time_t ages[] = { -3600, -1, 0, 1 };
	unsigned char md5[TDS_MD5_LEN];
	struct stat st;

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		tds_auto(cache) struct tds_cache *cache = tds_cache_open(&dir, home);

		st = file(i);
		sum(i, md5);
		(i < 4 ? &st.st_mtim : &st.st_ctim)->tv_sec = time(NULL) - ages[i % 4];
		tds_cache_put(cache, &st, md5);
		put(cache, 20);
		put(cache, 21);
		tds_cache_save(cache, true);
		tds_auto(cache) struct tds_cache *again = tds_cache_open(&dir, home);
		assert_false(knows(again, &st));
		st = file(20);
		assert_true(knows(again, &st));
	}
}

static void written_when_worth_it(void **state)
{
	struct stat before;
	struct stat after;

	(void)state;
	tds_auto(cache) struct tds_cache *few = tds_cache_open(&dir, home);
	put(few, 1);
	tds_cache_save(few, true);
	assert_false(is_there(place));
	fill();
	assert_int_equal(stat(place, &before), 0);
	tds_auto(cache) struct tds_cache *nothing_new = tds_cache_open(&dir, home);
	struct stat st = file(3);
	assert_true(knows(nothing_new, &st));
	tds_cache_save(nothing_new, true);
	assert_int_equal(stat(place, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* After a look at everything, what nobody asked for goes; after a look at some groups it stays. */
static void forgets(void **state)
{
	(void)state;
	for (int complete = 0; complete < 2; complete++) {
		fill();
		tds_auto(cache) struct tds_cache *cache = tds_cache_open(&dir, home);
		struct stat st = file(3);

		assert_true(knows(cache, &st));
		for (unsigned i = 0; i < 4; i++) /* two names of a file are no matter */
			put(cache, 100 + i / 2);
		st = file(4);
		st.st_size *= 2; /* it has changed */
		unsigned char md5[TDS_MD5_LEN];
		sum(4, md5);
		tds_cache_put(cache, &st, md5);
		tds_cache_save(cache, complete);
		assert_int_equal(count_known(), complete ? 1 : FILES - 1);
		tds_auto(cache) struct tds_cache *again = tds_cache_open(&dir, home);
		assert_true(knows(again, &st));
		st = file(101);
		assert_true(knows(again, &st));
	}
}

/* One bit wrong, anywhere, or the end missing: all of it is ignored, and the next save makes it good. */
static void damaged(void **state)
{
	tds_autofree char *data = NULL;
	size_t len;
	struct tds_err err;

	(void)state;
	fill();
	assert_int_equal(tds_io_slurp(AT_FDCWD, place, 1 << 20, &data, &len, &err), 0);
	assert_int_equal(len, 32 + 64 * FILES);
	for (size_t bit = 0; bit < 8 * len; bit += bit < 8 * 96 ? 1 : 61) {
		data[bit / 8] ^= (char)(1 << bit % 8);
		overwrite(data, len);
		assert_int_equal(count_known(), 0);
		data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < len; cut += cut < 100 ? 1 : 64) {
		overwrite(data, cut);
		assert_int_equal(count_known(), 0);
	}
	fill();
	assert_int_equal(count_known(), FILES);
}

/* Sums that are right, around entries that are not in order, or are there twice. */
static void unsorted(void **state)
{
	tds_autofree char *data = NULL;
	size_t len;
	struct tds_err err;
	char entry[64];

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		fill();
		free(tds_steal(&data));
		assert_int_equal(tds_io_slurp(AT_FDCWD, place, 1 << 20, &data, &len, &err), 0);
		memcpy(entry, data + 32 + 64, 64);
		memcpy(data + 32 + 64, data + 32, 64);
		if (!twice)
			memcpy(data + 32, entry, 64);
		struct tds_digest *digest = tds_digest_new(TDS_DIGEST_MD5);
		tds_digest_update(digest, data + 32, len - 32);
		assert_true(tds_digest_final(digest, (unsigned char *)data + 16));
		tds_digest_free(digest);
		overwrite(data, len);
		assert_int_equal(count_known(), 0);
	}
}

static void lies_about_its_size(void **state)
{
	static const uint64_t counts[] = {
		0, 1, 3, TDS_CACHE_MAX_ENTRIES + 1, UINT64_MAX / 64, UINT64_MAX / 64 + 1, UINT64_MAX
	};
	tds_autofree char *data = NULL;
	size_t len;
	struct tds_err err;

	(void)state;
	fill();
	assert_int_equal(tds_io_slurp(AT_FDCWD, place, 1 << 20, &data, &len, &err), 0);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		memcpy(data + 8, &counts[i], 8);
		overwrite(data, len);
		assert_int_equal(count_known(), 0);
	}
}

static void believes_only_the_owner(void **state)
{
	static const mode_t modes[] = { 0664, 0646, 0666, 0620 };

	(void)state;
	fill();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(place, modes[i]), 0);
		assert_int_equal(count_known(), 0);
	}
	assert_int_equal(chmod(place, 0600), 0);
	assert_int_equal(count_known(), FILES);
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(place, NOBODY, NOBODY), 0);
	assert_int_equal(count_known(), 0);
}

/* Somebody else's cache stays his; ours goes home. */
static void foreign(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	fill();
	assert_int_equal(chown(place, NOBODY, NOBODY), 0);
	fill();
	assert_int_equal(stat(place, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(count_known(), FILES);
	tds_autofree char *own = own_place();
	assert_true(is_there(own));
}

/* A user who may not write the director directory reads root's cache, and adds to one of his own. */
static void not_writable(void **state)
{
	struct stat st = file(200);
	unsigned char md5[TDS_MD5_LEN];

	(void)state;
	if (geteuid() != 0)
		skip();
	fill();
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(count_known(), FILES);
	tds_auto(cache) struct tds_cache *cache = tds_cache_open(&dir, home);
	struct stat known = file(3);
	assert_true(knows(cache, &known));
	sum(200, md5);
	st.st_size = 2 * TDS_CACHE_WORTH_BYTES;
	tds_cache_put(cache, &st, md5);
	tds_cache_save(cache, false);
	assert_int_equal(count_known(), FILES);
	tds_auto(cache) struct tds_cache *again = tds_cache_open(&dir, home);
	assert_true(knows(again, &st));
	tds_autofree char *own = own_place();
	assert_true(is_there(own));
	/* Without a folder of his own it is done without. */
	tds_auto(cache) struct tds_cache *homeless = tds_cache_open(&dir, NULL);
	assert_false(knows(homeless, &st));
	tds_cache_put(homeless, &st, md5);
	tds_cache_save(homeless, false);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
}

/* Nothing is read from, or made in, a folder that is not the caller's alone. */
static void home_of_others(void **state)
{
	char tds[96];

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)snprintf(tds, sizeof(tds), "%s/tds", home);
	overwrite("x", 1);
	assert_int_equal(chown(place, NOBODY, NOBODY), 0);
	assert_int_equal(mkdir(home, 0755), 0);
	assert_int_equal(chown(home, NOBODY, NOBODY), 0);
	fill();
	assert_false(is_there(tds));
	assert_int_equal(chown(home, 0, 0), 0);
	assert_int_equal(chmod(home, 0777), 0);
	fill();
	assert_false(is_there(tds));
	assert_int_equal(chmod(home, 0755), 0);
	assert_int_equal(symlink(folder, tds), 0);
	fill();
	assert_int_equal(count_known(), 0);
	assert_int_equal(unlink(tds), 0);
	fill();
	assert_int_equal(count_known(), FILES);
}

static void not_a_file(void **state)
{
	char other[128];

	(void)state;
	fill();
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(rename(place, other), 0);
	assert_int_equal(symlink(other, place), 0);
	assert_int_equal(count_known(), 0);
	fill(); /* replaces the link, not what it leads to */
	struct stat st;
	assert_int_equal(lstat(place, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(unlink(place), 0);
	assert_int_equal(mkfifo(place, 0644), 0);
	assert_int_equal(count_known(), 0); /* and does not wait */
	assert_int_equal(unlink(place), 0);
	assert_int_equal(mkdir(place, 0755), 0);
	assert_int_equal(count_known(), 0);
	fill();
	assert_int_equal(count_known(), FILES);
	tds_autofree char *own = own_place();
	assert_true(is_there(own));
}

#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(remembers),
		EACH(without_memory),
		EACH(notices_changes),
		EACH(young),
		EACH(forgets),
		EACH(damaged),
		EACH(unsorted),
		EACH(written_when_worth_it),
		EACH(foreign),
		EACH(not_writable),
		EACH(lies_about_its_size),
		EACH(believes_only_the_owner),
		EACH(not_a_file),
		EACH(home_of_others),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
