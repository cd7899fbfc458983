/* SPDX-License-Identifier: MIT */
/* How it ended, as text and as JSON. */
#include "gensrc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

/* Keep the first failure for report_failure. Where memory is short it stays without words. */
static void keep_failure(struct opts *o, const char *subject, const struct tds_err *err)
{
	const char *reason = err->reason[0] ? err->reason : tds_code_words(err->code);
	char place[32] = "";
	int n;

	if (!o->cli.json || o->failure)
		return;
	if (err->line)
		(void)snprintf(place, sizeof(place), ":%u:%u", err->line, err->column);
	if (subject)
		n = asprintf(&o->failure, "%s%s: %s", subject, place, reason);
	else
		n = asprintf(&o->failure, "%s", reason);
	if (n < 0)
		o->failure = NULL;
}

bool fail(struct opts *o, const char *subject, const struct tds_err *err)
{
	tds_cli_error(&o->cli, subject, err);
	keep_failure(o, subject, err);
	return false;
}

bool fail_nomem(struct opts *o)
{
	return fail(o, NULL, &(struct tds_err){ .code = TDS_E_NOMEM });
}

bool misuse(struct opts *o, const char *fmt, ...)
{
	struct tds_err err = { .code = TDS_E_USAGE };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err.reason, sizeof(err.reason), fmt, ap);
	va_end(ap);
	tds_cli_usage(&o->cli, "%s", err.reason);
	keep_failure(o, NULL, &err);
	return false;
}

void report_failure(struct opts *o)
{
	/* Of an unknown option getopt has the words. */
	const char *words = o->failure ? o->failure : tds_code_words(TDS_E_USAGE);

	if (o->cli.json && o->cli.status != 0)
		tds_cli_print_json(&o->cli,
				   json_pack("{s:b, s:i, s:o?}", "ok", false, "status",
					     o->cli.status, "error", tds_cli_json_text(words)));
}

static void report_text(struct opts *o, const struct place *place)
{
	if (o->cli.quiet)
		return;
	(void)fputs("Wrote ", o->cli.out);
	tds_text_escape(o->cli.out, place->path, strlen(place->path));
	(void)fputc('\n', o->cli.out);
}

void report_package(struct opts *o, const struct place *place, size_t members,
		    const struct verified *verified)
{
	char md5[TDS_DIGEST_HEX_MAX];
	char sha256[TDS_DIGEST_HEX_MAX];

	if (!place->declared)
		tds_cli_warn(&o->cli, NULL,
			     "%s is not there, so no tool will find the package by its group",
			     place->tli_name);
	if (!o->cli.json) {
		report_text(o, place);
		return;
	}
	tds_digest_hex(verified->md5, sizeof(verified->md5), md5);
	tds_digest_hex(verified->sha256, sizeof(verified->sha256), sha256);
	tds_cli_print_json(
		&o->cli,
		json_pack("{s:b, s:o, s:o, s:o, s:I, s:I, s:s, s:s, s:o}", "ok", true, "path",
			  tds_cli_json_text(place->path), "group", tds_cli_json_text(o->group),
			  "version", o->version ? tds_cli_json_text(o->version) : json_null(),
			  "members", (json_int_t)members, "size", (json_int_t)verified->size, "md5",
			  md5, "sha256", sha256, "key", tds_cli_json_text(o->keyfile)));
}
