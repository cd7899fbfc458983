/* SPDX-License-Identifier: MIT */
/* Reading and writing the .tls container. */
#include "package.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "io.h"
#include "mem.h"
#include "text.h"

static const char *const format_names[TDS_FORMATS] = {
	[TDS_FORMAT_DIRECTOR1] = "ThespianDirectorFMT1",
	[TDS_FORMAT_VICEROY1] = "ViceroyFMT1",
	[TDS_FORMAT_VICEROY2] = "ViceroyFMT2",
};

static const char hash_name[] = "-sha256";

/* What the Director format leaves out of the archive, so that no ZIP reader takes an unverified package for one. */
static const unsigned char end_mark[4] = { 'P', 'K', 5, 6 };

const char *tds_format_name(enum tds_format format)
{
	return format_names[format];
}

int tds_format_find(const char *name)
{
	for (int i = 0; i < TDS_FORMATS; i++)
		if (strcmp(name, format_names[i]) == 0)
			return i;
	return -1;
}

/* The bytes of a header and how far it is read. */
struct scan {
	const unsigned char *data;
	size_t len;
	size_t at;
};

/* The next line without its LF; NULL where there is none. */
static const char *next_line(struct scan *scan, size_t *len)
{
	const char *line = (const char *)scan->data + scan->at;
	const char *end = memchr(line, '\n', scan->len - scan->at);

	if (!end)
		return NULL;
	*len = (size_t)(end - line);
	scan->at += *len + 1;
	return line;
}

static int parse_format(struct scan *scan, struct tds_header *header, struct tds_err *err)
{
	size_t len;
	const char *line = next_line(scan, &len);

	for (int i = 0; line && i < TDS_FORMATS; i++) {
		size_t n = strlen(format_names[i]);

		if (len == n + strlen(hash_name) && memcmp(line, format_names[i], n) == 0 &&
		    memcmp(line + n, hash_name, strlen(hash_name)) == 0) {
			header->format = (enum tds_format)i;
			return 0;
		}
	}
	return tds_err_set(err, TDS_E_UNTRUSTED, "not a package (byte 0: no format name that is known)");
}

/* A number on a line of its own; *at gets where it stands. */
static int parse_number(struct scan *scan, const char *what, uint64_t max, uint64_t *value, size_t *at,
			struct tds_err *err)
{
	size_t len;

	*at = scan->at;
	const char *line = next_line(scan, &len);
	if (!line || !tds_parse_uint(line, len, max, value))
		return tds_err_set(err, TDS_E_UNTRUSTED, "not a package (byte %zu: %s is not a plain decimal number)",
				   *at, what);
	return 0;
}

int tds_header_parse(const unsigned char *data, size_t len, struct tds_header *header, struct tds_err *err)
{
	struct scan scan = { .data = data, .len = len < TDS_PACKAGE_HEADER_MAX ? len : TDS_PACKAGE_HEADER_MAX };
	uint64_t siglen = 0;

	*header = (struct tds_header){ 0 };
	int rc = parse_format(&scan, header, err);
	if (rc == 0)
		rc = parse_number(&scan, "the length of the signature", UINT32_MAX, &siglen, &header->siglen_at, err);
	if (rc == 0 && (siglen == 0 || siglen > TDS_SIG_MAX))
		rc = tds_err_set(err, TDS_E_UNTRUSTED, "byte %zu: no key has signatures of %ju bytes",
				 header->siglen_at, (uintmax_t)siglen);
	/* 18 digits at most */
	if (rc == 0 && header->format == TDS_FORMAT_DIRECTOR1)
		rc = parse_number(&scan, "the offset of the end record", 999999999999999999, &header->end,
				  &header->end_at, err);
	header->siglen = (size_t)siglen;
	header->len = scan.at;
	return rc;
}

/* ViceroyFMT1 stores the archive with six byte values exchanged; this brings them back. */
static void restore_viceroy1(unsigned char *data, size_t len)
{
	static const unsigned char pairs[][2] = {
		{ ':', ' ' }, { ' ', 'i' }, { 'i', '=' }, { '=', ':' }, { 'a', '\n' }, { '\n', 'a' },
	};
	unsigned char map[256];

	for (unsigned i = 0; i < sizeof(map); i++)
		map[i] = (unsigned char)i;
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		map[pairs[i][0]] = pairs[i][1];
	for (size_t i = 0; i < len; i++)
		data[i] = map[data[i]];
}

/*
 * Digests the archive while it is still being read: on a large package the digest takes as long as the copy, and
 * there is a second core. It follows `ready`, up to where the bytes are known to belong to the archive.
 */
struct follower {
	pthread_t thread;
	bool running;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	size_t ready; /* guarded by mutex, as is done */
	bool done;
	int fd;
	struct tds_digest *sha256;
	bool failed;
};

#define FOLLOW_FROM (1 << 20) /* bytes: below, a thread costs more than it saves */
#define BLOCK (256 << 10)     /* bytes read at once */

static bool digest_range(struct follower *f, size_t from, size_t to)
{
	tds_autofree unsigned char *block = malloc(BLOCK);

	while (block && from < to) {
		ssize_t n = pread(f->fd, block, to - from < BLOCK ? to - from : BLOCK, (off_t)from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		tds_digest_update(f->sha256, block, (size_t)n);
		from += (size_t)n;
	}
	return block != NULL;
}

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
		if (!f->failed && !digest_range(f, at, ready))
			f->failed = true;
		at = ready;
	}
	return NULL;
}

static void follower_feed(struct follower *f, size_t ready, bool done)
{
	if (!f->running)
		return;
	(void)pthread_mutex_lock(&f->mutex);
	f->ready = ready;
	f->done = done;
	(void)pthread_cond_signal(&f->more);
	(void)pthread_mutex_unlock(&f->mutex);
}

static void follower_join(struct follower *f)
{
	if (f->running)
		(void)pthread_join(f->thread, NULL);
	f->running = false;
}

/* A package while it is read. */
struct reader {
	struct tds_package *package;
	struct follower follower;
	struct tds_digest *sha256; /* of the whole file; NULL: not wanted */
	struct tds_digest *md5;
	uint64_t payload;          /* bytes after the header so far */
	size_t written;            /* bytes of the restored archive so far, and behind it the signature */
	size_t sig_have;           /* ViceroyFMT1, where the signature comes first */
};

static int append(struct reader *r, const void *data, size_t len, struct tds_err *err)
{
	if (tds_io_write(r->package->fd, data, len) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "no memory file for the archive");
	r->written += len;
	return 0;
}

static int take_director1(struct reader *r, const unsigned char *data, size_t len, struct tds_err *err)
{
	uint64_t end = r->package->header.end;
	size_t before = 0;
	int rc = 0;

	/* The mark goes in as soon as something comes behind it: without a signature there, nothing may. */
	if (r->payload <= end && end - r->payload < len) {
		before = (size_t)(end - r->payload);
		rc = append(r, data, before, err);
		if (rc == 0)
			rc = append(r, end_mark, sizeof(end_mark), err);
	}
	return rc == 0 ? append(r, data + before, len - before, err) : rc;
}

static int take_viceroy1(struct reader *r, unsigned char *data, size_t len, struct tds_err *err)
{
	size_t want = r->package->header.siglen - r->sig_have;
	size_t n = len < want ? len : want;

	memcpy(r->package->sig + r->sig_have, data, n);
	r->sig_have += n;
	restore_viceroy1(data + n, len - n);
	return append(r, data + n, len - n, err);
}

/* Take the next bytes after the header. May change data. */
static int take(struct reader *r, unsigned char *data, size_t len, struct tds_err *err)
{
	const struct tds_header *header = &r->package->header;
	int rc;

	if (len == 0)
		return 0;
	switch (header->format) {
	case TDS_FORMAT_DIRECTOR1:
		rc = take_director1(r, data, len, err);
		break;
	case TDS_FORMAT_VICEROY1:
		rc = take_viceroy1(r, data, len, err);
		break;
	default:
		rc = append(r, data, len, err);
		break;
	}
	r->payload += len;
	size_t behind = header->format == TDS_FORMAT_VICEROY1 ? 0 : header->siglen;
	if (rc == 0 && !r->follower.running && r->written > FOLLOW_FROM)
		r->follower.running = pthread_create(&r->follower.thread, NULL, follow, &r->follower) == 0;
	if (rc == 0 && r->written > behind)
		follower_feed(&r->follower, r->written - behind, false);
	return rc;
}

static void digest_raw(struct reader *r, const unsigned char *data, size_t len)
{
	if (r->sha256)
		tds_digest_update(r->sha256, data, len);
	if (r->md5)
		tds_digest_update(r->md5, data, len);
}

static int too_large(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_UNTRUSTED, "is larger than the %lld bytes that a package may have",
			   TDS_PACKAGE_MAX_BYTES);
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
	if (rc != 0)
		return rc;
	digest_raw(r, head, (size_t)n);
	package->size = (uint64_t)n;
	return take(r, head + package->header.len, (size_t)n - package->header.len, err);
}

static int read_rest(int fd, struct reader *r, struct tds_err *err)
{
	tds_autofree unsigned char *block = malloc(BLOCK);
	ssize_t n;

	if (!block)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	while ((n = tds_io_read(fd, block, BLOCK)) > 0) {
		r->package->size += (uint64_t)n;
		if (r->package->size > TDS_PACKAGE_MAX_BYTES)
			return too_large(err);
		digest_raw(r, block, (size_t)n);
		int rc = take(r, block, (size_t)n, err);
		if (rc != 0)
			return rc;
	}
	if (n < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	return 0;
}

/* Cut the signature off what was read, and see that the numbers of the header fit. */
static int split_signature(struct reader *r, struct tds_err *err)
{
	struct tds_package *package = r->package;
	const struct tds_header *header = &package->header;

	if (r->payload < header->siglen)
		return tds_err_set(err, TDS_E_UNTRUSTED, "byte %zu: a signature of %zu bytes does not fit in the file",
				   header->siglen_at, header->siglen);
	if (header->format == TDS_FORMAT_DIRECTOR1 && header->end > r->payload - header->siglen)
		return tds_err_set(err, TDS_E_UNTRUSTED, "byte %zu: the end record cannot be at %ju, behind the archive",
				   header->end_at, (uintmax_t)header->end);
	package->ziplen = r->written;
	package->sig_at = header->len;
	if (header->format == TDS_FORMAT_VICEROY1)
		return 0;
	package->sig_at = (size_t)(package->size - header->siglen);
	package->ziplen -= header->siglen;
	if (pread(package->fd, package->sig, header->siglen, (off_t)package->ziplen) != (ssize_t)header->siglen ||
	    ftruncate(package->fd, (off_t)package->ziplen) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "the memory file of the archive");
	return 0;
}

static int finish_digests(struct reader *r, struct tds_err *err)
{
	struct tds_package *package = r->package;
	struct follower *f = &r->follower;

	if (f->running) {
		follower_feed(f, package->ziplen, true);
		follower_join(f);
	} else if (!digest_range(f, 0, package->ziplen)) {
		f->failed = true;
	}
	if (f->failed || !tds_digest_final(f->sha256, package->zip_sha256) ||
	    (r->sha256 && !tds_digest_final(r->sha256, package->sha256)) ||
	    (r->md5 && !tds_digest_final(r->md5, package->md5)))
		return tds_err_set(err, TDS_E_UNUSABLE, "its digest cannot be computed");
	return 0;
}

/* From here on nobody, not even we, can change the archive. */
static int seal(struct tds_package *package, struct tds_err *err)
{
	if (tds_io_seal(package->fd) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "the memory file of the archive cannot be sealed");
	if (package->ziplen == 0)
		return 0;
	void *map = mmap(NULL, package->ziplen, PROT_READ, MAP_SHARED, package->fd, 0);
	if (map == MAP_FAILED)
		return tds_err_sys(err, TDS_E_NOMEM, "the archive cannot be mapped");
	package->zip = map;
	return 0;
}

static int check_size(int fd, struct tds_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	return S_ISREG(st.st_mode) && st.st_size > TDS_PACKAGE_MAX_BYTES ? too_large(err) : 0;
}

static int reader_init(struct reader *r, bool digests, struct tds_err *err)
{
	r->package->fd = r->follower.fd = tds_io_memfd("tds-archive");
	if (r->package->fd < 0)
		return tds_err_sys(err, TDS_E_WRITE, "no memory file for the archive");
	r->follower.sha256 = tds_digest_new(TDS_DIGEST_SHA256);
	r->package->digests = digests;
	if (digests) {
		r->sha256 = tds_digest_new(TDS_DIGEST_SHA256);
		r->md5 = tds_digest_new(TDS_DIGEST_MD5);
	}
	if (!r->follower.sha256 || (digests && (!r->sha256 || !r->md5)))
		return tds_err_set(err, TDS_E_NOMEM, "no digest");
	return 0;
}

static void reader_fini(struct reader *r)
{
	follower_feed(&r->follower, 0, true);
	follower_join(&r->follower);
	tds_digest_free(r->follower.sha256);
	tds_digest_free(r->sha256);
	tds_digest_free(r->md5);
}

int tds_package_read(int fd, bool digests, struct tds_package *package, struct tds_err *err)
{
	struct reader r = { .package = package,
			    .follower = { .mutex = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER } };

	*package = TDS_PACKAGE_NONE;
	int rc = check_size(fd, err);
	if (rc == 0)
		rc = reader_init(&r, digests, err);
	if (rc == 0)
		rc = read_header(fd, &r, err);
	if (rc == 0)
		rc = read_rest(fd, &r, err);
	if (rc == 0)
		rc = split_signature(&r, err);
	if (rc == 0)
		rc = finish_digests(&r, err);
	reader_fini(&r);
	if (rc == 0)
		rc = seal(package, err);
	if (rc != 0)
		tds_package_close(package);
	return rc;
}

void tds_package_close(struct tds_package *package)
{
	if (package->zip)
		(void)munmap((void *)(uintptr_t)package->zip, package->ziplen);
	tds_close_fd(&package->fd);
	*package = TDS_PACKAGE_NONE;
}

uint64_t tds_package_offset(const struct tds_package *package, uint64_t zip_offset)
{
	const struct tds_header *header = &package->header;

	if (header->format == TDS_FORMAT_VICEROY1)
		return header->len + header->siglen + zip_offset;
	if (header->format == TDS_FORMAT_DIRECTOR1 && zip_offset >= header->end + sizeof(end_mark))
		zip_offset -= sizeof(end_mark);
	return header->len + zip_offset;
}

int tds_package_write(int fd, enum tds_format format, const unsigned char *zip, size_t ziplen, size_t end,
		      const unsigned char *sig, size_t siglen, struct tds_err *err)
{
	char header[TDS_PACKAGE_HEADER_MAX];
	size_t skip = 0;
	int n;

	if (format == TDS_FORMAT_DIRECTOR1) {
		skip = sizeof(end_mark);
		n = snprintf(header, sizeof(header), "%s%s\n%zu\n%zu\n", format_names[format], hash_name, siglen, end);
	} else if (format == TDS_FORMAT_VICEROY2) {
		n = snprintf(header, sizeof(header), "%s%s\n%zu\n", format_names[format], hash_name, siglen);
	} else {
		return tds_err_set(err, TDS_E_USAGE, "packages of format %s are only read", format_names[format]);
	}
	if (end > ziplen || ziplen - end < skip)
		return tds_err_set(err, TDS_E_ARCHIVE, "byte %zu: no end record there", end);
	if (tds_io_write(fd, header, (size_t)n) != 0 || tds_io_write(fd, zip, end) != 0 ||
	    tds_io_write(fd, zip + end + skip, ziplen - end - skip) != 0 || tds_io_write(fd, sig, siglen) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return 0;
}
