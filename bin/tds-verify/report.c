/* SPDX-License-Identifier: MIT */
/* What is told of an operand: each check of --explain, and the object of -j. */
#include "verify.h"

#include <string.h>

#include "base/digest.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/text.h"

void report_check(void *ctx, const struct tds_check *check)
{
	struct run *run = ctx;
	FILE *out = run->opts.explain ? run->cli.out : run->cli.err;

	if (run->checks) {
		json_t *one =
			json_pack("{s:o?, s:b, s:o?}", "check", tds_cli_json_text(check->what),
				  "ok", check->ok, "detail", tds_cli_json_text(check->detail));

		if (one && check->offset >= 0)
			(void)json_object_set_new(one, "offset", json_integer(check->offset));
		(void)json_array_append_new(run->checks, one);
		return;
	}
	if (check->offset >= 0)
		(void)fprintf(out, "%10lld  ", (long long)check->offset);
	else
		(void)fprintf(out, "%10s  ", "-");
	(void)fprintf(out, "%-6s  ", check->ok ? "ok" : "failed");
	tds_text_escape(out, check->what, strlen(check->what));
	(void)fputs(": ", out);
	tds_text_escape(out, check->detail, strlen(check->detail));
	(void)fputc('\n', out);
}

void report_heading(struct run *run, const char *path)
{
	tds_text_escape(run->cli.out, path, strlen(path));
	(void)fputs(":\n", run->cli.out);
}

static json_t *source_json(const struct operand *operand, const struct tds_source *source)
{
	const struct tds_package *package = &source->package;
	char md5[TDS_DIGEST_HEX_MAX];
	char sha256[TDS_DIGEST_HEX_MAX];

	tds_digest_hex(package->md5, TDS_MD5_LEN, md5);
	tds_digest_hex(package->sha256, TDS_SHA256_LEN, sha256);
	json_t *doc =
		json_pack("{s:o?, s:b, s:o?, s:s, s:o, s:o, s:s, s:s, s:I, s:I, s:I}", "file",
			  tds_cli_json_text(operand->path), "ok", true, "key",
			  tds_cli_json_text(source->key->path), "format",
			  tds_format_name(package->header.format), "group",
			  source->group ? tds_cli_json_text(source->group) : json_null(), "version",
			  source->version ? tds_cli_json_text(source->version) : json_null(), "md5",
			  md5, "sha256", sha256, "size", (json_int_t)package->size, "entries",
			  (json_int_t)source->zip.n, "bytes", (json_int_t)source->zip.bytes);
	return doc;
}

static json_t *member_json(const struct tds_zip_entry *e)
{
	return json_pack("{s:s%, s:I, s:I, s:b}", "name", e->name, (size_t)e->name_len, "size",
			 (json_int_t)e->size, "packed", (json_int_t)e->packed, "executable",
			 e->executable);
}

/* The object with its members behind, one at a time: there may be a hundred thousand. */
static void print_listing(struct run *run, json_t *doc, const struct tds_zip *zip)
{
	FILE *out = run->cli.out;
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_COMPACT) : NULL;
	size_t i = 0;

	if (text)
		(void)fprintf(out, "%.*s,\"members\":[", (int)strlen(text) - 1, text);
	for (; text && i < zip->n; i++) {
		json_t *member = member_json(&zip->v[i]);

		(void)fputs(i ? "," : "", out);
		if (!member || json_dumpf(member, out, JSON_COMPACT) != 0)
			break;
		json_decref(member);
	}
	if (text && i == zip->n)
		(void)fputs("]}\n", out);
	else
		tds_cli_error(&run->cli, NULL, &(struct tds_err){ .code = TDS_E_NOMEM });
}

void report_json(struct run *run, const struct operand *operand, const struct tds_source *source,
		 const struct tds_err *err)
{
	json_t *doc;

	if (err)
		doc = json_pack("{s:o?, s:b, s:i, s:o?}", "file", tds_cli_json_text(operand->path),
				"ok", false, "status", tds_code_status(err->code), "error",
				tds_cli_json_text(err->reason));
	else
		doc = source_json(operand, source);
	if (doc && run->checks)
		(void)json_object_set(doc, "checks", run->checks);
	if (!err && run->opts.mode == MODE_LIST) {
		print_listing(run, doc, &source->zip);
		json_decref(doc);
	} else {
		tds_cli_print_json(&run->cli, doc);
	}
}
