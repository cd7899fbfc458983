/* SPDX-License-Identifier: MIT */
/* libarchive's ZIP writer, held to what is the same everywhere, and the comment that it cannot write. */
#include "zipwrite.h"

#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "zip.h"

#define END_LEN 22 /* end record without comment */
#define END_COMMENT_LEN_AT 20
#define DOS_TIME_MIN 315532800  /* 1980-01-01 00:00:00 UTC */
#define DOS_TIME_MAX 4354819198 /* 2107-12-31 23:59:58 UTC */

struct tds_zip_writer {
	struct archive *archive;
	struct archive_entry *entry; /* used for each member anew */
	locale_t
		utf8; /* for libarchive names are in the encoding of the thread's locale; set while it looks */
	struct tds_buf zip;
	struct tds_zip_limits left;
};

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int archive_fault(const struct tds_zip_writer *writer, struct tds_err *err)
{
	const char *why = archive_error_string(writer->archive);

	return tds_err_set(err, TDS_E_UNUSABLE, "cannot be archived: %s",
			   why ? why : "libarchive does not say why");
}

static la_ssize_t take_output(struct archive *a, void *ctx, const void *data, size_t len)
{
	struct tds_zip_writer *writer = ctx;

	if (tds_buf_add(&writer->zip, data, len))
		return (la_ssize_t)len;
	archive_set_error(a, ENOMEM, "out of memory");
	return -1;
}

static int open_archive(struct tds_zip_writer *writer, struct tds_err *err)
{
	struct archive *a = writer->archive;

	if (archive_write_set_format_zip(a) == ARCHIVE_OK &&
	    archive_write_set_options(
		    a, "zip:compression=deflate,zip:compression-level=6,zip:hdrcharset=UTF-8") ==
		    ARCHIVE_OK &&
	    archive_write_set_bytes_per_block(a, 0) == ARCHIVE_OK &&
	    archive_write_open(a, writer, NULL, take_output, NULL) == ARCHIVE_OK)
		return 0;
	return archive_fault(writer, err);
}

int tds_zip_writer_new(struct tds_zip_writer **writer, struct tds_err *err)
{
	struct tds_zip_writer *w = calloc(1, sizeof(*w));

	*writer = NULL;
	if (!w)
		return no_memory(err);
	w->left = (struct tds_zip_limits)TDS_ZIP_LIMITS_DEFAULT;
	w->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	w->archive = archive_write_new();
	w->entry = archive_entry_new();
	locale_t old = w->utf8 ? uselocale(w->utf8) : (locale_t)0;
	int rc = w->archive && w->entry ? open_archive(w, err) : no_memory(err);
	if (old)
		(void)uselocale(old);
	if (rc != 0)
		tds_zip_writer_free(w);
	else
		*writer = w;
	return rc;
}

void tds_zip_writer_free(struct tds_zip_writer *writer)
{
	if (!writer)
		return;
	archive_entry_free(writer->entry);
	(void)archive_write_free(writer->archive);
	if (writer->utf8)
		freelocale(writer->utf8);
	tds_buf_fini(&writer->zip);
	free(writer);
}

int tds_zip_member_name(const char *name, struct tds_err *err)
{
	bool letter = (name[0] >= 'a' && name[0] <= 'z') || (name[0] >= 'A' && name[0] <= 'Z');

	if (!tds_text_is_utf8(name, strlen(name)))
		return tds_err_set(err, TDS_E_UNUSABLE, "cannot be packed: its name is not UTF-8");
	if (strchr(name, '\\'))
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "cannot be packed: it has a backslash in its name");
	if (letter && name[1] == ':')
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "cannot be packed: its name begins like a drive");
	return 0;
}

static time_t dos_time(time_t t)
{
	int64_t seconds = t; /* which a time_t of 32 bits never has too many of */

	return (time_t)(seconds < DOS_TIME_MIN   ? DOS_TIME_MIN
			: seconds > DOS_TIME_MAX ? DOS_TIME_MAX
						 : seconds);
}

static int write_header(struct tds_zip_writer *writer, const char *name, bool executable,
			time_t mtime, size_t len)
{
	struct archive_entry *e = archive_entry_clear(writer->entry);

	archive_entry_set_pathname(e, name);
	archive_entry_set_mode(e, S_IFREG | (executable ? 0755 : 0644));
	archive_entry_set_mtime(e, dos_time(mtime), 0);
	archive_entry_set_size(e, (la_int64_t)len);
	locale_t old = writer->utf8 ? uselocale(writer->utf8) : (locale_t)0;
	int rc = archive_write_header(writer->archive, e);
	if (old)
		(void)uselocale(old);
	return rc;
}

int tds_zip_writer_add(struct tds_zip_writer *writer, const char *name, bool executable,
		       time_t mtime, const void *data, size_t len, struct tds_err *err)
{
	const struct tds_zip_limits all = TDS_ZIP_LIMITS_DEFAULT;

	if (writer->left.entries == 0)
		return tds_err_set(err, TDS_E_UNUSABLE, "more than %ju files",
				   (uintmax_t)all.entries);
	if (len > writer->left.bytes)
		return tds_err_set(err, TDS_E_UNUSABLE, "more than %ju bytes in all",
				   (uintmax_t)all.bytes);
	writer->left.entries--;
	writer->left.bytes -= len;
	if (write_header(writer, name, executable, mtime, len) != ARCHIVE_OK ||
	    archive_write_data(writer->archive, data, len) != (la_ssize_t)len ||
	    archive_write_finish_entry(writer->archive) != ARCHIVE_OK)
		return archive_fault(writer, err);
	return 0;
}

int tds_zip_writer_finish(struct tds_zip_writer *writer, const char *comment, unsigned char **zip,
			  size_t *len, size_t *end, struct tds_err *err)
{
	struct tds_buf *buf = &writer->zip;
	size_t comment_len = strlen(comment);

	if (archive_write_close(writer->archive) != ARCHIVE_OK)
		return archive_fault(writer, err);
	if (comment_len > UINT16_MAX)
		return tds_err_set(err, TDS_E_UNUSABLE, "the comment is too long");
	if (tds_zip_find_end((unsigned char *)buf->data, buf->len, end, err) != 0 ||
	    buf->len - *end != END_LEN)
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "libarchive has written another end record than expected");
	buf->data[*end + END_COMMENT_LEN_AT] = (char)(comment_len & 0xff);
	buf->data[*end + END_COMMENT_LEN_AT + 1] = (char)(comment_len >> 8);
	if (!tds_buf_add(buf, comment, comment_len))
		return no_memory(err);
	*len = buf->len;
	*zip = (unsigned char *)tds_steal(&buf->data);
	*buf = (struct tds_buf){ 0 };
	return 0;
}
