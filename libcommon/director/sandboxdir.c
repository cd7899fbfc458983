/* SPDX-License-Identifier: MIT */
/* The sandbox.cfg of a director directory. What it may hold is judged where all configuration files are, below this. */
#include "base/mem.h"
#include "config.h"
#include "sandboxcfg.h"

int tds_sandbox_policy_of_dir(const struct tds_dir *dir, struct tds_sandbox_policy *policy,
			      struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, TDS_SANDBOX_CFG, &config, err);

	return rc == 0 || rc == TDS_E_MISSING ? tds_sandbox_policy_read(config.value, policy, err)
					      : tds_err_name(err, TDS_SANDBOX_CFG);
}
