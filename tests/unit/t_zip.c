/* SPDX-License-Identifier: MIT */
/*
 * The archive profile: each thing that is refused, for its own reason, and what is taken beside it.
 */
#include "unit.h"

#include "archive/zip.h"
#include "makezip.h"

/* What the tools do with an archive: structure, then members. */
static int check(const void *data, size_t len, struct tds_err *err)
{
	static const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	/* In memory of its own, so that a read past its end is seen. */
	unsigned char *copy = malloc(len ? len : 1);
	struct tds_zip zip;

	*err = (struct tds_err){ 0 };
	memcpy(copy, data, len);
	int rc = tds_zip_open(copy, len, &limits, &zip, err);
	if (rc == 0) {
		rc = tds_zip_unpack(&zip, NULL, NULL, NULL, err);
		tds_zip_close(&zip);
	}
	free(copy);
	return rc;
}

static void taken(const struct made *z)
{
	struct tds_err err;

	assert_fine(check(z->data, z->len, &err), &err);
}

static void refused(const struct made *z, const char *reason)
{
	struct tds_err err;

	assert_failed(check(z->data, z->len, &err), &err, TDS_E_ARCHIVE, reason);
}

static const struct member plain[] = {
	{ .name = "a.py", .data = "A = 1\n" },
	{ .name = "b/", .attributes = 040755u << 16 | 0x10 },
	{ .name = "b/c.py",
	  .data = "C = 1\n",
	  .packed = "\x73\x56\xb0\x55\x30\xe4\x02\x00",
	  .packed_len = 8 },
};

/* The archive of plain, one field changed: value in the bytes at the offset of a record. */
static void with(size_t (*where)(const struct made *), size_t offset, int bytes, uint64_t value,
		 const char *reason)
{
	struct made z;

	make_zip(&z, plain, COUNT(plain), "");
	put_le(z.data + where(&z) + offset, value, bytes);
	refused(&z, reason);
}

static size_t end(const struct made *z)
{
	return z->end;
}

static size_t central0(const struct made *z)
{
	return z->central[0];
}

static size_t local0(const struct made *z)
{
	return z->local[0];
}

static void sound(void **state)
{
	struct made z;

	(void)state;
	make_zip(&z, plain, COUNT(plain), "");
	taken(&z);
	make_zip(&z, plain, COUNT(plain), "any comment");
	taken(&z);
	make_zip(&z, plain, 0, "");
	taken(&z);
	make_zip(&z, plain, 0, "a comment");
	taken(&z);
}

static void end_records(void **state)
{
	struct made z;
	struct tds_err err;

	(void)state;
	make_zip(&z, plain, COUNT(plain), "");
	for (size_t len = 0; len < z.len; len++)
		assert_int_equal(check(z.data, len, &err), TDS_E_ARCHIVE);
	assert_string_equal(
		err.reason,
		"archive byte 266: an end record that does not reach to the end of the archive");
	refused(&(struct made){ .len = 0 }, "not a ZIP archive: no end record at its end");
	with(end, 4, 2, 1, "archive byte 266: an archive of several disks");
	with(end, 6, 2, 1, "archive byte 266: an archive of several disks");
	with(end, 8, 2, 2, "archive byte 266: an archive of several disks");
	with(end, 8, 4, 0x00020002,
	     "archive byte 214: bytes in the directory behind its last entry");
	with(end, 8, 4, 0x00040004,
	     "archive byte 266: the end record counts more members than the directory holds");
	with(end, 8, 4, 0xffffffff,
	     "archive byte 266: the end record counts more members than the directory holds");
	with(end, 12, 4, 1,
	     "archive byte 266: the directory does not end where the end record begins");
	with(end, 12, 8, 0xffffffff,
	     "archive byte 266: the directory does not end where the end record begins");
	with(end, 16, 4, 0,
	     "archive byte 266: the directory does not end where the end record begins");
	with(end, 20, 2, 1,
	     "archive byte 266: an end record that does not reach to the end of the archive");
}

/* The last mark of the file decides, and is the only one behind the directory. */
static void comments(void **state)
{
	static const char fake[] = "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
	struct made z;

	(void)state;
	make_zip(&z, plain, COUNT(plain), "");
	put_le(z.data + z.end + 20, sizeof(fake), 2);
	add_bytes(&z, fake, sizeof(fake)); /* a whole end record of nothing */
	refused(&z, "archive byte 288: the directory does not end where the end record begins");
	make_zip(&z, plain, COUNT(plain), "see PK\5\6");
	refused(&z,
		"archive byte 292: an end record that does not reach to the end of the archive");
	make_zip(&z, plain, COUNT(plain), "PK\5\6 and more than an end record's length");
	refused(&z,
		"archive byte 288: an end record that does not reach to the end of the archive");
	make_zip(&z, plain, COUNT(plain), "PK\5 PK\6\6 PK\6\7 PK\1\2 PK\3\4");
	taken(&z);
	make_zip(&z, plain, COUNT(plain), "longer");
	z.len--;
	refused(&z,
		"archive byte 266: an end record that does not reach to the end of the archive");
	add_bytes(&z, "??", 2);
	refused(&z,
		"archive byte 266: an end record that does not reach to the end of the archive");
	/* A mark within a member is none. */
	const struct member inner = { .name = "in.zip", .data = "PK\5\6 not an end" };
	make_zip(&z, &inner, 1, "");
	taken(&z);
}

static void longest_comment(void **state)
{
	struct made z;
	struct tds_err err;
	size_t len = 65535;

	(void)state;
	make_zip(&z, plain, COUNT(plain), "");
	put_le(z.data + z.end + 20, len, 2);
	unsigned char *all = malloc(z.len + len + 1);
	memcpy(all, z.data, z.len);
	memset(all + z.len, 'x', len + 1);
	assert_fine(check(all, z.len + len, &err), &err);
	assert_failed(check(all, z.len + len + 1, &err), &err, TDS_E_ARCHIVE,
		      "not a ZIP archive: no end record at its end");
	free(all);
}

static void directory_entries(void **state)
{
	(void)state;
	with(central0, 0, 4, 0,
	     "archive byte 116: no directory entry where the end record counts one");
	with(central0, 28, 2, 5,
	     "archive byte 167: no directory entry where the end record counts one");
	with(central0, 28, 2, 0, "archive byte 116: member : an empty name");
	with(central0, 28, 2, 0xffff, "archive byte 116: a directory entry that is cut off");
	with(central0, 30, 2, 0xffff, "archive byte 116: a directory entry that is cut off");
	with(central0, 32, 2, 0xffff, "archive byte 116: a directory entry that is cut off");
	with(central0, 34, 2, 1, "archive byte 116: member a.py: on another disk");
	with(central0, 42, 4, 1, "archive byte 0: bytes before the first member");
	with(central0, 42, 4, 40, "archive byte 0: bytes before the first member");
	with(central0, 42, 4, 0xfffffffe, "archive byte 0: bytes before the first member");
	with(central0, 46, 1, 'x', "archive byte 0: member x.py: another name in the local header");
}

static void local_headers(void **state)
{
	(void)state;
	with(local0, 0, 4, 0, "archive byte 0: member a.py: no local header");
	with(local0, 6, 2, 2,
	     "archive byte 0: member a.py: another method or other flags in the local header");
	with(local0, 8, 2, 8,
	     "archive byte 0: member a.py: another method or other flags in the local header");
	with(local0, 14, 4, 1,
	     "archive byte 0: member a.py: other sizes or another CRC in the local header");
	with(local0, 14, 4, 0,
	     "archive byte 0: member a.py: other sizes or another CRC in the local header");
	with(local0, 18, 4, 5,
	     "archive byte 0: member a.py: other sizes or another CRC in the local header");
	with(local0, 22, 4, 7,
	     "archive byte 0: member a.py: other sizes or another CRC in the local header");
	with(local0, 26, 2, 3, "archive byte 0: member a.py: another name in the local header");
	with(local0, 26, 2, 0xffff,
	     "archive byte 0: member a.py: reaches into what comes behind it");
	with(local0, 28, 2, 1, "archive byte 0: member a.py: reaches into what comes behind it");
	with(local0, 30, 1, 'b', "archive byte 0: member a.py: another name in the local header");
}

/* A change in both headers of the first member. */
static void with_both(size_t in_local, size_t in_central, int bytes, uint64_t value,
		      const char *reason)
{
	struct made z;

	make_zip(&z, plain, COUNT(plain), "");
	put_le(z.data + z.local[0] + in_local, value, bytes);
	put_le(z.data + z.central[0] + in_central, value, bytes);
	refused(&z, reason);
}

static void methods_and_flags(void **state)
{
	(void)state;
	with_both(8, 10, 2, 12, "archive byte 116: member a.py: neither stored nor deflated");
	with_both(8, 10, 2, 1, "archive byte 116: member a.py: neither stored nor deflated");
	with_both(6, 8, 2, 1, "archive byte 116: member a.py: encrypted");
	with_both(6, 8, 2, 0x41, "archive byte 116: member a.py: encrypted");
	for (unsigned bit = 4; bit < 16; bit++)
		if (bit != 11)
			with_both(6, 8, 2, 1u << bit,
				  "archive byte 116: member a.py: flags that are not allowed");
	with_both(18, 20, 4, 5, "archive byte 116: member a.py: stored, but of two sizes");
	with_both(22, 24, 4, 7, "archive byte 116: member a.py: stored, but of two sizes");
	with_both(18, 20, 8, 0x0000000700000007,
		  "archive byte 0: member a.py: reaches into what comes behind it");
	with_both(18, 20, 8, 0x0000000500000005, "archive byte 39: bytes that belong to no member");
	with_both(14, 16, 4, 7,
		  "archive byte 34: member a.py: ZIP bad CRC: 0xa883df5e should be 0x7");
}

/* What unpacks to something else than its headers say, though these agree. */
static void contents(void **state)
{
	static const char stream[] = "\x73\x56\xb0\x55\x30\xe4\x02\x00"; /* of "C = 1\n" */
	struct member m = { .name = "m", .data = "C = 1\n", .packed = stream, .packed_len = 8 };
	struct tds_err err;
	struct made z;

	(void)state;
	make_zip(&z, &m, 1, "");
	taken(&z);
	m.crc = 1;
	make_zip(&z, &m, 1, "");
	assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
	m.crc = crc32_of(m.data, 6);
	m.data = "C = 1\nmore";
	make_zip(&z, &m, 1, "");
	assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
	m.data = "C = 1";
	make_zip(&z, &m, 1, "");
	refused(&z, "archive byte 31: member m: ZIP uncompressed data is wrong size (read 6, "
		    "expected 5)");
	m.data = "C = 1\n";
	m.packed = "\x73\x56\xb0\x55\x30\xe4\x02\x00garbage";
	m.packed_len = 15;
	make_zip(&z, &m, 1, "");
	assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
	m.packed_len = 7;
	make_zip(&z, &m, 1, "");
	assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
	m.packed = "\xff\xff\xff\xff\xff\xff\xff\xff";
	m.packed_len = 8;
	make_zip(&z, &m, 1, "");
	assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
	/* Nothing has a CRC too. */
	const struct member nothing = { .name = "n", .crc = 7 };
	make_zip(&z, &nothing, 1, "");
	refused(&z, "archive byte 31: member n: empty, but with a CRC");
}

static void descriptors(void **state)
{
	struct member m[] = {
		{ .name = "a", .data = "aaaa", .flags = 8, .mark = true },
		{ .name = "b", .data = "bbbb", .flags = 8 },
		{ .name = "c", .data = "cccc" },
	};
	struct made z;

	(void)state;
	make_zip(&z, m, COUNT(m), "");
	taken(&z);
	put_le(z.data + z.local[1] + 18, 4, 4); /* a size that is there already */
	taken(&z);
	put_le(z.data + z.local[1] + 18, 5, 4);
	refused(&z, "archive byte 51: member b: other sizes or another CRC in the local header");
	for (size_t at = 0; at < 16; at++) {
		make_zip(&z, m, COUNT(m), "");
		z.data[z.contents[0] + 4 + at] ^= 1;
		refused(&z, at < 4 ? "archive byte 35: member a: no data descriptor that fits"
				   : "archive byte 35: member a: other sizes or another CRC in the "
				     "data descriptor");
	}
	make_zip(&z, m, COUNT(m), "");
	put_le(z.data + z.local[1] + 6, 0, 2);
	put_le(z.data + z.central[1] + 8, 0, 2);
	refused(&z, "archive byte 51: member b: other sizes or another CRC in the local header");
	m[2].flags = 8;
	make_zip(&z, m, COUNT(m), "");
	taken(&z);
	m[2].flags = 0;
	make_zip(&z, m, COUNT(m), "");
	put_le(z.data + z.local[2] + 6, 8, 2);
	put_le(z.data + z.central[2] + 8, 8, 2);
	refused(&z, "archive byte 133: member c: no data descriptor that fits");
}

static void names(void **state)
{
	static const struct {
		const char *name;
		const char *fault;
	} bad[] = {
		{ "/a", "an absolute name" },
		{ "/", "an absolute name" },
		{ "C:a", "an absolute name" },
		{ "z:/a", "an absolute name" },
		{ "a\\b", "a backslash in its name" },
		{ "\\\\host\\a", "a backslash in its name" },
		{ "..", "a folder name of dots in its name" },
		{ ".", "a folder name of dots in its name" },
		{ "../a", "a folder name of dots in its name" },
		{ "./a", "a folder name of dots in its name" },
		{ "a/../b", "a folder name of dots in its name" },
		{ "a/./b", "a folder name of dots in its name" },
		{ "a/..", "a folder name of dots in its name" },
		{ "a//b", "an empty folder name in its name" },
		{ "a/b//", "an empty folder name in its name" },
	};
	static const char *const good[] = { "...", "..a",  "a..",        ".a", "a/.b/..c/d...",
					    "1:a", "ab:c", "\x01\n\x7f", " ",  "~",
					    "-" };
	struct member m = { .data = "x" };
	struct made z;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char reason[128];

		m.name = bad[i].name;
		make_zip(&z, &m, 1, "");
		(void)snprintf(reason, sizeof(reason), "archive byte %zu: member %s: %s",
			       z.central[0], m.name, bad[i].fault);
		refused(&z, reason);
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		m.name = good[i];
		make_zip(&z, &m, 1, "");
		taken(&z);
	}
	m.name = "a\0b";
	m.name_len = 3;
	make_zip(&z, &m, 1, "");
	refused(&z, "archive byte 34: a NUL byte in a name");
}

/* The name that the archive's one member gets; NULL: it is refused. */
static char *name_of(const char *name, bool utf8)
{
	static const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	struct member m = { .name = name, .flags = utf8 ? 0x800 : 0 };
	struct tds_zip zip;
	struct made z;

	make_zip(&z, &m, 1, "");
	if (tds_zip_open(z.data, z.len, &limits, &zip, NULL) != 0)
		return NULL;
	char *copy = strndup(zip.v[0].name, zip.v[0].name_len);
	tds_zip_close(&zip);
	return copy;
}

static void encodings(void **state)
{
	static const char *const broken[] = { "\xff", "\xc0\xaf", "\xed\xa0\x80",
					      "\xf4\x90\x80\x80", "a\xe2\x82" };
	char *name;

	(void)state;
	name = name_of("caf\x82", false);
	assert_string_equal(name, "caf\xc3\xa9");
	free(name);
	name = name_of("\x80\xfe\xff\x9c\xe1", false); /* as Python's cp437 has it */
	assert_string_equal(name, "\xc3\x87\xe2\x96\xa0\xc2\xa0\xc2\xa3\xc3\x9f");
	free(name);
	name = name_of("caf\xc3\xa9", true);
	assert_string_equal(name, "caf\xc3\xa9");
	free(name);
	for (size_t i = 0; i < COUNT(broken); i++)
		assert_null(name_of(broken[i], true));
	/* Every byte has its character, each its own. */
	for (unsigned c = 0x80; c < 0x100; c++) {
		const char one[] = { (char)c, 'x', '\0' };

		name = name_of(one, false);
		assert_non_null(name);
		assert_true(strlen(name) > 2);
		free(name);
	}
}

static void kinds(void **state)
{
	static const uint32_t odd[] = { 0120777, 0020666, 0060666, 0010666,
					0140777, 0030000, 0170644 };
	struct member m = { .name = "m", .data = "x" };
	struct made z;

	(void)state;
	for (size_t i = 0; i < COUNT(odd); i++) {
		m.attributes = odd[i] << 16;
		make_zip(&z, &m, 1, "");
		refused(&z, "archive byte 32: member m: neither a regular file nor a folder");
	}
	m.attributes = 0104755u << 16; /* set-uid: taken, and not heeded */
	make_zip(&z, &m, 1, "");
	taken(&z);
	m.attributes = 0x20;
	make_zip(&z, &m, 1, "");
	taken(&z);
	m.attributes = 040755u << 16;
	make_zip(&z, &m, 1, "");
	refused(&z, "archive byte 32: member m: a folder by its mode or its name, but not by both");
	m.attributes = 0x10;
	make_zip(&z, &m, 1, "");
	refused(&z, "archive byte 32: member m: a folder by its mode or its name, but not by both");
	m.name = "m/";
	m.data = NULL;
	m.attributes = 0100644u << 16;
	make_zip(&z, &m, 1, "");
	refused(&z,
		"archive byte 32: member m/: a folder by its mode or its name, but not by both");
	m.attributes = 1;
	make_zip(&z, &m, 1, "");
	taken(&z);
	m.data = "x";
	make_zip(&z, &m, 1, "");
	refused(&z, "archive byte 33: member m/: a folder with contents");
}

static void extra_fields(void **state)
{
	static const struct {
		const char *bytes;
		uint16_t len;
		const char *fault; /* NULL: taken */
	} fields[] = {
		{ "UT\5\0\3\0\0\0\0", 9, NULL },
		{ "xx\0\0yy\0\0", 8, NULL },
		{ "\x01\0\x08\0........", 12, "zip64 where it is not needed" },
		{ "xx\0\0\x01\0\0\0", 8, "zip64 where it is not needed" },
		{ "up\5\0\1....", 9, "a second name in an extra field" },
		{ "xx\6\0yy", 6, "damaged extra fields" },
		{ "xx\0", 3, "damaged extra fields" },
		{ "x", 1, "damaged extra fields" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct member m = { .name = "m",
				    .data = "x",
				    .extra = fields[i].bytes,
				    .extra_len = fields[i].len };
		char reason[128];
		struct made z;

		make_zip(&z, &m, 1, "");
		(void)snprintf(reason, sizeof(reason), "archive byte %zu: member m: %s",
			       z.central[0], fields[i].fault ? fields[i].fault : "");
		if (fields[i].fault)
			refused(&z, reason);
		else
			taken(&z);
		/* In the local header alone. */
		memcpy(z.data + z.central[0] + 47, "xx", fields[i].len < 2 ? 0 : 2);
		if (fields[i].fault && fields[i].len >= 8 &&
		    memcmp(fields[i].bytes, "xx", 2) != 0) {
			(void)snprintf(reason, sizeof(reason), "archive byte 0: member m: %s",
				       fields[i].fault);
			refused(&z, reason);
		}
	}
}

static void overlaps(void **state)
{
	struct member m[] = { { .name = "a", .data = "aaaa" }, { .name = "b", .data = "bbbb" } };
	struct made z;

	(void)state;
	make_zip(&z, m, 2, "");
	put_le(z.data + z.central[1] + 42, 0, 4);
	refused(&z, "archive byte 0: member a: overlaps with another, or the directory");
	put_le(z.data + z.central[1] + 42, 1, 4);
	refused(&z, "archive byte 0: member a: no local header");
	put_le(z.data + z.central[1] + 42, z.central[0], 4);
	refused(&z, "archive byte 35: bytes that belong to no member");
	put_le(z.data + z.central[1] + 42, z.end, 4);
	refused(&z, "archive byte 0: member a: overlaps with another, or the directory");
	/* Directory and members in different orders are one archive. */
	unsigned char entry[47];
	make_zip(&z, m, 2, "");
	memcpy(entry, z.data + z.central[0], sizeof(entry));
	memmove(z.data + z.central[0], z.data + z.central[1], sizeof(entry));
	memcpy(z.data + z.central[1], entry, sizeof(entry));
	taken(&z);
}

static void names_that_clash(void **state)
{
	static const struct {
		const char *names[4];
		const char *fault; /* NULL: taken */
	} sets[] = {
		{ { "a", "a" }, NULL },
		{ { "a/", "a/" }, NULL },
		{ { "a/", "a/b" }, NULL },
		{ { "a/b", "a/" }, NULL },
		{ { "a", "a-b", "a.b", "ab" }, NULL },
		{ { "a", "a\x01", "a\x02", "a!" }, NULL },
		{ { "a", "a/" }, "member a/: its name is below that of a file" },
		{ { "a/", "a" }, "member a/: its name is below that of a file" },
		{ { "a", "a/b" }, "member a/b: its name is below that of a file" },
		{ { "a\x01", "a/b", "a" }, "member a/b: its name is below that of a file" },
		{ { "a/b/c", "a-", "a\x01", "a" },
		  "member a/b/c: its name is below that of a file" },
		{ { "a", "a!", "a", "a/b" }, "member a/b: its name is below that of a file" },
		{ { "a/b", "a/b/c", "a/b-c", "a/" },
		  "member a/b/c: its name is below that of a file" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct member m[4] = { 0 };
		struct made z;
		struct tds_err err;
		size_t n = 0;

		for (; n < 4 && sets[i].names[n]; n++) {
			bool folder = sets[i].names[n][strlen(sets[i].names[n]) - 1] == '/';

			m[n] = (struct member){ .name = sets[i].names[n],
						.data = folder ? NULL : "x",
						.attributes = folder ? 040755u << 16 : 0 };
		}
		make_zip(&z, m, n, "");
		int rc = check(z.data, z.len, &err);
		if ((rc == 0) != !sets[i].fault ||
		    (sets[i].fault && !strstr(err.reason, sets[i].fault)))
			fail_msg("%zu: %s", i, err.reason);
	}
}

/* Two texts of one CRC. */
#define TEXT_A "plumless"
#define TEXT_B "buckeroo"
#define STREAM_A "\x2b\xc8\x29\xcd\xcd\x49\x2d\x2e\x06\x00"

/*
 * One name packed in two ways; each order of directory and members, for both sorts have their own.
 */
static void twins(void **state)
{
	const struct member kinds[] = {
		{ .name = "t", .data = TEXT_A },
		{ .name = "t", .data = TEXT_A },
		{ .name = "t", .data = TEXT_B },
		{ .name = "t", .data = TEXT_A, .packed = STREAM_A, .packed_len = 10 },
	};

	(void)state;
	assert_int_equal(crc32_of(TEXT_A, 8), crc32_of(TEXT_B, 8));
	for (unsigned pick = 0; pick < 64; pick++) {
		const size_t kind[] = { pick & 3, pick >> 2 & 3, pick >> 4 & 3 };
		const struct member m[] = { kinds[kind[0]], kinds[kind[1]], kinds[kind[2]] };
		size_t bs = (size_t)(kind[0] == 2) + (kind[1] == 2) + (kind[2] == 2);

		for (unsigned order = 0; order < 6; order++) {
			static const unsigned char orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 },
								    { 1, 0, 2 }, { 1, 2, 0 },
								    { 2, 0, 1 }, { 2, 1, 0 } };
			struct made z;
			struct made shuffled;
			struct tds_err err;
			size_t len;

			make_zip(&z, m, 3, "");
			shuffled = z;
			len = z.central[1] - z.central[0];
			for (int i = 0; i < 3; i++)
				memcpy(shuffled.data + z.central[0] + (size_t)i * len,
				       z.data + z.central[orders[order][i]], len);
			int rc = check(shuffled.data, shuffled.len, &err);
			if ((rc == 0) != (bs == 0 || bs == 3) ||
			    (rc != 0 &&
			     !strstr(err.reason, "member t: there twice, with different contents")))
				fail_msg("%u, %u: %d %s", pick, order, rc, err.reason);
		}
	}
}

/*
 * A zip64 record and locator that the end record does not call for, in the comment of a directory
 * entry.
 */
static void hidden_zip64(void **state)
{
	const struct member m = { .name = "m", .data = "x" };
	struct made z;

	(void)state;
	make_zip(&z, &m, 1, "");
	z.len = z.end;
	put_le(z.data + z.central[0] + 32, 76, 2);
	add_bytes(&z, "PK\6\6", 4);
	add_le(&z, 44, 8);
	add_bytes(&z, "\55\0\55\0\0\0\0\0\0\0\0", 12);
	add_le(&z, 1, 8);
	add_le(&z, 1, 8);
	add_le(&z, 47, 8);
	add_le(&z, z.central[0], 8);
	add_bytes(&z, "PK\6\7\0\0\0", 8);
	add_le(&z, z.end, 8);
	add_le(&z, 1, 4);
	size_t at = z.len;
	add_end(&z, 1, z.central[0], "");
	refused(&z, "archive byte 135: a zip64 locator within the directory");
	assert_int_equal(at - 20, 135);
	z.data[at - 20] = 'p';
	taken(&z);
}

/* Many members without contents; large enough for zip64 where n is. */
struct many {
	unsigned char *data;
	size_t len;
	size_t end64;
};

static void add_to(struct many *z, const void *data, size_t len)
{
	memcpy(z->data + z->len, data, len);
	z->len += len;
}

static void make_many(struct many *z, size_t n)
{
	static const unsigned char local[30] = "PK\3\4\24";
	static const unsigned char entry[46] = "PK\1\2\24\3\24";

	*z = (struct many){ .data = malloc(n * (30 + 46 + 16) + 200) };
	for (size_t i = 0; i < 2 * n; i++) {
		char name[9];
		unsigned char header[46];
		size_t len = i < n ? sizeof(local) : sizeof(entry);

		(void)snprintf(name, sizeof(name), "%08zx", i % n);
		memcpy(header, i < n ? local : entry, len);
		put_le(header + (i < n ? 26 : 28), 8, 2);
		if (i >= n)
			put_le(header + 42, (i - n) * 38, 4);
		add_to(z, header, len);
		add_to(z, name, 8);
	}
	z->end64 = z->len;
	unsigned char tail[98] = "PK\6\6";
	put_le(tail + 4, 44, 8);
	put_le(tail + 24, n, 8);
	put_le(tail + 32, n, 8);
	put_le(tail + 40, n * 54, 8);
	put_le(tail + 48, n * 38, 8);
	memcpy(tail + 56, "PK\6\7", 4);
	put_le(tail + 64, z->end64, 8);
	put_le(tail + 72, 1, 4);
	memcpy(tail + 76, "PK\5\6", 4);
	put_le(tail + 84, n > 0xffff ? 0xffff : n, 2);
	put_le(tail + 86, n > 0xffff ? 0xffff : n, 2);
	put_le(tail + 88, n * 54, 4);
	put_le(tail + 92, n * 38, 4);
	if (n > 0xffff)
		add_to(z, tail, sizeof(tail));
	else
		add_to(z, tail + 76, 22);
}

static void zip64(void **state)
{
	static const struct {
		size_t at; /* from the zip64 record on */
		int bytes;
		uint64_t value;
		const char *fault;
	} lies[] = {
		{ 0, 4, 0, "the zip64 end record does not agree with the end record" },
		{ 4, 8, 45, "the zip64 end record does not agree with the end record" },
		{ 16, 4, 1, "the zip64 end record does not agree with the end record" },
		{ 20, 4, 1, "the zip64 end record does not agree with the end record" },
		{ 24, 8, 65537, "the zip64 end record does not agree with the end record" },
		{ 40, 8, 1, "the zip64 end record does not agree with the end record" },
		{ 48, 8, UINT64_MAX, "the zip64 end record does not agree with the end record" },
		{ 56, 4, 0, "the zip64 locator does not agree with the end record" },
		{ 60, 4, 1, "the zip64 locator does not agree with the end record" },
		{ 64, 8, 0, "the zip64 locator does not agree with the end record" },
		{ 64, 8, UINT64_MAX, "the zip64 locator does not agree with the end record" },
		{ 72, 4, 2, "the zip64 locator does not agree with the end record" },
		{ 84, 4, 0xfffefffe, "zip64 where it is not needed" },
	};
	struct tds_err err;
	struct many z;

	(void)state;
	make_many(&z, 65535);
	assert_fine(check(z.data, z.len, &err), &err);
	free(z.data);
	make_many(&z, 65536);
	assert_fine(check(z.data, z.len, &err), &err);
	for (size_t i = 0; i < COUNT(lies); i++) {
		unsigned char saved[8];

		memcpy(saved, z.data + z.end64 + lies[i].at, 8);
		put_le(z.data + z.end64 + lies[i].at, lies[i].value, lies[i].bytes);
		assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
		if (!strstr(err.reason, lies[i].fault))
			fail_msg("%zu: %s", i, err.reason);
		memcpy(z.data + z.end64 + lies[i].at, saved, 8);
	}
	/* both counts of the zip64 record */
	put_le(z.data + z.end64 + 24, 65535, 8);
	put_le(z.data + z.end64 + 32, 65535, 8);
	assert_int_equal(check(z.data, z.len, &err), TDS_E_ARCHIVE);
	put_le(z.data + z.end64 + 24, UINT64_MAX, 8);
	put_le(z.data + z.end64 + 32, UINT64_MAX, 8);
	assert_failed(check(z.data, z.len, &err), &err, TDS_E_ARCHIVE,
		      "has 18446744073709551615 members, more than 100000");
	free(z.data);
}

static void limits(void **state)
{
	const struct member m[] = { { .name = "a", .data = "12345" },
				    { .name = "b", .data = "12345" } };
	struct tds_zip zip;
	struct made z;
	struct tds_err err = { 0 };

	(void)state;
	make_zip(&z, m, 2, "");
	assert_failed(tds_zip_open(z.data, z.len, &(struct tds_zip_limits){ 1, 100 }, &zip, &err),
		      &err, TDS_E_ARCHIVE, "has 2 members, more than 1");
	assert_failed(tds_zip_open(z.data, z.len, &(struct tds_zip_limits){ 2, 9 }, &zip, &err),
		      &err, TDS_E_ARCHIVE, "unpacks to more than 9 bytes");
	assert_fine(tds_zip_open(z.data, z.len, &(struct tds_zip_limits){ 2, 10 }, &zip, &err),
		    &err);
	assert_int_equal(zip.bytes, 10);
	tds_zip_close(&zip);
	tds_zip_close(&zip);
}

/* A sink that joins names and contents: "a<12345>". */
static int join(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		struct tds_err *err)
{
	char *text = ctx;

	if (!data)
		(void)sprintf(text + strlen(text), "%.*s:", TDS_ZIP_SHOWN(entry));
	else
		strncat(text, data, len);
	return strncmp(entry->name, "stop", entry->name_len) == 0
		       ? tds_err_set(err, TDS_E_WRITE, "stopped")
		       : 0;
}

static bool want(void *ctx, const struct tds_zip_entry *entry)
{
	(void)ctx;
	return !entry->repeated && !entry->folder;
}

static void unpacking(void **state)
{
	static const struct tds_zip_limits none = TDS_ZIP_LIMITS_DEFAULT;
	const struct member m[] = { { .name = "b/c", .data = "one" },
				    { .name = "a", .data = "two" },
				    { .name = "b/", .attributes = 040755u << 16 },
				    { .name = "a", .data = "two" },
				    { .name = "empty" } };
	const struct member stop[] = { { .name = "a", .data = "x" },
				       { .name = "stop", .data = "y" },
				       { .name = "z", .data = "z" } };
	char text[256] = "";
	struct tds_zip zip;
	struct made z;
	struct tds_err err = { 0 };

	(void)state;
	make_zip(&z, m, COUNT(m), "");
	assert_fine(tds_zip_open(z.data, z.len, &none, &zip, &err), &err);
	assert_fine(tds_zip_unpack(&zip, NULL, join, text, &err), &err);
	assert_string_equal(text, "b/c:onea:twob/:a:twoempty:");
	text[0] = '\0';
	assert_fine(tds_zip_unpack(&zip, want, join, text, &err), &err);
	assert_string_equal(text, "b/c:onea:twoempty:");
	tds_zip_close(&zip);
	make_zip(&z, stop, COUNT(stop), "");
	assert_fine(tds_zip_open(z.data, z.len, &none, &zip, &err), &err);
	text[0] = '\0';
	assert_failed(tds_zip_unpack(&zip, NULL, join, text, &err), &err, TDS_E_WRITE, "stopped");
	assert_string_equal(text, "a:xstop:");
	tds_zip_close(&zip);
}

int main(void)
{
	const struct CMUnitTest zip[] = {
		cmocka_unit_test(sound),
		cmocka_unit_test(end_records),
		cmocka_unit_test(comments),
		cmocka_unit_test(longest_comment),
		cmocka_unit_test(directory_entries),
		cmocka_unit_test(local_headers),
		cmocka_unit_test(methods_and_flags),
		cmocka_unit_test(contents),
		cmocka_unit_test(descriptors),
		cmocka_unit_test(names),
		cmocka_unit_test(encodings),
		cmocka_unit_test(kinds),
		cmocka_unit_test(extra_fields),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(names_that_clash),
		cmocka_unit_test(twins),
		cmocka_unit_test(hidden_zip64),
		cmocka_unit_test(zip64),
		cmocka_unit_test(limits),
		cmocka_unit_test(unpacking),
	};

	return cmocka_run_group_tests(zip, NULL, NULL);
}
