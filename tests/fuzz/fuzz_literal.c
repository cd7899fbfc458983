/* SPDX-License-Identifier: MIT */
/*
 * The reader of Python literals and pure expressions, TLI files and configuration. Whatever the text, it is refused at a
 * place within it, or gives the same value each time, and typed JSON of it; an expression within 100 ms and 64 MiB.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "director/config.h"
#include "director/tli.h"
#include "literal/literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define MOST_MS 100
#define MOST_BYTES ((size_t)64 << 20)
#define BEYOND_LITERALS \
	50000 /* bytes: a text of more may have more values than an expression may */

/* CR, LF and CR LF end a line; the end of the text counts as one more line where it is empty. */
static void check_place(const char *text, size_t len, const struct tds_err *err)
{
	size_t line = 1;
	size_t width = 0; /* in bytes, so at least its characters */

	for (size_t i = 0; i < len && line < err->line; i++)
		if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n')))
			line++;
	CHECK(err->line == line);
	for (size_t i = 0, at = 1; i < len; i++) {
		width += at == line;
		if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == len || text[i + 1] != '\n')))
			at++;
	}
	CHECK(err->column >= 1 && err->column <= width + 2);
	CHECK(err->reason[0] != '\0');
}

/*
 * Evaluate within the bounds. A machine with other things to do may take longer now and then, never three times in a row.
 */
static int evaluate(const char *text, size_t len, struct tds_value **value, struct tds_err *err)
{
	for (int try = 1;; try++) {
		bounds_begin();
		long begin = bounds_ms();
		int rc = tds_literal_parse(text, len, true, value, err);
		long took = bounds_ms() - begin;

		CHECK(bounds_bytes() <= MOST_BYTES);
		if (took <= MOST_MS)
			return rc;
		CHECK(try < 3);
		tds_value_free(*value);
	}
}

/* What it makes of the text, as JSON; NULL: refused. */
static char *parse(const char *text, size_t len, bool pure)
{
	struct tds_value *value;
	struct tds_err err = { 0 };
	int rc = pure ? evaluate(text, len, &value, &err)
		      : tds_literal_parse(text, len, false, &value, &err);

	CHECK((rc == 0) == (value != NULL));
	if (rc != 0) {
		CHECK(rc == TDS_E_SYNTAX && err.code == rc);
		check_place(text, len, &err);
		return NULL;
	}
	json_t *json = tds_value_typed_json(value);
	CHECK(json);
	char *out = json_dumps(json, JSON_COMPACT);
	CHECK(out);
	json_decref(json);
	json_decref(tds_value_plain_json(value));
	tds_value_free(value);
	return out;
}

static void check_literal(const char *text, size_t len)
{
	char *first = parse(text, len, true);
	char *again = parse(text, len, true);
	char *closed = parse(text, len, false);

	CHECK(!first == !again && (!first || strcmp(first, again) == 0));
	/* An expression can say all that a literal can, but not as much of it. */
	CHECK(!closed || len > BEYOND_LITERALS || (first && strcmp(first, closed) == 0));
	free(first);
	free(again);
	free(closed);
}

static void check_tli(const char *text, size_t len)
{
	struct tds_tli_watcher nobody = { NULL, NULL };
	struct tds_tli tli;
	struct tds_err err = { 0 };

	if (tds_tli_parse(text, len, nobody, &tli, &err) == 0) {
		CHECK(tli.value->type == TDS_VALUE_DICT && tli.keep_limit >= 0);
		tds_tli_fini(&tli);
	} else {
		check_place(text, len, &err);
	}
}

static void check_config(const char *text, size_t len)
{
	static const char *const names[] = { "thespbase.cfg",  "adminport.cfg", "othercaps.cfg",
					     "convleader.cfg", "convbus.cfg",   "convsystem.cfg",
					     "thesplogd.cfg",  "revoked.cfg",   "actorlimits.cfg",
					     "budget.cfg",     "minkeybits.cfg" };
	struct tds_tli_watcher nobody = { NULL, NULL };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tds_config config;
		struct tds_err err = { 0 };

		if (tds_config_parse(names[i], text, len, nobody, &config, &err) == 0) {
			CHECK(config.text && config.value);
			tds_config_fini(&config);
		} else {
			check_place(text, len, &err);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)setenv("TDS_FUZZ", "value", 1);
	check_literal((const char *)data, size);
	check_tli((const char *)data, size);
	check_config((const char *)data, size);
	return 0;
}
