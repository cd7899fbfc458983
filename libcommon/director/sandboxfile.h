/* SPDX-License-Identifier: MIT */
/* sandbox.cfg of a director directory. */
#ifndef TDS_SANDBOXFILE_H
#define TDS_SANDBOXFILE_H

#include "base/dir.h"
#include "sandboxcfg.h"

/*
 * As tds_sandbox_policy_read, of what the file holds, which may be missing; the reason names the file. Errors also: those of
 * tds_config_read.
 */
int tds_sandbox_policy_of_dir(const struct tds_dir *dir, struct tds_sandbox_policy *policy,
			      struct tds_err *err) TDS_MUST_CHECK;

#endif
