/* SPDX-License-Identifier: MIT */
/* Reading and writing the .tls container, but for its header. */
#include "package.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/zip.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"

/*
 * What the Director format leaves out of the archive, so that no ZIP reader takes an unverified
 * package for one.
 */
static const unsigned char end_mark[4] = { 'P', 'K', 5, 6 };

/*
 * ViceroyFMT1 stores the archive with six byte values exchanged: from is what it stores in the
 * place of to.
 */
static const struct {
	unsigned char from;
	unsigned char to;
} viceroy1[] = {
	{ ':', ' ' }, { ' ', 'i' }, { 'i', '=' }, { '=', ':' }, { 'a', '\n' }, { '\n', 'a' },
};

/*
 * Exchange them from data to out, which may be data; store: as the format stores them, else back.
 */
static void exchange(unsigned char *out, const unsigned char *data, size_t len, bool store)
{
	unsigned char map[256];

	for (unsigned i = 0; i < sizeof(map); i++)
		map[i] = (unsigned char)i;
	for (unsigned i = 0; i < sizeof(viceroy1) / sizeof(viceroy1[0]); i++)
		map[store ? viceroy1[i].to : viceroy1[i].from] =
			store ? viceroy1[i].from : viceroy1[i].to;
	for (size_t i = 0; i < len; i++)
		out[i] = map[data[i]];
}

#define FOLLOW_FROM (1 << 20) /* bytes: below, a thread costs more than it saves */
#define BLOCK (256 << 10)     /* bytes read at once */

/*
 * Digests the archive while it is still being read: on a large package the digest takes longer than
 * the reading, and there is a second core. It follows `ready`, up to where the bytes are known to
 * belong to the archive.
 */
struct follower {
	pthread_t thread;
	bool running;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	size_t ready; /* guarded by mutex, as is done */
	bool done;
	const unsigned char *data;
	struct tds_digest *digest;
};

static void *follow(void *arg)
{
	struct follower *f = arg;
	size_t at = 0;
	bool done = false;

	while (!done) {
		(void)pthread_mutex_lock(&f->mutex);
		while (f->ready == at && !f->done)
			(void)pthread_cond_wait(&f->more, &f->mutex);
		size_t ready = f->ready;
		done = f->done;
		(void)pthread_mutex_unlock(&f->mutex);
		tds_digest_update(f->digest, f->data + at, ready - at);
		at = ready;
	}
	return NULL;
}

static void follower_feed(struct follower *f, size_t ready, bool done)
{
	(void)pthread_mutex_lock(&f->mutex);
	f->ready = ready;
	f->done = done;
	(void)pthread_cond_signal(&f->more);
	(void)pthread_mutex_unlock(&f->mutex);
}

static void follower_start(struct follower *f, const unsigned char *data)
{
	f->data = data;
	f->running = pthread_create(&f->thread, NULL, follow, f) == 0;
}

/* Wait until it has digested the first len bytes, which is all. */
static void follower_join(struct follower *f, size_t len)
{
	if (!f->running)
		return;
	follower_feed(f, len, true);
	(void)pthread_join(f->thread, NULL);
	f->running = false;
}

/* A package while it is read. */
struct reader {
	struct tds_package *package;
	struct follower follower;
	struct tds_digest *sha256; /* of the whole file; NULL: not wanted */
	struct tds_digest *md5;
	bool growing;     /* how much comes is not known beforehand */
	uint64_t payload; /* bytes behind the header so far */
	size_t used;      /* bytes of package->map so far */
};

static int too_large(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_UNTRUSTED,
			   "is larger than the %lld bytes that a package may have",
			   TDS_PACKAGE_MAX_BYTES);
}

/* Room for a payload of size bytes and the mark. Untouched pages cost nothing. */
static int make_room(struct reader *r, uint64_t size, struct tds_err *err)
{
	struct tds_package *package = r->package;
	size_t len = (size_t)size + sizeof(end_mark);
	void *map = package->map ? mremap(package->map, package->maplen, len, MREMAP_MAYMOVE)
				 : mmap(NULL, len, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return tds_err_sys(err, TDS_E_NOMEM, "no memory for a package of %ju bytes",
				   (uintmax_t)size);
	/* Fewer page faults; where the system has no huge pages to give, it is the same without. */
	(void)madvise(map, len, MADV_HUGEPAGE);
	package->map = map;
	package->maplen = len;
	return 0;
}

/*
 * How many of the next want payload bytes go to package->map + used in one piece: the mark is put
 * where it belongs.
 */
static size_t next_piece(struct reader *r, size_t want)
{
	const struct tds_header *header = &r->package->header;

	if (!tds_format_has_end(header->format) || r->payload > header->end)
		return want;
	if (r->payload == header->end && r->used == r->payload) {
		memcpy(r->package->map + r->used, end_mark, sizeof(end_mark));
		r->used += sizeof(end_mark);
		return want;
	}
	return r->payload + want > header->end && r->used == r->payload
		       ? (size_t)(header->end - r->payload)
		       : want;
}

/* n more bytes of payload are in their place. */
static void took(struct reader *r, size_t n)
{
	size_t siglen = r->package->header.siglen;
	const unsigned char *at = r->package->map + r->used;

	if (r->sha256)
		tds_digest_update(r->sha256, at, n);
	if (r->md5)
		tds_digest_update(r->md5, at, n);
	r->payload += n;
	r->used += n;
	if (r->follower.running && r->used > siglen)
		follower_feed(&r->follower, r->used - siglen, false);
}

/* The header says by which kind of key the archive is signed, and so which digest is wanted of it. */
static int begin_digest(struct reader *r, struct tds_err *err)
{
	enum tds_sig_kind kind = tds_format_kind(r->package->header.format);

	r->package->zip_signed.kind = kind;
	r->follower.digest = tds_digest_new(tds_sig_digest(kind));
	return r->follower.digest ? 0 : tds_err_set(err, TDS_E_NOMEM, "no digest");
}

/* The header, and what was read behind it. */
static int read_header(int fd, struct reader *r, struct tds_err *err)
{
	unsigned char head[TDS_PACKAGE_HEADER_MAX];
	struct tds_package *package = r->package;
	ssize_t n = tds_io_read(fd, head, sizeof(head));

	if (n < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	int rc = tds_header_parse(head, (size_t)n, &package->header, err);
	if (rc == 0)
		rc = begin_digest(r, err);
	if (rc != 0)
		return rc;
	if (r->sha256)
		tds_digest_update(r->sha256, head, package->header.len);
	if (r->md5)
		tds_digest_update(r->md5, head, package->header.len);
	for (size_t at = package->header.len; at < (size_t)n;) {
		size_t piece = next_piece(r, (size_t)n - at);

		memcpy(package->map + r->used, head + at, piece);
		took(r, piece);
		at += piece;
	}
	return 0;
}

/*
 * A stream need not have an end; but the header may say where the end record is, and so what can
 * come behind it.
 */
static int check_length(const struct reader *r, struct tds_err *err)
{
	const struct tds_header *header = &r->package->header;

	if (header->len + r->payload > TDS_PACKAGE_MAX_BYTES)
		return too_large(err);
	if (tds_format_has_end(header->format) && r->payload > header->end + TDS_ZIP_END_LEN -
								       sizeof(end_mark) +
								       UINT16_MAX + header->siglen)
		return tds_err_set(
			err, TDS_E_UNTRUSTED,
			"byte %zu: the end record cannot be at %ju, so far before the end",
			header->end_at, (uintmax_t)header->end);
	return 0;
}

static size_t room_left(const struct reader *r)
{
	return r->package->maplen - sizeof(end_mark) - (size_t)r->payload;
}

static int read_payload(int fd, struct reader *r, struct tds_err *err)
{
	struct tds_package *package = r->package;

	for (;;) {
		int rc = check_length(r, err);

		if (rc == 0 && r->growing && room_left(r) == 0)
			rc = make_room(r, 2 * r->payload, err);
		if (rc != 0)
			return rc;
		size_t room = room_left(r);
		if (room == 0)
			return tds_err_set(err, TDS_E_UNUSABLE, "grew while it was read");
		size_t piece = next_piece(r, room < BLOCK ? room : BLOCK);
		ssize_t n = tds_io_read(fd, package->map + r->used, piece);
		if (n < 0)
			return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
		if (n == 0)
			return 0;
		took(r, (size_t)n);
	}
}

/* See that the numbers of the header fit, and tell archive and signature apart. */
static int split(struct reader *r, struct tds_err *err)
{
	struct tds_package *package = r->package;
	const struct tds_header *header = &package->header;

	package->size = header->len + r->payload;
	if (r->payload < header->siglen)
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "byte %zu: a signature of %zu bytes does not fit in the file",
				   header->siglen_at, header->siglen);
	if (tds_format_has_end(header->format) && header->end > r->payload - header->siglen)
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "byte %zu: the end record cannot be at %ju, behind the archive",
				   header->end_at, (uintmax_t)header->end);
	package->ziplen = r->used - header->siglen;
	if (header->format == TDS_FORMAT_VICEROY1) {
		package->sig = package->map;
		package->sig_at = header->len;
		package->zip = package->map + header->siglen;
		exchange(package->map + header->siglen, package->zip, package->ziplen, false);
	} else {
		package->zip = package->map;
		package->sig = package->map + package->ziplen;
		package->sig_at = (size_t)package->size - header->siglen;
	}
	return 0;
}

static int finish_digests(struct reader *r, struct tds_err *err)
{
	struct tds_package *package = r->package;
	struct follower *f = &r->follower;

	if (f->running)
		follower_join(f, package->ziplen);
	else
		tds_digest_update(f->digest, package->zip, package->ziplen);
	if (!tds_digest_final(f->digest, package->zip_signed.digest) ||
	    (r->sha256 && !tds_digest_final(r->sha256, package->sha256)) ||
	    (r->md5 && !tds_digest_final(r->md5, package->md5)))
		return tds_err_set(err, TDS_E_UNUSABLE, "its digest cannot be computed");
	/* From here on no slip of ours changes what was digested. */
	if (mprotect(package->map, package->maplen, PROT_READ) != 0)
		return tds_err_sys(err, TDS_E_NOMEM, "the archive cannot be protected");
	return 0;
}

/* Room by the size that the file has, or, of a pipe, room that grows. */
static int reader_init(struct reader *r, int fd, bool digests, struct tds_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	if (S_ISREG(st.st_mode) && st.st_size > TDS_PACKAGE_MAX_BYTES)
		return too_large(err);
	r->growing = !S_ISREG(st.st_mode);
	r->package->digests = digests;
	if (digests) {
		r->sha256 = tds_digest_new(TDS_DIGEST_SHA256);
		r->md5 = tds_digest_new(TDS_DIGEST_MD5);
	}
	if (digests && (!r->sha256 || !r->md5))
		return tds_err_set(err, TDS_E_NOMEM, "no digest");
	return make_room(
		r, r->growing ? FOLLOW_FROM : (uint64_t)st.st_size + TDS_PACKAGE_HEADER_MAX, err);
}

static void reader_fini(struct reader *r)
{
	follower_join(&r->follower, r->follower.ready);
	tds_digest_free(r->follower.digest);
	tds_digest_free(r->sha256);
	tds_digest_free(r->md5);
}

int tds_package_read(int fd, bool digests, struct tds_package *package, struct tds_err *err)
{
	struct reader r = { .package = package,
			    .follower = { .mutex = PTHREAD_MUTEX_INITIALIZER,
					  .more = PTHREAD_COND_INITIALIZER } };

	*package = (struct tds_package){ 0 };
	int rc = reader_init(&r, fd, digests, err);
	if (rc == 0)
		rc = read_header(fd, &r, err);
	/* It needs memory that stays where it is, and bytes that are not changed later. */
	if (rc == 0 && !r.growing && package->maplen > FOLLOW_FROM &&
	    package->header.format != TDS_FORMAT_VICEROY1)
		follower_start(&r.follower, package->map);
	if (rc == 0)
		rc = read_payload(fd, &r, err);
	if (rc == 0)
		rc = split(&r, err);
	if (rc == 0)
		rc = finish_digests(&r, err);
	reader_fini(&r);
	if (rc != 0)
		tds_package_close(package);
	return rc;
}

void tds_package_close(struct tds_package *package)
{
	if (package->map)
		(void)munmap(package->map, package->maplen);
	*package = (struct tds_package){ 0 };
}

int tds_package_fill(const struct tds_package *package, int memory, struct tds_err *err)
{
	if (tds_io_write(memory, package->zip, package->ziplen) != 0 || tds_io_seal(memory) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "no memory for the archive");
	return 0;
}

uint64_t tds_package_offset(const struct tds_package *package, uint64_t zip_offset)
{
	const struct tds_header *header = &package->header;

	if (header->format == TDS_FORMAT_VICEROY1)
		return header->len + header->siglen + zip_offset;
	if (tds_format_has_end(header->format) && zip_offset >= header->end + sizeof(end_mark))
		zip_offset -= sizeof(end_mark);
	return header->len + zip_offset;
}

static void digest_viceroy1(struct tds_digest *digest, const unsigned char *zip, size_t ziplen)
{
	unsigned char stored[4096];

	for (size_t at = 0; at < ziplen; at += sizeof(stored)) {
		size_t n = ziplen - at < sizeof(stored) ? ziplen - at : sizeof(stored);

		exchange(stored, zip + at, n, true);
		tds_digest_update(digest, stored, n);
	}
}

int tds_package_sha256_as(const struct tds_package *package, enum tds_format format, size_t end,
			  unsigned char sha256[TDS_SHA256_LEN], struct tds_err *err)
{
	char header[TDS_PACKAGE_HEADER_MAX];
	size_t siglen = package->header.siglen;
	size_t skip = tds_format_has_end(format) ? sizeof(end_mark) : 0;
	struct tds_digest *digest = tds_digest_new(TDS_DIGEST_SHA256);

	if (!digest)
		return tds_err_set(err, TDS_E_NOMEM, "no digest");
	tds_digest_update(digest, header, (size_t)tds_header_print(header, format, siglen, end));
	if (format == TDS_FORMAT_VICEROY1) {
		tds_digest_update(digest, package->sig, siglen);
		digest_viceroy1(digest, package->zip, package->ziplen);
	} else {
		tds_digest_update(digest, package->zip, end);
		tds_digest_update(digest, package->zip + end + skip, package->ziplen - end - skip);
		tds_digest_update(digest, package->sig, siglen);
	}
	bool ok = tds_digest_final(digest, sha256);
	tds_digest_free(digest);
	return ok ? 0 : tds_err_set(err, TDS_E_NOMEM, "no digest");
}

int tds_package_write(int fd, enum tds_format format, const unsigned char *zip, size_t ziplen,
		      size_t end, const unsigned char *sig, size_t siglen, struct tds_err *err)
{
	char header[TDS_PACKAGE_HEADER_MAX];
	size_t skip = tds_format_has_end(format) ? sizeof(end_mark) : 0;
	int n = tds_header_print(header, format, siglen, end);

	if (format == TDS_FORMAT_VICEROY1)
		return tds_err_set(err, TDS_E_USAGE, "packages of format %s are only read",
				   tds_format_name(format));
	if (end > ziplen || ziplen - end < skip)
		return tds_err_set(err, TDS_E_ARCHIVE, "byte %zu: no end record there", end);
	if (tds_io_write(fd, header, (size_t)n) != 0 || tds_io_write(fd, zip, end) != 0 ||
	    tds_io_write(fd, zip + end + skip, ziplen - end - skip) != 0 ||
	    tds_io_write(fd, sig, siglen) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return 0;
}
