/* SPDX-License-Identifier: MIT */
/* Ids that nobody can guess, and what is remembered of those that are gone. */
#include "daemon/local/registry.h"

#include <stdlib.h>

#include "unit.h"

#define IDS 10000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, 10,000 of 2^63 numbers lie 2^49 apart on the average; two within 2^16 of each other come once in 10^6 runs. */
static void ids_are_far_apart(void **state)
{
	static uint64_t ids[IDS];
	struct registry *registry = calloc(1, sizeof(*registry));
	size_t high = 0;

	(void)state;
	assert_non_null(registry);
	for (size_t i = 0; i < IDS; i++) {
		ids[i] = registry_id(registry);
		assert_true(ids[i] <= INT64_MAX);
		high += ids[i] >> 62;
	}
	assert_in_range(high, IDS / 3, IDS - IDS / 3);
	qsort(ids, IDS, sizeof(*ids), compare);
	for (size_t i = 1; i < IDS; i++)
		assert_true(ids[i] - ids[i - 1] > 1 << 16);
	registry_fini(registry);
	free(registry);
}

static void the_last_ones_gone_are_remembered(void **state)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	(void)state;
	assert_non_null(registry);
	assert_null(registry_tombstone(registry, 0));
	for (uint64_t id = 1; id <= TOMBSTONES + 2; id++)
		registry_add_tombstone(registry, id * TOMBSTONES, 7, id % 2);
	assert_null(registry_tombstone(registry, 1ull * TOMBSTONES));
	assert_null(registry_tombstone(registry, 2ull * TOMBSTONES));
	for (uint64_t id = 3; id <= TOMBSTONES + 2; id++) {
		const struct tombstone *stone = registry_tombstone(registry, id * TOMBSTONES);

		assert_non_null(stone);
		assert_int_equal(stone->realm, 7);
		assert_int_equal(stone->never, id % 2);
	}
	registry_fini(registry);
	free(registry);
}

/* However many of a realm are gone: of another one at least the last half are remembered. */
static void each_realm_has_its_share(void **state)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	(void)state;
	assert_non_null(registry);
	for (uint64_t id = 1; id <= 10; id++)
		registry_add_tombstone(registry, id, 7, true);
	for (uint64_t id = 1000; id < 1000 + 10 * TOMBSTONES; id++)
		registry_add_tombstone(registry, id, 8, true);
	for (uint64_t id = 1; id <= 10; id++)
		assert_non_null(registry_tombstone(registry, id));
	assert_non_null(registry_tombstone(registry, 999 + 10 * TOMBSTONES));
	for (uint64_t id = 20; id < 40; id++)
		registry_add_tombstone(registry, id, 9, true);
	for (uint64_t id = 20; id < 40; id++)
		assert_non_null(registry_tombstone(registry, id));
	registry_fini(registry);
	free(registry);
}

/* An id that is taken stays its bearer's. */
static void an_id_has_one_bearer(void **state)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	struct bearer one = { .id = 5 };
	struct bearer other = { .id = 5 };

	(void)state;
	assert_non_null(registry);
	assert_true(registry_add(registry, &one));
	assert_false(registry_add(registry, &other));
	registry_remove(registry, &other);
	assert_ptr_equal(registry_find(registry, 5), &one);
	registry_remove(registry, &one);
	assert_null(registry_find(registry, 5));
	registry_fini(registry);
	free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_far_apart),
		cmocka_unit_test(the_last_ones_gone_are_remembered),
		cmocka_unit_test(each_realm_has_its_share),
		cmocka_unit_test(an_id_has_one_bearer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
