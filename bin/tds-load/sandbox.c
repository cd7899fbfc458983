/* SPDX-License-Identifier: MIT */
/* The sandbox of a package that is not loaded yet. */
#include "sandbox.h"

#include <string.h>

#include "base/mem.h"
#include "director/config.h"
#include "director/sandboxdecide.h"
#include "tool/verdict.h"

/* An admin process that runs may have another in force. */
static int read_policy(const struct tds_dir *dir, struct tds_sandbox_policy *policy,
		       struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, TDS_SANDBOX_CFG, &config, err);

	return rc == 0 || rc == TDS_E_MISSING ? tds_sandbox_policy_read(config.value, policy, err)
					      : tds_err_name(err, TDS_SANDBOX_CFG);
}

int sandbox_foresee(const struct tds_dir *dir, const char *group, const json_t *verdict,
		    const struct tds_tli *defined, struct tds_err *err)
{
	const struct tds_sandbox_kernel kernel = tds_sandbox_kernel();
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };
	tds_auto(sandbox_decision) struct tds_sandbox_decision decision = { 0 };
	tds_auto(tli) struct tds_tli declared = { 0 };
	int rc = read_policy(dir, &policy, err);

	if (rc == 0)
		rc = tds_verdict_declaration(verdict, &declared, err);
	return rc == 0 ? tds_sandbox_decide(&policy, group, tds_tli_said(&declared, "Sandbox"),
					    tds_tli_said(defined, "Sandbox"), &kernel, &decision,
					    err)
		       : rc;
}
