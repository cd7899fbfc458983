/* SPDX-License-Identifier: MIT */
/*
 * Filters of system calls, by libseccomp: made rule by rule, or of a table of what is allowed, all else being answered with
 * EPERM. Calls of another architecture end the process. Which calls a process needs is its own concern.
 */
#ifndef TDS_FILTER_H
#define TDS_FILTER_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* A filter in the making. The first failure stays, and nothing is added after it. */
struct tds_filter {
	scmp_filter_ctx ctx; /* NULL: there was no memory for it */
	int error;           /* as errno; 0: none */
};

/* One that answers all calls with this action. Owner: caller ends it with tds_filter_fini, whatever its error. */
struct tds_filter tds_filter_new(uint32_t action);
void tds_filter_fini(struct tds_filter *filter);
#define tds_filter_cleanup tds_filter_fini

/* Answer a call with this action where all conditions hold. call below 0: this machine does not have it, and needs no rule. */
void tds_filter_add(struct tds_filter *filter, uint32_t action, int call, unsigned nargs,
		    const struct scmp_arg_cmp *args);

#define TDS_FILTER_ARGS 3

/* A call of several rules is allowed where one of them holds, a rule where all its conditions do. */
struct tds_filter_rule {
	int call;    /* SCMP_SYS(name); what this machine does not have is left out */
	int refusal; /* as errno, where the caller goes by it; 0: it is allowed */
	unsigned nargs;
	struct scmp_arg_cmp args[TDS_FILTER_ARGS];
};

#define TDS_ALLOW(name)                \
	{                              \
		.call = SCMP_SYS(name) \
	}
/* ENOSYS, say, and a library does it in another way. */
#define TDS_REFUSE(name, error)                            \
	{                                                  \
		.call = SCMP_SYS(name), .refusal = (error) \
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
