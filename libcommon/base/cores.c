/* SPDX-License-Identifier: MIT */
/* Turning core dumps off. */
#include "cores.h"

#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct rlimit before;
static bool is_off;

void tds_cores_off(void)
{
	if (!is_off && getrlimit(RLIMIT_CORE, &before) == 0) {
		const struct rlimit none = { .rlim_cur = 0, .rlim_max = before.rlim_max };

		is_off = setrlimit(RLIMIT_CORE, &none) == 0;
	}
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks from another process */
	/* The limit does not hold for a program that takes dumps; an exec lifts this. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void tds_cores_restore(void)
{
	if (is_off)
		(void)setrlimit(RLIMIT_CORE, &before);
}
