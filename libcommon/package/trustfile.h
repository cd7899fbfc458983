/* SPDX-License-Identifier: MIT */
/*
 * The one reader of the text files that limit trust: revoked.cfg, minkeybits.cfg, NAME_tls.allow.
 * The key ring and the check of the files both use it, so that what is called good is what counts.
 *
 * A line ends in LF or CR LF. Blanks and tabs around it do not count, nor do empty lines and those
 * that begin with '#', which hold any bytes. A NUL, or a CR elsewhere, is refused: what one reader
 * takes for a comment another could take for a line.
 */
#ifndef TDS_TRUSTFILE_H
#define TDS_TRUSTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "sig.h"

#define TDS_TRUST_MAX_BYTES (1 << 20) /* of a file */

enum tds_trust_kind {
	TDS_TRUST_DIGESTS, /* SHA-256 in hexadecimal; what stands behind a blank is ignored */
	TDS_TRUST_BITS,    /* one number */
	TDS_TRUST_GROUPS,  /* patterns of group names, and TDS_TRUST_UNSIGNED_NAMES */
};

/* The one word of a file of groups that is no pattern: no group's name begins so. */
#define TDS_TRUST_UNSIGNED_NAMES "-unsigned-names"

/* One line that counts. */
struct tds_trust_line {
	unsigned line; /* its place */
	unsigned column;
	const char *text; /* the digest, number or pattern; borrowed, no NUL behind it */
	size_t len;
	unsigned char sha256[TDS_SHA256_LEN]; /* of TDS_TRUST_DIGESTS */
	unsigned bits;                        /* of TDS_TRUST_BITS */
	bool vouches; /* of TDS_TRUST_GROUPS: it is that word, and no pattern */
};

/* Returns 0, or the code of an error to stop at. */
typedef int tds_trust_take(void *ctx, const struct tds_trust_line *line, struct tds_err *err);

/*
 * Call take for each line that counts.
 * Source:  text is untrusted, and may hold any bytes.
 * Errors:  TDS_E_SYNTAX with the place, where there is one: then nothing of what take got may be
 *          used; else what take returns.
 */
int tds_trust_read(enum tds_trust_kind kind, const char *text, size_t len, tds_trust_take *take,
		   void *ctx, struct tds_err *err) TDS_MUST_CHECK;

#endif
