/* SPDX-License-Identifier: MIT */
/*
 * A verified source: the only type that lists, extracts and loads. It is made of a package in one
 * order, header, signature, archive, and holds the very bytes that were verified.
 */
#ifndef TDS_SOURCE_H
#define TDS_SOURCE_H

#include <stdbool.h>

#include "archive/zip.h"
#include "base/err.h"
#include "keyring.h"
#include "package.h"

/* One check, told as it is made. */
struct tds_check {
	const char *what; /* "header", "signature", "key KEYFILE", "archive", ... */
	int64_t offset;   /* in the file, in bytes; -1: no place */
	bool ok;
	const char *detail; /* what was found */
};

struct tds_source_opts {
	const struct tds_keyring *ring;
	const char *name;  /* the file's, held against the signed one; NULL: none */
	const char *owner; /* the declared group that the name belongs to; NULL: none is known */
	bool strict_names; /* the same, but where the key vouches for them */
	bool strict;       /* refuse packages without a signed name, and insecure keys */
	struct tds_zip_limits limits;
	void (*tell)(void *ctx, const struct tds_check *check); /* NULL: nobody listens */
	void *ctx;
};

struct tds_source {
	struct tds_package package;
	struct tds_zip zip;
	const struct tds_key *key; /* that validated it; borrowed from the ring */
	char *group;               /* signed; NULL: the package has no signed name */
	char *version; /* signed; NULL: none, or no signed name; "" is that of GROUP-.tls */
};

/*
 * Verify a package, members included.
 * Owner:   takes *package over in any case; caller closes *source with tds_source_close(), on
 *          success only. On failure it is empty but for key, where one validates it all the same.
 * Errors:  TDS_E_UNTRUSTED before the signature holds, TDS_E_ARCHIVE after it; TDS_E_NOMEM.
 */
int tds_source_verify(struct tds_package *package, const struct tds_source_opts *opts,
		      struct tds_source *source, struct tds_err *err) TDS_MUST_CHECK;

/* What is odd about a verified source, for people; NULL: nothing. */
const char *tds_source_warning(const struct tds_source *source);
void tds_source_close(struct tds_source *source);
#define tds_source_cleanup tds_source_close

/*
 * The declaration that is signed with the source, TDS-INF/GROUP.tli, as it stands there.
 * Shape:   *text is NULL where there is none: without a signed name no package has one. *len bytes, NUL-terminated.
 * Owner:   caller frees *text.
 * Errors:  TDS_E_REFUSED: it has more than max bytes; TDS_E_ARCHIVE, TDS_E_NOMEM.
 */
int tds_source_declaration(const struct tds_source *source, size_t max, char **text, size_t *len,
			   struct tds_err *err) TDS_MUST_CHECK;

/* The name of that member. NULL: out of memory; caller frees. */
char *tds_source_declaration_name(const char *group);

/*
 * The ZIP comment that carries group and version (NULL: none); caller frees; NULL is out of memory.
 */
char *tds_source_comment(const char *group, const char *version);

#endif
