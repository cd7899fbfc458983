/* SPDX-License-Identifier: MIT */
/* What is active after a revocation: the highest version that is loaded, and that the verifier still lets pass. */
#include "change.h"
#include "rules.h"

static void tell_unfit(struct source *source, int status, const char *error)
{
	source->unfit = true;
	audit_and_tell(source->director, &(struct happening){ .what = "Refused",
							      .group = source->group,
							      .source = source,
							      .status = status,
							      .error = error });
}

enum change_state fall_back_begin(struct change *change)
{
	struct tds_err err;
	struct source *source;

	while (!group_has_active(change->group) && (source = source_highest(change->group))) {
		candidate_fini(&change->found);
		if (choose_source(change, source, &err) == 0)
			return load_verify(change);
		tell_unfit(source, tds_code_status(err.code), err.reason);
	}
	return CHANGE_ENDED;
}

enum change_state fall_back_judge(struct change *change, const struct news *news)
{
	const struct verdict *verdict = news->verdict;
	struct source *source = source_find(change->director, change->wanted);

	if (!source || verdict->status == 0 || verdict->is_none)
		return load_judge(change, news);
	tell_unfit(source, verdict->status, verdict->error);
	return fall_back_begin(change);
}
