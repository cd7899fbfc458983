/* SPDX-License-Identifier: MIT */
/* Names that mean nothing are told so before an admin process is started for them. */
#ifndef TDS_LOAD_JUDGE_H
#define TDS_LOAD_JUDGE_H

#include <stdbool.h>

#include "base/dir.h"
#include "tool/cli.h"

enum judged { JUDGED_PACKAGES, JUDGED_HASHES, JUDGED_GROUPS };

/*
 * Where no admin process runs: is there any of the names (groups or package files, source hashes, groups) that it could do
 * something with? If there is none, each is told why, as it would tell.
 */
bool judge(struct tds_cli *cli, const struct tds_dir *dir, char *const *names, size_t n,
	   enum judged what);

#endif
