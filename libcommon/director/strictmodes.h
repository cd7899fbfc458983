/* SPDX-License-Identifier: MIT */
/* Strict modes of a director directory: who is who in it, and whether it and its configuration files stand the judgement. */
#ifndef TDS_STRICTMODES_H
#define TDS_STRICTMODES_H

#include "base/dir.h"
#include "base/err.h"
#include "base/strict.h"

#define TDS_STRICTMODES_CFG "strictmodes.cfg"
#define TDS_STRICTNAMES_CFG "strictnames.cfg"

/*
 * Who is who, for the table of strict.h. An adminuser.cfg that does not count names nobody.
 * Errors:  TDS_E_UNUSABLE: strictmodes.cfg is not root's alone, or cannot be understood; the reason names it.
 */
int tds_strictmodes_read(const struct tds_dir *dir, struct tds_strict *strict,
			 struct tds_err *err) TDS_MUST_CHECK;

/* The same for who only warns of what fails, whatever strictmodes.cfg says: never an error. */
void tds_strictmodes_read_lax(const struct tds_dir *dir, struct tds_strict *strict);

/* Called for what fails and is only warned of; path is its own. */
struct tds_strict_watcher {
	void (*warn)(void *ctx, const char *path, const char *why);
	void *ctx;
};

/*
 * Judge the directory and the folders above it.
 * Errors:  TDS_E_UNUSABLE: the first that fails, where that is not only warned of. The reason names the file.
 */
int tds_strictmodes_demand_dir(const struct tds_dir *dir, const struct tds_strict *strict,
			       struct tds_strict_watcher watcher,
			       struct tds_err *err) TDS_MUST_CHECK;

/* The same for each configuration file that is there; and for one file of the directory. */
int tds_strictmodes_demand_config(const struct tds_dir *dir, const struct tds_strict *strict,
				  struct tds_strict_watcher watcher,
				  struct tds_err *err) TDS_MUST_CHECK;
int tds_strictmodes_demand_file(const struct tds_dir *dir, const struct tds_strict *strict,
				enum tds_strict_kind kind, const char *name,
				struct tds_strict_watcher watcher,
				struct tds_err *err) TDS_MUST_CHECK;

/* The same for a declaration that is to be loaded by, by itself; the reason does not name it. */
int tds_strictmodes_judge_declaration(const struct tds_dir *dir, const char *name,
				      struct tds_err *err) TDS_MUST_CHECK;

/*
 * Are packages refused that sign neither group nor version, as strictnames.cfg has it? No, where there is no such file.
 * Errors:  TDS_E_UNUSABLE: it fails the judgement, or cannot be understood; the reason names it.
 */
int tds_strictmodes_names(const struct tds_dir *dir, const struct tds_strict *strict, bool *names,
			  struct tds_err *err) TDS_MUST_CHECK;

/* The kind that a configuration file is: some count only where fewer may write them. */
enum tds_strict_kind tds_strictmodes_kind(const char *name);

#endif
