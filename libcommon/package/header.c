/* SPDX-License-Identifier: MIT */
/* The lines that a .tls container begins with: read by its grammar, and written. */
#include <string.h>

#include "base/text.h"
#include "package.h"

static const char *const format_names[TDS_FORMATS] = {
	[TDS_FORMAT_DIRECTOR1] = "ThespianDirectorFMT1",
	[TDS_FORMAT_VICEROY1] = "ViceroyFMT1",
	[TDS_FORMAT_VICEROY2] = "ViceroyFMT2",
};

static const char hash_name[] = "-sha256";

const char *tds_format_name(enum tds_format format)
{
	return format_names[format];
}

int tds_format_find(const char *name)
{
	for (int i = 0; i < TDS_FORMATS; i++)
		if (strcmp(name, format_names[i]) == 0)
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
	size_t len;
	const char *line = next_line(scan, &len);

	for (int i = 0; line && i < TDS_FORMATS; i++) {
		size_t n = strlen(format_names[i]);

		if (len == n + strlen(hash_name) && memcmp(line, format_names[i], n) == 0 &&
		    memcmp(line + n, hash_name, strlen(hash_name)) == 0) {
			header->format = (enum tds_format)i;
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
	if (rc == 0 && (siglen == 0 || siglen > TDS_SIG_MAX))
		rc = tds_err_set(err, TDS_E_UNTRUSTED,
				 "byte %zu: no key has signatures of %ju bytes", header->siglen_at,
				 (uintmax_t)siglen);
	/* 18 digits at most */
	if (rc == 0 && header->format == TDS_FORMAT_DIRECTOR1)
		rc = parse_number(&scan, "the offset of the end record", 999999999999999999,
				  &header->end, &header->end_at, err);
	header->siglen = (size_t)siglen;
	header->len = scan.at;
	return rc;
}

int tds_header_print(char header[TDS_PACKAGE_HEADER_MAX], enum tds_format format, size_t siglen,
		     size_t end)
{
	if (format == TDS_FORMAT_DIRECTOR1)
		return snprintf(header, TDS_PACKAGE_HEADER_MAX, "%s%s\n%zu\n%zu\n",
				format_names[format], hash_name, siglen, end);
	return snprintf(header, TDS_PACKAGE_HEADER_MAX, "%s%s\n%zu\n", format_names[format],
			hash_name, siglen);
}
