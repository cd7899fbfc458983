/* SPDX-License-Identifier: MIT */
/* When a daemon that died is started again. */
#include "unit.h"

#include "daemon/guardian/deaths.h"

#define WINDOW_MS 600000

static void each_waits_longer_and_the_fifth_is_the_last(void **state)
{
	struct deaths deaths = { 0 };

	(void)state;
	assert_int_equal(deaths_add(&deaths, 1000, WINDOW_MS), 0);
	assert_int_equal(deaths_add(&deaths, 1001, WINDOW_MS), 100);
	assert_int_equal(deaths_add(&deaths, 1002, WINDOW_MS), 400);
	assert_int_equal(deaths_add(&deaths, 1003, WINDOW_MS), 1600);
	assert_int_equal(deaths_add(&deaths, 1000 + WINDOW_MS - 1, WINDOW_MS), -1);
}

static void old_ones_are_forgotten(void **state)
{
	struct deaths deaths = { 0 };

	(void)state;
	for (int64_t i = 0; i < 4; i++)
		assert_true(deaths_add(&deaths, i, WINDOW_MS) >= 0);
	/* The first is as old as the window by now: four are left. */
	assert_int_equal(deaths_add(&deaths, WINDOW_MS, WINDOW_MS), 1600);
	assert_int_equal(deaths_add(&deaths, 3 * WINDOW_MS, WINDOW_MS), 0);
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(deaths_add(&deaths, 4 * WINDOW_MS + 2 * i, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_waits_longer_and_the_fifth_is_the_last),
		cmocka_unit_test(old_ones_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
