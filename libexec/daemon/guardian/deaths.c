/* SPDX-License-Identifier: MIT */
/* Deaths of the daemon, and the back-off. */
#include "deaths.h"

#define DELAY_MS 100 /* before the second start; four times as long before each further one */

static void forget_old(struct deaths *deaths, int64_t before_mono_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < deaths->n; i++)
		if (deaths->at_mono_ms[i] > before_mono_ms)
			deaths->at_mono_ms[kept++] = deaths->at_mono_ms[i];
	deaths->n = kept;
}

int64_t deaths_add(struct deaths *deaths, int64_t now_mono_ms, int64_t window_ms)
{
	forget_old(deaths, now_mono_ms - window_ms);
	if (deaths->n == DEATHS_MAX - 1)
		return -1;
	deaths->at_mono_ms[deaths->n++] = now_mono_ms;
	return deaths->n == 1 ? 0 : (int64_t)DELAY_MS << 2 * (deaths->n - 2);
}
