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
			json_pack("{s:o?, s:b, s:o?}", "Check", tds_cli_json_text(check->what),
				  "Passed", check->ok, "Detail", tds_cli_json_text(check->detail));

		if (one && check->offset >= 0)
			(void)json_object_set_new(one, "Offset", json_integer(check->offset));
		(void)json_array_append_new(run->checks, one);
		return;
	}
	if (check->offset >= 0)
		(void)fprintf(out, "%10lld  ", (long long)check->offset);
	else
		(void)fprintf(out, "%10s  ", "-");
	(void)fprintf(out, "%-6s  ", check->ok ? "ok" : "failed");
	tds_text_print(out, check->what);
	(void)fputs(": ", out);
	tds_text_print(out, check->detail);
	(void)fputc('\n', out);
}

void report_heading(struct run *run, const char *path)
{
	tds_text_print(run->cli.out, path);
	(void)fputs(":\n", run->cli.out);
}

static json_t *source_json(const struct run *run, const struct operand *operand,
			   const struct tds_source *source)
{
	const struct tds_package *package = &source->package;
	char md5[TDS_DIGEST_HEX_MAX];
	char sha256[TDS_DIGEST_HEX_MAX];

	tds_digest_hex(package->md5, TDS_MD5_LEN, md5);
	tds_digest_hex(package->sha256, TDS_SHA256_LEN, sha256);
	return json_pack(
		"{s:o?, s:o?, s:s, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:o}", "File",
		tds_cli_json_text(operand->path), "Key", tds_cli_json_text(source->key->path),
		"PackageFormat", tds_format_name(package->header.format), "Group",
		source->group ? tds_cli_json_text(source->group) : json_null(), "Version",
		source->version ? tds_cli_json_text(source->version) : json_null(), "MD5", md5,
		"SHA256", sha256, "Size", (json_int_t)package->size, "Entries",
		(json_int_t)source->zip.n, "Bytes", (json_int_t)source->zip.bytes, "Declaration",
		run->declared ? tds_cli_json_text(run->declared) : json_null());
}

static json_t *member_json(const struct tds_zip_entry *e)
{
	return json_pack("{s:s%, s:I, s:I, s:b}", "Name", e->name, (size_t)e->name_len, "Size",
			 (json_int_t)e->size, "Packed", (json_int_t)e->packed, "Executable",
			 e->executable);
}

/* The object with its members behind, one at a time: there may be a hundred thousand. */
static void print_listing(struct run *run, json_t *doc, const struct tds_zip *zip)
{
	FILE *out = run->cli.out;
	tds_autofree char *text = doc ? tds_json_text(doc, JSON_COMPACT) : NULL;
	const char *comma = "";
	size_t i = 0;

	if (text)
		(void)fprintf(out, "%.*s,\"Members\":[", (int)strlen(text) - 1, text);
	for (; text && i < zip->n; i++) {
		if (!is_listed(run, &zip->v[i]))
			continue;
		json_t *member = member_json(&zip->v[i]);

		(void)fputs(comma, out);
		comma = ",";
		if (!member || json_dumpf(member, out, JSON_COMPACT) != 0)
			break;
		json_decref(member);
	}
	if (text && i == zip->n)
		(void)fputs("]}\n", out);
	else
		tds_cli_error(&run->cli, NULL, &(struct tds_err){ .code = TDS_E_NOMEM });
}

void report_json(struct run *run, const struct operand *operand, const struct tds_source *source)
{
	bool whole = source != NULL;
	json_t *content = whole ? source_json(run, operand, source)
				: json_pack("{s:o?}", "File", tds_cli_json_text(operand->path));

	if (content && run->checks)
		(void)json_object_set(content, "Checks", run->checks);
	if (whole && run->opts.mode == MODE_LIST) {
		json_t *doc = tds_cli_document(&run->cli, content);

		print_listing(run, doc, &source->zip);
		json_decref(doc);
	} else {
		tds_cli_print_document(&run->cli, content);
	}
}
