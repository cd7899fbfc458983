/* SPDX-License-Identifier: MIT */
/* The lines that a .tls container begins with: read by its grammar, and written. */
#include <string.h>

#include "base/text.h"
#include "ed25519.h"
#include "package.h"

static const struct {
	const char *name;
	const char *line; /* the first of the header */
	enum tds_sig_kind kind;
} formats[TDS_FORMATS] = {
	[TDS_FORMAT_DIRECTOR1] = { "ThespianDirectorFMT1", "ThespianDirectorFMT1-sha256\n",
				   TDS_SIG_RSA },
	[TDS_FORMAT_VICEROY1] = { "ViceroyFMT1", "ViceroyFMT1-sha256\n", TDS_SIG_RSA },
	[TDS_FORMAT_VICEROY2] = { "ViceroyFMT2", "ViceroyFMT2-sha256\n", TDS_SIG_RSA },
	[TDS_FORMAT_TDS1] = { "tdsFMT1", TDS_SIG_ED25519_HEAD, TDS_SIG_ED25519 },
};

const char *tds_format_name(enum tds_format format)
{
	return formats[format].name;
}

enum tds_sig_kind tds_format_kind(enum tds_format format)
{
	return formats[format].kind;
}

int tds_format_find(const char *name)
{
	for (int i = 0; i < TDS_FORMATS; i++)
		if (strcmp(name, formats[i].name) == 0)
			return i;
	return -1;
}

/* The bytes of a header and how far it is read. */
struct scan {
	const unsigned char *data;
	size_t len;
	size_t at;
};

/* The next line without its LF; NULL where there is none. */
static const char *next_line(struct scan *scan, size_t *len)
{
	const char *line = (const char *)scan->data + scan->at;
	const char *end = memchr(line, '\n', scan->len - scan->at);

	if (!end)
		return NULL;
	*len = (size_t)(end - line);
	scan->at += *len + 1;
	return line;
}

static int parse_format(struct scan *scan, struct tds_header *header, struct tds_err *err)
{
	for (int i = 0; i < TDS_FORMATS; i++) {
		size_t n = strlen(formats[i].line);

		if (scan->len >= n && memcmp(scan->data, formats[i].line, n) == 0) {
			header->format = (enum tds_format)i;
			scan->at = n;
			return 0;
		}
	}
	return tds_err_set(err, TDS_E_UNTRUSTED,
			   "not a package (byte 0: no format name that is known)");
}

/* A number on a line of its own; *at gets where it stands. */
static int parse_number(struct scan *scan, const char *what, uint64_t max, uint64_t *value,
			size_t *at, struct tds_err *err)
{
	size_t len;

	*at = scan->at;
	const char *line = next_line(scan, &len);
	if (!line || !tds_parse_uint(line, len, max, value))
		return tds_err_set(err, TDS_E_UNTRUSTED,
				   "not a package (byte %zu: %s is not a plain decimal number)",
				   *at, what);
	return 0;
}

static bool has_signatures_of(enum tds_sig_kind kind, uint64_t bytes)
{
	return kind == TDS_SIG_ED25519 ? bytes == TDS_ED25519_SIG_LEN
				       : bytes > 0 && bytes <= TDS_SIG_MAX;
}

int tds_header_parse(const unsigned char *data, size_t len, struct tds_header *header,
		     struct tds_err *err)
{
	struct scan scan = { .data = data,
			     .len = len < TDS_PACKAGE_HEADER_MAX ? len : TDS_PACKAGE_HEADER_MAX };
	uint64_t siglen = 0;

	*header = (struct tds_header){ 0 };
	int rc = parse_format(&scan, header, err);
	if (rc == 0)
		rc = parse_number(&scan, "the length of the signature", UINT32_MAX, &siglen,
				  &header->siglen_at, err);
	if (rc == 0 && !has_signatures_of(formats[header->format].kind, siglen))
		rc = tds_err_set(err, TDS_E_UNTRUSTED,
				 "byte %zu: no key has signatures of %ju bytes", header->siglen_at,
				 (uintmax_t)siglen);
	/* 18 digits at most */
	if (rc == 0 && tds_format_has_end(header->format))
		rc = parse_number(&scan, "the offset of the end record", 999999999999999999,
				  &header->end, &header->end_at, err);
	header->siglen = (size_t)siglen;
	header->len = scan.at;
	return rc;
}

int tds_header_print(char header[TDS_PACKAGE_HEADER_MAX], enum tds_format format, size_t siglen,
		     size_t end)
{
	if (tds_format_has_end(format))
		return snprintf(header, TDS_PACKAGE_HEADER_MAX, "%s%zu\n%zu\n",
				formats[format].line, siglen, end);
	return snprintf(header, TDS_PACKAGE_HEADER_MAX, "%s%zu\n", formats[format].line, siglen);
}
