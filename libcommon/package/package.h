/* SPDX-License-Identifier: MIT */
/*
 * The .tls container: its header, the signature, and the archive that it wraps, restored in memory.
 * Nothing here is checked but the container's own grammar: a struct tds_package is not to be
 * believed. source.h makes a verified one of it.
 */
#ifndef TDS_PACKAGE_H
#define TDS_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "sig.h"

#define TDS_PACKAGE_HEADER_MAX 64 /* bytes; the longest that the grammar allows is shorter */
#define TDS_PACKAGE_MAX_BYTES (1LL << 30) /* a larger file is refused by its size */

enum tds_format {
	TDS_FORMAT_DIRECTOR1, /* ThespianDirectorFMT1-sha256 */
	TDS_FORMAT_VICEROY1,  /* ViceroyFMT1-sha256: read only */
	TDS_FORMAT_VICEROY2,  /* ViceroyFMT2-sha256 */
	TDS_FORMAT_TDS1,      /* tdsFMT1-ed25519: as the first, for Ed25519 keys */
};
#define TDS_FORMATS 4

/* The name of a format without its hash, as fmt: takes it; and the format of a name (-1: none). */
const char *tds_format_name(enum tds_format format);
int tds_format_find(const char *name);

/* By which keys packages of a format are signed. */
enum tds_sig_kind tds_format_kind(enum tds_format format);

/* Does its header say where the archive's end record goes, whose mark is left out? */
static inline bool tds_format_has_end(enum tds_format format)
{
	return format == TDS_FORMAT_DIRECTOR1 || format == TDS_FORMAT_TDS1;
}

/* The lines before the archive, each number as it stands there. */
struct tds_header {
	enum tds_format format;
	size_t len;       /* bytes of the header */
	size_t siglen;    /* S */
	size_t siglen_at; /* offset of that line in the file */
	uint64_t end;     /* E: where the end record goes, where the format has it */
	size_t end_at;
};

/*
 * Parse a header from the first bytes of a package.
 * Source:  untrusted; len bytes are there, the whole file or at least TDS_PACKAGE_HEADER_MAX.
 * Errors:  TDS_E_UNTRUSTED, with the offset and what is wrong there.
 */
int tds_header_parse(const unsigned char *data, size_t len, struct tds_header *header,
		     struct tds_err *err) TDS_MUST_CHECK;

/*
 * Write the header of a package into header, with a NUL behind it; end is used where the format has it.
 * Returns its length.
 */
int tds_header_print(char header[TDS_PACKAGE_HEADER_MAX], enum tds_format format, size_t siglen,
		     size_t end);

struct tds_package {
	struct tds_header header;
	const unsigned char
		*zip; /* the restored archive, in private memory that is read-only by now */
	size_t ziplen;
	const unsigned char *sig;             /* header.siglen bytes */
	size_t sig_at;                        /* its offset in the file */
	struct tds_signed zip_signed;         /* what its signature is to be of */
	bool digests;                         /* sha256 and md5 were wanted */
	unsigned char sha256[TDS_SHA256_LEN]; /* of the whole file */
	unsigned char md5[TDS_MD5_LEN];       /* likewise: the source hash */
	uint64_t size;                        /* of the whole file */
	unsigned char *map;                   /* the memory that zip and sig are in */
	size_t maplen;
};

/*
 * Read a package once, from its beginning to its end; of one without an end no more than its header
 * lets belong to it.
 * Source:  fd is untrusted, of any kind, at the package's first byte. digests: whether sha256 and
 *          md5 are wanted.
 * Owner:   caller closes *package with tds_package_close(), on success only; fd stays the caller's.
 * Errors:  TDS_E_UNTRUSTED (not a package, too large), TDS_E_UNUSABLE (cannot be read),
 *          TDS_E_NOMEM.
 */
int tds_package_read(int fd, bool digests, struct tds_package *package,
		     struct tds_err *err) TDS_MUST_CHECK;
void tds_package_close(struct tds_package *package); /* also of a zeroed one */
#define tds_package_cleanup tds_package_close

/*
 * Write the restored archive into an empty memory file (tds_io_memfd), and seal that: what a verified archive is handed on as.
 * Errors:  TDS_E_WRITE.
 */
int tds_package_fill(const struct tds_package *package, int memory,
		     struct tds_err *err) TDS_MUST_CHECK;

/*
 * The SHA-256 that the file has when it is written in the named format: nothing signs the header,
 * so anybody can put the same archive and signature into a file of another format. end is where the
 * archive's end record begins.
 * Errors:  TDS_E_NOMEM.
 */
int tds_package_sha256_as(const struct tds_package *package, enum tds_format format, size_t end,
			  unsigned char sha256[TDS_SHA256_LEN], struct tds_err *err) TDS_MUST_CHECK;

/* Where a byte of the restored archive stands in the file. */
uint64_t tds_package_offset(const struct tds_package *package, uint64_t zip_offset);

/*
 * Write a package to fd: header, archive (zip, ziplen), signature. end is where the archive's end
 * record begins.
 * Errors:  TDS_E_WRITE.
 */
int tds_package_write(int fd, enum tds_format format, const unsigned char *zip, size_t ziplen,
		      size_t end, const unsigned char *sig, size_t siglen,
		      struct tds_err *err) TDS_MUST_CHECK;

#endif
