/* SPDX-License-Identifier: MIT */
/*
 * Remembered MD5 sums of unchanged files, for display only: what loads, verifies or deletes never asks here.
 * Whatever is wrong with a cache, it is done without, so that no function fails.
 *
 * It is DIR/.tds-hashes. Where that belongs to somebody else, or DIR cannot be written, it is a file in the
 * caller's own cache folder, named after the directory's device and inode. A cache is believed if the caller or
 * root owns it and nobody else may write it.
 */
#ifndef TDS_CACHE_H
#define TDS_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/dir.h"

#define TDS_CACHE_NAME ".tds-hashes"    /* in the director directory; nothing lists it */
#define TDS_CACHE_MAX_ENTRIES (1 << 20) /* of 64 bytes; a larger file is ignored */
#define TDS_CACHE_GRAIN_S 2 /* a file changed less than this ago may change again unnoticed */
#define TDS_CACHE_WORTH_BYTES \
	(1LL << 20) /* the cache is written once so much more had to be hashed */

struct tds_cache; /* opaque */

/*
 * Read what there is. home is the caller's cache folder ($XDG_CACHE_HOME or ~/.cache; NULL: none); its
 * subfolder tds is used. dir and home must outlive the cache.
 * NULL: out of memory; the other functions take that for an empty cache.
 */
struct tds_cache *tds_cache_open(const struct tds_dir *dir, const char *home);
void tds_cache_free(struct tds_cache *cache);
static inline void tds_cache_cleanup(struct tds_cache **cache)
{
	tds_cache_free(*cache);
}

/* The sum of the file that st describes. False: not known. Several threads may ask at once, while none writes. */
bool tds_cache_get(const struct tds_cache *cache, const struct stat *st,
		   unsigned char md5[TDS_MD5_LEN]);

/* Enter the sum of a file that was as st says both before and after it was read. */
void tds_cache_put(struct tds_cache *cache, const struct stat *st,
		   const unsigned char md5[TDS_MD5_LEN]);

/*
 * Write it back if it is worth it. complete: every package was looked up, so entries that nobody asked for
 * belong to files that are gone.
 */
void tds_cache_save(struct tds_cache *cache, bool complete);

#endif
