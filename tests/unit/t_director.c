/* SPDX-License-Identifier: MIT */
/* The Director's rules, as tds(7) numbers them, in a world of fakes. */
#include "fake_world.h"
#include "unit.h"

/* --- 1: what is loaded --- */

static void a_group_means_its_newest_package(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_load(f, "foo");

	assert_trace(f, "verify", "verify 3");
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_int_equal(load->source, 3);
	assert_loaded(f, "3*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_group_means_its_newest_package),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
