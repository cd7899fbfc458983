/* SPDX-License-Identifier: MIT */
/*
 * Unpacking the members of an archive whose structure is already checked, by libarchive. It is not
 * given the archive's own headers, which it might read in another way than others do, but each
 * member behind a plain header that says what the check found. So it keeps no directory, and can
 * begin at any member.
 */
#include "zip.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/digest.h"
#include "base/mem.h"

#define HEADER_LEN 31        /* a local header with a name of one byte */
#define SPLIT_FROM (1 << 20) /* packed bytes: below, a thread costs more than it saves */

/* A member that shares its name with another, and what it unpacks to. */
struct twin {
	const struct tds_zip_entry *entry;
	unsigned char sha256[TDS_SHA256_LEN];
};

/* One run over the members in the order of their local headers. */
struct unpack {
	const struct tds_zip *zip;
	bool (*want)(void *ctx, const struct tds_zip_entry *entry);
	tds_zip_sink *sink;
	void *ctx;
	struct twin *twins; /* zip->twins of them, in the order of zip->v */
	atomic_bool failed; /* a fault that comes before all in the second part */
};

/* What libarchive reads: members from next up to end of zip->order, header and data in turns. */
struct feed {
	const struct tds_zip *zip;
	size_t next;
	size_t end;
	const struct tds_zip_entry *data; /* whose data comes next; NULL: a header does */
	unsigned char header[HEADER_LEN];
};

static void put_le32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static void make_header(const struct tds_zip_entry *entry, unsigned char header[HEADER_LEN])
{
	/* version 2.0, no flags, 1980-01-01 */
	memcpy(header, "PK\3\4\24\0\0\0\0\0\0\0\41\0", 14);
	header[8] = entry->stored ? 0 : 8;
	put_le32(header + 14, entry->crc);
	put_le32(header + 18, entry->packed);
	put_le32(header + 22, entry->size);
	memcpy(header + 26, "\1\0\0\0m", 5);
}

static la_ssize_t next_block(struct archive *archive, void *ctx, const void **block)
{
	struct feed *feed = ctx;
	const struct tds_zip_entry *entry = feed->data;

	(void)archive;
	feed->data = NULL;
	if (entry) {
		*block = feed->zip->data + entry->data;
		return (la_ssize_t)entry->packed;
	}
	if (feed->next == feed->end)
		return 0;
	entry = &feed->zip->v[feed->zip->order[feed->next++]];
	feed->data = entry->packed > 0 ? entry : NULL;
	make_header(entry, feed->header);
	*block = feed->header;
	return HEADER_LEN;
}

static int libarchive_err(struct archive *archive, const struct tds_zip_entry *entry,
			  struct tds_err *err)
{
	const char *why = archive_error_string(archive);

	if (!why)
		why = "cannot be unpacked";
	return tds_err_set(err, TDS_E_ARCHIVE, "archive byte %ju: member %.*s: %.*s",
			   (uintmax_t)entry->data, TDS_ZIP_SHOWN(entry), (int)strcspn(why, "\n"),
			   why);
}

/* One piece of a member, at offset at of it. */
static int take_piece(struct unpack *u, const struct tds_zip_entry *entry, bool wanted,
		      struct tds_digest *digest, const void *data, size_t len, uint64_t at,
		      struct tds_err *err)
{
	if (len > entry->size - at)
		return tds_err_set(
			err, TDS_E_ARCHIVE,
			"archive byte %ju: member %.*s: unpacks to more than its %ju bytes",
			(uintmax_t)entry->data, TDS_ZIP_SHOWN(entry), (uintmax_t)entry->size);
	if (digest)
		tds_digest_update(digest, data, len);
	return wanted && len > 0 ? u->sink(u->ctx, entry, data, len, err) : 0;
}

static int unpack_data(struct unpack *u, struct archive *archive, const struct tds_zip_entry *entry,
		       bool wanted, struct tds_digest *digest, struct tds_err *err)
{
	uint64_t at = 0;

	while (!atomic_load(&u->failed)) {
		const void *data;
		size_t len;
		la_int64_t offset;
		int status = archive_read_data_block(archive, &data, &len, &offset);

		if (status == ARCHIVE_EOF)
			break;
		/* A warning is what libarchive has for a wrong CRC or size. */
		if (status != ARCHIVE_OK)
			return libarchive_err(archive, entry, err);
		int rc = take_piece(u, entry, wanted, digest, data, len, at, err);
		if (rc != 0)
			return rc;
		at += len;
	}
	if (at != entry->size)
		return tds_err_set(err, TDS_E_ARCHIVE,
				   "archive byte %ju: member %.*s: unpacks to %ju bytes, not %ju",
				   (uintmax_t)entry->data, TDS_ZIP_SHOWN(entry), (uintmax_t)at,
				   (uintmax_t)entry->size);
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct tds_zip_entry *x = ((const struct twin *)a)->entry;
	const struct tds_zip_entry *y = ((const struct twin *)b)->entry;

	return x < y ? -1 : x > y;
}

static struct twin *find_twin(struct unpack *u, const struct tds_zip_entry *entry)
{
	const struct twin key = { .entry = entry };

	return bsearch(&key, u->twins, u->zip->twins, sizeof(key), compare_entries);
}

static int unpack_member(struct unpack *u, struct archive *archive,
			 const struct tds_zip_entry *entry, struct tds_err *err)
{
	struct archive_entry *header;
	bool wanted = u->sink && (!u->want || u->want(u->ctx, entry));
	struct tds_digest *digest = entry->twin ? tds_digest_new(TDS_DIGEST_SHA256) : NULL;
	int rc = 0;

	if (entry->twin && !digest)
		rc = tds_err_set(err, TDS_E_NOMEM, "no digest");
	else if (archive_read_next_header(archive, &header) != ARCHIVE_OK)
		rc = libarchive_err(archive, entry, err);
	if (rc == 0 && wanted)
		rc = u->sink(u->ctx, entry, NULL, 0, err);
	if (rc == 0 && !entry->folder)
		rc = unpack_data(u, archive, entry, wanted, digest, err);
	if (rc == 0 && digest && !tds_digest_final(digest, find_twin(u, entry)->sha256))
		rc = tds_err_set(err, TDS_E_NOMEM, "no digest");
	tds_digest_free(digest);
	return rc;
}

/* The members from first up to end of zip->order, by a reader of their own. */
static int unpack_part(struct unpack *u, size_t first, size_t end, struct tds_err *err)
{
	const struct tds_zip *zip = u->zip;
	struct feed feed = { .zip = zip, .next = first, .end = end };
	struct archive *archive = archive_read_new();
	int rc = 0;

	if (!archive)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (archive_read_support_format_zip_streamable(archive) != ARCHIVE_OK ||
	    archive_read_open(archive, &feed, NULL, next_block, NULL) != ARCHIVE_OK)
		rc = tds_err_set(err, TDS_E_ARCHIVE, "libarchive: %s",
				 archive_error_string(archive));
	for (size_t i = first; i < end && rc == 0; i++)
		rc = unpack_member(u, archive, &zip->v[zip->order[i]], err);
	(void)archive_read_free(archive);
	return rc;
}

/* Where the second half of the packed bytes begins; zip->n: there is too little to split. */
static size_t find_middle(const struct tds_zip *zip)
{
	uint64_t all = 0;
	uint64_t before = 0;
	size_t i = 0;

	for (size_t j = 0; j < zip->n; j++)
		all += zip->v[j].packed;
	if (all < SPLIT_FROM)
		return zip->n;
	while (i < zip->n && before < all / 2)
		before += zip->v[zip->order[i++]].packed;
	return i;
}

/* The second part, which a thread unpacks while the caller's does the first. */
struct second {
	struct unpack *u;
	size_t first;
	int rc;
	struct tds_err err;
};

static void *unpack_second(void *arg)
{
	struct second *second = arg;

	second->rc = unpack_part(second->u, second->first, second->u->zip->n, &second->err);
	return NULL;
}

/* In two threads, if there may be two. Whichever sees a fault first, that of the first member decides. */
static int unpack_parts(struct unpack *u, struct tds_err *err)
{
	struct second second = { .u = u, .first = u->sink ? u->zip->n : find_middle(u->zip) };
	bool split = second.first < u->zip->n;
	pthread_t thread;
	bool running = split && pthread_create(&thread, NULL, unpack_second, &second) == 0;
	int rc = unpack_part(u, 0, second.first, err);

	if (rc != 0)
		atomic_store(&u->failed, true);
	if (running)
		(void)pthread_join(thread, NULL);
	else if (split && rc == 0)
		(void)unpack_second(&second);
	if (rc != 0 || second.rc == 0)
		return rc;
	if (err)
		*err = second.err;
	return second.rc;
}

static int compare_names(const void *a, const void *b)
{
	const struct tds_zip_entry *x = ((const struct twin *)a)->entry;
	const struct tds_zip_entry *y = ((const struct twin *)b)->entry;

	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	return memcmp(x->name, y->name, x->name_len);
}

/* Members of one name, packed in different ways, must have unpacked to the same bytes. */
static int check_twins(struct unpack *u, struct tds_err *err)
{
	qsort(u->twins, u->zip->twins, sizeof(*u->twins), compare_names);
	for (size_t i = 1; i < u->zip->twins; i++) {
		const struct twin *a = &u->twins[i - 1];
		const struct twin *b = &u->twins[i];

		if (compare_names(a, b) == 0 && memcmp(a->sha256, b->sha256, TDS_SHA256_LEN) != 0)
			return tds_err_set(err, TDS_E_ARCHIVE,
					   "archive byte %ju: member %.*s: there twice, with "
					   "different contents",
					   (uintmax_t)b->entry->at, TDS_ZIP_SHOWN(b->entry));
	}
	return 0;
}

static int list_twins(struct unpack *u, struct tds_err *err)
{
	size_t n = 0;

	if (u->zip->twins == 0)
		return 0;
	u->twins = calloc(u->zip->twins, sizeof(*u->twins));
	if (!u->twins)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; i < u->zip->n; i++)
		if (u->zip->v[i].twin)
			u->twins[n++].entry = &u->zip->v[i];
	return 0;
}

int tds_zip_unpack(const struct tds_zip *zip,
		   bool (*want)(void *ctx, const struct tds_zip_entry *entry), tds_zip_sink *sink,
		   void *ctx, struct tds_err *err)
{
	struct unpack u = { .zip = zip, .want = want, .sink = sink, .ctx = ctx };

	if (zip->n == 0) /* which libarchive takes for no archive at all */
		return 0;
	int rc = list_twins(&u, err);
	if (rc == 0)
		rc = unpack_parts(&u, err);
	if (rc == 0 && u.twins)
		rc = check_twins(&u, err);
	free(u.twins);
	return rc;
}
