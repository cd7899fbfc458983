/* SPDX-License-Identifier: MIT */
/* Budgets of descriptors, and how often one is told to be over its budget. */
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

uint64_t budget_refuse(struct budget_refusals *refusals, int64_t now_mono_ms)
{
	uint64_t n = ++refusals->untold;

	if (!budget_may_tell(&refusals->told_mono_ms, now_mono_ms))
		return 0;
	refusals->untold = 0;
	return n;
}

uint64_t budget_operations_left(struct budget *budget, uint64_t turn)
{
	uint64_t most = budget->limits->operations;

	if (turn != budget->turn) {
		budget->turn = turn;
		budget->operations = 0;
	}
	return budget->operations < most ? most - budget->operations : 0;
}

/* Half of what is free to one: who takes all that it can leaves as much to the next, and that one half of it again. */
static bool has(const struct budget *budget, size_t taken, int newest)
{
	size_t free = descriptors_free(newest);

	if (budget->limits->descriptors == BUDGET_HALF)
		return taken < free;
	return free > 0 && taken < budget->limits->descriptors;
}

bool budget_has_descriptor(const struct budget *budget, int newest)
{
	return has(budget, budget->descriptors, newest);
}

bool budget_has_passing(const struct budget *budget, int newest)
{
	return has(budget, budget->passing, newest);
}
