/* SPDX-License-Identifier: MIT */
/* How many descriptors the daemon may have, and how many of them actors may take. */
#include "descriptors.h"

#include <stdint.h>
#include <sys/resource.h>

#define RESERVE 64 /* of small limits a quarter */

static struct rlimit before; /* rlim_cur 0: not raised */
static struct rlimit now;

void descriptors_raise(void)
{
	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return;
	before = now;
	now.rlim_cur = now.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &now) != 0)
		now = before;
}

void descriptors_restore(void)
{
	if (before.rlim_cur > 0)
		(void)setrlimit(RLIMIT_NOFILE, &before);
}

size_t descriptors_free(int newest)
{
	rlim_t reserve = now.rlim_cur / 4 < RESERVE ? now.rlim_cur / 4 : RESERVE;
	rlim_t most = now.rlim_cur - reserve;

	return now.rlim_cur == 0 ? SIZE_MAX : (rlim_t)newest < most ? most - (rlim_t)newest : 0;
}
