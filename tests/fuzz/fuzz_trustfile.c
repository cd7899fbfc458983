/* SPDX-License-Identifier: MIT */
/*
 * The files that limit trust. The first byte says which: a digest file (D), a number of bits (B), patterns of groups (G).
 * What counts is in the text, is what its kind says, and is what tds-admin check makes of the file.
 */
#include "fuzz.h"

#include "base/mem.h"
#include "director/config.h"
#include "package/trustfile.h"

#define LINES_MAX 64

struct taken {
	struct input text;
	size_t n;
	struct tds_trust_line lines[LINES_MAX];
};

static int take(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	struct taken *taken = ctx;

	(void)err;
	CHECK(line->text >= taken->text.at && line->len > 0 &&
	      line->text + line->len <= taken->text.at + taken->text.len);
	CHECK(!memchr(line->text, '\n', line->len) && !memchr(line->text, '\r', line->len) &&
	      !memchr(line->text, '\0', line->len) && line->text[0] != '#');
	CHECK(!strchr(" \t", line->text[0]) && !strchr(" \t", line->text[line->len - 1]));
	CHECK(line->line >= 1 && line->column >= 1);
	if (taken->n < LINES_MAX)
		taken->lines[taken->n] = *line;
	taken->n++;
	return 0;
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	CHECK(at);
	return (int)((at - digits) % 16);
}

static void check_line(enum tds_trust_kind kind, const struct tds_trust_line *line)
{
	if (kind == TDS_TRUST_GROUPS)
		CHECK(!memchr(line->text, '/', line->len));
	if (kind == TDS_TRUST_BITS)
		CHECK(strtoull(line->text, NULL, 10) == line->bits);
	if (kind != TDS_TRUST_DIGESTS)
		return;
	CHECK(line->len == 2 * TDS_SHA256_LEN);
	for (size_t i = 0; i < TDS_SHA256_LEN; i++)
		CHECK(line->sha256[i] == hex(line->text[2 * i]) * 16 + hex(line->text[2 * i + 1]));
}

/* The check of the files and the key ring take the same for good. */
static void check_config(const char *name, const struct taken *taken, int rc)
{
	struct tds_config config;
	struct tds_err err = { 0 };
	int config_rc = tds_config_parse(name, taken->text.at, taken->text.len,
					 (struct tds_tli_watcher){ 0 }, &config, &err);

	CHECK((config_rc == 0) == (rc == 0));
	if (rc != 0)
		return;
	CHECK(config.value->type != TDS_VALUE_LIST || config.value->n == taken->n);
	CHECK(config.value->type != TDS_VALUE_INT ||
	      strtoull(config.value->text, NULL, 10) == taken->lines[0].bits);
	tds_config_fini(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char letters[] = "DBG";
	const char *letter = size > 0 && data[0] ? strchr(letters, data[0]) : NULL;
	struct tds_err err = { 0 };

	if (!letter)
		return 0;
	enum tds_trust_kind kind = (enum tds_trust_kind)(letter - letters);
	tds_autofree char *text = input_text((struct input){ (const char *)data + 1, size - 1 });
	struct taken taken = { .text = { text, size - 1 } };
	int rc = tds_trust_read(kind, text, size - 1, take, &taken, &err);

	CHECK(rc == 0 ||
	      (rc == TDS_E_SYNTAX && err.code == rc && err.line >= 1 && err.column >= 1));
	for (size_t i = 0; i < taken.n && i < LINES_MAX; i++)
		check_line(kind, &taken.lines[i]);
	CHECK(rc != 0 || kind != TDS_TRUST_BITS || taken.n == 1);
	if (kind == TDS_TRUST_DIGESTS)
		check_config("revoked.cfg", &taken, rc);
	if (kind == TDS_TRUST_BITS)
		check_config("minkeybits.cfg", &taken, rc);
	return 0;
}
