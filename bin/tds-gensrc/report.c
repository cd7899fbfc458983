/* SPDX-License-Identifier: MIT */
/* How it ended, as text and as JSON. */
#include "gensrc.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

bool fail(struct opts *o, const char *subject, const struct tds_err *err)
{
	tds_cli_error(&o->cli, subject, err);
	return false;
}

bool fail_nomem(struct opts *o)
{
	return fail(o, NULL, &(struct tds_err){ .code = TDS_E_NOMEM });
}

bool misuse(struct opts *o, const char *fmt, ...)
{
	char reason[TDS_ERR_REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	tds_cli_usage(&o->cli, "%s", reason);
	return false;
}

static void report_text(struct opts *o, const struct place *place)
{
	if (o->cli.quiet)
		return;
	(void)fputs("Wrote ", o->cli.out);
	tds_text_print(o->cli.out, place->path);
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
	tds_cli_print_document(
		&o->cli,
		json_pack("{s:o, s:o, s:o, s:I, s:I, s:s, s:s, s:o}", "Path",
			  tds_cli_json_text(place->path), "Group", tds_cli_json_text(o->group),
			  "Version", o->version ? tds_cli_json_text(o->version) : json_null(),
			  "Entries", (json_int_t)members, "Size", (json_int_t)verified->size, "MD5",
			  md5, "SHA256", sha256, "Key", tds_cli_json_text(o->keyfile)));
}
