/* SPDX-License-Identifier: MIT */
/* Filters of system calls. */
#include "filter.h"

#include <errno.h>

#include "mem.h"

struct tds_filter tds_filter_new(uint32_t action)
{
	struct tds_filter filter = { .ctx = seccomp_init(action) };

	/* A call of another architecture, x32 too, has other numbers. */
	filter.error = filter.ctx ? -seccomp_attr_set(filter.ctx, SCMP_FLTATR_ACT_BADARCH,
						      SCMP_ACT_KILL_PROCESS)
				  : ENOMEM;
	return filter;
}

void tds_filter_fini(struct tds_filter *filter)
{
	seccomp_release(filter->ctx);
	filter->ctx = NULL;
}

void tds_filter_add(struct tds_filter *filter, uint32_t action, int call, unsigned nargs,
		    const struct scmp_arg_cmp *args)
{
	if (call < 0 || filter->error != 0)
		return;
	int rc = seccomp_rule_add_array(filter->ctx, action, call, nargs, args);
	if (rc != 0 && rc != -EEXIST)
		filter->error = -rc;
}

int tds_filter_hold(const struct tds_filter_rule *rules, size_t n, struct tds_err *err)
{
	tds_auto(filter) struct tds_filter filter = tds_filter_new(SCMP_ACT_ERRNO(EPERM));

	if (!filter.ctx)
		return tds_err_set(err, TDS_E_NOMEM, "no memory for a filter of system calls");
	for (size_t i = 0; i < n && filter.error == 0; i++) {
		uint32_t action = rules[i].refusal ? SCMP_ACT_ERRNO((unsigned)rules[i].refusal)
						   : SCMP_ACT_ALLOW;
		tds_filter_add(&filter, action, rules[i].call, rules[i].nargs, rules[i].args);
		if (filter.error != 0) {
			errno = filter.error;
			return tds_err_sys(err, TDS_E_REFUSED, "system call %d", rules[i].call);
		}
	}
	if (filter.error == 0)
		filter.error = -seccomp_load(filter.ctx); /* it sets no_new_privs */
	errno = filter.error;
	return filter.error == 0 ? 0
				 : tds_err_sys(err, TDS_E_REFUSED, "the system takes no filter");
}
