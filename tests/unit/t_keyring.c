/* SPDX-License-Identifier: MIT */
/* The keys of a directory, and what limits them: in doubt nothing is trusted. */
#include "unit.h"

#include "package/keyring.h"
#include "package/trustfile.h"

#define KEYS "tests/vectors/keys/"

static void put_key(const struct folder *f, const char *name, const char *key)
{
	char path[128];
	size_t len;

	(void)snprintf(path, sizeof(path), KEYS "%s_tls.key", key);
	char *text = get(AT_FDCWD, path, &len);
	put_bytes(f, name, 0644, text, len);
	free(text);
}

/* Strict modes as they are for the owner of the folder. */
static struct tds_strict strict_of(const struct folder *f)
{
	struct stat st;

	assert_int_equal(fstat(f->fd, &st), 0);
	return (struct tds_strict){ .owner = st.st_uid, .admin = st.st_uid };
}

static int read_ring(struct folder *f, struct tds_keyring *ring, struct tds_err *err)
{
	const struct tds_dir dir = { .fd = f->fd, .path = f->path };
	const struct tds_strict own = strict_of(f);

	assert_int_equal(fchmod(f->fd, 0755), 0);
	*err = (struct tds_err){ 0 };
	return tds_keyring_read(&dir, &own, ring, err);
}

/* The ring of the folder, which can be read. */
static void good_ring(struct folder *f, struct tds_keyring *ring)
{
	struct tds_err err;

	assert_fine(read_ring(f, ring, &err), &err);
}

/* Nothing in the folder is trusted, for this reason; $ stands for its path. */
static void no_ring(struct folder *f, const char *reason)
{
	struct tds_keyring ring;
	struct tds_err err;
	char expected[256];
	const char *dollar = strchr(reason, '$');

	(void)snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(dollar - reason), reason,
		       f->path, dollar + 1);
	assert_failed(read_ring(f, &ring, &err), &err, TDS_E_UNTRUSTED, expected);
	assert_true(ring.n == 0 && !ring.v && !ring.revoked);
}

/* The one key of the folder has this fault; NULL: none. */
static void one_key(struct folder *f, const char *fault)
{
	struct tds_keyring ring;

	good_ring(f, &ring);
	assert_int_equal(ring.n, 1);
	assert_int_equal(ring.v[0].pub != NULL, fault == NULL);
	assert_string_equal(ring.v[0].fault.reason, fault ? fault : "");
	tds_keyring_fini(&ring);
}

static void names(void **state)
{
	struct folder *f = *state;
	struct tds_keyring ring;
	char path[64];

	good_ring(f, &ring);
	assert_int_equal(ring.n, 0);
	tds_keyring_fini(&ring);
	put_key(f, "b_tls.key", "birch");
	put_key(f, "a_tls.key", "cedar");
	put_key(f, "_tls.key", "cedar");
	put_key(f, ".hidden_tls.key", "cedar");
	put_key(f, "tls.key", "cedar");
	put_key(f, "c_tls.key~", "cedar");
	put_key(f, "c_TLS.key", "cedar");
	good_ring(f, &ring);
	assert_int_equal(ring.n, 3);
	for (size_t i = 0; i < ring.n; i++) {
		static const char *const sorted[] = { "_tls.key", "a_tls.key", "b_tls.key" };

		(void)snprintf(path, sizeof(path), "%s/%s", f->path, sorted[i]);
		assert_string_equal(ring.v[i].path, path);
		assert_true(ring.v[i].pub && !ring.v[i].insecure && !ring.v[i].limited &&
			    !ring.v[i].warning[0]);
	}
	tds_keyring_fini(&ring);
	tds_keyring_fini(&ring);
}

static void odd_files(void **state)
{
	struct folder *f = *state;
	char *large = calloc(1, TDS_KEY_MAX_BYTES + 1);
	size_t len;

	assert_int_equal(mkfifoat(f->fd, "x_tls.key", 0644), 0);
	one_key(f, "is not a regular file");
	assert_int_equal(unlinkat(f->fd, "x_tls.key", 0), 0);
	assert_int_equal(mkdirat(f->fd, "x_tls.key", 0755), 0);
	one_key(f, "is a folder");
	assert_int_equal(unlinkat(f->fd, "x_tls.key", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("nowhere", f->fd, "x_tls.key"), 0);
	one_key(f, "cannot be opened: No such file or directory");
	put_key(f, "nowhere", "birch");
	one_key(f, NULL);
	assert_int_equal(unlinkat(f->fd, "x_tls.key", 0), 0);
	put(f, "x_tls.key", 0644, "");
	one_key(f, "is not a PEM file (no start line)");
	/* 64 KB and no more, blanks behind the key included */
	char *text = get(f->fd, "nowhere", &len);
	memset(large, '\n', TDS_KEY_MAX_BYTES + 1);
	memcpy(large, text, len);
	put_bytes(f, "x_tls.key", 0644, large, TDS_KEY_MAX_BYTES);
	one_key(f, NULL);
	put_bytes(f, "x_tls.key", 0644, large, TDS_KEY_MAX_BYTES + 1);
	one_key(f, "is larger than 65536 bytes");
	free(text);
	free(large);
}

static void weak_keys(void **state)
{
	static const struct {
		const char *key;
		const char *warning;
	} weak[] = {
		{ "alder", "a key of 1024 bits is short, 2048 and more are good" },
		{ "sorrel", "a public exponent of 3 is small, 65537 is good" },
		{ "birch", "" },
		{ "dogwood", "" },
	};
	struct folder *f = *state;

	for (size_t i = 0; i < COUNT(weak); i++) {
		struct tds_keyring ring;

		put_key(f, "x_tls.key", weak[i].key);
		good_ring(f, &ring);
		assert_non_null(ring.v[0].pub);
		assert_string_equal(ring.v[0].warning, weak[i].warning);
		tds_keyring_fini(&ring);
	}
	put_key(f, "x_tls.key", "moss");
	one_key(f, "is an RSA key of 512 bits, fewer than 1024");
}

static bool allows(struct folder *f, const char *group)
{
	struct tds_keyring ring;

	good_ring(f, &ring);
	bool allowed = tds_key_allows(&ring.v[0], group);
	assert_non_null(ring.v[0].pub);
	tds_keyring_fini(&ring);
	return allowed;
}

static void allowed_groups(void **state)
{
	struct folder *f = *state;

	put_key(f, "x_tls.key", "birch");
	assert_true(allows(f, "foo") && allows(f, NULL));
	put(f, "x_tls.allow", 0644, "# groups\n  foo \r\n\nweb-*\n[ab]?\n");
	assert_true(allows(f, "foo") && allows(f, "web-") && allows(f, "web-a.b-c") &&
		    allows(f, "b1"));
	assert_false(allows(f, "foo-bar") || allows(f, "Foo") || allows(f, "fo") ||
		     allows(f, "xfoo") || allows(f, "web") || allows(f, "c1") ||
		     allows(f, "# groups") || allows(f, "") || allows(f, NULL));
	/* A list of none allows none; so does one that cannot be read as one. */
	put(f, "x_tls.allow", 0644, "");
	assert_false(allows(f, "foo") || allows(f, NULL));
	put(f, "x_tls.allow", 0644, "# foo\n");
	assert_false(allows(f, "foo"));
	put(f, "x_tls.allow", 0644, "*");
	assert_true(allows(f, "foo") && !allows(f, NULL));
	put_bytes(f, "x_tls.allow", 0644, "foo\0\n", 5);
	one_key(f, "x_tls.allow:1:4: NUL byte");
	put(f, "x_tls.allow", 0644, "*\n [!/]\n");
	one_key(f, "x_tls.allow:2:4: '/' in the name of a group");
	put(f, "other_tls.allow", 0644, "foo\n");
	assert_int_equal(unlinkat(f->fd, "x_tls.allow", 0), 0);
	assert_true(allows(f, "bar"));
}

/* What limits a key must not vanish with what a link led to, or with a file that is no file. */
static void allow_fails_closed(void **state)
{
	struct folder *f = *state;

	put_key(f, "x_tls.key", "birch");
	assert_int_equal(symlinkat("nowhere", f->fd, "x_tls.allow"), 0);
	one_key(f, "x_tls.allow: cannot be opened: No such file or directory");
	put(f, "nowhere", 0644, "foo");
	assert_true(allows(f, "foo") && !allows(f, "bar"));
	assert_int_equal(unlinkat(f->fd, "x_tls.allow", 0), 0);
	assert_int_equal(mkdirat(f->fd, "x_tls.allow", 0755), 0);
	one_key(f, "x_tls.allow: is a folder");
	assert_int_equal(unlinkat(f->fd, "x_tls.allow", AT_REMOVEDIR), 0);
	assert_int_equal(mkfifoat(f->fd, "x_tls.allow", 0644), 0);
	one_key(f, "x_tls.allow: is not a regular file");
	assert_int_equal(unlinkat(f->fd, "x_tls.allow", 0), 0);
	put(f, "x_tls.allow", 0644, "foo");
	int fd = openat(f->fd, "x_tls.allow", O_WRONLY);
	assert_int_equal(ftruncate(fd, TDS_TRUST_MAX_BYTES + 1), 0);
	close(fd);
	one_key(f, "x_tls.allow: is larger than 1048576 bytes");
}

/* birch, by its DER (as in t_sig.c) and by sha256sum of its file */
#define DER "862b02bd3037eaa96c5516488e474e63a3c82aa5c67a03dad44a9105385d8b47"
#define FILE_DIGEST "252e6474d5ff551fd1a891e1ff13903bc2590371937c65c794f41d3fdf3ca4b5"

static void revoked_keys(void **state)
{
	static const char *const lists[] = {
		DER,
		DER "\n",
		"# stolen\n\n  " DER "  birch_tls.key\r\n",
		FILE_DIGEST "  *x_tls.key\n",
		"0000000000000000000000000000000000000000000000000000000000000000\n" DER "\tlast\n",
	};
	struct folder *f = *state;
	struct tds_keyring ring;

	put_key(f, "x_tls.key", "birch");
	for (size_t i = 0; i < COUNT(lists); i++) {
		put(f, "revoked.cfg", 0644, lists[i]);
		one_key(f, "is revoked");
	}
	char upper[65] = DER;
	for (char *c = upper; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 32 : *c);
	put(f, "revoked.cfg", 0644, upper);
	one_key(f, "is revoked");
	/* in other clothes */
	put(f, "revoked.cfg", 0644, DER);
	put_key(f, "x_tls.key", "junk/crlf");
	one_key(f, "is revoked");
	put_key(f, "x_tls.key", "cedar");
	one_key(f, NULL);
	put(f, "revoked.cfg", 0644, "");
	put_key(f, "x_tls.key", "birch");
	one_key(f, NULL);
	/* Many, unsorted: each is found, its neighbours are not. */
	char *list = malloc(300 * 65 + 1);
	for (unsigned i = 0; i < 300; i++)
		(void)sprintf(list + 65 * i, "%08x%056x\n", (i * 7919) % 300 * 2, 0);
	put(f, "revoked.cfg", 0644, list);
	good_ring(f, &ring);
	assert_int_equal(ring.nrevoked, 300);
	for (unsigned i = 0; i < 600; i++) {
		const unsigned char sha256[TDS_SHA256_LEN] = { 0, 0, (unsigned char)(i >> 8),
							       (unsigned char)i };

		assert_int_equal(tds_keyring_revoked(&ring, sha256), i % 2 == 0);
	}
	tds_keyring_fini(&ring);
	free(list);
}

static void broken_lists_of_the_revoked(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} broken[] = {
		{ "x\n", "no key is trusted: $/revoked.cfg:1:1: not a SHA-256 digest" },
		{ DER "\n" FILE_DIGEST "0\n",
		  "no key is trusted: $/revoked.cfg:2:65: not a SHA-256 digest" },
		{ "\n\nfoo-1.0.tls\n",
		  "no key is trusted: $/revoked.cfg:3:1: not a SHA-256 digest" },
		{ "\xef\xbb\xbf" DER,
		  "no key is trusted: $/revoked.cfg:1:1: not a SHA-256 digest" },
		{ "SHA256 (x) = " DER,
		  "no key is trusted: $/revoked.cfg:1:1: not a SHA-256 digest" },
	};
	struct folder *f = *state;

	put_key(f, "x_tls.key", "birch");
	for (size_t i = 0; i < COUNT(broken); i++) {
		put(f, "revoked.cfg", 0644, broken[i].text);
		no_ring(f, broken[i].reason);
	}
	put(f, "revoked.cfg", 0644, DER);
	int fd = openat(f->fd, "revoked.cfg", O_WRONLY);
	assert_int_equal(ftruncate(fd, 63), 0);
	no_ring(f, "no key is trusted: $/revoked.cfg:1:1: not a SHA-256 digest");
	assert_int_equal(ftruncate(fd, 64), 0);
	close(fd);
	no_ring(f, "no key is trusted: $/revoked.cfg:1:64: NUL byte");
	assert_int_equal(unlinkat(f->fd, "revoked.cfg", 0), 0);
	assert_int_equal(symlinkat("nowhere", f->fd, "revoked.cfg"), 0);
	no_ring(f, "no key is trusted: $/revoked.cfg: cannot be opened: No such file or directory");
	assert_int_equal(unlinkat(f->fd, "revoked.cfg", 0), 0);
	assert_int_equal(mkfifoat(f->fd, "revoked.cfg", 0644), 0);
	no_ring(f, "no key is trusted: $/revoked.cfg: is not a regular file");
}

static void minimal_bits(void **state)
{
	struct folder *f = *state;

	put_key(f, "x_tls.key", "birch");
	put(f, "minkeybits.cfg", 0644, "# at least\n2048\n");
	one_key(f, NULL);
	put(f, "minkeybits.cfg", 0644, "2049");
	one_key(f, "is an RSA key of 2048 bits, fewer than the 2049 of minkeybits.cfg");
	put(f, "minkeybits.cfg", 0644, "16384\n");
	one_key(f, "is an RSA key of 2048 bits, fewer than the 16384 of minkeybits.cfg");
	/* It lowers nothing. */
	put(f, "minkeybits.cfg", 0644, "0\n");
	put_key(f, "x_tls.key", "moss");
	one_key(f, "is an RSA key of 512 bits, fewer than 1024");
	static const char *const broken[] = { "x",         "-1",         "02048",
					      "2048 bits", "2048\n2048", "0\n4096",
					      "16385",     "2k",         "99999999999999999999" };
	for (size_t i = 0; i < COUNT(broken); i++) {
		struct tds_keyring ring;
		struct tds_err err;

		put(f, "minkeybits.cfg", 0644, broken[i]);
		assert_int_equal(read_ring(f, &ring, &err), TDS_E_UNTRUSTED);
	}
	put(f, "minkeybits.cfg", 0644, "4096\n1\n");
	no_ring(f,
		"no key is trusted: $/minkeybits.cfg:2:1: not one number of bits, at most 16384");
	put(f, "minkeybits.cfg", 0644, "");
	no_ring(f, "no key is trusted: $/minkeybits.cfg:1:1: holds no number");
	put(f, "minkeybits.cfg", 0644, "# 2048\n");
	no_ring(f, "no key is trusted: $/minkeybits.cfg:1:1: holds no number");
}

/* The key x_tls.key, where file has this mode and owner (-1: ours): its fault or, where they only warn, what that says. */
static const char *judged(struct folder *f, bool is_lax, const char *file, mode_t mode, int owner)
{
	static char answer[TDS_ERR_REASON_MAX];
	const struct tds_dir dir = { .fd = f->fd, .path = f->path };
	struct tds_strict strict = strict_of(f);
	struct tds_keyring ring;
	struct tds_err err = { 0 };

	strict.is_lax = is_lax;
	assert_int_equal(fchownat(f->fd, file, owner < 0 ? geteuid() : (uid_t)owner, (gid_t)-1, 0),
			 0);
	assert_int_equal(fchmodat(f->fd, file, mode, 0), 0);
	assert_fine(tds_keyring_read(&dir, &strict, &ring, &err), &err);
	const struct tds_key *key = &ring.v[0];
	assert_null(ring.warning);
	assert_int_equal(key->insecure, key->exposure[0] != '\0');
	assert_int_equal(key->pub != NULL, is_lax || !key->insecure);
	(void)snprintf(answer, sizeof(answer), "%s", is_lax ? key->exposure : key->fault.reason);
	tds_keyring_fini(&ring);
	return answer;
}

static void modes_and_owners(void **state)
{
	struct folder *f = *state;

	assert_int_equal(fchmod(f->fd, 0755), 0);
	put_key(f, "real", "birch");
	assert_int_equal(symlinkat("real", f->fd, "x_tls.key"), 0);
	put(f, "x_tls.allow", 0644, "*");
	for (int is_lax = 0; is_lax < 2; is_lax++) {
		assert_string_equal(judged(f, is_lax, "real", 0644, -1), "");
		assert_string_equal(judged(f, is_lax, "real", 0755, -1), "");
		assert_string_equal(judged(f, is_lax, "real", 0646, -1), "others may write it");
		assert_string_equal(judged(f, is_lax, "real", 0444, -1), "");
		assert_string_equal(judged(f, is_lax, "x_tls.allow", 0646, -1),
				    "others may write its .allow file");
		assert_string_equal(judged(f, is_lax, "x_tls.allow", 0644, -1), "");
		if (geteuid() != 0)
			continue;
		assert_string_equal(judged(f, is_lax, "real", 0644, 12345), "belongs to uid 12345");
		assert_string_equal(judged(f, is_lax, "real", 0644, 0), "");
		assert_string_equal(judged(f, is_lax, "x_tls.allow", 0644, 12346),
				    "its .allow file belongs to uid 12346");
		assert_string_equal(judged(f, is_lax, "x_tls.allow", 0644, 0), "");
	}
	if (geteuid() != 0)
		return;
	/* The directory's owner could replace it anyway. */
	assert_int_equal(fchown(f->fd, 12345, (gid_t)-1), 0);
	assert_string_equal(judged(f, false, "real", 0644, 12345), "");
}

/* The whole ring: what is said of it, an error where strict modes are strict. */
static const char *of_ring(struct folder *f, bool is_lax, mode_t mode)
{
	static char answer[TDS_ERR_REASON_MAX];
	const struct tds_dir dir = { .fd = f->fd, .path = f->path };
	struct tds_strict strict = strict_of(f);
	struct tds_keyring ring;
	struct tds_err err = { 0 };
	size_t named = strlen(f->path) + strlen(": ");

	strict.is_lax = is_lax;
	assert_int_equal(fchmod(f->fd, mode), 0);
	int rc = tds_keyring_read(&dir, &strict, &ring, &err);
	assert_true(rc == 0 || (rc == TDS_E_UNUSABLE && !is_lax));
	(void)snprintf(answer, sizeof(answer), "%s",
		       rc != 0        ? err.reason + named
		       : ring.warning ? ring.warning
				      : "");
	tds_keyring_fini(&ring);
	return answer;
}

static void insecure_directories(void **state)
{
	struct folder *f = *state;

	for (int is_lax = 0; is_lax < 2; is_lax++) {
		assert_string_equal(of_ring(f, is_lax, 0755), "");
		assert_string_equal(of_ring(f, is_lax, 0757), "others may write it");
		assert_string_equal(of_ring(f, is_lax, 01777), "others may write it");
		put(f, "revoked.cfg", 0646, "");
		assert_string_equal(of_ring(f, is_lax, 0755), "others may write its revoked.cfg");
		put(f, "revoked.cfg", 0644, "");
		assert_string_equal(of_ring(f, is_lax, 0755), "");
		put(f, "minkeybits.cfg", 0666, "2048");
		assert_string_equal(of_ring(f, is_lax, 0755),
				    "others may write its minkeybits.cfg");
		put(f, "minkeybits.cfg", 0644, "2048");
		if (geteuid() != 0)
			continue;
		assert_int_equal(fchownat(f->fd, "minkeybits.cfg", 12345, (gid_t)-1, 0), 0);
		assert_string_equal(of_ring(f, is_lax, 0755),
				    "its minkeybits.cfg belongs to uid 12345");
		put(f, "minkeybits.cfg", 0644, "2048");
		assert_int_equal(fchownat(f->fd, "minkeybits.cfg", 0, (gid_t)-1, 0), 0);
	}
}

static void named_keys(void **state)
{
	struct folder *f = *state;
	const struct tds_dir dir = { .fd = f->fd, .path = f->path };
	const struct tds_strict own = strict_of(f);
	struct tds_keyring ring;
	struct tds_err err = { 0 };
	char path[64];
	char lost[64];
	char *paths[] = { path, lost };
	const char *at_fault;

	(void)snprintf(path, sizeof(path), "%s/any-name", f->path);
	(void)snprintf(lost, sizeof(lost), "%s/lost", f->path);
	put_key(f, "any-name", "birch");
	assert_fine(tds_keyring_named(NULL, &own, paths, 1, &ring, &at_fault, &err), &err);
	assert_null(at_fault);
	assert_int_equal(ring.n, 1);
	assert_string_equal(ring.v[0].path, path);
	assert_non_null(ring.v[0].pub);
	tds_keyring_fini(&ring);
	assert_failed(tds_keyring_named(&dir, &own, paths, 2, &ring, &at_fault, &err), &err,
		      TDS_E_MISSING, "cannot be opened: No such file or directory");
	assert_ptr_equal(at_fault, lost);
	put(f, "lost", 0644, "nonsense");
	assert_failed(tds_keyring_named(&dir, &own, paths, 2, &ring, NULL, &err), &err,
		      TDS_E_UNUSABLE, "is not a PEM file (no start line)");
	/* The directory's limits hold for them too, and their own .allow. */
	put(f, "revoked.cfg", 0644, DER);
	assert_failed(tds_keyring_named(&dir, &own, paths, 1, &ring, &at_fault, &err), &err,
		      TDS_E_UNTRUSTED, "is revoked");
	assert_ptr_equal(at_fault, path);
	put(f, "revoked.cfg", 0644, "x");
	assert_int_equal(tds_keyring_named(&dir, &own, paths, 1, &ring, &at_fault, &err),
			 TDS_E_UNTRUSTED);
	assert_null(at_fault);
	put(f, "revoked.cfg", 0644, DER);
	assert_fine(tds_keyring_named(NULL, &own, paths, 1, &ring, NULL, &err), &err);
	tds_keyring_fini(&ring);
	(void)snprintf(path, sizeof(path), "%s/x_tls.key", f->path);
	put_key(f, "x_tls.key", "cedar");
	put(f, "x_tls.allow", 0644, "foo");
	assert_fine(tds_keyring_named(&dir, &own, paths, 1, &ring, NULL, &err), &err);
	assert_true(tds_key_allows(&ring.v[0], "foo") && !tds_key_allows(&ring.v[0], "bar"));
	tds_keyring_fini(&ring);
}

int main(void)
{
	const struct CMUnitTest keyring[] = {
		IN_FOLDER(names),
		IN_FOLDER(odd_files),
		IN_FOLDER(weak_keys),
		IN_FOLDER(allowed_groups),
		IN_FOLDER(allow_fails_closed),
		IN_FOLDER(revoked_keys),
		IN_FOLDER(broken_lists_of_the_revoked),
		IN_FOLDER(minimal_bits),
		IN_FOLDER(modes_and_owners),
		IN_FOLDER(insecure_directories),
		IN_FOLDER(named_keys),
	};

	return cmocka_run_group_tests(keyring, NULL, NULL);
}
