/* SPDX-License-Identifier: MIT */
/* Sandboxes that cannot be, groups that are not there, and a setting that counts without a sandbox alone. */
#include <string.h>

#include "base/mem.h"
#include "director/groups.h"
#include "director/may.h"
#include "director/sandboxfile.h"
#include "director/sandboxkernel.h"
#include "judge.h"

/* What cannot be held here is refused, whoever asks for it. */
void judge_sandboxes(struct report *report)
{
	const struct tds_sandbox_kernel kernel = tds_sandbox_kernel();
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };
	struct tds_err why;

	if (tds_sandbox_policy_read(report->value, &policy, &why) != 0)
		return;
	for (size_t i = 0; i < policy.n; i++) {
		const struct tds_sandbox *unasked = policy.rules[i].unasked;

		if (tds_sandbox_can_hold(unasked, &kernel, &why) != 0)
			report_warn(report, unasked->line, unasked->column, "%s", why.reason);
	}
}

void judge_sandbox_groups(struct report *report, const struct tds_dir *dir)
{
	const struct tds_value *patterns = tds_value_get(report->value, "Groups");
	tds_auto(groups) struct tds_groups groups = { 0 };

	if (!patterns || report->err.code != TDS_OK || tds_groups_scan(dir, &groups, NULL) != 0)
		return;
	for (size_t i = 0; i < patterns->n; i++) {
		const struct tds_value *pattern = patterns->items[2 * i];

		if (!judge_fits_any(pattern->text, &groups))
			report_warn(report, pattern->line, pattern->column, JUDGE_FITS_NONE,
				    pattern->text);
	}
}

void judge_newprivs(struct report *report, const struct tds_dir *dir)
{
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };

	if (!report->value->boolean || tds_sandbox_policy_of_dir(dir, &policy, NULL) != 0)
		return;
	for (size_t i = 0; i < policy.n; i++)
		if (policy.rules[i].most->profile == TDS_PROFILE_TRUSTED)
			return;
	report_warn(report, 0, 0,
		    "it counts with trusted alone, which " TDS_SANDBOX_CFG " allows nobody");
}
