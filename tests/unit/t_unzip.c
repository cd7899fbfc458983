/* SPDX-License-Identifier: MIT */
/*
 * Members of large archives, which two threads unpack: the verdict is that of one, whichever thread
 * comes first, and also where there can be no second one.
 */
#define MADE_MAX (4 << 20)
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "archive/zip.h"
#include "makezip.h"

#define LARGE (300 << 10) /* of each member: four of them make a second thread worth it */
#define MEMBERS 6

static char contents[LARGE + 1];
static struct made z;

static unsigned threads;
static bool no_threads;

/* In the place of the library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	threads++;
	return no_threads ? EAGAIN : real(thread, attr, start, arg);
}

static int check(struct tds_err *err)
{
	static const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	struct tds_zip zip;

	*err = (struct tds_err){ 0 };
	threads = 0;
	assert_fine(tds_zip_open(z.data, z.len, &limits, &zip, err), err);
	int rc = tds_zip_unpack(&zip, NULL, NULL, NULL, err);
	tds_zip_close(&zip);
	return rc;
}

static void make(struct member m[MEMBERS])
{
	static const char *const names[MEMBERS] = { "a", "b", "c", "d", "e", "f" };

	for (size_t i = 0; i < MEMBERS; i++)
		m[i] = (struct member){ .name = names[i], .data = contents };
	make_zip(&z, m, MEMBERS, "");
}

static int make_contents(void **state)
{
	(void)state;
	memset(contents, 'x', LARGE);
	return 0;
}

static int allow_threads(void **state)
{
	(void)state;
	no_threads = false;
	return 0;
}

static void sound(void **state)
{
	struct member m[MEMBERS];
	struct tds_err err;

	(void)state;
	make(m);
	assert_fine(check(&err), &err);
	assert_int_equal(threads, 1);
	no_threads = true;
	assert_fine(check(&err), &err);
	assert_int_equal(threads, 1);
	no_threads = false;
	make_zip(&z, m, 3, "");
	assert_fine(check(&err), &err);
	assert_int_equal(threads, 0);
}

/* Where two members are damaged, it is the first that is named. */
static void the_first_fault(void **state)
{
	struct member m[MEMBERS];

	(void)state;
	make(m);
	for (size_t i = 0; i < MEMBERS; i++)
		for (size_t j = i; j < MEMBERS; j++)
			for (int alone = 0; alone < 2; alone++) {
				struct tds_err err;
				char named[32];

				(void)snprintf(named, sizeof(named), "member %s: ZIP bad CRC",
					       m[i].name);
				z.data[z.contents[i] + 5] = 'y';
				z.data[z.contents[j] + LARGE - 1] = 'y';
				no_threads = alone;
				assert_int_equal(check(&err), TDS_E_ARCHIVE);
				assert_non_null(strstr(err.reason, named));
				z.data[z.contents[i] + 5] = 'x';
				z.data[z.contents[j] + LARGE - 1] = 'x';
			}
}

/* A fault that only the end of the first part shows, behind one at the beginning of the second. */
static void a_fault_of_both_kinds(void **state)
{
	struct member m[MEMBERS];
	struct tds_err err;

	(void)state;
	make(m);
	m[2].packed = "\x73\x56\xb0\x55\x30\xe4\x02\x00garbage";
	m[2].packed_len = 15;
	m[2].data = "C = 1\n";
	make_zip(&z, m, MEMBERS, "");
	z.data[z.contents[3]] = 'y';
	assert_int_equal(check(&err), TDS_E_ARCHIVE);
	assert_non_null(strstr(err.reason, "member c: ZIP compressed data is wrong size"));
}

/* One name in both parts, packed in two ways, of one CRC. */
static void twins(void **state)
{
	static const char crc_32[] = "plumless";
	static const unsigned char same_crc_32[] =
		"\1\10\0\367\377buckeroo"; /* a block not packed */
	static const unsigned char same[] = "\1\10\0\367\377plumless";
	struct member m[MEMBERS];
	struct tds_err err;

	(void)state;
	for (int alone = 0; alone < 2; alone++) {
		make(m);
		m[0] = (struct member){ .name = "t", .data = crc_32 };
		m[5] = (struct member){
			.name = "t", .data = crc_32, .packed = same, .packed_len = 13
		};
		no_threads = alone;
		make_zip(&z, m, MEMBERS, "");
		assert_fine(check(&err), &err);
		assert_int_equal(threads, 1);
		m[5].packed = same_crc_32;
		make_zip(&z, m, MEMBERS, "");
		assert_int_equal(check(&err), TDS_E_ARCHIVE);
		assert_non_null(strstr(err.reason, "member t: there twice, with different"));
	}
}

static int take(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		struct tds_err *err)
{
	(void)data;
	(void)err;
	assert_true(entry->size == LARGE && len <= LARGE);
	*(size_t *)ctx += len;
	return 0;
}

/* Whoever takes the contents gets them from one thread, in order. */
static void contents_are_taken_by_one(void **state)
{
	static const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	struct member m[MEMBERS];
	struct tds_err err = { 0 };
	struct tds_zip zip;
	size_t bytes = 0;

	(void)state;
	make(m);
	threads = 0;
	assert_fine(tds_zip_open(z.data, z.len, &limits, &zip, &err), &err);
	assert_fine(tds_zip_unpack(&zip, NULL, take, &bytes, &err), &err);
	assert_int_equal(threads, 0);
	assert_int_equal(bytes, MEMBERS * LARGE);
	tds_zip_close(&zip);
}

#define WITH_THREADS(test) cmocka_unit_test_teardown(test, allow_threads)

int main(void)
{
	const struct CMUnitTest unzip[] = {
		WITH_THREADS(sound),
		WITH_THREADS(the_first_fault),
		WITH_THREADS(a_fault_of_both_kinds),
		WITH_THREADS(twins),
		WITH_THREADS(contents_are_taken_by_one),
	};

	return cmocka_run_group_tests(unzip, make_contents, NULL);
}
