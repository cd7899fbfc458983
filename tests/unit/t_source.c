/* SPDX-License-Identifier: MIT */
/*
 * From package to verified source: the order of the checks, the signed name, what keys may sign
 * for.
 */
#include "unit.h"

#include "makezip.h"
#include "package/keyring.h"
#include "package/source.h"

#define KEYS "tests/vectors/keys/"

static const struct member one[] = { { .name = "a.py", .data = "A = 1\n" } };

/* A package of the archive, signed by the named key, in a memory file. */
static void sign_package(const struct made *z, enum tds_format format, size_t end,
			 const char *signer, struct tds_package *package)
{
	char path[128];
	size_t len;
	(void)snprintf(path, sizeof(path), KEYS "%s.pem", signer);
	char *text = get(AT_FDCWD, path, &len);
	struct tds_signed what = { .kind = tds_format_kind(format) };
	unsigned char sig[TDS_SIG_MAX];
	struct tds_privkey *key;
	struct tds_err err = { 0 };
	struct tds_digest *digest = tds_digest_new(tds_sig_digest(what.kind));
	int fd = tds_io_memfd("package");

	tds_digest_update(digest, z->data, z->len);
	assert_true(tds_digest_final(digest, what.digest));
	tds_digest_free(digest);
	assert_fine(tds_privkey_parse(text, len, NULL, NULL, &key, &err), &err);
	assert_fine(tds_sig_sign(key, &what, sig, &len, &err), &err);
	assert_fine(tds_package_write(fd, format, z->data, z->len, end, sig, len, &err), &err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_fine(tds_package_read(fd, true, package, &err), &err);
	close(fd);
	tds_privkey_free(key);
	free(text);
}

static void put_key(const struct folder *f, const char *name, const char *key)
{
	char path[128];
	size_t len;

	(void)snprintf(path, sizeof(path), KEYS "%s_tls.key", key);
	char *text = get(AT_FDCWD, path, &len);
	put_bytes(f, name, 0644, text, len);
	free(text);
}

static void read_ring(const struct folder *f, struct tds_keyring *ring)
{
	const struct tds_dir dir = { .fd = f->fd, .path = (char *)(uintptr_t)f->path };
	const struct tds_strict own = { .owner = geteuid(), .admin = geteuid(), .is_lax = true };
	struct tds_err err = { 0 };

	assert_int_equal(fchmod(f->fd, 0755), 0);
	assert_fine(tds_keyring_read(&dir, &own, ring, &err), &err);
}

/* How a package is looked at, beside the defaults. */
struct look {
	const char *name;
	const char *owner;
	bool strict;
	char *told; /* room for what is told; NULL: nobody listens */
};

static void tell(void *ctx, const struct tds_check *check)
{
	char *told = ctx;

	(void)sprintf(told + strlen(told), "%lld %s %s: %s\n", (long long)check->offset,
		      check->ok ? "ok" : "failed", check->what, check->detail);
}

/* The verdict on an archive that is signed by the signer. */
static int verify_signed(const struct folder *f, const struct made *z, size_t end,
			 const char *signer, struct look look, struct tds_err *err)
{
	struct tds_keyring ring;
	struct tds_source source;
	struct tds_package package;
	struct tds_source_opts opts = { .ring = &ring,
					.name = look.name,
					.owner = look.owner,
					.strict = look.strict,
					.limits = TDS_ZIP_LIMITS_DEFAULT,
					.tell = look.told ? tell : NULL,
					.ctx = look.told };

	*err = (struct tds_err){ 0 };
	read_ring(f, &ring);
	sign_package(z, TDS_FORMAT_DIRECTOR1, end, signer, &package);
	int rc = tds_source_verify(&package, &opts, &source, err);
	assert_null(package.map);
	assert_true(rc == 0 ? source.key != NULL
			    : !source.package.map && !source.zip.v && !source.group &&
				      !source.version);
	tds_source_close(&source);
	tds_keyring_fini(&ring);
	return rc;
}

/* The same of an archive with this comment. */
static int verify(const struct folder *f, const char *comment, struct look look,
		  struct tds_err *err)
{
	struct made z;

	make_zip(&z, one, 1, comment);
	return verify_signed(f, &z, z.end, "birch", look, err);
}

static void taken(const struct folder *f, const char *comment, struct look look)
{
	struct tds_err err;

	assert_fine(verify(f, comment, look, &err), &err);
}

static void refused(const struct folder *f, const char *comment, struct look look,
		    enum tds_code code, const char *reason)
{
	struct tds_err err;

	assert_failed(verify(f, comment, look, &err), &err, code, reason);
}

static void comments(void **state)
{
	static const struct {
		const char *group;
		const char *version;
		const char *comment;
	} made[] = {
		{ "foo", "1.0", "tds1 group=foo version=1.0" },
		{ "foo", NULL, "tds1 group=foo version=" },
		{ "foo", "", "tds1 group=foo version=%" },
		{ "a b%", "1/2 version=3", "tds1 group=a%20b%25 version=1%2F2%20version%3D3" },
		{ "gr\xc3\xbc", "~-._", "tds1 group=gr%C3%BC version=~-._" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(made); i++) {
		char *comment = tds_source_comment(made[i].group, made[i].version);

		assert_string_equal(comment, made[i].comment);
		free(comment);
	}
}

static void signed_names(void **state)
{
	static const struct {
		const char *comment;
		const char *name;
		bool agrees;
	} names[] = {
		{ "tds1 group=foo version=1.0", "foo-1.0.tls", true },
		{ "tds1 group=foo version=1.0", "/some-1.0/where/foo-1.0.tls", true },
		{ "tds1 group=foo version=1.0", NULL, true },
		{ "tds1 group=foo version=1.0", "foo-1.1.tls", false },
		{ "tds1 group=foo version=1.0", "foo-1.0", false },
		{ "tds1 group=foo version=1.0", "foo-01.0.tls", false },
		{ "tds1 group=foo version=1.0", "foo-1.0.tls.tls", false },
		{ "tds1 group=foo version=1.0", "Foo-1.0.tls", false },
		{ "tds1 group=foo version=1.0", "foo.tls", false },
		{ "tds1 group=foo version=1.0", "bar-1.0.tls", false },
		{ "tds1 group=foo version=1.0", "foo-bar-1.0.tls", false },
		{ "tds1 group=foo version=1.0", "foo-1.0.tls/other.tls", false },
		{ "tds1 group=foo version=", "foo.tls", true },
		{ "tds1 group=foo version=", "foo-.tls", false },
		{ "tds1 group=foo version=%", "foo-.tls", true },
		{ "tds1 group=foo version=%", "foo.tls", false },
		{ "tds1 group=foo version=%", "foo-%.tls", false },
		{ "tds1 group=foo version=", "foo-1.tls", false },
		{ "tds1 group=foo-bar version=1", "foo-bar-1.tls", true },
		{ "tds1 group=foo version=bar-1", "foo-bar-1.tls",
		  true }, /* where no group foo-bar is declared */
		{ "tds1 group=a%20b version=1%20%C3%A9", "a b-1 \xc3\xa9.tls", true },
		{ "tds1 group=a%20b version=1", "a%20b-1.tls", false },
		{ "tds1 group=foo version=1%2F2", "foo-1/2.tls", false },
	};
	const struct folder *f = *state;

	put_key(f, "k_tls.key", "birch");
	for (size_t i = 0; i < COUNT(names); i++) {
		struct tds_err err;
		int rc = verify(f, names[i].comment, (struct look){ .name = names[i].name }, &err);

		if ((rc == 0) != names[i].agrees ||
		    (rc != 0 && (rc != TDS_E_ARCHIVE ||
				 !strstr(err.reason, "which is not what its name says"))))
			fail_msg("%s as %s: %d %s", names[i].comment, names[i].name, rc,
				 err.reason);
	}
	refused(f, "tds1 group=foo version=1", (struct look){ .name = "bar-1.tls" }, TDS_E_ARCHIVE,
		"is signed as group foo version \"1\", which is not what its name says");
}

/*
 * The name of a file may belong to another declared group than the one that was signed: then it is
 * that one's code.
 */
static void groups_with_dashes(void **state)
{
	const struct folder *f = *state;

	put_key(f, "k_tls.key", "birch");
	refused(f, "tds1 group=foo version=bar-1",
		(struct look){ .name = "foo-bar-1.tls", .owner = "foo-bar" }, TDS_E_ARCHIVE,
		"is signed as group foo, but its name is one of group foo-bar");
	taken(f, "tds1 group=foo-bar version=1",
	      (struct look){ .name = "foo-bar-1.tls", .owner = "foo-bar" });
	taken(f, "tds1 group=foo version=bar-1",
	      (struct look){ .name = "foo-bar-1.tls", .owner = "foo" });
	refused(f, "tds1 group=foo-bar version=1",
		(struct look){ .name = "foo-bar-1.tls", .owner = "foo" }, TDS_E_ARCHIVE,
		"is signed as group foo-bar, but its name is one of group foo");
	taken(f, "", (struct look){ .name = "foo-bar-1.tls", .owner = "foo-bar" });
}

static void malformed_comments(void **state)
{
	static const char *const bad[] = {
		"tds1 ",
		"tds1 group=foo",
		"tds1 group=foo version",
		"tds1 version=1 group=foo",
		"tds1 group= version=1",
		"tds1  group=foo version=1",
		"tds1 group=foo  version=1",
		"tds1 group=foo version=1 ",
		"tds1 group=foo version=1\n",
		"tds1 group=fo%6F version=1",
		"tds1 group=foo version=%31",
		"tds1 group=foo version=%2f",
		"tds1 group=foo version=%%",
		"tds1 group=foo version=a%00",
		"tds1 group=.foo version=1",
		"tds1 group=-foo version=1",
		"tds1 group=a%2Fb version=1",
		"tds1 group=a%0A version=1",
		"tds1 group=foo version=1 version=2",
		"tds1 group=foo version=1+2",
		"tds1 Group=foo version=1",
		"tds1 group=foo\xc3\xbc version=1",
		"tds1 version=1",
		"tds1 group=foo version=a b",
	};
	static const char *const others[] = { "",
					      "tds1",
					      "tds2 group=foo version=1",
					      "TDS1 group=foo version=1",
					      " tds1 group=foo version=1",
					      "made by hand" };
	const struct folder *f = *state;

	put_key(f, "k_tls.key", "birch");
	for (size_t i = 0; i < COUNT(bad); i++)
		refused(f, bad[i], (struct look){ .name = "foo-1.tls" }, TDS_E_ARCHIVE,
			"the signed name in the ZIP comment is malformed");
	for (size_t i = 0; i < COUNT(others); i++)
		taken(f, others[i], (struct look){ .name = "bar-7.tls" });
}

static void strict(void **state)
{
	const struct folder *f = *state;
	const struct look look = { .name = "foo-1.tls", .strict = true };
	char reason[256];

	put_key(f, "k_tls.key", "birch");
	taken(f, "tds1 group=foo version=1", look);
	refused(f, "", look, TDS_E_ARCHIVE, "has no signed group and version");
	refused(f, "made by hand", look, TDS_E_ARCHIVE, "has no signed group and version");
	assert_int_equal(fchmodat(f->fd, "k_tls.key", 0646, 0), 0);
	(void)snprintf(reason, sizeof(reason),
		       "no key validates it: it is signed with %s/k_tls.key, but others may write "
		       "its file",
		       f->path);
	refused(f, "tds1 group=foo version=1", look, TDS_E_UNTRUSTED, reason);
	taken(f, "tds1 group=foo version=1", (struct look){ .name = "foo-1.tls" });
	assert_int_equal(fchmodat(f->fd, "k_tls.key", 0644, 0), 0);
	put(f, "revoked.cfg", 0666, "");
	(void)snprintf(reason, sizeof(reason),
		       "no key validates it: it is signed with %s/k_tls.key, but others may write "
		       "in its folder, or to its limits",
		       f->path);
	refused(f, "tds1 group=foo version=1", look, TDS_E_UNTRUSTED, reason);
}

static void limited_keys(void **state)
{
	const struct folder *f = *state;
	char not_this[256];
	char not_known[256];

	(void)snprintf(not_this, sizeof(not_this),
		       "no key validates it: it is signed with %s/k_tls.key, but it may not sign "
		       "for this group",
		       f->path);
	(void)snprintf(not_known, sizeof(not_known),
		       "no key validates it: it is signed with %s/k_tls.key, but it signs for some "
		       "groups only, and this one's is not known",
		       f->path);
	put_key(f, "k_tls.key", "birch");
	put(f, "k_tls.allow", 0644, "foo\nweb-*\n");
	taken(f, "tds1 group=foo version=1", (struct look){ 0 });
	taken(f, "tds1 group=web-a version=1",
	      (struct look){ .name = "web-a-1.tls", .owner = "web-a" });
	refused(f, "tds1 group=bar version=1", (struct look){ .name = "bar-1.tls" },
		TDS_E_UNTRUSTED, not_this);
	/* The signed name counts, and not the file's. */
	refused(f, "tds1 group=bar version=1", (struct look){ .name = "foo-1.tls", .owner = "foo" },
		TDS_E_UNTRUSTED, not_this);
	refused(f, "tds1 group=foo-bar version=1",
		(struct look){ .name = "foo-bar-1.tls", .owner = "foo" }, TDS_E_UNTRUSTED,
		not_this);
	/* Where there is none, the group that the file's name belongs to. */
	taken(f, "", (struct look){ .name = "foo-1.tls", .owner = "foo" });
	refused(f, "", (struct look){ .name = "bar-1.tls", .owner = "bar" }, TDS_E_UNTRUSTED,
		not_this);
	refused(f, "", (struct look){ .name = "foo-1.tls" }, TDS_E_UNTRUSTED, not_known);
	refused(f, "tds1 group=fo", (struct look){ .name = "foo-1.tls", .owner = "foo" },
		TDS_E_ARCHIVE, "the signed name in the ZIP comment is malformed");
	/* Another key file of the same key without limits. */
	put_key(f, "z_tls.key", "birch");
	taken(f, "tds1 group=bar version=1", (struct look){ .name = "bar-1.tls" });
}

/*
 * The first fault decides: before the signature holds it is the signature's, whatever the archive
 * is.
 */
static void order(void **state)
{
	const struct folder *f = *state;
	struct made z;
	struct tds_err err;

	put_key(f, "k_tls.key", "birch");
	make_zip(&z, one, 1, "tds1 group=foo version=1");
	z.data[z.contents[0]] ^= 1; /* a CRC that is wrong */
	assert_int_equal(
		verify_signed(f, &z, z.end, "birch", (struct look){ .name = "foo-1.tls" }, &err),
		TDS_E_ARCHIVE);
	assert_non_null(strstr(err.reason, "member a.py: ZIP bad CRC"));
	assert_failed(
		verify_signed(f, &z, z.end, "thistle", (struct look){ .name = "foo-1.tls" }, &err),
		&err, TDS_E_UNTRUSTED, "no key validates it (1 tried)");
	/* name before members, structure before name */
	assert_failed(
		verify_signed(f, &z, z.end, "birch", (struct look){ .name = "bar-1.tls" }, &err),
		&err, TDS_E_ARCHIVE,
		"is signed as group foo version \"1\", which is not what its name says");
	put_le(z.data + z.central[0], 0, 4);
	assert_failed(
		verify_signed(f, &z, z.end, "birch", (struct look){ .name = "bar-1.tls" }, &err),
		&err, TDS_E_ARCHIVE,
		"archive byte 40: no directory entry where the end record counts one");
	/*
	 * An end record that the header puts elsewhere: in front of a member that has such a mark
	 * itself.
	 */
	const struct member inner = { .name = "in.zip", .data = "PK\5\6" };
	make_zip(&z, &inner, 1, "");
	assert_fine(verify_signed(f, &z, z.end, "birch", (struct look){ 0 }, &err), &err);
	assert_failed(verify_signed(f, &z, z.contents[0], "birch", (struct look){ 0 }, &err), &err,
		      TDS_E_ARCHIVE, "byte 32: the end record is at archive byte 92, not at 36");
	make_zip(&z, one, 0, "");
	z.len = 10;
	assert_failed(
		verify_signed(f, &z, 0, "birch", (struct look){ 0 }, &err), &err, TDS_E_ARCHIVE,
		"archive byte 0: an end record that does not reach to the end of the archive");
}

static void keys(void **state)
{
	const struct folder *f = *state;
	struct tds_err err;

	assert_failed(verify(f, "", (struct look){ 0 }, &err), &err, TDS_E_UNTRUSTED,
		      "no key validates it: there is no usable key");
	put(f, "a_tls.key", 0644, "junk");
	assert_failed(verify(f, "", (struct look){ 0 }, &err), &err, TDS_E_UNTRUSTED,
		      "no key validates it: there is no usable key");
	put_key(f, "b_tls.key", "cedar");
	put_key(f, "c_tls.key", "thistle");
	assert_failed(verify(f, "", (struct look){ 0 }, &err), &err, TDS_E_UNTRUSTED,
		      "no key validates it (2 tried)");
	put_key(f, "d_tls.key", "birch");
	assert_fine(verify(f, "", (struct look){ 0 }, &err), &err);
}

/* A revoked package does not come back in another format: nothing signs the header. */
static void revoked_packages(void **state)
{
	const struct folder *f = *state;
	char hex[TDS_DIGEST_HEX_MAX];
	struct tds_keyring ring;
	struct made z;

	put_key(f, "k_tls.key", "birch");
	make_zip(&z, one, 1, "");
	for (int revoked = 0; revoked < TDS_FORMATS; revoked += 2) {
		struct tds_package package;

		sign_package(&z, (enum tds_format)revoked, z.end, "birch", &package);
		tds_digest_hex(package.sha256, TDS_SHA256_LEN, hex);
		tds_package_close(&package);
		put(f, "revoked.cfg", 0644, hex);
		read_ring(f, &ring);
		for (int format = 0; format < TDS_FORMATS; format += 2) {
			const struct tds_source_opts opts = { .ring = &ring,
							      .limits = TDS_ZIP_LIMITS_DEFAULT };
			struct tds_source source;
			struct tds_err err = { 0 };

			sign_package(&z, (enum tds_format)format, z.end, "birch", &package);
			assert_failed(tds_source_verify(&package, &opts, &source, &err), &err,
				      TDS_E_UNTRUSTED, "is revoked");
		}
		tds_keyring_fini(&ring);
	}
	struct tds_err err;
	assert_fine(verify(f, "another", (struct look){ 0 }, &err), &err);
}

/* Everything that is told of a package, in order. $ stands for the folder. */
static void assert_told(const struct folder *f, const char *told, const char *expected)
{
	char text[4096] = "";

	for (const char *at = expected; *at;) {
		size_t n = strcspn(at, "$");

		strncat(text, at, n);
		at += n;
		if (*at == '$') {
			strcat(text, f->path);
			at++;
		}
	}
	assert_string_equal(told, text);
}

static void telling(void **state)
{
	const struct folder *f = *state;
	char told[4096] = "";
	struct tds_err err;

	put(f, "a_tls.key", 0644, "junk");
	put_key(f, "b_tls.key", "thistle");
	put_key(f, "c_tls.key", "alder");
	put_key(f, "d_tls.key", "birch");
	put(f, "d_tls.allow", 0644, "bar");
	put_key(f, "e_tls.key", "birch");
	put_key(f, "f_tls.key", "birch");
	put(f, "revoked.cfg", 0644,
	    "0000000000000000000000000000000000000000000000000000000000000000");
	assert_fine(verify(f, "tds1 group=foo version=1",
			   (struct look){ .name = "foo-1.tls", .told = told }, &err),
		    &err);
	assert_told(
		f, told,
		"0 ok header: format ThespianDirectorFMT1, SHA-256\n"
		"28 ok header: signature of 256 bytes\n"
		"32 ok header: end record at archive byte 90\n"
		"-1 failed $/a_tls.key: is not a PEM file (no start line)\n"
		"167 failed $/b_tls.key: the signature is not this key's (invalid padding)\n"
		"167 failed $/c_tls.key: the signature has 256 bytes, those of the key have 128\n"
		"167 failed $/d_tls.key: the signature is this key's, but it may not sign for this "
		"group\n"
		"167 ok $/e_tls.key: the signature is this key's (RSA, 2048 bits)\n"
		"167 ok $/f_tls.key: the signature is this key's (RSA, 2048 bits)\n"
		"0 ok revoked.cfg: not revoked\n"
		"125 ok archive: structure: 1 members of 6 bytes\n"
		"143 ok signed name: group foo, version \"1\"\n"
		"35 ok members: all unpack to their sizes and CRCs\n");
	told[0] = '\0';
	assert_int_equal(verify(f, "tds1 group=foo version=1",
				(struct look){ .name = "bar-1.tls", .told = told }, &err),
			 TDS_E_ARCHIVE);
	assert_non_null(strstr(
		told,
		"members of 6 bytes\n-1 failed archive: is signed as group foo version \"1\", "
		"which is not what its name says\n"));
}

int main(void)
{
	const struct CMUnitTest source[] = {
		cmocka_unit_test(comments),
		IN_FOLDER(signed_names),
		IN_FOLDER(groups_with_dashes),
		IN_FOLDER(malformed_comments),
		IN_FOLDER(strict),
		IN_FOLDER(limited_keys),
		IN_FOLDER(order),
		IN_FOLDER(keys),
		IN_FOLDER(revoked_packages),
		IN_FOLDER(telling),
	};

	return cmocka_run_group_tests(source, NULL, NULL);
}
