/* SPDX-License-Identifier: MIT */
/* Unpacking the members of an archive whose structure is already checked, by libarchive. */
#include "zip.h"

#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "digest.h"
#include "mem.h"

/* One run over the members in the order of their local headers, which is libarchive's. */
struct unpack {
	const struct tds_zip *zip;
	struct archive *archive;
	bool (*want)(void *ctx, const struct tds_zip_entry *entry);
	tds_zip_sink *sink;
	void *ctx;
	unsigned char (
		*twins)[TDS_SHA256_LEN]; /* by the member's index in zip->v; NULL: none yet */
};

static int libarchive_err(struct unpack *u, const struct tds_zip_entry *entry, struct tds_err *err)
{
	const char *why = archive_error_string(u->archive);

	if (!why)
		why = "cannot be unpacked";
	return tds_err_set(err, TDS_E_ARCHIVE, "archive byte %ju: member %.300s: %.*s",
			   (uintmax_t)entry->data, entry->name, (int)strcspn(why, "\n"), why);
}

static int compare_at(const void *a, const void *b)
{
	uint64_t x = (*(const struct tds_zip_entry *const *)a)->at;
	uint64_t y = (*(const struct tds_zip_entry *const *)b)->at;

	return x < y ? -1 : x > y;
}

/* One piece of a member, at offset at of it. */
static int take_piece(struct unpack *u, const struct tds_zip_entry *entry, bool wanted,
		      struct tds_digest *digest, const void *data, size_t len, uint64_t at,
		      struct tds_err *err)
{
	if (len > entry->size - at)
		return tds_err_set(
			err, TDS_E_ARCHIVE,
			"archive byte %ju: member %.300s: unpacks to more than its %ju bytes",
			(uintmax_t)entry->data, entry->name, (uintmax_t)entry->size);
	if (digest)
		tds_digest_update(digest, data, len);
	return wanted && len > 0 ? u->sink(u->ctx, entry, data, len, err) : 0;
}

static int unpack_data(struct unpack *u, const struct tds_zip_entry *entry, bool wanted,
		       struct tds_digest *digest, struct tds_err *err)
{
	uint64_t at = 0;

	for (;;) {
		const void *data;
		size_t len;
		la_int64_t offset;
		int status = archive_read_data_block(u->archive, &data, &len, &offset);

		if (status == ARCHIVE_EOF)
			break;
		/* A warning is what libarchive has for a wrong CRC or size. */
		if (status != ARCHIVE_OK)
			return libarchive_err(u, entry, err);
		int rc = take_piece(u, entry, wanted, digest, data, len, at, err);
		if (rc != 0)
			return rc;
		at += len;
	}
	if (at != entry->size)
		return tds_err_set(err, TDS_E_ARCHIVE,
				   "archive byte %ju: member %.300s: unpacks to %ju bytes, not %ju",
				   (uintmax_t)entry->data, entry->name, (uintmax_t)at,
				   (uintmax_t)entry->size);
	return 0;
}

static int unpack_member(struct unpack *u, const struct tds_zip_entry *entry, struct tds_err *err)
{
	struct archive_entry *header;
	bool wanted = u->sink && (!u->want || u->want(u->ctx, entry));
	struct tds_digest *digest = entry->twin ? tds_digest_new(TDS_DIGEST_SHA256) : NULL;
	/*
	 * Warnings are ignored here: they are about names that do not convert to the locale's
	 * encoding, which nobody asks libarchive for, and headers that disagree, which do not get
	 * this far.
	 */
	int status = archive_read_next_header(u->archive, &header);
	int rc = 0;

	if (entry->twin && !digest)
		rc = tds_err_set(err, TDS_E_NOMEM, "no digest");
	else if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
		rc = libarchive_err(u, entry, err);
	else if (archive_entry_size(header) != (la_int64_t)entry->size)
		rc = tds_err_set(
			err, TDS_E_ARCHIVE,
			"archive byte %ju: member %.300s: libarchive sees another member here",
			(uintmax_t)entry->at, entry->name);
	if (rc == 0 && wanted)
		rc = u->sink(u->ctx, entry, NULL, 0, err);
	if (rc == 0 && !entry->folder)
		rc = unpack_data(u, entry, wanted, digest, err);
	if (rc == 0 && digest && !tds_digest_final(digest, u->twins[entry - u->zip->v]))
		rc = tds_err_set(err, TDS_E_NOMEM, "no digest");
	tds_digest_free(digest);
	return rc;
}

static int compare_twins(const void *a, const void *b)
{
	return strcmp((*(const struct tds_zip_entry *const *)a)->name,
		      (*(const struct tds_zip_entry *const *)b)->name);
}

/* Members of one name, packed in different ways, must have unpacked to the same bytes. */
static int check_twins(struct unpack *u, const struct tds_zip_entry **sorted, struct tds_err *err)
{
	const struct tds_zip *zip = u->zip;

	const struct tds_zip_entry *a = NULL;

	qsort(sorted, zip->n, sizeof(*sorted), compare_twins);
	for (size_t i = 0; i < zip->n; i++) {
		const struct tds_zip_entry *b = sorted[i];

		if (!b->twin)
			continue; /* packed as one that is a twin */
		if (a && strcmp(a->name, b->name) == 0 &&
		    memcmp(u->twins[a - zip->v], u->twins[b - zip->v], TDS_SHA256_LEN) != 0)
			return tds_err_set(err, TDS_E_ARCHIVE,
					   "archive byte %ju: member %.300s: there twice, with "
					   "different contents",
					   (uintmax_t)b->at, b->name);
		a = b;
	}
	return 0;
}

static int unpack_all(struct unpack *u, struct tds_err *err)
{
	const struct tds_zip *zip = u->zip;
	tds_autofree const struct tds_zip_entry **order = calloc(zip->n, sizeof(*order));
	bool twins = false;
	int rc = 0;

	if (!order)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < zip->n; i++) {
		order[i] = &zip->v[i];
		twins = twins || zip->v[i].twin;
	}
	if (twins && !(u->twins = calloc(zip->n, sizeof(*u->twins))))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	qsort(order, zip->n, sizeof(*order), compare_at);
	for (size_t i = 0; i < zip->n && rc == 0; i++)
		rc = unpack_member(u, order[i], err);
	struct archive_entry *more;
	if (rc == 0 && archive_read_next_header(u->archive, &more) != ARCHIVE_EOF)
		rc = tds_err_set(err, TDS_E_ARCHIVE, "libarchive sees more than its %zu members",
				 zip->n);
	if (rc == 0 && twins)
		rc = check_twins(u, order, err);
	free(u->twins);
	return rc;
}

int tds_zip_unpack(const struct tds_zip *zip,
		   bool (*want)(void *ctx, const struct tds_zip_entry *entry), tds_zip_sink *sink,
		   void *ctx, struct tds_err *err)
{
	struct unpack u = { .zip = zip, .want = want, .sink = sink, .ctx = ctx };
	int rc;

	if (zip->n == 0) /* which libarchive takes for no archive at all */
		return 0;
	u.archive = archive_read_new();
	if (!u.archive)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	/*
	 * Without the comment: it may hold what looks like an end record, and may be longer than
	 * libarchive searches.
	 */
	if (archive_read_support_format_zip_seekable(u.archive) != ARCHIVE_OK ||
	    archive_read_open_memory(u.archive, zip->data, zip->end + TDS_ZIP_END_LEN) !=
		    ARCHIVE_OK)
		rc = tds_err_set(err, TDS_E_ARCHIVE, "libarchive: %s",
				 archive_error_string(u.archive));
	else
		rc = unpack_all(&u, err);
	(void)archive_read_free(u.archive);
	return rc;
}
