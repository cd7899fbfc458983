/* SPDX-License-Identifier: MIT */
/* Strict modes on a command line. */
#include "strictly.h"

static void warn(void *ctx, const char *path, const char *why)
{
	tds_cli_warn(ctx, path, "%s", why);
}

int tds_strictly_demand(struct tds_cli *cli, const struct tds_dir *dir, bool configured,
			struct tds_err *err)
{
	const struct tds_strict_watcher watcher = { warn, cli };
	struct tds_strict strict;
	int rc = tds_strictmodes_read(dir, &strict, err);

	if (rc == 0)
		rc = tds_strictmodes_demand_dir(dir, &strict, watcher, err);
	return rc == 0 && configured ? tds_strictmodes_demand_config(dir, &strict, watcher, err)
				     : rc;
}

void tds_strictly_warn(struct tds_cli *cli, const struct tds_dir *dir, struct tds_strict *strict)
{
	const struct tds_strict_watcher watcher = { warn, cli };

	tds_strictmodes_read_lax(dir, strict);
	(void)!tds_strictmodes_demand_dir(dir, strict, watcher, NULL);
	(void)!tds_strictmodes_demand_config(dir, strict, watcher, NULL);
}

void tds_strictly_warn_of(struct tds_cli *cli, const struct tds_dir *dir,
			  const struct tds_strict *strict, enum tds_strict_kind kind,
			  const char *name)
{
	(void)!tds_strictmodes_demand_file(dir, strict, kind, name,
					   (struct tds_strict_watcher){ warn, cli }, NULL);
}
