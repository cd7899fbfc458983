/* SPDX-License-Identifier: MIT */
/* What the compiler was told is so in what runs: locals begin as zero. What stands in the files is in t_objects.py. */
#include "unit.h"

#define BYTES 20000 /* more than a page, so that it is probed for as well */

static size_t differ(const volatile unsigned char *from, unsigned char what)
{
	size_t n = 0;

	for (size_t i = 0; i < BYTES; i++)
		n += from[i] != what;
	return n;
}

/* Leaves bytes behind, where the frame of the next call will be. */
static __attribute__((noinline)) size_t soil(void)
{
	unsigned char local[BYTES];

	memset(local, 0xa5, sizeof(local));
	return differ(local, 0xa5);
}

static __attribute__((noinline)) size_t left_behind(void)
{
	unsigned char local[BYTES];

	__asm__ volatile("" : : "r"(local) : "memory");
	return differ(local, 0);
}

static void locals_are_zero(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* who reads what was never set is told there */
#endif
	assert_int_equal(soil(), 0);
	assert_int_equal(left_behind(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locals_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
