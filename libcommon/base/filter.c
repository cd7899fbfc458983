/* SPDX-License-Identifier: MIT */
/* A filter of system calls. */
#include "filter.h"

#include <errno.h>

static int add(scmp_filter_ctx filter, const struct tds_filter_rule *rule)
{
	return rule->call < 0 ? 0
			      : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->call,
						       rule->nargs, rule->args);
}

/* NULL with err: TDS_E_NOMEM, or TDS_E_REFUSED where libseccomp does not take a rule. */
static scmp_filter_ctx make(const struct tds_filter_rule *rules, size_t n, struct tds_err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!filter) {
		(void)tds_err_set(err, TDS_E_NOMEM, "no memory for a filter of system calls");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		int rc = add(filter, &rules[i]);

		if (rc != 0) {
			errno = -rc;
			(void)tds_err_sys(err, TDS_E_REFUSED, "system call %d", rules[i].call);
			seccomp_release(filter);
			return NULL;
		}
	}
	return filter;
}

int tds_filter_hold(const struct tds_filter_rule *rules, size_t n, struct tds_err *err)
{
	scmp_filter_ctx filter = make(rules, n, err);

	if (!filter)
		return err->code;
	int rc = seccomp_load(filter); /* it sets no_new_privs */
	seccomp_release(filter);
	errno = -rc;
	return rc == 0 ? 0 : tds_err_sys(err, TDS_E_REFUSED, "the system takes no filter");
}
