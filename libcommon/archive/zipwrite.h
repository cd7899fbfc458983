/* SPDX-License-Identifier: MIT */
/*
 * Writing the archive of a package, in memory, by libarchive: deflated regular files, and a comment. The same
 * members give the same bytes, whoever writes them and where. What it writes, zip.h accepts.
 *
 * libarchive writes times in the process's time zone, so the caller sets TZ to UTC first.
 */
#ifndef TDS_ZIPWRITE_H
#define TDS_ZIPWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/err.h"

struct tds_zip_writer; /* opaque */

/* Owner: caller frees with tds_zip_writer_free(). Errors: TDS_E_NOMEM, TDS_E_UNUSABLE. On error *writer is NULL. */
int tds_zip_writer_new(struct tds_zip_writer **writer, struct tds_err *err) TDS_MUST_CHECK;
void tds_zip_writer_free(struct tds_zip_writer *writer);
static inline void tds_zip_writer_cleanup(struct tds_zip_writer **writer)
{
	tds_zip_writer_free(*writer);
}

/*
 * May a file of this name, relative and without empty or dotted parts, be a member?
 * Errors: TDS_E_UNUSABLE: it is not UTF-8, or has a backslash or a drive letter.
 */
int tds_zip_member_name(const char *name, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Add a file: mode 0755 if executable, else 0644; mtime is moved into the years that ZIP knows, 1980 to 2107.
 * Errors: TDS_E_NOMEM, TDS_E_UNUSABLE (more than the limits that zip.h has for readers).
 */
int tds_zip_writer_add(struct tds_zip_writer *writer, const char *name, bool executable,
		       time_t mtime, const void *data, size_t len,
		       struct tds_err *err) TDS_MUST_CHECK;

/*
 * Write the directory and the comment (at most 65,535 bytes). Nothing can be added after.
 * Shape:   *end is where the end record begins.
 * Owner:   caller frees *zip.
 * Errors:  TDS_E_NOMEM, TDS_E_UNUSABLE.
 */
int tds_zip_writer_finish(struct tds_zip_writer *writer, const char *comment, unsigned char **zip,
			  size_t *len, size_t *end, struct tds_err *err) TDS_MUST_CHECK;

#endif
