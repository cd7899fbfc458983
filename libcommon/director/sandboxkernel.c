/* SPDX-License-Identifier: MIT */
/* Asking the kernel what it has, without changing anything. */
#include "sandboxkernel.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "base/landlock.h"

#define KNOWS_CALLS (sizeof(long) == 8) /* those of 32 bits have others for times and offsets */

/* To be held to no filter is refused: as an invalid mode where there are no filters, as a bad address where there are. */
static bool has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0) != 0 && errno == EFAULT;
}

struct tds_sandbox_kernel tds_sandbox_kernel(void)
{
	return (struct tds_sandbox_kernel){ .landlock = tds_landlock_abi(),
					    .seccomp = KNOWS_CALLS && has_filters() };
}

int tds_sandbox_can_hold(const struct tds_sandbox *s, const struct tds_sandbox_kernel *kernel,
			 struct tds_err *err)
{
	bool ports = tds_sandbox_holds_ports(s, TDS_SANDBOX_CONNECT) ||
		     tds_sandbox_holds_ports(s, TDS_SANDBOX_LISTEN);

	if (s->profile == TDS_PROFILE_TRUSTED)
		return 0;
	if (kernel->landlock < TDS_LANDLOCK_FILES)
		return tds_err_set(err, TDS_E_REFUSED,
				   "%s needs Landlock, which this kernel does not have",
				   tds_profile_name(s->profile));
	if (!kernel->seccomp)
		return tds_err_set(
			err, TDS_E_REFUSED,
			"%s needs filters of system calls, which this kernel does not have",
			tds_profile_name(s->profile));
	if (ports && kernel->landlock < TDS_LANDLOCK_HOLDS_TCP)
		return tds_err_set(err, TDS_E_REFUSED,
				   "ports need version %d of Landlock, and this kernel has %d",
				   TDS_LANDLOCK_HOLDS_TCP, kernel->landlock);
	return 0;
}
