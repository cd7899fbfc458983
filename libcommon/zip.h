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

#include "err.h"

#define TDS_ZIP_END_LEN 22 /* bytes of the end record without its comment */

struct tds_zip_limits {
	uint64_t entries;
	uint64_t bytes; /* of all members, unpacked */
};
#define TDS_ZIP_LIMITS_DEFAULT                      \
	{                                           \
		.entries = 100000, .bytes = 1 << 30 \
	}

/* One member, its directory entry and its local header already found to agree. */
struct tds_zip_entry {
	char *name;      /* UTF-8; ends in '/' for a folder */
	uint64_t at;     /* offset of its local header in the archive */
	uint64_t data;   /* offset of its data */
	uint64_t packed; /* bytes there */
	uint64_t size;   /* bytes unpacked */
	uint32_t crc;
	uint16_t flags; /* as in both headers */
	bool executable;
	bool folder;
	bool stored;   /* not deflated */
	bool repeated; /* another member of this name is taken in its place */
	bool twin;     /* shares its name with another member, whose packed bytes differ */
};

struct tds_zip {
	const unsigned char *data; /* borrowed */
	size_t len;
	size_t end;          /* offset of the end record */
	const char *comment; /* into data, not NUL-terminated */
	size_t comment_len;
	struct tds_zip_entry *v; /* in the order of the central directory */
	size_t n;
	uint64_t bytes; /* of all members, unpacked, as declared */
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
 * that want (NULL: all) accepts, once with len 0 when it begins; sink NULL only checks. Members
 * that share a name must have the same bytes.
 * Errors:  TDS_E_ARCHIVE, TDS_E_NOMEM, and what sink returns.
 */
int tds_zip_unpack(const struct tds_zip *zip,
		   bool (*want)(void *ctx, const struct tds_zip_entry *entry), tds_zip_sink *sink,
		   void *ctx, struct tds_err *err) TDS_MUST_CHECK;

#endif
