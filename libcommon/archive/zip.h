/* SPDX-License-Identifier: MIT */
/*
 * ZIP archives: the structure check that decides which ones are taken at all, before libarchive
 * sees a byte of them; reading members; writing archives. tls(5) has the rules.
 */
#ifndef TDS_ZIP_H
#define TDS_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

#define TDS_ZIP_END_LEN 22 /* bytes of the end record without its comment */

struct tds_zip_limits {
	uint64_t entries;
	uint64_t bytes; /* of all members, unpacked */
};
#define TDS_ZIP_LIMITS_DEFAULT                      \
	{                                           \
		.entries = 100000, .bytes = 1 << 30 \
	}

/* What takes memory beyond the archive, and a few bytes for each member, has a limit. */
#define TDS_ZIP_RECODED_MAX (1 << 20) /* bytes of all names that are not in UTF-8 */
#define TDS_ZIP_TWINS_MAX 10000       /* members that share a name, but not their packed bytes */

/*
 * One member, its directory entry and its local header already found to agree. Small, as there may
 * be a hundred thousand; 32 bits hold each of its numbers, as those of zip64 are refused.
 */
struct tds_zip_entry {
	const char *name; /* UTF-8, not NUL-terminated; ends in '/' for a folder */
	uint32_t name_len;
	uint32_t central; /* offset of its directory entry in the archive */
	uint32_t at;      /* offset of its local header */
	uint32_t data;    /* offset of its data */
	uint32_t packed;  /* bytes there */
	uint32_t size;    /* bytes unpacked */
	uint32_t crc;
	uint16_t flags; /* as in both headers */
	bool executable;
	bool folder;
	bool stored;   /* not deflated */
	bool repeated; /* another member of this name is taken in its place */
	bool twin;     /* shares its name with another member, whose packed bytes differ */
	bool recoded;  /* its name is in memory of its own, not in the archive */
};

/* Below it is what a package says of itself: no file of its source, neither extracted nor imported. */
#define TDS_ZIP_INF "TDS-INF/"
static inline bool tds_zip_is_inf(const struct tds_zip_entry *entry)
{
	return entry->name_len >= strlen(TDS_ZIP_INF) &&
	       memcmp(entry->name, TDS_ZIP_INF, strlen(TDS_ZIP_INF)) == 0;
}

/* The arguments for the %.*s of a message. */
#define TDS_ZIP_SHOWN(entry) (int)((entry)->name_len < 300 ? (entry)->name_len : 300), (entry)->name

struct tds_zip {
	const unsigned char *data; /* borrowed */
	size_t len;
	size_t end;          /* offset of the end record */
	const char *comment; /* into data, not NUL-terminated */
	size_t comment_len;
	struct tds_zip_entry *v; /* in the order of the central directory */
	size_t n;
	uint32_t *order; /* the numbers of all in v, in the order of their local headers */
	uint64_t bytes;  /* of all members, unpacked, as declared */
	size_t recoded;  /* bytes that the names take that are not in the archive */
	size_t twins;    /* how many members are */
};

/*
 * Find the end record of an archive, where it is the last thing in it, and nothing else.
 * Errors: TDS_E_ARCHIVE.
 */
int tds_zip_find_end(const unsigned char *data, size_t len, size_t *end,
		     struct tds_err *err) TDS_MUST_CHECK;

/*
 * Check the structure of an archive: end record, directory, local headers, and that they tile it
 * without gap or overlap; names; sums of declared sizes. Inflates nothing.
 * Source:  data is signed by a known key, and may be hostile all the same.
 * Owner:   caller frees with tds_zip_close(), on success only; data must outlive it.
 * Errors:  TDS_E_ARCHIVE, the reason naming member and offset; TDS_E_NOMEM.
 */
int tds_zip_open(const unsigned char *data, size_t len, const struct tds_zip_limits *limits,
		 struct tds_zip *zip, struct tds_err *err) TDS_MUST_CHECK;
void tds_zip_close(struct tds_zip *zip);
#define tds_zip_cleanup tds_zip_close

/*
 * Takes each piece of a member's contents, in order; returns 0 or an enum tds_code, which ends the
 * reading.
 */
typedef int tds_zip_sink(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
			 struct tds_err *err);

/*
 * Unpack members and hold each against its declared size and CRC. sink is called for each member
 * that want (NULL: all) accepts, once with len 0 when it begins. sink NULL only checks, where there
 * is much in two threads: the first member with a fault decides all the same. Members that share a
 * name must have the same bytes.
 * Errors:  TDS_E_ARCHIVE, TDS_E_NOMEM, and what sink returns.
 */
int tds_zip_unpack(const struct tds_zip *zip,
		   bool (*want)(void *ctx, const struct tds_zip_entry *entry), tds_zip_sink *sink,
		   void *ctx, struct tds_err *err) TDS_MUST_CHECK;

#endif
