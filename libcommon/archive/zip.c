/* SPDX-License-Identifier: MIT */
/*
 * The structure check of archives. A ZIP says most things twice, and readers differ in which place
 * they believe; here both must say the same, and the pieces must tile the archive without gap or
 * overlap. Offsets in reasons count from the beginning of the restored archive. Long because it is
 * read beside the description of the format, which it follows from the end record to the names.
 */
#include "zip.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"

#define ENTRY_LEN 46   /* directory entry without name, extra fields and comment */
#define LOCAL_LEN 30   /* local header without name and extra fields */
#define END64_LEN 56   /* zip64 end record */
#define LOCATOR_LEN 20 /* zip64 locator */
#define MARK_LEN 4

#define FLAG_DESCRIPTOR 0x0008
#define FLAG_UTF8 0x0800
/*
 * Besides those two: the deflate options, which change nothing for a reader. All others change the
 * meaning.
 */
#define FLAGS_KNOWN (FLAG_DESCRIPTOR | FLAG_UTF8 | 0x0006)

#define RECODED_COST 32 /* bytes: what malloc needs for a name beside it, at most */

#define EXTRA_ZIP64 0x0001
#define EXTRA_UNICODE_PATH 0x7075

static uint16_t le16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const unsigned char *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool has_mark(const unsigned char *p, unsigned char third, unsigned char fourth)
{
	return p[0] == 'P' && p[1] == 'K' && p[2] == third && p[3] == fourth;
}

static int bad(struct tds_err *err, uint64_t at, const char *what)
{
	return tds_err_set(err, TDS_E_ARCHIVE, "archive byte %ju: %s", (uintmax_t)at, what);
}

static int bad_entry(struct tds_err *err, const struct tds_zip_entry *entry, uint64_t at,
		     const char *what)
{
	return tds_err_set(err, TDS_E_ARCHIVE, "archive byte %ju: member %.*s: %s", (uintmax_t)at,
			   TDS_ZIP_SHOWN(entry), what);
}

int tds_zip_find_end(const unsigned char *data, size_t len, size_t *end, struct tds_err *err)
{
	/* The last mark decides, as it does for other readers: no comment may hold another one. */
	for (size_t back = MARK_LEN; back <= len && back <= TDS_ZIP_END_LEN + UINT16_MAX; back++) {
		const unsigned char *p = data + len - back;

		if (!has_mark(p, 5, 6))
			continue;
		if (back < TDS_ZIP_END_LEN || le16(p + 20) != back - TDS_ZIP_END_LEN)
			return bad(err, len - back,
				   "an end record that does not reach to the end of the archive");
		*end = len - back;
		return 0;
	}
	return tds_err_set(err, TDS_E_ARCHIVE, "not a ZIP archive: no end record at its end");
}

/* Where the central directory is and how many entries it has, by the end record. */
struct directory {
	uint64_t at;
	uint64_t size;
	uint64_t entries;
};

/* zip64 is for more entries than 16 bits count; nothing else here can need it. */
static int read_end64(const struct tds_zip *zip, struct directory *dir, struct tds_err *err)
{
	size_t at = zip->end - LOCATOR_LEN - END64_LEN;
	const unsigned char *p = zip->data + at;
	const unsigned char *locator = p + END64_LEN;

	if (!has_mark(p, 6, 6) || le64(p + 4) != END64_LEN - 12 || le32(p + 16) != 0 ||
	    le32(p + 20) != 0 || le64(p + 24) != le64(p + 32) || le64(p + 40) != dir->size ||
	    le64(p + 48) != dir->at)
		return bad(err, at, "the zip64 end record does not agree with the end record");
	if (!has_mark(locator, 6, 7) || le32(locator + 4) != 0 || le64(locator + 8) != at ||
	    le32(locator + 16) != 1)
		return bad(err, at + END64_LEN,
			   "the zip64 locator does not agree with the end record");
	if (dir->entries != UINT16_MAX || le64(p + 24) <= UINT16_MAX)
		return bad(err, at, "zip64 where it is not needed");
	dir->entries = le64(p + 24);
	return 0;
}

static int read_end(const struct tds_zip *zip, struct directory *dir, struct tds_err *err)
{
	const unsigned char *p = zip->data + zip->end;

	*dir = (struct directory){ .entries = le16(p + 10),
				   .size = le32(p + 12),
				   .at = le32(p + 16) };
	if (le16(p + 4) != 0 || le16(p + 6) != 0 || le16(p + 8) != dir->entries)
		return bad(err, zip->end, "an archive of several disks");
	if (dir->at + dir->size == zip->end) {
		/*
		 * Other readers take a locator in front of the end record for one, though it is
		 * part of the directory.
		 */
		if (zip->end >= LOCATOR_LEN && has_mark(zip->data + zip->end - LOCATOR_LEN, 6, 7))
			return bad(err, zip->end - LOCATOR_LEN,
				   "a zip64 locator within the directory");
		return 0;
	}
	if (zip->end >= LOCATOR_LEN + END64_LEN &&
	    dir->at + dir->size == zip->end - LOCATOR_LEN - END64_LEN)
		return read_end64(zip, dir, err);
	return bad(err, zip->end, "the directory does not end where the end record begins");
}

/* Extra fields: well formed, and none that gives another size or another name. */
static int check_extra(const struct tds_zip_entry *entry, uint64_t at, const unsigned char *p,
		       size_t len, struct tds_err *err)
{
	while (len >= 4) {
		unsigned id = le16(p);
		size_t n = 4 + (size_t)le16(p + 2);

		if (n > len)
			break;
		if (id == EXTRA_ZIP64)
			return bad_entry(err, entry, at, "zip64 where it is not needed");
		if (id == EXTRA_UNICODE_PATH)
			return bad_entry(err, entry, at, "a second name in an extra field");
		p += n;
		len -= n;
	}
	return len == 0 ? 0 : bad_entry(err, entry, at, "damaged extra fields");
}

/* Names without the UTF-8 flag are in code page 437, as Python reads them. NULL: not possible. */
static char *from_cp437(const char *name, size_t len, size_t *recoded)
{
	iconv_t cd = iconv_open("UTF-8", "CP437");
	size_t room = 3 * len;
	char *text = malloc(room);
	char *in = (char *)(uintptr_t)name;
	char *out = text;

	if (cd == (iconv_t)-1 || !text || iconv(cd, &in, &len, &out, &room) == (size_t)-1) {
		free(text);
		text = NULL;
	} else {
		*recoded = (size_t)(out - text);
		char *fit = realloc(text, *recoded);
		text = fit ? fit : text;
	}
	if (cd != (iconv_t)-1)
		(void)iconv_close(cd);
	return text;
}

static bool is_ascii(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] >= 0x80)
			return false;
	return true;
}

/* The name as UTF-8: where it stands, or in memory of its own. */
static int decode_name(struct tds_zip *zip, const char *name, size_t len, uint64_t at,
		       struct tds_zip_entry *entry, struct tds_err *err)
{
	const bool utf8 = (entry->flags & FLAG_UTF8) != 0;

	entry->name = name;
	entry->name_len = (uint32_t)len;
	if (is_ascii(name, len) || (utf8 && tds_text_is_utf8(name, len)))
		return 0;
	char *text = utf8 ? NULL : from_cp437(name, len, &len);
	if (!text)
		return bad(err, at, "a name that is not in the encoding that it says");
	entry->name = text;
	entry->name_len = (uint32_t)len;
	entry->recoded = true;
	zip->recoded += len + RECODED_COST;
	return zip->recoded <= TDS_ZIP_RECODED_MAX
		       ? 0
		       : bad(err, at, "too many names in code page 437");
}

static bool has_drive(const char *name, size_t len)
{
	return len > 1 && name[1] == ':' &&
	       ((name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z'));
}

/* What is wrong with a name; NULL: nothing. */
static const char *name_fault(const char *name, size_t len)
{
	if (len == 0)
		return "an empty name";
	if (name[0] == '/' || has_drive(name, len))
		return "an absolute name";
	if (memchr(name, '\\', len))
		return "a backslash in its name";
	for (size_t at = 0; at < len;) {
		const char *part = name + at;
		const char *slash = memchr(part, '/', len - at);
		size_t n = slash ? (size_t)(slash - part) : len - at;

		if (n == 0)
			return "an empty folder name in its name";
		if (part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.')))
			return "a folder name of dots in its name";
		at += n + 1;
	}
	return NULL;
}

static int read_name(struct tds_zip *zip, const unsigned char *p, size_t len, uint64_t at,
		     struct tds_zip_entry *entry, struct tds_err *err)
{
	const char *name = (const char *)p;

	if (memchr(name, '\0', len))
		return bad(err, at, "a NUL byte in a name");
	int rc = decode_name(zip, name, len, at, entry, err);
	if (rc != 0)
		return rc;
	const char *fault = name_fault(entry->name, entry->name_len);
	if (fault)
		return bad_entry(err, entry, at, fault);
	entry->folder = entry->name[entry->name_len - 1] == '/';
	return 0;
}

/* The type that the mode bits and the DOS attributes give must be the one that the name gives. */
static int check_type(const struct tds_zip_entry *entry, uint64_t at, uint32_t attributes,
		      struct tds_err *err)
{
	uint32_t type = attributes >> 16 & S_IFMT;

	if (type != 0 && type != S_IFREG && type != S_IFDIR)
		return bad_entry(err, entry, at, "neither a regular file nor a folder");
	if ((type != 0 && (type == S_IFDIR) != entry->folder) ||
	    ((attributes & 0x10) && !entry->folder))
		return bad_entry(err, entry, at,
				 "a folder by its mode or its name, but not by both");
	if (entry->folder && (entry->size != 0 || entry->packed != 0))
		return bad_entry(err, entry, at, "a folder with contents");
	return 0;
}

static int check_method(const struct tds_zip_entry *entry, uint64_t at, unsigned method,
			struct tds_err *err)
{
	if (entry->flags & 1)
		return bad_entry(err, entry, at, "encrypted");
	if (entry->flags & ~FLAGS_KNOWN)
		return bad_entry(err, entry, at, "flags that are not allowed");
	if (method != 0 && method != 8)
		return bad_entry(err, entry, at, "neither stored nor deflated");
	if (entry->stored && entry->packed != entry->size)
		return bad_entry(err, entry, at, "stored, but of two sizes");
	/* Which libarchive does not compare. */
	if (entry->size == 0 && entry->crc != 0)
		return bad_entry(err, entry, at, "empty, but with a CRC");
	return 0;
}

/* One directory entry at *at, which moves behind it. */
static int read_entry(struct tds_zip *zip, uint64_t *at, uint64_t end, struct tds_zip_entry *entry,
		      struct tds_err *err)
{
	const unsigned char *p = zip->data + *at;

	if (end - *at < ENTRY_LEN || !has_mark(p, 1, 2))
		return bad(err, *at, "no directory entry where the end record counts one");
	size_t name_len = le16(p + 28);
	size_t extra_len = le16(p + 30);
	size_t len = ENTRY_LEN + name_len + extra_len + le16(p + 32);
	if (end - *at < len)
		return bad(err, *at, "a directory entry that is cut off");
	unsigned method = le16(p + 10);
	*entry = (struct tds_zip_entry){
		.central = (uint32_t)*at,
		.flags = le16(p + 8),
		.stored = method == 0,
		.crc = le32(p + 16),
		.packed = le32(p + 20),
		.size = le32(p + 24),
		.executable = (le32(p + 38) >> 16 & S_IXUSR) != 0,
		.at = le32(p + 42),
	};
	int rc = read_name(zip, p + ENTRY_LEN, name_len, *at, entry, err);
	if (rc == 0)
		rc = check_extra(entry, *at, p + ENTRY_LEN + name_len, extra_len, err);
	if (rc == 0)
		rc = check_method(entry, *at, method, err);
	if (rc == 0)
		rc = check_type(entry, *at, le32(p + 38), err);
	if (rc == 0 && le16(p + 34) != 0)
		rc = bad_entry(err, entry, *at, "on another disk");
	*at += len;
	return rc;
}

static int read_directory(struct tds_zip *zip, const struct directory *dir,
			  const struct tds_zip_limits *limits, struct tds_err *err)
{
	uint64_t end = dir->at + dir->size;
	uint64_t at = dir->at;

	if (dir->entries > limits->entries)
		return tds_err_set(err, TDS_E_ARCHIVE, "has %ju members, more than %ju",
				   (uintmax_t)dir->entries, (uintmax_t)limits->entries);
	if (dir->entries > dir->size / ENTRY_LEN)
		return bad(err, zip->end,
			   "the end record counts more members than the directory holds");
	zip->v = calloc(dir->entries ? dir->entries : 1, sizeof(*zip->v));
	if (!zip->v)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	while (zip->n < dir->entries) {
		struct tds_zip_entry *entry = &zip->v[zip->n++];
		int rc = read_entry(zip, &at, end, entry, err);

		if (rc != 0)
			return rc;
		zip->bytes += entry->size; /* 32 bits each, and fewer of them than 32 bits count */
		if (zip->bytes > limits->bytes)
			return tds_err_set(err, TDS_E_ARCHIVE, "unpacks to more than %ju bytes",
					   (uintmax_t)limits->bytes);
	}
	return at == end ? 0 : bad(err, at, "bytes in the directory behind its last entry");
}

/* Sizes and CRC in the local header: the directory's, or zero where a data descriptor has them. */
static bool local_sizes_agree(const struct tds_zip_entry *entry, const unsigned char *p)
{
	bool later = (entry->flags & FLAG_DESCRIPTOR) != 0;

	return (le32(p + 14) == entry->crc || (later && le32(p + 14) == 0)) &&
	       (le32(p + 18) == entry->packed || (later && le32(p + 18) == 0)) &&
	       (le32(p + 22) == entry->size || (later && le32(p + 22) == 0));
}

/* The local header of entry, which must end, data and all, at or before limit. */
static int read_local(const struct tds_zip *zip, struct tds_zip_entry *entry, uint64_t limit,
		      struct tds_err *err)
{
	const unsigned char *p = zip->data + entry->at;
	const unsigned char *central = zip->data + entry->central;

	if (limit - entry->at < LOCAL_LEN || !has_mark(p, 3, 4))
		return bad_entry(err, entry, entry->at, "no local header");
	size_t name_len = le16(p + 26);
	size_t extra_len = le16(p + 28);
	uint64_t data = LOCAL_LEN + name_len + extra_len + entry->at;
	if (data > limit || entry->packed > limit - data)
		return bad_entry(err, entry, entry->at, "reaches into what comes behind it");
	entry->data = (uint32_t)data;
	if (name_len != le16(central + 28) ||
	    memcmp(p + LOCAL_LEN, central + ENTRY_LEN, name_len) != 0)
		return bad_entry(err, entry, entry->at, "another name in the local header");
	if (le16(p + 6) != entry->flags || le16(p + 8) != (entry->stored ? 0 : 8))
		return bad_entry(err, entry, entry->at,
				 "another method or other flags in the local header");
	if (!local_sizes_agree(entry, p))
		return bad_entry(err, entry, entry->at,
				 "other sizes or another CRC in the local header");
	return check_extra(entry, entry->at, p + LOCAL_LEN + name_len, extra_len, err);
}

/*
 * What stands between a member's data and limit: nothing, or the data descriptor, with or without
 * its mark.
 */
static int check_behind(const struct tds_zip *zip, const struct tds_zip_entry *entry,
			uint64_t limit, struct tds_err *err)
{
	uint64_t at = (uint64_t)entry->data + entry->packed;
	const unsigned char *p = zip->data + at;
	uint64_t len = limit - at;

	if (!(entry->flags & FLAG_DESCRIPTOR))
		return len == 0 ? 0 : bad(err, at, "bytes that belong to no member");
	if (len == 16 && has_mark(p, 7, 8))
		p += 4;
	else if (len != 12)
		return bad_entry(err, entry, at, "no data descriptor that fits");
	if (le32(p) != entry->crc || le32(p + 4) != entry->packed || le32(p + 8) != entry->size)
		return bad_entry(err, entry, at,
				 "other sizes or another CRC in the data descriptor");
	return 0;
}

static int compare_at(const void *a, const void *b, void *ctx)
{
	const struct tds_zip *zip = ctx;
	uint32_t x = zip->v[*(const uint32_t *)a].at;
	uint32_t y = zip->v[*(const uint32_t *)b].at;

	return x < y ? -1 : x > y;
}

/* The numbers of the members, sorted. Caller frees; NULL: out of memory. */
static uint32_t *sort(struct tds_zip *zip, int (*compare)(const void *, const void *, void *))
{
	uint32_t *sorted = calloc(zip->n ? zip->n : 1, sizeof(*sorted));

	for (size_t i = 0; sorted && i < zip->n; i++)
		sorted[i] = (uint32_t)i;
	if (sorted)
		qsort_r(sorted, zip->n, sizeof(*sorted), compare, zip);
	return sorted;
}

/* Members and directory follow each other without gap or overlap, from byte 0 on. */
static int check_tiling(struct tds_zip *zip, const struct directory *dir, struct tds_err *err)
{
	int rc = 0;

	zip->order = sort(zip, compare_at);
	if (!zip->order)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if ((zip->n > 0 ? zip->v[zip->order[0]].at : dir->at) != 0)
		return bad(err, 0, "bytes before the first member");
	for (size_t i = 0; i < zip->n && rc == 0; i++) {
		struct tds_zip_entry *entry = &zip->v[zip->order[i]];
		uint64_t limit = i + 1 < zip->n ? zip->v[zip->order[i + 1]].at : dir->at;

		if (limit <= entry->at || limit > dir->at)
			return bad_entry(err, entry, entry->at,
					 "overlaps with another, or the directory");
		rc = read_local(zip, entry, limit, err);
		if (rc == 0)
			rc = check_behind(zip, entry, limit, err);
	}
	return rc;
}

/* The byte at i: behind the end of a name before all others, '/' before all but that. */
static unsigned rank_at(const struct tds_zip_entry *entry, size_t i)
{
	if (i == entry->name_len)
		return 0;
	return entry->name[i] == '/' ? 1 : 1U + (unsigned char)entry->name[i];
}

/* Orders names so that what lies in a folder follows the folder at once. */
static int compare_names(const void *a, const void *b, void *ctx)
{
	const struct tds_zip *zip = ctx;
	const struct tds_zip_entry *x = &zip->v[*(const uint32_t *)a];
	const struct tds_zip_entry *y = &zip->v[*(const uint32_t *)b];
	size_t i = 0;

	while (i < x->name_len && i < y->name_len && x->name[i] == y->name[i])
		i++;
	return (int)rank_at(x, i) - (int)rank_at(y, i);
}

static bool same_packed(const struct tds_zip *zip, const struct tds_zip_entry *a,
			const struct tds_zip_entry *b)
{
	return a->stored == b->stored && a->packed == b->packed &&
	       memcmp(zip->data + a->data, zip->data + b->data, a->packed) == 0;
}

/* Two neighbours in the order of compare_names. */
static int check_pair(struct tds_zip *zip, struct tds_zip_entry *a, struct tds_zip_entry *b,
		      struct tds_err *err)
{
	size_t n = a->name_len;

	if (b->name_len < n || memcmp(a->name, b->name, n) != 0)
		return 0;
	if (!a->folder && b->name_len > n && b->name[n] == '/')
		return bad_entry(err, b, b->at, "its name is below that of a file");
	if (b->name_len > n)
		return 0;
	if (a->crc != b->crc || a->size != b->size)
		return bad_entry(err, b, b->at, "there twice, with different contents");
	b->repeated = true;
	/* Packed in two ways: whether they unpack to the same, the unpacking shows. */
	if (!same_packed(zip, a, b)) {
		zip->twins += !a->twin + !b->twin;
		a->twin = b->twin = true;
	}
	return zip->twins <= TDS_ZIP_TWINS_MAX
		       ? 0
		       : bad_entry(err, b, b->at, "there twice, as too many others are");
}

static int check_names(struct tds_zip *zip, struct tds_err *err)
{
	tds_autofree uint32_t *sorted = sort(zip, compare_names);
	int rc = 0;

	if (!sorted)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 1; i < zip->n && rc == 0; i++)
		rc = check_pair(zip, &zip->v[sorted[i - 1]], &zip->v[sorted[i]], err);
	return rc;
}

int tds_zip_open(const unsigned char *data, size_t len, const struct tds_zip_limits *limits,
		 struct tds_zip *zip, struct tds_err *err)
{
	struct directory dir;

	*zip = (struct tds_zip){ .data = data, .len = len };
	if (len > UINT32_MAX)
		return tds_err_set(err, TDS_E_ARCHIVE, "is larger than 4 GiB");
	int rc = tds_zip_find_end(data, len, &zip->end, err);
	if (rc == 0) {
		zip->comment = (const char *)data + zip->end + TDS_ZIP_END_LEN;
		zip->comment_len = len - zip->end - TDS_ZIP_END_LEN;
		rc = read_end(zip, &dir, err);
	}
	if (rc == 0)
		rc = read_directory(zip, &dir, limits, err);
	if (rc == 0)
		rc = check_tiling(zip, &dir, err);
	if (rc == 0)
		rc = check_names(zip, err);
	if (rc != 0)
		tds_zip_close(zip);
	return rc;
}

void tds_zip_close(struct tds_zip *zip)
{
	for (size_t i = 0; i < zip->n; i++)
		if (zip->v[i].recoded)
			free((char *)(uintptr_t)zip->v[i].name);
	free(zip->v);
	free(zip->order);
	*zip = (struct tds_zip){ 0 };
}
