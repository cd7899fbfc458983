/* SPDX-License-Identifier: MIT */
/* The sandbox of a package that is not loaded yet. */
#include "sandbox.h"

#include "base/mem.h"
#include "director/sandboxdecide.h"
#include "director/sandboxfile.h"
#include "tool/verdict.h"

int sandbox_foresee(const struct tds_dir *dir, const char *group, const json_t *verdict,
		    const struct tds_tli *defined, struct tds_err *err)
{
	const struct tds_sandbox_kernel kernel = tds_sandbox_kernel();
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };
	tds_auto(sandbox_decision) struct tds_sandbox_decision decision = { 0 };
	tds_auto(tli) struct tds_tli declared = { 0 };
	/* An admin process that runs may have another policy in force. */
	int rc = tds_sandbox_policy_of_dir(dir, &policy, err);

	if (rc == 0)
		rc = tds_verdict_declaration(verdict, &declared, err);
	return rc == 0 ? tds_sandbox_decide(&policy, group, tds_tli_said(&declared, "Sandbox"),
					    tds_tli_said(defined, "Sandbox"), &kernel, &decision,
					    err)
		       : rc;
}
