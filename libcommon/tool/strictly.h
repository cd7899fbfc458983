/* SPDX-License-Identifier: MIT */
/* Strict modes, as tools ask for them: an error of the command line, or warnings. */
#ifndef TDS_STRICTLY_H
#define TDS_STRICTLY_H

#include "base/dir.h"
#include "director/strictmodes.h"
#include "tool/cli.h"

/*
 * Before anything of the director directory is believed, it and the folders above it are judged; configured: its
 * configuration files, too. What strictmodes.cfg forgives is warned of.
 * Errors:  TDS_E_UNUSABLE; the reason names the file.
 */
int tds_strictly_demand(struct tds_cli *cli, const struct tds_dir *dir, bool configured,
			struct tds_err *err) TDS_MUST_CHECK;

/* The same for tools that start, load and verify nothing: all of it is only warned of. *strict is for the next. */
void tds_strictly_warn(struct tds_cli *cli, const struct tds_dir *dir, struct tds_strict *strict);

/* The same for one file of the directory. */
void tds_strictly_warn_of(struct tds_cli *cli, const struct tds_dir *dir,
			  const struct tds_strict *strict, enum tds_strict_kind kind,
			  const char *name);

#endif
