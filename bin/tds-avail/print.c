/* SPDX-License-Identifier: MIT */
/* What tds-avail prints of a package, whatever the list: its path, its object in JSON, what is wrong with it. */
#include "avail.h"

#include <string.h>

#include "base/mem.h"

void report_nomem(const struct avail *avail)
{
	const struct tds_err err = { .code = TDS_E_NOMEM };

	tds_cli_error(&avail->opts->cli, NULL, &err);
}

void report(const struct avail *avail, const char *name, const char *suffix,
	    const struct tds_err *err)
{
	tds_autofree char *path = tds_dir_join(&avail->dir, name);
	tds_autofree char *subject = NULL;

	if (!path || asprintf(&subject, "%s%s", path, suffix) < 0)
		report_nomem(avail);
	else
		tds_cli_error(&avail->opts->cli, subject, err);
}

void print_path(const struct avail *avail, const char *name)
{
	tds_autofree char *path = tds_dir_join(&avail->dir, name);

	if (path)
		tds_cli_print_name(&avail->opts->cli, path);
	else
		report_nomem(avail);
}

static json_t *version_json(const struct tds_group *group, const char *name)
{
	const char *version = NULL;

	if (!tds_group_fits(group->name, name, &version) || !version)
		return json_null();
	tds_autofree char *text = strndup(version, strlen(version) - strlen(TDS_TLS_SUFFIX));
	return text ? tds_cli_json_text(text) : NULL;
}

json_t *package_json(const struct avail *avail, const struct tds_group *group, const char *name)
{
	tds_autofree char *path = tds_dir_join(&avail->dir, name);

	return json_pack("{s:o, s:o, s:o}", "File", tds_cli_json_text(name), "Path",
			 path ? tds_cli_json_text(path) : NULL, "Version",
			 version_json(group, name));
}

void print_document(const struct avail *avail, json_t *groups)
{
	tds_cli_print_document(&avail->opts->cli,
			       json_pack("{s:o, s:o}", "Directory",
					 tds_cli_json_text(avail->dir.path), "Groups", groups));
}
