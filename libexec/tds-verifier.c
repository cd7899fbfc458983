/* SPDX-License-Identifier: MIT */
/*
 * The Source Authority's hands: verifies one package for tds-admin, which never parses one itself. It has no
 * privileges, little memory and no time to waste; whatever a package makes of it, the admin only sees its verdict.
 *
 * Descriptors: 0 the open package, 3 the socket for the verdict, 4 the director directory, 5 an empty file that a good
 *              package is written to, where there is one.
 * Environment: that of actors, which the declaration in a package is told.
 * Arguments:   the director directory's path, the package's name, the declared group that the name belongs to, the path
 *              and the version of the Python that runs actors, each empty where it is not known.
 * Verdict:     one JSON object in one message: {"ok":true,"group","version","md5","sha256","key","keysha256",
 *              "keyfilesha256","warnings","errno","declared"} with a sealed memory file, the archive; errno is why
 *              the package could not be written, 0: it is there and synced, or nobody wanted it. With "declared" comes
 *              a second one: the value of the declaration that is signed with the package, as a literal. Or
 *              {"ok":false,"status","error","md5","sha256","key","undecided"}, md5, sha256 and key as far as they are
 *              known; undecided: that is no word on the package, for what decides what is trusted could not be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/cores.h"
#include "base/io.h"
#include "base/mem.h"
#include "director/signedtli.h"
#include "director/strictmodes.h"
#include "literal/repr.h"
#include "tool/cli.h"

#define FD_VERDICT 3
#define FD_DIR 4
#define FD_STORE 5
/* Empty memory files, for what goes with a good verdict. Were they sent, others of the same user could keep them from it. */
#define FD_ARCHIVE 6
#define FD_DECLARATION 7
#define NOBODY 65533 /* that no actor is: 65534 may well be told to be theirs */
#define SECONDS 50   /* of processor time, at most */
#define DESCRIPTORS 16
#ifdef __SANITIZE_ADDRESS__
#define MEMORY RLIM_INFINITY /* its shadow is larger than any limit */
#else
#define MEMORY (4 * (rlim_t)TDS_PACKAGE_MAX_BYTES)
#endif

static char block[256 << 10];

static void send_verdict(json_t *verdict)
{
	char text[4096];
	size_t len = verdict ? json_dumpb(verdict, text, sizeof(text), JSON_COMPACT) : 0;
	struct iovec iov = { .iov_base = text, .iov_len = len };
	const struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	/* A verdict that does not fit is none, and the admin takes silence for a refusal. */
	if (len > 0 && len <= sizeof(text))
		(void)sendmsg(FD_VERDICT, &msg, MSG_NOSIGNAL);
	json_decref(verdict);
}

/* The digests of the package as it came, which may be anything. False: they are not known. */
static bool digest_copy(int copy, unsigned char md5[TDS_MD5_LEN],
			unsigned char sha256[TDS_SHA256_LEN])
{
	struct tds_digest *digests[] = { tds_digest_new(TDS_DIGEST_MD5),
					 tds_digest_new(TDS_DIGEST_SHA256) };
	bool known = copy >= 0 && digests[0] && digests[1];
	off_t at = 0;
	ssize_t n = 0;

	while (known && (n = pread(copy, block, sizeof(block), at)) > 0) {
		tds_digest_update(digests[0], block, (size_t)n);
		tds_digest_update(digests[1], block, (size_t)n);
		at += n;
	}
	known = known && n == 0 && tds_digest_final(digests[0], md5) &&
		tds_digest_final(digests[1], sha256);
	tds_digest_free(digests[0]);
	tds_digest_free(digests[1]);
	return known;
}

static json_t *digest_json(const unsigned char *digest, size_t len)
{
	char hex[TDS_DIGEST_HEX_MAX];

	tds_digest_hex(digest, len, hex);
	return json_string(hex);
}

/* copy: of the package, -1: there is none; key: that validated it all the same, NULL: none did. */
static void refuse(const struct tds_err *err, int copy, const struct tds_key *key, bool undecided)
{
	json_t *verdict = json_pack(
		"{s:b, s:i, s:o?, s:o*}", "ok", 0, "status", tds_code_status(err->code), "error",
		tds_cli_json_text(err->reason), "key", key ? tds_cli_json_text(key->path) : NULL);
	unsigned char md5[TDS_MD5_LEN];
	unsigned char sha256[TDS_SHA256_LEN];

	if (verdict && digest_copy(copy, md5, sha256)) {
		(void)json_object_set_new(verdict, "md5", digest_json(md5, TDS_MD5_LEN));
		(void)json_object_set_new(verdict, "sha256", digest_json(sha256, TDS_SHA256_LEN));
	}
	if (undecided)
		(void)json_object_set_new(verdict, "undecided", json_true());
	send_verdict(verdict);
}

/* What libraries read once from a file, when they first want it: where times are of, and a seed for tables. */
static void have_all_read(void)
{
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	(void)json_object_seed(0);
}

/* After the keys are read nothing but the open descriptors is needed any more. */
static int drop_privileges(struct tds_err *err)
{
	static const struct tds_bounds bounds = {
		.cpu_s = SECONDS,
		.memory = MEMORY,
		.file = TDS_PACKAGE_MAX_BYTES + sizeof(block),
		.descriptors = DESCRIPTORS,
	};

	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return tds_err_sys(err, TDS_E_UNTRUSTED, "the verifier cannot give up root");
	have_all_read();
	if (tds_confine_verifier(&bounds, FD_VERDICT, err) != 0) {
		err->code = TDS_E_UNTRUSTED;
		return tds_err_prefix(err, "the verifier cannot be confined");
	}
	return 0;
}

/* The package's own bytes, once and for all: what is verified is what is kept. */
static int copy_package(int *copy, struct tds_err *err)
{
	tds_autofd int made = tds_io_memfd("tds-package");
	off_t size = 0;
	ssize_t n;

	if (made < 0)
		return tds_err_sys(err, TDS_E_WRITE, "no memory file for the package");
	while ((n = tds_io_read(STDIN_FILENO, block, sizeof(block))) > 0) {
		size += n;
		if (size > TDS_PACKAGE_MAX_BYTES)
			return tds_err_set(err, TDS_E_UNTRUSTED, "is larger than a package may be");
		if (tds_io_write(made, block, (size_t)n) != 0)
			return tds_err_sys(err, TDS_E_WRITE, "no memory for the package");
	}
	if (n < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read");
	if (tds_io_seal(made) != 0 || lseek(made, 0, SEEK_SET) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "the memory file cannot be sealed");
	*copy = tds_steal_fd(&made);
	return 0;
}

static json_t *warnings_of(const struct tds_keyring *ring, const struct tds_source *source)
{
	const struct tds_key *key = source->key;
	json_t *warnings = json_array();

	if (tds_source_warning(source))
		(void)json_array_append_new(warnings, json_string(tds_source_warning(source)));

	if (key->warning[0])
		(void)json_array_append_new(warnings,
					    json_sprintf("%s: %s", key->path, key->warning));
	if (key->insecure)
		(void)json_array_append_new(warnings,
					    json_sprintf("%s: %s", key->path, key->exposure));
	if (ring->warning)
		(void)json_array_append_new(warnings, json_string(ring->warning));
	return warnings;
}

/* What was verified, from the sealed copy. Returns errno, 0 for done. */
static int write_package(int copy)
{
	off_t at = 0;
	ssize_t n;

	while ((n = pread(copy, block, sizeof(block), at)) > 0) {
		if (tds_io_write(FD_STORE, block, (size_t)n) != 0)
			return errno;
		at += n;
	}
	return n < 0 || fsync(FD_STORE) != 0 ? errno : 0;
}

/* The value of its declaration, as a literal; NULL: the package has none. */
static int evaluate(const struct tds_source *source, const struct tds_surroundings *around,
		    char **literal, struct tds_err *err)
{
	tds_auto(tli) struct tds_tli tli = { 0 };
	int rc = tds_signedtli_read(source, around, &tli, err);

	*literal = rc == 0 && tli.value ? tds_value_repr(tli.value) : NULL;
	return rc != 0 || !tli.value || *literal ? rc
						 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int fill_declaration(const char *literal, struct tds_err *err)
{
	if (tds_io_write(FD_DECLARATION, literal, strlen(literal)) != 0 ||
	    tds_io_seal(FD_DECLARATION) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "no memory for the declaration");
	return 0;
}

/* literal: NULL: the package has no declaration. */
static void accept_source(const struct tds_source *source, const struct tds_keyring *ring,
			  const char *literal, int written)
{
	const struct tds_package *package = &source->package;
	const struct tds_key *key = source->key;
	struct tds_err err = { 0 };

	if (tds_package_fill(package, FD_ARCHIVE, &err) != 0 ||
	    (literal && fill_declaration(literal, &err) != 0)) {
		refuse(&err, -1, key, false);
		return;
	}
	send_verdict(json_pack(
		"{s:b, s:s?, s:s?, s:o, s:o, s:o?, s:o, s:o, s:o, s:i, s:b}", "ok", 1, "group",
		source->group, "version", source->version, "md5",
		digest_json(package->md5, TDS_MD5_LEN), "sha256",
		digest_json(package->sha256, TDS_SHA256_LEN), "key", tds_cli_json_text(key->path),
		"keysha256", digest_json(key->sha256, TDS_SHA256_LEN), "keyfilesha256",
		digest_json(key->file_sha256, TDS_SHA256_LEN), "warnings",
		warnings_of(ring, source), "errno", written, "declared", literal != NULL));
}

/* What decides what is trusted, as long as this process may still open files. */
struct trusted {
	struct tds_keyring ring;
	bool strict_names;
};

static int read_trusted(const struct tds_dir *dir, struct trusted *trusted, struct tds_err *err)
{
	struct tds_strict strict;
	int rc = tds_strictmodes_read(dir, &strict, err);

	if (rc == 0)
		rc = tds_strictmodes_names(dir, &strict, &trusted->strict_names, err);
	return rc == 0 ? tds_keyring_read(dir, &strict, &trusted->ring, err) : rc;
}

static int verify(const struct trusted *trusted, int copy, char **argv, struct tds_source *source,
		  struct tds_err *err)
{
	struct tds_source_opts opts = { .ring = &trusted->ring,
					.name = argv[2],
					.owner = argv[3],
					.strict_names = trusted->strict_names,
					.limits = TDS_ZIP_LIMITS_DEFAULT };
	struct tds_package package;
	int rc = tds_package_read(copy, true, &package, err);

	return rc == 0 ? tds_source_verify(&package, &opts, source, err) : rc;
}

int main(int argc, char **argv)
{
	struct trusted trusted = { 0 };
	tds_auto(source) struct tds_source source = { 0 };
	tds_autofree char *literal = NULL;
	tds_autofd int copy = -1;
	struct tds_err err = { 0 };
	bool wanted = fcntl(FD_STORE, F_GETFD) >= 0; /* before anything else may get that number */

	/* They are those of actors: for a declaration to ask for, and for nothing else in this process. */
	tds_cores_off();
	char **variables = environ;
	environ = (char *[]){ NULL };
	if (argc != 6)
		return 2;
	struct tds_dir dir = { .fd = FD_DIR, .path = argv[1] };
	int rc = read_trusted(&dir, &trusted, &err);
	bool undecided = rc != 0;
	if (rc == 0)
		rc = drop_privileges(&err);
	if (rc == 0)
		rc = copy_package(&copy, &err);
	if (rc == 0)
		rc = verify(&trusted, copy, argv, &source, &err);
	const struct tds_surroundings around = { .variables = variables,
						 .python = argv[4],
						 .version = argv[5] };
	if (rc == 0)
		rc = evaluate(&source, &around, &literal, &err);
	if (rc == 0)
		accept_source(&source, &trusted.ring, literal, wanted ? write_package(copy) : 0);
	else
		refuse(&err, copy, source.key, undecided);
	tds_keyring_fini(&trusted.ring);
	return tds_code_status(rc);
}
