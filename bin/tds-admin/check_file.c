/* SPDX-License-Identifier: MIT */
/* The check of one file: its kind comes from its name, its contents decide. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "judge.h"
#include "director/config.h"
#include "director/strictmodes.h"
#include "director/tli.h"
#include "literal/literal.h"
#include "package/keyring.h"
#include "package/trustfile.h"

enum kind kind_of(const char *path)
{
	const char *name = tds_text_base(path);

	if (strcmp(path, "-") == 0 || tds_text_has_suffix(name, ".tli"))
		return KIND_TLI;
	if (tds_text_has_suffix(name, "_tls.key"))
		return KIND_KEY;
	if (tds_text_has_suffix(name, "_tls.allow"))
		return KIND_ALLOW;
	if (tds_text_has_suffix(name, ".tls"))
		return KIND_PACKAGE;
	return tds_config_find(name) ? KIND_CONFIG : KIND_OTHER;
}

static void take_warning(void *ctx, unsigned line, unsigned column, const char *text)
{
	report_warn(ctx, line, column, "%s", text);
}

static int check_tli(struct report *report, const char *text, size_t len,
		     struct tds_tli_watcher watcher)
{
	struct tds_tli tli;
	int rc = tds_tli_parse(text, len, watcher, &tli, &report->err);

	if (rc == 0) {
		report->value = tds_steal(&tli.value);
		tds_tli_fini(&tli);
	}
	return rc;
}

/* Is path the file of this name in dir? */
static bool is_in(const struct tds_dir *dir, const char *path, const char *name)
{
	struct stat here;
	struct stat there;

	return dir->fd >= 0 && stat(path, &here) == 0 && fstatat(dir->fd, name, &there, 0) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static void check_config(struct report *report, const struct tds_dir *dir, const char *path,
			 const char *text, size_t len)
{
	static const struct tds_dir nowhere = { .fd = -1 };
	const struct tds_tli_watcher watcher = { take_warning, report };
	const char *name = tds_text_base(path);
	struct tds_config config;

	if (tds_config_parse(name, text, len, watcher, &config, &report->err) != 0)
		return;
	report->value = tds_steal(&config.value);
	tds_config_fini(&config);
	judge_value(report, is_in(dir, path, name) ? dir : &nowhere, name);
}

static int count_pattern(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	(void)err;
	*(size_t *)ctx += !line->vouches;
	return 0;
}

/* Patterns of groups, one a line. */
static void check_allow(struct report *report, const char *text, size_t len)
{
	size_t patterns = 0;

	if (tds_trust_read(TDS_TRUST_GROUPS, text, len, count_pattern, &patterns, &report->err) ==
		    0 &&
	    patterns == 0)
		report_warn(report, 0, 0, "names no group: the key signs for none");
}

/* What a key file holds, where it can be read: whatever is wrong with it, the key is refused. */
static void check_key(struct report *report, const struct tds_dir *dir, const char *path)
{
	tds_auto(keyring) struct tds_keyring ring = { 0 };
	char *paths[] = { (char *)path };
	const struct tds_dir *limits = dir->path ? dir : NULL;

	tds_crypto_init_lean();
	struct tds_strict strict = { .owner = geteuid(), .admin = geteuid(), .is_lax = true };
	if (limits)
		tds_strictmodes_read_lax(limits, &strict);
	int rc = tds_keyring_named(limits, &strict, paths, 1, &ring, NULL, &report->err);

	if (rc != 0) {
		if (rc != TDS_E_NOMEM)
			report->err.code = TDS_E_REFUSED;
		return;
	}
	if (ring.v[0].warning[0])
		report_warn(report, 0, 0, "%s", ring.v[0].warning);
	if (ring.v[0].insecure)
		report_warn(report, 0, 0, "%s", ring.v[0].exposure);
}

static int read_file(struct report *report, const char *path, enum kind kind, char **text,
		     size_t *len)
{
	size_t max = kind == KIND_LITERAL || kind == KIND_TLI ? TDS_LITERAL_MAX_BYTES
							      : TDS_CONFIG_MAX_BYTES;

	if (strcmp(path, "-") == 0)
		return tds_io_slurp_fd(STDIN_FILENO, max, text, len, &report->err);
	return tds_io_slurp(AT_FDCWD, path, max, text, len, &report->err);
}

void check_file(struct report *report, const struct tds_dir *dir, const char *path, enum kind kind)
{
	struct tds_tli_watcher watcher = { take_warning, report };
	tds_autofree char *text = NULL;
	size_t len = 0;

	if (report->err.code != TDS_OK || read_file(report, path, kind, &text, &len) != 0)
		return;
	switch (kind) {
	case KIND_LITERAL:
		(void)!tds_literal_parse(text, len, true, &report->value, &report->err);
		break;
	case KIND_TLI:
		(void)check_tli(report, text, len, watcher);
		break;
	case KIND_CONFIG:
		check_config(report, dir, path, text, len);
		break;
	case KIND_KEY:
		check_key(report, dir, path);
		break;
	case KIND_ALLOW:
		check_allow(report, text, len);
		break;
	case KIND_PACKAGE:
	case KIND_OTHER:
		tds_err_set(&report->err, TDS_E_USAGE,
			    "its name is not that of a TLI, configuration, key or .allow file; see "
			    "--literal");
		break;
	}
}
