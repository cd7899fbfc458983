/* SPDX-License-Identifier: MIT */
/* Budgets of descriptors. */
#include "budget.h"

#include "descriptors.h"

#define TELL_MS 60000

bool budget_may_tell(int64_t *told_mono_ms, int64_t now_mono_ms)
{
	if (*told_mono_ms != 0 && now_mono_ms - *told_mono_ms < TELL_MS)
		return false;
	*told_mono_ms = now_mono_ms;
	return true;
}

/* Half of what is free to one: who takes all that it can leaves as much to the next, and that one half of it again. */
bool budget_has_descriptor(const struct budget *budget, int newest)
{
	size_t free = descriptors_free(newest);

	if (budget->limits->descriptors == BUDGET_HALF)
		return budget->descriptors < free;
	return free > 0 && budget->descriptors < budget->limits->descriptors;
}
