/* SPDX-License-Identifier: MIT */
/* tds-admin log --audit: each line of the audit log holds the digest of the line before it, also where that is in an older file. */
#include "audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/mem.h"
#include "director/rundir.h"
#include "series.h"

#define AUDIT_MAX_BYTES (1 << 30) /* of a file */

/* How far the chain was followed. */
struct chain {
	bool begun; /* a line was read: head is its digest */
	char head[TDS_DIGEST_HEX_MAX];
};

static bool digest_line(const char *line, size_t len, char hex[TDS_DIGEST_HEX_MAX])
{
	unsigned char sha256[TDS_SHA256_LEN];

	if (!tds_digest_of(TDS_DIGEST_SHA256, line, len, sha256))
		return false;
	tds_digest_hex(sha256, sizeof(sha256), hex);
	return true;
}

/* What the first line that is kept follows on may be gone; where nothing was before it, it says so. */
static bool fits(const struct chain *chain, const char *line, size_t len)
{
	json_t *object = json_loadb(line, len, 0, NULL);
	const char *before = json_string_value(json_object_get(object, "Before"));
	bool ok = before && (!chain->begun || strcmp(before, chain->head) == 0);

	json_decref(object);
	return ok;
}

static int check_text(struct chain *chain, const char *text, size_t len, struct tds_err *err)
{
	unsigned number = 1;

	for (size_t at = 0; at < len; number++) {
		const char *end = memchr(text + at, '\n', len - at);

		if (!end)
			return tds_err_at(err, TDS_E_REFUSED, number, 1, "a line that is cut off");
		if (!fits(chain, text + at, (size_t)(end - text) - at))
			return tds_err_at(err, TDS_E_REFUSED, number, 1,
					  "does not follow on the line before it");
		if (!digest_line(text + at, (size_t)(end + 1 - text) - at, chain->head))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		chain->begun = true;
		at = (size_t)(end + 1 - text);
	}
	return 0;
}

static int check_file(struct chain *chain, int rundir, const char *name, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;
	int rc = tds_io_slurp(rundir, name, AUDIT_MAX_BYTES, &text, &len, err);

	return rc == 0 ? check_text(chain, text, len, err) : rc;
}

/* From the oldest file that is kept to the one that is written. name: of the one that is at fault. */
static int check_all(struct chain *chain, int rundir, char name[64], struct tds_err *err)
{
	for (unsigned age = SERIES_FILES_MAX; age > 0; age--) {
		int rc = faccessat(rundir, series_file(TDS_AUDIT_NAME, age, name), F_OK, 0) == 0
				 ? check_file(chain, rundir, name, err)
				 : 0;

		if (rc != 0)
			return rc;
	}
	(void)strcpy(name, TDS_AUDIT_NAME);
	return check_file(chain, rundir, name, err);
}

void audit_show(struct admin *admin, const struct tds_dir *rundir)
{
	tds_autofree char *whole = NULL;
	struct chain chain = { 0 };
	char name[64];
	struct tds_err err = { 0 };
	int rc = check_all(&chain, rundir->fd, name, &err);

	if (rc == 0 && admin->cli.json)
		tds_cli_print_document(&admin->cli, json_pack("{s:s}", "Head", chain.head));
	else if (rc == 0)
		(void)fprintf(admin->cli.out, "%s\n", chain.head);
	else if (asprintf(&whole, "%s/%s", rundir->path, name) >= 0)
		tds_cli_error(&admin->cli, whole, &err);
}
