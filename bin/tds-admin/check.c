/* SPDX-License-Identifier: MIT */
/* tds-admin check: the named files, or the whole director directory. */

#include "base/mem.h"
#include "check.h"

const char admin_check_help[] =
	"usage: tds-admin check [options] [FILE...]\n"
	"Check TLI files, configuration files, keys and what they are allowed to sign. A FILE's "
	"kind comes\n"
	"from its name; - is a TLI on standard input. Without FILE all of the director directory "
	"is checked.\n"
	"\n"
	"  -T, --names-from=FILE  read names from FILE too, one a line (-: standard input)\n"
	"  -0, --null             these names end in NUL instead of a newline\n"
	"      --literal          FILE may hold any literal, not only a known kind of file\n"
	"      --strict           warnings are errors\n" TDS_CLI_HELP;

/*
 * For the keys among them: minkeybits.cfg and revoked.cfg count where the director directory is
 * there.
 */
static void check_named(struct admin *admin, const struct tds_names *names)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	struct tds_err ignored;

	if (tds_dir_open(admin->cli.dir, &dir, &ignored) != 0)
		dir = (struct tds_dir){ .fd = -1 };
	for (size_t i = 0; i < names->n; i++) {
		struct report report;

		report_init(&report, names->v[i]);
		check_file(&report, &dir, names->v[i],
			   admin->literal ? KIND_LITERAL : kind_of(names->v[i]));
		report_print(admin, &report);
		report_fini(&report);
	}
}

static void check_all(struct admin *admin)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	struct tds_err err;

	if (tds_dir_open(admin->cli.dir, &dir, &err) != 0)
		tds_cli_error(&admin->cli, admin->cli.dir, &err);
	else
		check_dir(admin, &dir);
}

void admin_check(struct admin *admin, int argc, char **argv)
{
	tds_auto(names) struct tds_names names = { 0 };
	struct tds_err err;

	if (tds_names_read(argv, argc, admin->names_from, admin->cli.nul, &names, &err) != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	else if (names.n > 0 || admin->names_from)
		check_named(admin, &names);
	else if (admin->literal)
		tds_cli_usage(&admin->cli, "--literal needs a FILE");
	else
		check_all(admin);
}
