/* SPDX-License-Identifier: MIT */
/* What a source is granted: of what it asks for, what this machine allows and its kernel can hold it to. */
#ifndef TDS_SANDBOXDECIDE_H
#define TDS_SANDBOXDECIDE_H

#include "sandboxcfg.h"
#include "sandboxkernel.h"

/* Who asks. */
enum tds_sandbox_asker {
	TDS_ASKED_NOBODY, /* what packages have that ask for nothing counts */
	TDS_ASKED_SIGNED,
	TDS_ASKED_DEFINED, /* the group's definition, for less than the package */
};

/* What was decided, and how that came about; a zeroed one is none. */
struct tds_sandbox_decision {
	const struct tds_sandbox_rule *rule; /* borrowed from the policy */
	enum tds_sandbox_asker by;
	struct tds_sandbox *asked;
	struct tds_sandbox *granted; /* NULL: it is refused */
	char *note; /* what the definition asks for, and does not count; NULL: nothing */
};

/* In the words of messages: "its signed declaration". */
const char *tds_sandbox_asker_words(enum tds_sandbox_asker by);

/*
 * Source:  signed_value and defined are untrusted: 'Sandbox' of the declaration that is signed with the package, and of the
 *          group's definition, which counts where it is not more than that; NULL: they say nothing. The file system is
 *          looked at, as tds_sandbox_grant does.
 * Owner:   caller frees *decision with tds_sandbox_decision_fini in any case: of one that is refused it says how.
 * Errors:  TDS_E_REFUSED, the reason having both lines; TDS_E_SYNTAX, TDS_E_NOMEM.
 */
int tds_sandbox_decide(const struct tds_sandbox_policy *policy, const char *group,
		       const struct tds_value *signed_value, const struct tds_value *defined,
		       const struct tds_sandbox_kernel *kernel,
		       struct tds_sandbox_decision *decision, struct tds_err *err) TDS_MUST_CHECK;
void tds_sandbox_decision_fini(struct tds_sandbox_decision *decision);
#define tds_sandbox_decision_cleanup tds_sandbox_decision_fini

#endif
