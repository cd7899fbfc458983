/* SPDX-License-Identifier: MIT */
/* What sources are granted, for the Director and for who asks. */
#include "granting.h"

#include "base/mem.h"
#include "director/sandboxdecide.h"
#include "tool/cli.h"

int granting_decide(const struct tds_sandbox_policy *policy, const char *group,
		    const struct tds_value *signed_value, const struct tds_value *defined,
		    struct tds_sandbox **granted, char **note, struct tds_err *err)
{
	const struct tds_sandbox_kernel kernel = tds_sandbox_kernel();
	tds_auto(sandbox_decision) struct tds_sandbox_decision decision = { 0 };
	int rc = tds_sandbox_decide(policy, group, signed_value, defined, &kernel, &decision, err);

	*granted = tds_steal(&decision.granted);
	*note = rc == 0 ? tds_steal(&decision.note) : NULL;
	return rc;
}

json_t *granting_json(const struct tds_sandbox_policy *policy)
{
	const struct tds_sandbox_rule *rule = &policy->rules[policy->n - 1];

	return json_pack("{s:b, s:o?, s:o?}", "There", policy->is_there, "Unasked",
			 tds_cli_json_text(rule->unasked->words), "Most",
			 tds_cli_json_text(rule->most->words));
}
