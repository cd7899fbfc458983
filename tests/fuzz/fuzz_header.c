/* SPDX-License-Identifier: MIT */
/*
 * The container: whatever the bytes, they are refused, or they are exactly what is written for what
 * was read. A file and a stream of the same bytes give the same.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "package/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define STREAM_MAX 60000 /* bytes that a socket takes before somebody reads */

/* The package of a memory file, and its verdict. */
static int read_file(const uint8_t *data, size_t size, struct tds_package *package,
		     struct tds_err *err)
{
	int fd = tds_io_memfd("input");

	CHECK(fd >= 0 && tds_io_write(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	int rc = tds_package_read(fd, true, package, err);
	CHECK(close(fd) == 0);
	return rc;
}

static int read_stream(const uint8_t *data, size_t size, struct tds_package *package,
		       struct tds_err *err)
{
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	CHECK(tds_io_write(ends[1], data, size) == 0 && close(ends[1]) == 0);
	int rc = tds_package_read(ends[0], true, package, err);
	CHECK(close(ends[0]) == 0);
	return rc;
}

static void check_header(const uint8_t *data, size_t size)
{
	struct tds_header header;
	struct tds_err err = { 0 };
	int rc = tds_header_parse(data, size, &header, &err);

	CHECK(rc == 0 || (rc == TDS_E_UNTRUSTED && err.code == rc && err.reason[0]));
	CHECK(rc != 0 || (header.len <= size && header.siglen >= 1 &&
			  header.siglen <= TDS_SIG_MAX && header.end < 1000000000000000000));
}

/* Written again it is the input, whatever the format. */
static void check_written(const struct tds_package *package, const uint8_t *data, size_t size)
{
	const struct tds_header *header = &package->header;
	unsigned char sha256[TDS_SHA256_LEN];
	char *written = NULL;
	size_t len;
	int fd = tds_io_memfd("output");
	int rc = tds_package_write(fd, header->format, package->zip, package->ziplen, header->end,
				   package->sig, header->siglen, NULL);

	CHECK(package->size == size && package->sig_at + header->siglen <= size);
	CHECK(header->end <= package->ziplen);
	CHECK(tds_package_sha256_as(package, header->format, header->end, sha256, NULL) == 0);
	CHECK(memcmp(sha256, package->sha256, sizeof(sha256)) == 0);
	CHECK((rc != 0) == (header->format == TDS_FORMAT_VICEROY1));
	CHECK(lseek(fd, 0, SEEK_SET) == 0 &&
	      tds_io_slurp_fd(fd, size + 1, &written, &len, NULL) == 0);
	CHECK(rc != 0 || (len == size && memcmp(written, data, size) == 0));
	free(written);
	CHECK(close(fd) == 0);
}

static void check_same(const struct tds_package *a, const struct tds_package *b)
{
	CHECK(a->size == b->size && a->ziplen == b->ziplen && a->sig_at == b->sig_at);
	CHECK(memcmp(a->zip, b->zip, a->ziplen) == 0 &&
	      memcmp(a->sig, b->sig, a->header.siglen) == 0);
	CHECK(memcmp(a->sha256, b->sha256, TDS_SHA256_LEN) == 0 &&
	      memcmp(a->md5, b->md5, TDS_MD5_LEN) == 0);
	CHECK(memcmp(&a->zip_signed, &b->zip_signed, sizeof(a->zip_signed)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tds_package package;
	struct tds_package streamed;
	struct tds_err err = { 0 };
	struct tds_err stream_err = { 0 };

	check_header(data, size);
	int rc = read_file(data, size, &package, &err);
	CHECK(rc == 0 || (rc == TDS_E_UNTRUSTED && err.code == rc && err.reason[0]));
	if (rc == 0)
		check_written(&package, data, size);
	if (size <= STREAM_MAX) {
		CHECK(read_stream(data, size, &streamed, &stream_err) == rc &&
		      strcmp(err.reason, stream_err.reason) == 0);
		if (rc == 0)
			check_same(&package, &streamed);
		tds_package_close(&streamed);
	}
	tds_package_close(&package);
	return 0;
}
