/* SPDX-License-Identifier: MIT */
/* What this machine's kernel can hold actors to. */
#ifndef TDS_SANDBOXKERNEL_H
#define TDS_SANDBOXKERNEL_H

#include "sandbox.h"

struct tds_sandbox_kernel {
	int landlock; /* the version of its interface; 0: none */
	bool seccomp; /* filters of system calls, of an architecture that tds knows the calls of */
};

struct tds_sandbox_kernel tds_sandbox_kernel(void);

/* Can it hold actors to all of this? Errors: TDS_E_REFUSED, the reason naming what is lacking. */
int tds_sandbox_can_hold(const struct tds_sandbox *sandbox, const struct tds_sandbox_kernel *kernel,
			 struct tds_err *err) TDS_MUST_CHECK;

/* Are its ports named one by one, for TCP to be held to? */
static inline bool tds_sandbox_holds_ports(const struct tds_sandbox *s,
					   enum tds_sandbox_ports which)
{
	return s->ports[which].n > 0 && !s->ports[which].any &&
	       !(which == TDS_SANDBOX_CONNECT && s->profile >= TDS_PROFILE_NET);
}

#endif
