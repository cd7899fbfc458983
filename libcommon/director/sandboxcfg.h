/* SPDX-License-Identifier: MIT */
/*
 * sandbox.cfg: what this machine allows at most, and what packages have that ask for nothing; for all groups, and for some of
 * them by pattern.
 */
#ifndef TDS_SANDBOXCFG_H
#define TDS_SANDBOXCFG_H

#include "sandbox.h"

#define TDS_SANDBOX_CFG "sandbox.cfg"

/* What counts for a group. */
struct tds_sandbox_rule {
	char *pattern; /* of groups' names, as the shell has them; NULL: all */
	struct tds_sandbox *unasked;
	struct tds_sandbox *most;
};

struct tds_sandbox_policy {
	bool is_there;                  /* there is such a file; without it all is trusted */
	struct tds_sandbox_rule *rules; /* the first that fits counts; the last fits all */
	size_t n;
};

/*
 * Read the value of the file: the name of a profile, which is both, or a dictionary: 'Unasked', 'Most', each as in a
 * declaration (one that is left out is as the other), and 'Groups': pattern -> such a dictionary or a profile. NULL: there
 * is no such file.
 * Owner:   caller frees *policy with tds_sandbox_policy_fini, on success only.
 * Errors:  TDS_E_SYNTAX with the place; TDS_E_NOMEM.
 */
int tds_sandbox_policy_read(const struct tds_value *value, struct tds_sandbox_policy *policy,
			    struct tds_err *err) TDS_MUST_CHECK;

void tds_sandbox_policy_fini(struct tds_sandbox_policy *policy);
#define tds_sandbox_policy_cleanup tds_sandbox_policy_fini

/* Borrowed; never NULL. */
const struct tds_sandbox_rule *tds_sandbox_rule_of(const struct tds_sandbox_policy *policy,
						   const char *group);

#endif
