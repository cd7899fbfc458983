/* SPDX-License-Identifier: MIT */
/* sandbox.cfg as a file among the others; which kinds of values these may hold knows of it, and must not know of this. */
#include "sandboxfile.h"

#include "base/mem.h"
#include "config.h"

int tds_sandbox_policy_of_dir(const struct tds_dir *dir, struct tds_sandbox_policy *policy,
			      struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, TDS_SANDBOX_CFG, &config, err);

	return rc == 0 || rc == TDS_E_MISSING ? tds_sandbox_policy_read(config.value, policy, err)
					      : tds_err_name(err, TDS_SANDBOX_CFG);
}
