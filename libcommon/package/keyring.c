/* SPDX-License-Identifier: MIT */
/* Reading the keys of a director directory, and what limits them. */
#include "keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "trustfile.h"

#define KEY_SUFFIX "_tls.key"
#define ALLOW_SUFFIX "_tls.allow"

/* Where a file is, and what strict modes make of it. */
struct place {
	int dirfd;
	const struct tds_strict *strict;
	enum tds_strict_kind kind;
	const char *what; /* the file, in words; NULL: it, which the message names already */
	char exposure[TDS_STRICT_WHY_MAX]; /* who else may write it; empty: nobody */
};

/* A small regular file. One that strict modes fail is not read, but where they only warn. */
static int read_text(struct place *place, const char *name, size_t max, char **text, size_t *len,
		     struct tds_err *err)
{
	tds_autofd int fd = -1;
	int rc = tds_io_open(place->dirfd, name, false, &fd, NULL, err);

	if (rc != 0)
		return rc;
	if (!tds_strict_judge_opened(place->strict, place->kind, fd, place->dirfd, name,
				     place->what, place->exposure) &&
	    !place->strict->is_lax)
		return tds_err_set(err, TDS_E_UNUSABLE, "%s", place->exposure);
	return tds_io_slurp_fd(fd, max, text, len, err);
}

/*
 * The same for a file that limits trust, and need not be there: *text is then NULL. A link that
 * leads nowhere is there, and cannot be read: limits must not vanish with what it led to.
 */
static int read_limits_text(struct place *place, const char *name, char **text, size_t *len,
			    struct tds_err *err)
{
	struct stat st;
	int rc = read_text(place, name, TDS_TRUST_MAX_BYTES, text, len, err);

	return rc == TDS_E_MISSING && fstatat(place->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
			       errno == ENOENT
		       ? 0
		       : rc;
}

/*
 * Room for one more at the end of an array of n elements that grows at powers of two. NULL: out of
 * memory.
 */
static void *grow(void *v, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return v;
	return reallocarray(v, n ? 2 * n : 1, size);
}

static int take_allow(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	struct tds_key *key = ctx;

	if (line->vouches) {
		key->vouches = true;
		return 0;
	}
	char **more = grow(key->allow, key->nallow, sizeof(*more));

	if (more)
		key->allow = more;
	if (!more || !(key->allow[key->nallow] = strndup(line->text, line->len)))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	key->nallow++;
	return 0;
}

/* The first of what is found stays. */
static void take_exposure(struct tds_key *key, const struct place *place)
{
	if (!key->insecure)
		memcpy(key->exposure, place->exposure, sizeof(key->exposure));
	key->insecure = key->exposure[0] != '\0';
}

/* NAME_tls.allow beside NAME_tls.key. Without the file the key signs for all groups. */
static int read_allow(int dirfd, const char *keyname, const struct tds_strict *strict,
		      struct tds_key *key, struct tds_err *err)
{
	tds_autofree char *name = NULL;
	tds_autofree char *text = NULL;
	struct place place = { dirfd, strict, TDS_STRICT_KEY, "its .allow file", "" };
	size_t stem = strlen(keyname) - strlen(KEY_SUFFIX);
	size_t len;

	if (asprintf(&name, "%.*s" ALLOW_SUFFIX, (int)stem, keyname) < 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	int rc = read_limits_text(&place, name, &text, &len, err);
	take_exposure(key, &place);
	if (rc == 0 && !text)
		return 0;
	if (place.exposure[0] && rc != 0)
		return rc; /* it is named already */
	key->limited = true;
	if (rc == 0)
		rc = tds_trust_read(TDS_TRUST_GROUPS, text, len, take_allow, key, err);
	key->allow_fault = rc != 0;
	if (rc != 0)
		tds_err_name(err, name);
	return rc;
}

static int take_revoked(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	struct tds_keyring *ring = ctx;
	struct tds_revoked *more = grow(ring->revoked, ring->nrevoked, sizeof(*more));

	if (!more)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	ring->revoked = more;
	memcpy(more[ring->nrevoked++].sha256, line->sha256, sizeof(line->sha256));
	return 0;
}

static int compare_revoked(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct tds_revoked));
}

/* It cannot lower what the tools demand. */
static int take_min_bits(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	struct tds_keyring *ring = ctx;

	(void)err;
	ring->min_bits = line->bits > TDS_KEY_MIN_BITS ? line->bits : TDS_KEY_MIN_BITS;
	return 0;
}

static int warn_of_ring(struct tds_keyring *ring, const char *warning, struct tds_err *err)
{
	free(ring->warning);
	ring->warning = strdup(warning);
	return ring->warning ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* Where limits cannot be understood nothing is trusted. */
static int distrust(const struct tds_dir *dir, const char *name, struct tds_err *why,
		    struct tds_err *err)
{
	if (why->code == TDS_E_NOMEM)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	tds_err_name(why, name);
	return tds_err_set(err, TDS_E_UNTRUSTED, "no key is trusted: %s/%s", dir->path,
			   why->reason);
}

/*
 * A file that limits trust. Where it cannot be understood nothing may be trusted: a slip in it must
 * not bring a revoked key back.
 */
static int read_limits(const struct tds_dir *dir, enum tds_trust_kind kind,
		       const struct tds_strict *strict, struct tds_keyring *ring,
		       struct tds_err *err)
{
	const bool bits = kind == TDS_TRUST_BITS;
	const char *name = bits ? "minkeybits.cfg" : "revoked.cfg";
	struct place place = { dir->fd, strict, TDS_STRICT_CONFIG,
			       bits ? "its minkeybits.cfg" : "its revoked.cfg", "" };
	tds_autofree char *text = NULL;
	struct tds_err why = { 0 };
	size_t len;
	int rc = read_limits_text(&place, name, &text, &len, &why);

	if (rc != 0 && place.exposure[0])
		return tds_err_set(err, rc, "%s: %s", dir->path, place.exposure);
	if (rc == 0 && text)
		rc = tds_trust_read(kind, text, len, bits ? take_min_bits : take_revoked, ring,
				    &why);
	if (rc != 0)
		return distrust(dir, name, &why, err);
	return place.exposure[0] ? warn_of_ring(ring, place.exposure, err) : 0;
}

static int read_all_limits(const struct tds_dir *dir, const struct tds_strict *strict,
			   struct tds_keyring *ring, struct tds_err *err)
{
	int rc = read_limits(dir, TDS_TRUST_BITS, strict, ring, err);

	if (rc == 0)
		rc = read_limits(dir, TDS_TRUST_DIGESTS, strict, ring, err);
	if (ring->nrevoked > 1)
		qsort(ring->revoked, ring->nrevoked, sizeof(*ring->revoked), compare_revoked);
	return rc;
}

static void warn_of_weakness(struct tds_key *key)
{
	unsigned bits = tds_pubkey_bits(key->pub);
	unsigned long long e = tds_pubkey_exponent(key->pub);

	if (tds_pubkey_kind(key->pub) != TDS_SIG_RSA)
		return;
	if (bits < TDS_KEY_GOOD_BITS)
		(void)snprintf(key->warning, sizeof(key->warning),
			       "a key of %u bits is short, %d and more are good", bits,
			       TDS_KEY_GOOD_BITS);
	else if (e != 0 && e < TDS_KEY_GOOD_EXPONENT)
		(void)snprintf(key->warning, sizeof(key->warning),
			       "a public exponent of %llu is small, %d is good", e,
			       TDS_KEY_GOOD_EXPONENT);
}

/*
 * What the key is, used or not. It is revoked by the digest of the key itself or, as sha256sum of the file is quicker to type,
 * of its file.
 */
static int describe(const struct tds_keyring *ring, struct tds_key *key, const char *text,
		    size_t len, struct tds_err *err)
{
	if (!tds_pubkey_sha256(key->pub, key->sha256) ||
	    !tds_digest_of(TDS_DIGEST_SHA256, text, len, key->file_sha256))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	key->kind = tds_sig_kind_name(tds_pubkey_kind(key->pub));
	key->bits = tds_pubkey_bits(key->pub);
	key->is_revoked = tds_keyring_revoked(ring, key->sha256) ||
			  tds_keyring_revoked(ring, key->file_sha256);
	return 0;
}

static int read_key(int dirfd, const char *name, const struct tds_strict *strict,
		    const struct tds_keyring *ring, struct tds_key *key, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	struct place place = { dirfd, strict, TDS_STRICT_KEY, NULL, "" };
	size_t len;
	int rc = read_text(&place, name, TDS_KEY_MAX_BYTES, &text, &len, err);

	take_exposure(key, &place);
	if (rc == 0)
		rc = tds_pubkey_parse(text, len, &key->pub, err);
	if (rc == 0)
		rc = describe(ring, key, text, len, err);
	if (rc != 0)
		return rc;
	if (tds_pubkey_kind(key->pub) == TDS_SIG_RSA && ring->min_bits > tds_pubkey_bits(key->pub))
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "is an RSA key of %u bits, fewer than the %u of minkeybits.cfg",
				   tds_pubkey_bits(key->pub), ring->min_bits);
	if (key->is_revoked)
		return tds_err_set(err, TDS_E_UNTRUSTED, "is revoked");
	warn_of_weakness(key);
	return 0;
}

/* Add the key file name; what is wrong with it is kept in its fault. */
static int add_key(int dirfd, const char *name, char *path, const struct tds_strict *strict,
		   struct tds_keyring *ring, struct tds_err *err)
{
	struct tds_key *more = grow(ring->v, ring->n, sizeof(*more));

	if (!more || !path) {
		free(path);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	ring->v = more;
	struct tds_key *key = &more[ring->n++];
	*key = (struct tds_key){ .path = path };
	int rc = read_key(dirfd, name, strict, ring, key, &key->fault);
	if (rc == 0 && tds_text_has_suffix(name, KEY_SUFFIX))
		rc = read_allow(dirfd, name, strict, key, &key->fault);
	if (rc != 0) {
		tds_pubkey_free(key->pub);
		key->pub = NULL;
	} else {
		key->fault = (struct tds_err){ 0 }; /* that it has no .allow is none */
	}
	return rc == TDS_E_NOMEM ? tds_err_set(err, TDS_E_NOMEM, "out of memory") : 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct tds_key *)a)->path, ((const struct tds_key *)b)->path);
}

static int read_keys(const struct tds_dir *dir, const struct tds_strict *strict,
		     struct tds_keyring *ring, struct tds_err *err)
{
	tds_autofd int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!names)
		return tds_err_sys(err, TDS_E_UNUSABLE, "%s", dir->path);
	(void)tds_steal_fd(&fd);
	/* As for the shell's *_tls.key, a name that begins with a dot is hidden. */
	while (rc == 0 && (errno = 0, entry = readdir(names)))
		if (entry->d_name[0] != '.' && tds_text_has_suffix(entry->d_name, KEY_SUFFIX))
			rc = add_key(dir->fd, entry->d_name, tds_dir_join(dir, entry->d_name),
				     strict, ring, err);
	if (rc == 0 && errno != 0)
		rc = tds_err_sys(err, TDS_E_UNUSABLE, "%s", dir->path);
	(void)closedir(names);
	if (ring->n > 1)
		qsort(ring->v, ring->n, sizeof(*ring->v), compare_keys);
	return rc;
}

/* Whoever may write the directory adds and removes keys as he likes. */
static int judge_dir(const struct tds_dir *dir, const struct tds_strict *strict,
		     struct tds_keyring *ring, struct tds_err *err)
{
	char why[TDS_STRICT_WHY_MAX];

	if (tds_strict_judge_dir(strict, dir->fd, why))
		return 0;
	return strict->is_lax ? warn_of_ring(ring, why, err)
			      : tds_err_set(err, TDS_E_UNUSABLE, "%s: %s", dir->path, why);
}

int tds_keyring_read(const struct tds_dir *dir, const struct tds_strict *strict,
		     struct tds_keyring *ring, struct tds_err *err)
{
	*ring = (struct tds_keyring){ 0 };
	int rc = judge_dir(dir, strict, ring, err);
	if (rc == 0)
		rc = read_all_limits(dir, strict, ring, err);
	if (rc == 0)
		rc = read_keys(dir, strict, ring, err);
	if (rc != 0)
		tds_keyring_fini(ring);
	return rc;
}

int tds_keyring_named(const struct tds_dir *dir, const struct tds_strict *strict,
		      char *const *paths, size_t n, struct tds_keyring *ring, const char **at_fault,
		      struct tds_err *err)
{
	const char *own;
	int rc = 0;

	at_fault = at_fault ? at_fault : &own;
	*at_fault = NULL;
	*ring = (struct tds_keyring){ 0 };
	if (dir)
		rc = judge_dir(dir, strict, ring, err);
	if (dir && rc == 0)
		rc = read_all_limits(dir, strict, ring, err);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = add_key(AT_FDCWD, paths[i], strdup(paths[i]), strict, ring, err);
		if (rc == 0 && !ring->v[i].pub) {
			*at_fault = paths[i];
			rc = tds_err_set(err, ring->v[i].fault.code, "%s", ring->v[i].fault.reason);
		}
	}
	if (rc != 0)
		tds_keyring_fini(ring);
	return rc;
}

void tds_keyring_fini(struct tds_keyring *ring)
{
	for (size_t i = 0; i < ring->n; i++) {
		struct tds_key *key = &ring->v[i];

		for (size_t j = 0; j < key->nallow; j++)
			free(key->allow[j]);
		free(key->allow);
		free(key->path);
		tds_pubkey_free(key->pub);
	}
	free(ring->v);
	free(ring->revoked);
	free(ring->warning);
	*ring = (struct tds_keyring){ 0 };
}

bool tds_keyring_revoked(const struct tds_keyring *ring, const unsigned char sha256[TDS_SHA256_LEN])
{
	return ring->nrevoked > 0 && bsearch(sha256, ring->revoked, ring->nrevoked,
					     sizeof(*ring->revoked), compare_revoked) != NULL;
}

bool tds_key_allows(const struct tds_key *key, const char *group)
{
	if (!key->limited)
		return true;
	for (size_t i = 0; group && i < key->nallow; i++)
		if (fnmatch(key->allow[i], group, 0) == 0)
			return true;
	return false;
}
