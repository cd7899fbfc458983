/* SPDX-License-Identifier: MIT */
/* When a daemon that died is started anew: at once, then later and later, and at the fifth death within a while not again. */
#ifndef TDS_DAEMON_DEATHS_H
#define TDS_DAEMON_DEATHS_H

#include <stddef.h>
#include <stdint.h>

#define DEATHS_MAX 5

/* A zeroed one has seen none. */
struct deaths {
	int64_t at_mono_ms[DEATHS_MAX];
	size_t n;
};

/* One more. Returns the milliseconds until the next start; negative: there are DEATHS_MAX within window_ms. */
int64_t deaths_add(struct deaths *deaths, int64_t now_mono_ms, int64_t window_ms);

#endif
