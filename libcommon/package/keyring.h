/* SPDX-License-Identifier: MIT */
/*
 * The keys that packages are checked against: *_tls.key with NAME_tls.allow, minkeybits.cfg and
 * revoked.cfg of a director directory, or key files named one by one. Read afresh for each use,
 * never cached.
 */
#ifndef TDS_KEYRING_H
#define TDS_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/dir.h"
#include "base/err.h"
#include "base/strict.h"
#include "sig.h"

#define TDS_KEY_MAX_BYTES (64 << 10) /* of a key file */

/* One key file, usable or not. */
struct tds_key {
	char *path;             /* as it is shown: DIR/NAME_tls.key */
	struct tds_pubkey *pub; /* NULL: cannot be used, and fault says why */
	struct tds_err fault;
	bool allow_fault; /* it is that of its .allow, which the reason names */
	char warning[96]; /* why it is used with a warning; empty: none */
	bool insecure; /* others may write it, or its .allow: left out, but where strictmodes.cfg says no */
	char exposure[TDS_STRICT_WHY_MAX]; /* the words for that */
	/* of one that could be read, used or not; kind NULL: it could not */
	const char *kind; /* "RSA" */
	unsigned bits;
	unsigned char sha256[TDS_SHA256_LEN]; /* of the key in DER, by which it is known */
	unsigned char
		file_sha256[TDS_SHA256_LEN]; /* of the file, by which it may be revoked, too */
	bool is_revoked;

	bool limited; /* it may sign for the groups that allow has a pattern for, and for no others */
	bool vouches; /* for the names of packages that sign none */
	char **allow;
	size_t nallow;
};

struct tds_revoked {
	unsigned char sha256[TDS_SHA256_LEN];
};

struct tds_keyring {
	struct tds_key *v; /* sorted by path */
	size_t n;
	struct tds_revoked *revoked; /* digests of packages and keys, sorted */
	size_t nrevoked;
	unsigned min_bits; /* of minkeybits.cfg, 0: none */
	char *warning;     /* others may write in the directory, or its limits; NULL: none */
};

/*
 * Read the ring of a director directory. A key file that cannot be used is in the ring, with its
 * fault.
 * Errors: TDS_E_UNTRUSTED where minkeybits.cfg or revoked.cfg is there but cannot be understood:
 *         then nothing may be trusted; TDS_E_UNUSABLE where strict modes fail the directory, or one
 *         of these; TDS_E_NOMEM. The reason names the file.
 */
int tds_keyring_read(const struct tds_dir *dir, const struct tds_strict *strict,
		     struct tds_keyring *ring, struct tds_err *err) TDS_MUST_CHECK;

/*
 * A ring of the named key files instead; dir, where not NULL, still gives minkeybits.cfg and
 * revoked.cfg.
 * Shape:  *at_fault, where not NULL, is the path of the key that the error is about, or NULL where
 *         it is about no key. The reason does not name it.
 * Errors: TDS_E_MISSING, TDS_E_UNUSABLE, TDS_E_UNTRUSTED for a key that is named but cannot be
 *         used; else as above.
 */
int tds_keyring_named(const struct tds_dir *dir, const struct tds_strict *strict,
		      char *const *paths, size_t n, struct tds_keyring *ring, const char **at_fault,
		      struct tds_err *err) TDS_MUST_CHECK;

void tds_keyring_fini(struct tds_keyring *ring);
#define tds_keyring_cleanup tds_keyring_fini

/* Is this digest in revoked.cfg? */
bool tds_keyring_revoked(const struct tds_keyring *ring,
			 const unsigned char sha256[TDS_SHA256_LEN]);

/* May the key sign for this group? group NULL: not known, so only a key for all groups may. */
bool tds_key_allows(const struct tds_key *key, const char *group);

#endif
