/* SPDX-License-Identifier: MIT */
/* Reading the files that limit trust, line by line. In doubt they are refused. */
#include "trustfile.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define HEX_LEN ((size_t)2 * TDS_SHA256_LEN)
#define MAX_BITS (8 * TDS_SIG_MAX)

/* A line without its end: no byte of it may be read as the end of a line, or of the text. */
static int check_bytes(const char *text, size_t len, unsigned number, struct tds_err *err)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || text[i] == '\r')
			return tds_err_at(err, TDS_E_SYNTAX, number, tds_text_column(text, i),
					  text[i] ? "carriage return that ends no line"
						  : "NUL byte");
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A digest, and perhaps a blank and more behind it, as sha256sum prints. */
static int parse_digest(struct tds_trust_line *line, struct tds_err *err)
{
	bool good = line->len >= HEX_LEN;

	for (size_t i = 0; good && i < TDS_SHA256_LEN; i++) {
		int high = hex_value(line->text[2 * i]);
		int low = hex_value(line->text[2 * i + 1]);

		good = high >= 0 && low >= 0;
		line->sha256[i] = good ? (unsigned char)(high << 4 | low) : 0;
	}
	if (!good)
		return tds_err_at(err, TDS_E_SYNTAX, line->line, line->column,
				  "not a SHA-256 digest");
	if (line->len > HEX_LEN && !tds_text_is_blank(line->text[HEX_LEN]))
		return tds_err_at(err, TDS_E_SYNTAX, line->line, line->column + (unsigned)HEX_LEN,
				  "not a SHA-256 digest");
	line->len = HEX_LEN;
	return 0;
}

static int parse_bits(struct tds_trust_line *line, bool first, struct tds_err *err)
{
	uint64_t bits;

	if (!first || !tds_parse_uint(line->text, line->len, MAX_BITS, &bits))
		return tds_err_at(err, TDS_E_SYNTAX, line->line, line->column,
				  "not one number of bits, at most %d", MAX_BITS);
	line->bits = (unsigned)bits;
	return 0;
}

/* What else begins so is a word of a version to come, or a slip: it is not to be passed over. */
static int parse_word(struct tds_trust_line *line, struct tds_err *err)
{
	line->vouches = line->len == strlen(TDS_TRUST_UNSIGNED_NAMES) &&
			memcmp(line->text, TDS_TRUST_UNSIGNED_NAMES, line->len) == 0;
	return line->vouches ? 0
			     : tds_err_at(err, TDS_E_SYNTAX, line->line, line->column,
					  "neither a pattern nor " TDS_TRUST_UNSIGNED_NAMES);
}

static int parse_group(struct tds_trust_line *line, struct tds_err *err)
{
	const char *slash = memchr(line->text, '/', line->len);

	if (line->text[0] == '-')
		return parse_word(line, err);
	if (!slash)
		return 0;
	return tds_err_at(err, TDS_E_SYNTAX, line->line,
			  line->column + tds_text_column(line->text, (size_t)(slash - line->text)) -
				  1,
			  "'/' in the name of a group");
}

static int parse(enum tds_trust_kind kind, struct tds_trust_line *line, bool first,
		 struct tds_err *err)
{
	switch (kind) {
	case TDS_TRUST_DIGESTS:
		return parse_digest(line, err);
	case TDS_TRUST_BITS:
		return parse_bits(line, first, err);
	case TDS_TRUST_GROUPS:
		break;
	}
	return parse_group(line, err);
}

/* Blanks around a line cut off. Returns whether it counts. */
static bool trim(struct tds_trust_line *line)
{
	while (line->len > 0 && tds_text_is_blank(line->text[0])) {
		line->text++;
		line->len--;
		line->column++;
	}
	line->len = tds_text_trimmed(line->text, line->len);
	return line->len > 0 && line->text[0] != '#';
}

int tds_trust_read(enum tds_trust_kind kind, const char *text, size_t len, tds_trust_take *take,
		   void *ctx, struct tds_err *err)
{
	const char *end = text + len;
	unsigned number = 0;
	size_t taken = 0;

	for (const char *next; text < end; text = next) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		struct tds_trust_line line = { .line = ++number, .column = 1, .text = text };

		line.len = (size_t)((lf ? lf : end) - text);
		next = lf ? lf + 1 : end;
		if (lf && line.len > 0 && lf[-1] == '\r')
			line.len--;
		int rc = check_bytes(line.text, line.len, number, err);
		if (rc == 0 && trim(&line)) {
			rc = parse(kind, &line, taken++ == 0, err);
			rc = rc == 0 ? take(ctx, &line, err) : rc;
		}
		if (rc != 0)
			return rc;
	}
	return kind == TDS_TRUST_BITS && taken == 0
		       ? tds_err_at(err, TDS_E_SYNTAX, 1, 1, "holds no number")
		       : 0;
}
