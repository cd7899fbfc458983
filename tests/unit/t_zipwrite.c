/* SPDX-License-Identifier: MIT */
/* What the writer writes, the reader that checks packages accepts, and it is the same each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "archive/zip.h"
#include "archive/zipwrite.h"

#define TIME 1700000001 /* 2023-11-14 22:13:21 UTC */
#define DIRECTORY_TIME_AT 12
#define DIRECTORY_FLAGS_AT 8
#define FLAG_UTF8 0x800

struct archive_bytes {
	unsigned char *data;
	size_t len;
	size_t end;
};

static struct tds_zip_writer *new_writer(void)
{
	struct tds_zip_writer *writer;
	struct tds_err err = { 0 };

	assert_int_equal(tds_zip_writer_new(&writer, &err), 0);
	return writer;
}

static void add(struct tds_zip_writer *writer, const char *name, bool executable, time_t mtime,
		const char *text)
{
	struct tds_err err = { 0 };

	if (tds_zip_writer_add(writer, name, executable, mtime, text, strlen(text), &err) != 0)
		fail_msg("%s: %s", name, err.reason);
}

/* Finish and free it, and open what it wrote. */
static struct tds_zip finish(struct tds_zip_writer *writer, const char *comment,
			     struct archive_bytes *a)
{
	const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	struct tds_zip zip;
	struct tds_err err = { 0 };

	if (tds_zip_writer_finish(writer, comment, &a->data, &a->len, &a->end, &err) != 0)
		fail_msg("%s", err.reason);
	tds_zip_writer_free(writer);
	if (tds_zip_open(a->data, a->len, &limits, &zip, &err) != 0)
		fail_msg("%s", err.reason);
	assert_int_equal(zip.end, a->end);
	assert_int_equal(zip.comment_len, strlen(comment));
	assert_memory_equal(zip.comment, comment, strlen(comment));
	return zip;
}

static uint16_t le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* A field of the first entry in the directory. */
static uint16_t first_field(const struct archive_bytes *a, size_t at)
{
	const unsigned char *end = a->data + a->end;
	size_t directory = le16(end + 16) | (size_t)le16(end + 18) << 16;

	return le16(a->data + directory + at);
}

struct collected {
	char text[256];
};

static int collect(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		   struct tds_err *err)
{
	struct collected *c = ctx;
	size_t used = strlen(c->text);

	(void)err;
	if (len == 0)
		(void)snprintf(c->text + used, sizeof(c->text) - used, "[%.*s%s]",
			       TDS_ZIP_SHOWN(entry), entry->executable ? "*" : "");
	else
		(void)snprintf(c->text + used, sizeof(c->text) - used, "%.*s", (int)len,
			       (const char *)data);
	return 0;
}

static void reads_back(void **state)
{
	struct tds_zip_writer *writer = new_writer();
	struct archive_bytes a;
	struct collected c = { "" };
	struct tds_err err = { 0 };

	(void)state;
	add(writer, "a/x.py", false, TIME, "A = 1\n");
	add(writer, "empty", true, TIME, "");
	add(writer, "gr\xc3\xbc\xc3\x9f/\xd0\xbc\x01\n.py", false, TIME, "ü");
	struct tds_zip zip = finish(writer, "tds1 group=a version=1", &a);
	assert_int_equal(tds_zip_unpack(&zip, NULL, collect, &c, &err), 0);
	assert_string_equal(c.text,
			    "[a/x.py]A = 1\n[empty*][gr\xc3\xbc\xc3\x9f/\xd0\xbc\x01\n.py]ü");
	assert_int_equal(zip.v[0].flags & FLAG_UTF8, 0);
	assert_int_equal(zip.v[2].flags & FLAG_UTF8, FLAG_UTF8);
	tds_zip_close(&zip);
	free(a.data);
}

static void no_members(void **state)
{
	struct archive_bytes a;
	struct tds_zip zip = finish(new_writer(), "", &a);

	(void)state;
	assert_int_equal(zip.n, 0);
	tds_zip_close(&zip);
	free(a.data);
}

static struct archive_bytes sample(void)
{
	struct tds_zip_writer *writer = new_writer();
	struct archive_bytes a;

	add(writer, "gr\xc3\xbc.py", false, TIME, "A = 1\n");
	struct tds_zip zip = finish(writer, "comment", &a);
	tds_zip_close(&zip);
	return a;
}

static void same_everywhere(void **state)
{
	static const char *const locales[] = { "C", "C.UTF-8" };
	struct archive_bytes first = sample();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		mode_t mask = umask(077);

		assert_non_null(setlocale(LC_ALL, locales[i]));
		struct archive_bytes again = sample();
		(void)umask(mask);
		assert_int_equal(again.len, first.len);
		assert_memory_equal(again.data, first.data, first.len);
		free(again.data);
	}
	assert_non_null(setlocale(LC_ALL, "C"));
	free(first.data);
}

static void times(void **state)
{
	/* Seconds since 1970, and the DOS date and time that stand for them. */
	static const struct {
		int64_t mtime;
		uint16_t date;
		uint16_t time;
	} cases[] = {
		{ TIME, 43 << 9 | 11 << 5 | 14, 22 << 11 | 13 << 5 | 10 },
		{ 0, 1 << 5 | 1, 0 },
		{ -1, 1 << 5 | 1, 0 },
		{ 315532800, 1 << 5 | 1, 0 },
		{ 4354819199, (uint16_t)(127U << 9 | 12 << 5 | 31), 23 << 11 | 59 << 5 | 29 },
		{ INT64_MAX, (uint16_t)(127U << 9 | 12 << 5 | 31), 23 << 11 | 59 << 5 | 29 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		time_t mtime = (time_t)cases[i].mtime;

		if (mtime != cases[i].mtime)
			continue; /* this system has no such time */
		struct tds_zip_writer *writer = new_writer();
		struct archive_bytes a;
		add(writer, "x.py", false, mtime, "");
		struct tds_zip zip = finish(writer, "", &a);
		assert_int_equal(first_field(&a, DIRECTORY_TIME_AT + 2), cases[i].date);
		assert_int_equal(first_field(&a, DIRECTORY_TIME_AT), cases[i].time);
		tds_zip_close(&zip);
		free(a.data);
	}
}

static struct archive_bytes of_time(time_t mtime)
{
	struct tds_zip_writer *writer = new_writer();
	struct archive_bytes a;

	add(writer, "x.py", false, mtime, "");
	struct tds_zip zip = finish(writer, "", &a);
	tds_zip_close(&zip);
	return a;
}

/* Times out of range are moved into it everywhere, in the extra fields too. */
static void clamped_times(void **state)
{
	struct archive_bytes early = of_time(0);
	struct archive_bytes first = of_time(315532800);

	(void)state;
	assert_int_equal(early.len, first.len);
	assert_memory_equal(early.data, first.data, first.len);
	free(early.data);
	free(first.data);
}

/* Around the count that 16 bits hold, where zip64 begins, and up to the limit. */
static void many_members(void **state)
{
	static const unsigned counts[] = { 65534, 65535, 65536, 100000 };
	struct tds_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct tds_zip_writer *writer = new_writer();
		struct archive_bytes a;
		char name[32];

		for (unsigned k = 0; k < counts[i]; k++) {
			(void)snprintf(name, sizeof(name), "m/f%06u.py", k);
			add(writer, name, false, TIME, "");
		}
		if (counts[i] == 100000) {
			assert_int_equal(
				tds_zip_writer_add(writer, "m/one.py", false, TIME, "", 0, &err),
				TDS_E_UNUSABLE);
			assert_string_equal(err.reason, "more than 100000 files");
		}
		struct tds_zip zip = finish(writer, "comment", &a);
		assert_int_equal(zip.n, counts[i]);
		tds_zip_close(&zip);
		free(a.data);
	}
}

static void limits(void **state)
{
	struct tds_zip_writer *writer = new_writer();
	struct archive_bytes a;
	struct tds_err err = { 0 };
	char *comment = malloc(65537);

	(void)state;
	add(writer, "x.py", false, TIME, "12345");
	/* Refused by its length, before a byte of it is looked at. */
	assert_int_equal(tds_zip_writer_add(writer, "y.py", false, TIME, "", (1 << 30) - 4, &err),
			 TDS_E_UNUSABLE);
	assert_string_equal(err.reason, "more than 1073741824 bytes in all");
	assert_non_null(comment);
	memset(comment, 'c', 65536);
	comment[65536] = '\0';
	assert_int_equal(tds_zip_writer_finish(writer, comment, &a.data, &a.len, &a.end, &err),
			 TDS_E_UNUSABLE);
	tds_zip_writer_free(writer);
	writer = new_writer();
	struct tds_zip zip = finish(writer, comment + 1, &a);
	tds_zip_close(&zip);
	free(a.data);
	free(comment);
	tds_zip_writer_free(NULL);
}

static void names(void **state)
{
	static const char *const good[] = { "a",    "a/b.py", "ab:c", "1:x",  "\xc3\xbc:x",
					    "a\nb", "...",    "~",    "a\x7f" };
	static const char *const bad[] = { "a\\b",   "C:x",          "z:",      "\xff",
					   "a/\xc3", "\xed\xa0\x80", "\xc0\x80" };
	struct tds_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct tds_zip_writer *writer = new_writer();
		struct archive_bytes a;

		assert_int_equal(tds_zip_member_name(good[i], &err), 0);
		add(writer, good[i], false, TIME, "");
		struct tds_zip zip = finish(writer, "", &a);
		assert_int_equal(zip.v[0].name_len, strlen(good[i]));
		assert_memory_equal(zip.v[0].name, good[i], zip.v[0].name_len);
		tds_zip_close(&zip);
		free(a.data);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tds_zip_member_name(bad[i], &err), TDS_E_UNUSABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back),      cmocka_unit_test(no_members),
		cmocka_unit_test(same_everywhere), cmocka_unit_test(times),
		cmocka_unit_test(clamped_times),   cmocka_unit_test(many_members),
		cmocka_unit_test(limits),          cmocka_unit_test(names),
	};

	/* The writer's caller sees to this. */
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests_name("zipwrite", tests, NULL, NULL);
}
