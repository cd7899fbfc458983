/* SPDX-License-Identifier: MIT */
/* Which files are packed: those that the SOURCEs match below SRCDIR, and those of the dependencies. */
#include "gensrc.h"

#include <string.h>

#include "base/mem.h"
#include "tool/glob.h"

static bool is_inside(const char *path)
{
	if (path[0] == '/')
		return false;
	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t n = strcspn(part, "/");

		if (n == 2 && part[0] == '.' && part[1] == '.')
			return false;
		part += n;
	}
	return true;
}

/* A SOURCE without any file. */
static void warn_of_source(struct opts *o, const char *source, bool folders)
{
	if (folders)
		tds_cli_warn(&o->cli, source, "matches only folders");
	else
		tds_cli_warn(&o->cli, source, "matches nothing%s",
			     find_operand_option(source) < 0
				     ? ""
				     : " (options come before the first SOURCE)");
}

/* Add what one SOURCE matches. */
static bool collect_source(struct opts *o, const char *source, struct members *members)
{
	tds_autofree char *pattern = clean_path(o, source);
	tds_auto(matches) struct tds_matches found = { 0 };
	struct tds_err err = { 0 };
	size_t before = members->n;

	if (!pattern)
		return fail_nomem(o);
	if (!is_inside(pattern))
		return misuse(o, "%s: lies outside %s", source, o->srcdir);
	if (!check_not_inf(o, pattern, source))
		return false;
	if (tds_glob(o->srcfd, pattern, &found, &err) != 0)
		return fail(o, source, &err);
	for (size_t i = 0; i < found.n; i++) {
		const char *path = found.v[i].path;

		if (!found.v[i].folder &&
		    !members_add(o, members, strdup(path), strdup(path), below_srcdir(o, path)))
			return false;
	}
	if (members->n == before)
		warn_of_source(o, source, found.n > 0);
	return true;
}

bool collect_members(struct opts *o, struct members *members)
{
	struct tds_err err;

	for (size_t i = 0; i < o->sources.n; i++)
		if (!collect_source(o, o->sources.v[i], members))
			return false;
	if (members->n == 0) {
		tds_err_set(&err, TDS_E_MISSING, "no SOURCE matches a file");
		return fail(o, o->srcdir, &err);
	}
	return (!o->deps || collect_deps(o, members)) && members_unify(o, members) &&
	       members_check(o, members);
}
