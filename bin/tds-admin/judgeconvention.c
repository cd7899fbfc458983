/* SPDX-License-Identifier: MIT */
/* Whether a system could join the convention that its files name. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "convention/conventioncfg.h"
#include "judge.h"

/* The reason, without the path of the file that the report is about. */
static const char *without_path(const char *reason, const char *name)
{
	const char *at = strstr(reason, name);
	size_t n = strlen(name);

	return at && strncmp(at + n, ": ", 2) == 0 ? at + n + 2 : reason;
}

static bool names_bus(const char *name)
{
	return strcmp(name, TDS_CONVBUS_CFG) == 0 || strcmp(name, TDS_CONVLEADER_CFG) == 0;
}

/* What files say together. Whose form is wrong says so itself; what is not there is told with the bus. */
static void judge_files(struct report *report, const struct tds_dir *dir, const char *name,
			struct tds_convention *convention)
{
	const char *file = NULL;
	struct tds_err why;
	int rc = tds_convention_read(dir, convention, &file, &why);

	if (rc == 0 || rc == TDS_E_SYNTAX || !file)
		return;
	bool is_there = faccessat(dir->fd, file, F_OK, 0) == 0;
	if (strcmp(file, name) == 0)
		report_refuse(report, "%s", without_path(why.reason, name));
	else if (!is_there && names_bus(name))
		report_refuse(report, "%s", why.reason);
}

/* Only its owner reads a key: whoever may not is not the one to judge it. */
static bool may_read(const struct tds_convention *convention, const char *key)
{
	tds_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", convention->tls, key) < 0)
		path = NULL;
	return path && (access(path, F_OK) != 0 || access(path, R_OK) == 0);
}

static void judge_pems(struct report *report, const struct tds_dir *dir,
		       const struct tds_convention *convention)
{
	bool leads = convention->role > TDS_CONVENTION_MEMBER;

	for (int i = TDS_CONVENTION_BUS; i <= (leads ? TDS_CONVENTION_STORE : TDS_CONVENTION_BUS);
	     i++) {
		tds_auto(convention_pems) struct tds_convention_pems pems = { 0 };
		struct tds_err why;

		if (may_read(convention, tds_convention_files(i)->key) &&
		    tds_convention_pems_read(dir, convention, (enum tds_convention_account)i, &pems,
					     &why) != 0 &&
		    report->err.code == TDS_OK)
			report_refuse(report, "%s", why.reason);
	}
}

/* A host that Thespian's Director has named is a capability, whether a bus is there or not. */
static bool is_capability(const struct report *report, const char *name)
{
	return strcmp(name, TDS_CONVLEADER_CFG) == 0 && report->value->type == TDS_VALUE_STR;
}

void judge_convention(struct report *report, const struct tds_dir *dir, const char *name)
{
	tds_auto(convention) struct tds_convention convention = { 0 };
	bool names_tls = strcmp(name, TDS_CONVTLS_CFG) == 0;

	if (report->err.code != TDS_OK || (!names_tls && !names_bus(name)) ||
	    is_capability(report, name))
		return;
	judge_files(report, dir, name, &convention);
	if (names_tls && convention.tls)
		judge_pems(report, dir, &convention);
}
