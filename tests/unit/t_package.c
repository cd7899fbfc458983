/* SPDX-License-Identifier: MIT */
/*
 * The container: its grammar, its three formats, files and streams, files that change while they
 * are read.
 */
#include "unit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "package/package.h"

#define D1 "ThespianDirectorFMT1-sha256\n"
#define V1 "ViceroyFMT1-sha256\n"
#define V2 "ViceroyFMT2-sha256\n"

static int parse(const char *text, size_t len, struct tds_header *header, struct tds_err *err)
{
	*err = (struct tds_err){ 0 };
	return tds_header_parse((const unsigned char *)text, len, header, err);
}

static void headers(void **state)
{
	static const struct {
		const char *text;
		enum tds_format format;
		size_t siglen;
		uint64_t end;
	} good[] = {
		{ D1 "256\n0\nrest", TDS_FORMAT_DIRECTOR1, 256, 0 },
		{ D1 "1\n999999999999999999\n", TDS_FORMAT_DIRECTOR1, 1, 999999999999999999 },
		{ D1 "2048\n22\n7\n", TDS_FORMAT_DIRECTOR1, 2048, 22 },
		{ "tdsFMT1-ed25519\n64\n22\n", TDS_FORMAT_TDS1, 64, 22 },
		{ V1 "128\n5\n", TDS_FORMAT_VICEROY1, 128, 0 },
		{ V2 "128\n\n", TDS_FORMAT_VICEROY2, 128, 0 },
	};
	struct tds_header header;
	struct tds_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_fine(parse(good[i].text, strlen(good[i].text), &header, &err), &err);
		assert_true(header.format == good[i].format && header.siglen == good[i].siglen &&
			    header.end == good[i].end);
		assert_int_equal(header.siglen_at, strchr(good[i].text, '\n') + 1 - good[i].text);
	}
	assert_int_equal(header.len, strlen(V2 "128\n"));
	assert_int_equal(tds_format_find("ThespianDirectorFMT1"), TDS_FORMAT_DIRECTOR1);
	assert_int_equal(tds_format_find("ViceroyFMT2"), TDS_FORMAT_VICEROY2);
	assert_int_equal(tds_format_find("ViceroyFMT3"), -1);
	assert_int_equal(tds_format_find(""), -1);
	assert_string_equal(tds_format_name(TDS_FORMAT_VICEROY1), "ViceroyFMT1");
}

static void bad_headers(void **state)
{
	static const char format[] = "not a package (byte 0: no format name that is known)";
	static const char siglen[] = "not a package (byte 28: the length of the signature is not a "
				     "plain decimal number)";
	static const struct {
		const char *text;
		const char *reason;
	} bad[] = {
		{ "", format },
		{ "\n", format },
		{ "ThespianDirectorFMT1-sha256", format },
		{ "ThespianDirectorFMT1-sha25\n256\n0\n", format },
		{ "ThespianDirectorFMT1-sha2567\n256\n0\n", format },
		{ "ThespianDirectorFMT1-sha1\n256\n0\n", format },
		{ "ThespianDirectorFMT1-SHA256\n256\n0\n", format },
		{ "ThespianDirectorFMT1\n256\n0\n", format },
		{ "ThespianDirectorFMT2-sha256\n256\n0\n", format },
		{ " " D1 "256\n0\n", format },
		{ "ThespianDirectorFMT1-sha256\r\n256\n0\n", format },
		{ "\xef\xbb\xbf" D1 "256\n0\n", format },
		{ D1, siglen },
		{ D1 "256", siglen },
		{ D1 "\n0\n", siglen },
		{ D1 "+256\n0\n", siglen },
		{ D1 "-256\n0\n", siglen },
		{ D1 " 256\n0\n", siglen },
		{ D1 "256 \n0\n", siglen },
		{ D1 "0256\n0\n", siglen },
		{ D1 "256\r\n0\n", siglen },
		{ D1 "2_56\n0\n", siglen },
		{ D1 "0x80\n0\n", siglen },
		{ D1 "99999999999999999999\n0\n", siglen },
		{ D1 "2147483648\n0\n", "byte 28: no key has signatures of 2147483648 bytes" },
		{ D1 "0\n0\n", "byte 28: no key has signatures of 0 bytes" },
		{ D1 "2049\n0\n", "byte 28: no key has signatures of 2049 bytes" },
		{ D1 "256\n", "not a package (byte 32: the offset of the end record is not a plain "
			      "decimal number)" },
		{ D1 "256\n00\n", "not a package (byte 32: the offset of the end record is not a "
				  "plain decimal number)" },
		{ D1 "256\n-1\n", "not a package (byte 32: the offset of the end record is not a "
				  "plain decimal number)" },
		{ D1 "256\n1000000000000000000\n", "not a package (byte 32: the offset of the end "
						   "record is not a plain decimal number)" },
		{ "tdsFMT1-sha256\n64\n0\n", format },
		{ "ThespianDirectorFMT1-ed25519\n64\n0\n", format },
		{ "tdsFMT1-ed25519\n256\n0\n", "byte 16: no key has signatures of 256 bytes" },
		{ "tdsFMT1-ed25519\n63\n0\n", "byte 16: no key has signatures of 63 bytes" },
		{ V2 "007\n", "not a package (byte 19: the length of the signature is not a plain "
			      "decimal number)" },
	};
	struct tds_header header;
	struct tds_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_failed(parse(bad[i].text, strlen(bad[i].text), &header, &err), &err,
			      TDS_E_UNTRUSTED, bad[i].reason);
	assert_int_equal(parse(D1 "2\0"
				  "6\n0\n",
			       34, &header, &err),
			 TDS_E_UNTRUSTED);
	/* No header of all lengths is read beyond what is there. */
	for (size_t len = 0; len < strlen(D1 "256\n0\n"); len++) {
		char *exact = malloc(len ? len : 1);

		memcpy(exact, D1 "256\n0\n", len);
		assert_int_equal(parse(exact, len, &header, &err), TDS_E_UNTRUSTED);
		free(exact);
	}
}

/* An archive of len bytes, all different from their neighbours, the mark at end. */
static unsigned char *make_archive(size_t len, size_t end)
{
	unsigned char *zip = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		zip[i] = (unsigned char)(i * 7 + i / 256 + 10);
	memcpy(zip + end, "PK\5\6", 4);
	return zip;
}

static void write_package(int fd, enum tds_format format, const unsigned char *zip, size_t len,
			  size_t end, const unsigned char *sig, size_t siglen)
{
	struct tds_err err = { 0 };

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_fine(tds_package_write(fd, format, zip, len, end, sig, siglen, &err), &err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static void assert_package(const struct tds_package *p, const unsigned char *zip, size_t len,
			   const unsigned char *sig, size_t siglen)
{
	struct tds_signed what = { .kind = tds_format_kind(p->header.format) };
	struct tds_digest *d = tds_digest_new(tds_sig_digest(what.kind));

	assert_int_equal(p->ziplen, len);
	assert_memory_equal(p->zip, zip, len);
	assert_int_equal(p->header.siglen, siglen);
	assert_memory_equal(p->sig, sig, siglen);
	tds_digest_update(d, zip, len);
	assert_true(tds_digest_final(d, what.digest));
	assert_memory_equal(&p->zip_signed, &what, sizeof(what));
	tds_digest_free(d);
}

/* Send the file through a pipe, in pieces of step bytes, and read it there. */
static int read_piped(int file, size_t step, struct tds_package *package, struct tds_err *err)
{
	int ends[2];
	struct stat st;

	assert_true(fstat(file, &st) == 0 && pipe(ends) == 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char *piece = malloc(step);
		ssize_t n;

		close(ends[0]);
		for (off_t at = 0; (n = pread(file, piece, step, at)) > 0; at += n)
			if (tds_io_write(ends[1], piece, (size_t)n) != 0)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	int rc = tds_package_read(ends[0], true, package, err);
	close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return rc;
}

static void hold_against_stream(int fd, const struct tds_package *p, size_t step)
{
	struct tds_package streamed;
	struct tds_err err = { 0 };

	assert_fine(read_piped(fd, step, &streamed, &err), &err);
	assert_package(&streamed, p->zip, p->ziplen, p->sig, p->header.siglen);
	assert_memory_equal(streamed.sha256, p->sha256, TDS_SHA256_LEN);
	assert_memory_equal(streamed.md5, p->md5, TDS_MD5_LEN);
	assert_true(streamed.size == p->size && streamed.sig_at == p->sig_at);
	tds_package_close(&streamed);
}

/* Each size around the blocks and limits of the reader, the end record at each odd place. */
static void files_and_streams(void **state)
{
	static const size_t sizes[] = {
		22,     23,      30,      37,      64,      100,     4096,
		262144, 1048500, 1048575, 1048576, 1048577, 2097152, 3000000
	};
	unsigned char sig[256];
	int fd = tds_io_memfd("package");

	(void)state;
	memset(sig, 0xc3, sizeof(sig));
	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t len = sizes[i];
		const size_t ends[] = { 0, 1, 28, 29, 30, 31, len / 2, len - 22, len - 5, len - 4 };

		for (size_t j = 0; j < COUNT(ends); j++) {
			for (int format = 0; format < TDS_FORMATS; format += 2) {
				size_t end = ends[j];
				struct tds_package p;
				struct tds_err err = { 0 };

				/*
				 * What may come behind an end record is its own rest and a comment.
				 */
				if (end > len - 4 ||
				    (format == TDS_FORMAT_DIRECTOR1 && len - end > 22 + 65535))
					continue;
				unsigned char *zip = make_archive(len, end);
				write_package(fd, (enum tds_format)format, zip, len, end, sig,
					      sizeof(sig));
				assert_fine(tds_package_read(fd, true, &p, &err), &err);
				assert_package(&p, zip, len, sig, sizeof(sig));
				if (len <= 4096)
					hold_against_stream(fd, &p, 1 + j * 13);
				else if (j % 3 == 0)
					hold_against_stream(fd, &p, 60000 + j);
				tds_package_close(&p);
				free(zip);
			}
		}
	}
	close(fd);
}

/* The digest of the whole file is that of the file, whatever format it is asked for in. */
static void digests_of_files(void **state)
{
	static const char sig[] = "a signature: i = 1\n";
	unsigned char *zip = make_archive(10000, 9978);
	int fd = tds_io_memfd("package");
	enum {
		OF_RSA = TDS_FORMAT_VICEROY2 + 1
	}; /* the one of Ed25519 keys has no other beside it */
	struct tds_package p[OF_RSA];
	struct tds_err err = { 0 };

	(void)state;
	memcpy(zip + 100, "a: i = ::  ii==\n\naa", 19);
	for (int format = 0; format < OF_RSA; format += 2) {
		write_package(fd, (enum tds_format)format, zip, 10000, 9978,
			      (const unsigned char *)sig, sizeof(sig));
		assert_fine(tds_package_read(fd, true, &p[format], &err), &err);
	}
	/*
	 * ViceroyFMT1, which nothing of ours writes: signature first, then the archive with six
	 * bytes exchanged.
	 */
	static const char plain[] = " i=:\na";
	static const char stored[] = ": i=a\n";
	char *exchanged = malloc(10000);
	for (size_t i = 0; i < 10000; i++) {
		const char *at = memchr(plain, zip[i], 6);
		exchanged[i] = at ? stored[at - plain] : (char)zip[i];
	}
	assert_true(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	assert_true(dprintf(fd, V1 "%zu\n", sizeof(sig)) > 0);
	assert_true(tds_io_write(fd, sig, sizeof(sig)) == 0 &&
		    tds_io_write(fd, exchanged, 10000) == 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_fine(tds_package_read(fd, true, &p[TDS_FORMAT_VICEROY1], &err), &err);
	for (int i = 0; i < OF_RSA; i++) {
		assert_package(&p[i], zip, 10000, (const unsigned char *)sig, sizeof(sig));
		for (int format = 0; format < OF_RSA; format++) {
			unsigned char sha256[TDS_SHA256_LEN];

			assert_fine(tds_package_sha256_as(&p[i], (enum tds_format)format, 9978,
							  sha256, &err),
				    &err);
			assert_memory_equal(sha256, p[format].sha256, sizeof(sha256));
		}
	}
	for (int i = 0; i < OF_RSA; i++)
		tds_package_close(&p[i]);
	free(exchanged);
	free(zip);
	close(fd);
}

/* Where a byte of the archive stands in the file. */
static void offsets(void **state)
{
	unsigned char *zip = make_archive(1000, 900);
	int fd = tds_io_memfd("package");
	struct tds_package p;
	struct tds_err err = { 0 };

	(void)state;
	for (int format = 0; format < TDS_FORMATS; format += 2) {
		write_package(fd, (enum tds_format)format, zip, 1000, 900,
			      (const unsigned char *)"sig", 3);
		char *file = malloc(2000);
		assert_true(pread(fd, file, 2000, 0) > 1000);
		assert_fine(tds_package_read(fd, false, &p, &err), &err);
		assert_false(p.digests);
		for (uint64_t at = 0; at < 1000; at++)
			if (format != TDS_FORMAT_DIRECTOR1 || at < 900 || at >= 904)
				assert_int_equal((unsigned char)file[tds_package_offset(&p, at)],
						 zip[at]);
		assert_memory_equal(file + p.sig_at, "sig", 3);
		tds_package_close(&p);
		free(file);
	}
	free(zip);
	close(fd);
}

static int read_text(const char *text, struct tds_err *err)
{
	struct tds_package p;
	int fd = tds_io_memfd("package");

	assert_true(tds_io_write(fd, text, strlen(text)) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	*err = (struct tds_err){ 0 };
	int rc = tds_package_read(fd, true, &p, err);
	close(fd);
	assert_null(p.map);
	return rc;
}

static void numbers_that_do_not_fit(void **state)
{
	struct tds_err err;

	(void)state;
	assert_failed(read_text(V2 "4\nsig", &err), &err, TDS_E_UNTRUSTED,
		      "byte 19: a signature of 4 bytes does not fit in the file");
	assert_failed(read_text(D1 "4\n1\nsign", &err), &err, TDS_E_UNTRUSTED,
		      "byte 30: the end record cannot be at 1, behind the archive");
	assert_failed(
		read_text(D1 "4\n999999999999999999\nabcsign", &err), &err, TDS_E_UNTRUSTED,
		"byte 30: the end record cannot be at 999999999999999999, behind the archive");
	assert_int_equal(read_text(D1 "1\n0\n", &err), TDS_E_UNTRUSTED);
}

static void large_files(void **state)
{
	struct tds_package p;
	struct tds_err err = { 0 };
	int fd = tds_io_memfd("package");

	(void)state;
	/* Refused by its size, before a byte is read: else it were no package. */
	assert_int_equal(ftruncate(fd, TDS_PACKAGE_MAX_BYTES + 1), 0);
	assert_failed(tds_package_read(fd, true, &p, &err), &err, TDS_E_UNTRUSTED,
		      "is larger than the 1073741824 bytes that a package may have");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_true(pwrite(fd, V2 "1\n", 21, 0) == 21 && ftruncate(fd, 70000) == 0);
	assert_fine(tds_package_read(fd, false, &p, &err), &err);
	tds_package_close(&p);
	/* What the header says of the end record says how much can follow. */
	assert_true(ftruncate(fd, 0) == 0 && pwrite(fd, D1 "1\n5\n", 32, 0) == 32);
	for (int more = 0; more < 2; more++) {
		assert_true(ftruncate(fd, 32 + 5 + 18 + 65535 + 1 + more) == 0 &&
			    lseek(fd, 0, SEEK_SET) == 0);
		int rc = tds_package_read(fd, false, &p, &err);
		assert_int_equal(rc, more ? TDS_E_UNTRUSTED : 0);
		tds_package_close(&p);
	}
	assert_string_equal(err.reason,
			    "byte 30: the end record cannot be at 5, so far before the end");
	close(fd);
}

/* A stream without an end is left where its header says that nothing more can come. */
static void endless_streams(void **state)
{
	static char zeros[65536];
	int ends[2];
	int status;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		close(ends[0]);
		for (bool ok = tds_io_write(ends[1], D1 "256\n1000\n", 37) == 0; ok;)
			ok = tds_io_write(ends[1], zeros, sizeof(zeros)) == 0;
		_exit(1);
	}
	struct tds_package p;
	struct tds_err err = { 0 };
	close(ends[1]);
	assert_failed(tds_package_read(ends[0], true, &p, &err), &err, TDS_E_UNTRUSTED,
		      "byte 32: the end record cannot be at 1000, so far before the end");
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

/*
 * A file that grows or shrinks beside us gives a package of some moment, or a failure; never what
 * is not there.
 */
static void files_that_change(void **state)
{
	unsigned char *zip = make_archive(3 << 20, (3 << 20) - 22);
	int fd = tds_io_memfd("package");
	struct tds_package p;
	int stop[2];

	(void)state;
	write_package(fd, TDS_FORMAT_VICEROY2, zip, 3 << 20, 0, (const unsigned char *)"sig", 3);
	assert_int_equal(pipe2(stop, O_NONBLOCK), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char c;

		close(stop[1]);
		for (unsigned n = 0; read(stop[0], &c, 1) < 0; n++)
			if (ftruncate(fd, n % 2 ? 50 : (off_t)(n % 7) << 20) != 0)
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < 300; i++) {
		struct tds_err err = { 0 };

		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		int rc = tds_package_read(fd, true, &p, &err);
		assert_true(rc == 0 || rc == TDS_E_UNTRUSTED ||
			    (rc == TDS_E_UNUSABLE &&
			     strcmp(err.reason, "grew while it was read") == 0));
		if (rc == 0) {
			unsigned char *copy = malloc(p.ziplen + 1);

			memcpy(copy, p.zip, p.ziplen);
			assert_package(&p, copy, p.ziplen, p.sig, 3);
			free(copy);
		}
		tds_package_close(&p);
	}
	close(stop[0]);
	close(stop[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	free(zip);
	close(fd);
}

/* What was digested cannot be changed, nor what is handed on. */
static void sealed(void **state)
{
	unsigned char *zip = make_archive(5000, 4978);
	int fd = tds_io_memfd("package");
	struct tds_package p;
	struct tds_err err = { 0 };
	int handed = tds_io_memfd("archive");
	size_t len;

	(void)state;
	write_package(fd, TDS_FORMAT_DIRECTOR1, zip, 5000, 4978, (const unsigned char *)"sig", 3);
	assert_fine(tds_package_read(fd, false, &p, &err), &err);
	assert_fine(tds_package_fill(&p, handed, &err), &err);
	assert_int_equal(pwrite(handed, "X", 1, 0), -1);
	assert_int_equal(ftruncate(handed, 0), -1);
	assert_int_equal(fcntl(handed, F_GET_SEALS),
			 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(lseek(handed, 0, SEEK_SET), 0);
	char *data;
	assert_fine(tds_io_slurp_fd(handed, 10000, &data, &len, &err), &err);
	assert_int_equal(len, 5000);
	assert_memory_equal(data, zip, 5000);
	free(data);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)signal(SIGSEGV, SIG_DFL);
		*(volatile unsigned char *)(uintptr_t)p.zip = 0;
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	tds_package_close(&p);
	tds_package_close(&p);
	close(handed);
	close(fd);
	free(zip);
}

static void unreadable(void **state)
{
	struct tds_package p;
	struct tds_err err = { 0 };
	int folder = open("/", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_failed(tds_package_read(folder, false, &p, &err), &err, TDS_E_UNUSABLE,
		      "cannot be read: Is a directory");
	close(folder);
	assert_failed(tds_package_read(folder, false, &p, &err), &err, TDS_E_UNUSABLE,
		      "cannot be read: Bad file descriptor");
	assert_failed(tds_package_write(1, TDS_FORMAT_VICEROY1, NULL, 0, 0, NULL, 0, &err), &err,
		      TDS_E_USAGE, "packages of format ViceroyFMT1 are only read");
	assert_failed(tds_package_write(-1, TDS_FORMAT_DIRECTOR1, (const unsigned char *)"123", 3,
					0, NULL, 0, &err),
		      &err, TDS_E_ARCHIVE, "byte 0: no end record there");
	assert_failed(tds_package_write(-1, TDS_FORMAT_DIRECTOR1, (const unsigned char *)"PK\5\6",
					4, 0, NULL, 0, &err),
		      &err, TDS_E_WRITE, "cannot be written: Bad file descriptor");
}

int main(void)
{
	const struct CMUnitTest package[] = {
		cmocka_unit_test(headers),           cmocka_unit_test(bad_headers),
		cmocka_unit_test(files_and_streams), cmocka_unit_test(digests_of_files),
		cmocka_unit_test(offsets),           cmocka_unit_test(numbers_that_do_not_fit),
		cmocka_unit_test(large_files),       cmocka_unit_test(endless_streams),
		cmocka_unit_test(files_that_change), cmocka_unit_test(sealed),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests(package, NULL, NULL);
}
