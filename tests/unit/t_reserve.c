/* SPDX-License-Identifier: MIT */
/* jansson where memory is missing: whichever allocation fails, what is parsed is right. */
#include "daemon/base/reserve.h"

#include <jansson.h>

#include "unit.h"

static const char text[] = "{\"op\":\"spawned\",\"error\":\"a \\\"quoted\\\" \\u00e9 \\\\ text "
			   "that is longer than the "
			   "first buffer of the parser\",\"list\":[1,2.5,null,\"x\"]}";

static size_t calls;
static size_t fails_at; /* 0: none */

static void *fail_once(size_t size)
{
	return ++calls == fails_at ? NULL : malloc(size);
}

static json_t *parse(size_t failing)
{
	calls = 0;
	fails_at = failing;
	json_t *doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	fails_at = 0;
	return doc;
}

static void test_each_allocation_may_fail(void **state)
{
	(void)state;
	reserve_for_json(fail_once, free);
	json_t *whole = parse(0);
	size_t n = calls;
	assert_non_null(whole);
	assert_true(n > 5);
	for (size_t i = 1; i <= n; i++) {
		json_t *doc = parse(i);

		assert_true(json_equal(doc, whole));
		json_decref(doc);
	}
	json_decref(whole);
}

static void *fail_always(size_t size)
{
	(void)size;
	return NULL;
}

static void test_without_any_there_is_none(void **state)
{
	(void)state;
	reserve_for_json(fail_always, free);
	assert_null(json_object());
	reserve_for_json(malloc, free);
	json_decref(json_object());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_may_fail),
		cmocka_unit_test(test_without_any_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
