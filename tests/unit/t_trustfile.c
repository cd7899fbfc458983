/* SPDX-License-Identifier: MIT */
/*
 * The files that limit trust: what the check calls good is what the key ring uses, and the other
 * way round. Each text goes through the reader, the configuration and the ring of a directory.
 */
#include "unit.h"

#include "director/config.h"
#include "package/keyring.h"
#include "package/trustfile.h"

#define KEY "tests/vectors/keys/birch_tls.key"
#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF"
#define LEN(text) (sizeof(text) - 1)

static const char *const files[] = { "revoked.cfg", "minkeybits.cfg", "x_tls.allow" };

static const struct sample {
	enum tds_trust_kind kind;
	const char *text;
	size_t len;
	const char *found; /* each line that counts, a blank behind it; NULL: refused */
	const char *why;   /* "LINE:COLUMN: REASON", "REASON" */
} samples[] = {
#define GOOD(kind, text, found)                                \
	{                                                      \
		TDS_TRUST_##kind, text, LEN(text), found, NULL \
	}
#define BAD(kind, text, why)                                 \
	{                                                    \
		TDS_TRUST_##kind, text, LEN(text), NULL, why \
	}
	GOOD(DIGESTS, "", ""),
	GOOD(DIGESTS, "\n\r\n \t\r\n#\n", ""),
	GOOD(DIGESTS, A, A " "),
	GOOD(DIGESTS, "\t " A "  foo-1.tls\r\n" B "\t\n", A " " B " "),
	GOOD(DIGESTS, "# caf\xe9 \xff\xc0\x80 \x01\x1b[31m\n" A " \xff\xfe\n", A " "),
	GOOD(DIGESTS, " # " A "\n" B " # " A, B " "),
	BAD(DIGESTS, "# c\r" A "\n", "1:4: carriage return that ends no line"),
	BAD(DIGESTS, A "\r", "1:65: carriage return that ends no line"),
	BAD(DIGESTS, A "\r\r\n", "1:65: carriage return that ends no line"),
	BAD(DIGESTS, A "\n\r" B, "2:1: carriage return that ends no line"),
	BAD(DIGESTS, A "\n# \xc3\xa9\0\n", "2:4: NUL byte"),
	BAD(DIGESTS, A "\0", "1:65: NUL byte"),
	BAD(DIGESTS, "\f" A, "1:1: not a SHA-256 digest"),
	BAD(DIGESTS, A "\v", "1:65: not a SHA-256 digest"),
	BAD(DIGESTS, "\xc2\xa0" A, "1:1: not a SHA-256 digest"),
	BAD(DIGESTS, A "0", "1:65: not a SHA-256 digest"),
	BAD(DIGESTS, A "\n  " A "#", "2:67: not a SHA-256 digest"),
	BAD(DIGESTS, A "\n\n g" B, "3:2: not a SHA-256 digest"),
	BAD(DIGESTS, "\xef\xbb\xbf# x\n" A, "1:1: not a SHA-256 digest"),
	GOOD(GROUPS, "foo*\n -unsigned-names\t\r\n", "foo* -unsigned-names "),
	BAD(GROUPS, "foo\n -signed-names", "2:2: neither a pattern nor -unsigned-names"),
	BAD(GROUPS, "-unsigned-names*", "1:1: neither a pattern nor -unsigned-names"),
	BAD(GROUPS, "-", "1:1: neither a pattern nor -unsigned-names"),
	GOOD(BITS, "2048", "2048 "),
	GOOD(BITS, " # \xe9\r\n\t16384 \r\n#", "16384 "),
	GOOD(BITS, "0", "0 "),
	BAD(BITS, "", "1:1: holds no number"),
	BAD(BITS, "#2048\n\n", "1:1: holds no number"),
	BAD(BITS, "# at least\r4096\n1024\n", "1:11: carriage return that ends no line"),
	BAD(BITS, "4096\r1024", "1:5: carriage return that ends no line"),
	BAD(BITS, "2048\0", "1:5: NUL byte"),
	BAD(BITS, "2048\n  2048", "2:3: not one number of bits, at most 16384"),
	BAD(BITS, "+2048", "1:1: not one number of bits, at most 16384"),
	BAD(BITS, "2_048", "1:1: not one number of bits, at most 16384"),
	BAD(BITS, "2048 # bits", "1:1: not one number of bits, at most 16384"),
	BAD(BITS, "\f2048\f", "1:1: not one number of bits, at most 16384"),
	BAD(BITS, "\xd9\xa2\xd9\xa0", "1:1: not one number of bits, at most 16384"),
	BAD(BITS, "16385", "1:1: not one number of bits, at most 16384"),
	GOOD(GROUPS, "", ""),
	GOOD(GROUPS, "# see http://x/\xff\n foo\t\r\nweb-*", "foo web-* "),
	GOOD(GROUPS, "foo#bar\n[!a]?\n", "foo#bar [!a]? "),
	BAD(GROUPS, "# only\rfoo\n", "1:7: carriage return that ends no line"),
	BAD(GROUPS, "foo\r", "1:4: carriage return that ends no line"),
	BAD(GROUPS, "foo\n#\0\n*", "2:2: NUL byte"),
	BAD(GROUPS, "foo\n  \xc3\xa9/b", "2:4: '/' in the name of a group"),
	BAD(GROUPS, "[!/]", "1:3: '/' in the name of a group"),
};

static char *found;

static void add_found(const char *text, size_t len)
{
	char *more = NULL;

	assert_true(asprintf(&more, "%s%.*s ", found, (int)len, text) > 0);
	free(found);
	found = more;
}

static int take(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	(void)ctx;
	(void)err;
	assert_true(line->line > 0 && line->column > 0 && line->len > 0);
	add_found(line->text, line->len);
	return 0;
}

static void same_error(const struct sample *s, const struct tds_err *err)
{
	char why[TDS_ERR_REASON_MAX + 32];

	if (err->line)
		(void)snprintf(why, sizeof(why), "%u:%u: %s", err->line, err->column, err->reason);
	else
		(void)snprintf(why, sizeof(why), "%s", err->reason);
	assert_int_equal(err->code, TDS_E_SYNTAX);
	assert_string_equal(why, s->why);
}

static void read_it(const struct sample *s)
{
	struct tds_err err = { 0 };
	/* Not a byte behind it may be read, the NUL that a file's text has neither. */
	char *text = malloc(s->len ? s->len : 1);

	memcpy(text, s->text, s->len);
	free(found);
	found = strdup("");
	int rc = tds_trust_read(s->kind, text, s->len, take, NULL, &err);
	free(text);
	assert_int_equal(rc, s->found ? 0 : TDS_E_SYNTAX);
	if (rc == 0)
		assert_string_equal(found, s->found);
	else
		same_error(s, &err);
}

/* What tds-admin check says of it. */
static void check_it(const struct sample *s)
{
	const struct tds_tli_watcher watcher = { NULL, NULL };
	struct tds_config config;
	struct tds_err err = { 0 };

	if (s->kind == TDS_TRUST_GROUPS)
		return; /* the check reads it as read_it does */
	int rc = tds_config_parse(files[s->kind], s->text, s->len, watcher, &config, &err);
	assert_int_equal(rc, s->found ? 0 : TDS_E_SYNTAX);
	if (rc != 0) {
		same_error(s, &err);
		return;
	}
	free(found);
	found = strdup("");
	if (s->kind == TDS_TRUST_BITS)
		add_found(config.value->text, config.value->len);
	for (size_t i = 0; s->kind == TDS_TRUST_DIGESTS && i < config.value->n; i++)
		add_found(config.value->items[i]->text, config.value->items[i]->len);
	assert_string_equal(found, s->found);
	tds_config_fini(&config);
}

static unsigned count(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == ' ';
	return n;
}

static void digest_is_revoked(const struct tds_keyring *ring, const char *hex)
{
	unsigned char sha256[TDS_SHA256_LEN];

	for (size_t i = 0; i < sizeof(sha256); i++) {
		const char two[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		sha256[i] = (unsigned char)strtoul(two, NULL, 16);
	}
	assert_true(tds_keyring_revoked(ring, sha256));
}

/* What the ring of a directory makes of it. */
static void use_it(struct folder *f, const struct sample *s)
{
	const struct tds_dir dir = { .fd = f->fd, .path = f->path };
	const struct tds_strict own = { .owner = geteuid(), .admin = geteuid() };
	const bool groups = s->kind == TDS_TRUST_GROUPS;
	const char *file = files[s->kind];
	struct tds_keyring ring;
	struct tds_err err = { 0 };
	char why[256];

	put_bytes(f, file, 0644, s->text, s->len);
	int rc = tds_keyring_read(&dir, &own, &ring, &err);
	assert_int_equal(unlinkat(f->fd, file, 0), 0);
	assert_int_equal(rc, s->found || groups ? 0 : TDS_E_UNTRUSTED);
	if (!s->found) {
		(void)snprintf(why, sizeof(why), "%s%s%s%s:%s%s",
			       groups ? "" : "no key is trusted: ", groups ? "" : f->path,
			       groups ? "" : "/", file,
			       s->why[0] >= '0' && s->why[0] <= '9' ? "" : " ", s->why);
		assert_string_equal(groups ? ring.v[0].fault.reason : err.reason, why);
		assert_true(!groups || (!ring.v[0].pub && ring.v[0].allow_fault));
	} else if (s->kind == TDS_TRUST_DIGESTS) {
		assert_int_equal(ring.nrevoked, count(s->found));
		for (const char *hex = s->found; *hex; hex += 65)
			digest_is_revoked(&ring, hex);
	} else if (s->kind == TDS_TRUST_BITS) {
		unsigned bits = (unsigned)strtoul(s->found, NULL, 10);

		assert_int_equal(ring.min_bits, bits > TDS_KEY_MIN_BITS ? bits : TDS_KEY_MIN_BITS);
	} else {
		assert_true(ring.v[0].pub && ring.v[0].limited);
		assert_int_equal(ring.v[0].vouches,
				 strstr(s->found, TDS_TRUST_UNSIGNED_NAMES) != NULL);
		assert_int_equal(ring.v[0].nallow + ring.v[0].vouches, count(s->found));
	}
	tds_keyring_fini(&ring);
}

static void all_agree(void **state)
{
	struct folder *f = *state;
	size_t len;
	char *key = get(AT_FDCWD, KEY, &len);

	put_bytes(f, "x_tls.key", 0644, key, len);
	free(key);
	assert_int_equal(fchmod(f->fd, 0755), 0);
	for (size_t i = 0; i < COUNT(samples); i++) {
		read_it(&samples[i]);
		check_it(&samples[i]);
		use_it(f, &samples[i]);
	}
	free(found);
	found = NULL;
}

static int stop(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	(void)line;
	++*(unsigned *)ctx;
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static void who_takes_may_stop(void **state)
{
	struct tds_err err = { 0 };
	unsigned n = 0;

	(void)state;
	assert_failed(tds_trust_read(TDS_TRUST_GROUPS, "a\nb\n/", 5, stop, &n, &err), &err,
		      TDS_E_NOMEM, "out of memory");
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest trustfile[] = {
		IN_FOLDER(all_agree),
		cmocka_unit_test(who_takes_may_stop),
	};

	return cmocka_run_group_tests(trustfile, NULL, NULL);
}
