/* SPDX-License-Identifier: MIT */
/*
 * A filter of system calls, by libseccomp: a table of what is allowed, all else is answered with EPERM, and calls of another
 * architecture end the process. Which calls a process needs is its own concern.
 */
#ifndef TDS_FILTER_H
#define TDS_FILTER_H

#include <seccomp.h>
#include <stddef.h>

#include "err.h"

#define TDS_FILTER_ARGS 3

/* A call of several rules is allowed where one of them holds, a rule where all its conditions do. */
struct tds_filter_rule {
	int call; /* SCMP_SYS(name); what this machine does not have is left out */
	unsigned nargs;
	struct scmp_arg_cmp args[TDS_FILTER_ARGS];
};

#define TDS_ALLOW(name)                \
	{                              \
		.call = SCMP_SYS(name) \
	}
/* Conditions are those of seccomp_rule_add(3): SCMP_A0_32(SCMP_CMP_EQ, 1). */
#define TDS_ALLOW_IF(name, ...)                                           \
	{                                                                 \
		.call = SCMP_SYS(name),                                   \
		.nargs = sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) / \
			 sizeof(struct scmp_arg_cmp),                     \
		.args = { __VA_ARGS__ },                                  \
	}

/*
 * Be held to a table of rules, this thread and what it starts, for good and without new privileges.
 * Errors:  TDS_E_REFUSED: nothing is changed but that, and the process is to end; TDS_E_NOMEM.
 */
int tds_filter_hold(const struct tds_filter_rule *rules, size_t n,
		    struct tds_err *err) TDS_MUST_CHECK;

#endif
