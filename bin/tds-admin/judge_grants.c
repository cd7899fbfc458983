/* SPDX-License-Identifier: MIT */
/* Lists of rights that can be understood, and have lines that never count: adminusers.cfg and may.cfg. */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/user.h"
#include "director/grants.h"
#include "director/groups.h"
#include "director/strictmodes.h"
#include "judge.h"

/* What no line before has decided already goes on to the next. */
static void warn_of_earlier(struct report *report, const struct tds_grant *grant,
			    const struct tds_grant *earlier)
{
	report_warn(report, grant->line, grant->column,
		    "'%.60s' never counts: line %u comes before it", grant->name, earlier->line);
}

/* --- may.cfg --- */

/* Does the first pattern fit all that the second one fits? A '?' is no '*', but would fit it. */
static bool covers(const char *pattern, const char *other)
{
	return (!strchr(pattern, '?') || !strchr(other, '*')) &&
	       tds_group_pattern_fits(pattern, other);
}

bool judge_fits_any(const char *pattern, const struct tds_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		if (tds_group_pattern_fits(pattern, groups->v[i].name))
			return true;
	return groups->n == 0;
}

/* A pattern that fits no group of the directory is a slip, most likely, or too early. */
void judge_may(struct report *report, const struct tds_dir *dir)
{
	tds_auto(grants) struct tds_grants grants = { 0 };
	tds_auto(groups) struct tds_groups groups = { 0 };

	if (report->err.code != TDS_OK || tds_groups_scan(dir, &groups, NULL) != 0 ||
	    tds_grants_of_value(report->value, TDS_HELD_BY_ACTORS, &grants, NULL) != 0)
		return;
	for (size_t i = 0; i < grants.n; i++) {
		const struct tds_grant *grant = &grants.v[i];
		size_t first = 0;

		while (!covers(grants.v[first].name, grant->name))
			first++;
		if (first < i)
			warn_of_earlier(report, grant, &grants.v[first]);
		else if (!judge_fits_any(grant->name, &groups))
			report_warn(report, grant->line, grant->column, JUDGE_FITS_NONE,
				    grant->name);
	}
}

/* --- adminusers.cfg --- */

/* The user of the admin process and root may everything, whatever stands there. */
static bool is_own(const struct tds_dir *dir, uid_t uid)
{
	struct tds_strict strict;

	tds_strictmodes_read_lax(dir, &strict);
	return uid == 0 || uid == strict.admin;
}

static void judge_adminuser_line(struct report *report, const struct tds_dir *dir,
				 const struct tds_grants *grants, const uid_t *uids, size_t i)
{
	const struct tds_grant *grant = &grants->v[i];
	size_t first = 0;

	while (uids[first] != uids[i])
		first++;
	if (is_own(dir, uids[i]))
		report_warn(report, grant->line, grant->column,
			    "'%.60s' is root or the admin process's own user, who may everything",
			    grant->name);
	else if (first < i)
		warn_of_earlier(report, grant, &grants->v[first]);
}

/* Of two lines for one user, by name and by number too, the first one counts. */
void judge_adminusers(struct report *report, const struct tds_dir *dir)
{
	tds_auto(grants) struct tds_grants grants = { 0 };

	if (report->err.code != TDS_OK ||
	    tds_grants_of_value(report->value, TDS_HELD_BY_USERS, &grants, NULL) != 0)
		return;
	tds_autofree uid_t *uids = calloc(grants.n + 1, sizeof(*uids));
	if (!uids) {
		tds_err_set(&report->err, TDS_E_NOMEM, "out of memory");
		return;
	}
	for (size_t i = 0; i < grants.n; i++) {
		tds_auto(user) struct tds_user user = { 0 };

		if (tds_user_find(grants.v[i].name, &user, NULL) != 0)
			return;
		uids[i] = user.uid;
		judge_adminuser_line(report, dir, &grants, uids, i);
	}
}
