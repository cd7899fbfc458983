/* SPDX-License-Identifier: MIT */
/* What the Director has counted, and how it shows actors and budgets. */
#include "fake_world.h"
#include "unit.h"

static void assert_loads(struct fake *f, const char *expected)
{
	json_t *counters = director_counters(f->director);
	char *text = json_dumps(json_object_get(counters, "Loads"), JSON_COMPACT);

	assert_string_equal(text, expected);
	free(text);
	json_decref(counters);
}

static void loads_by_result(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-1.tls");
	(void)fake_load(f, "foo-2.tls");
	fake_says(f, 2, 7, "no key validates it");
	(void)fake_load(f, "foo-2.tls");
	fake_says(f, 2, 6, "the archive is damaged");
	(void)fake_load(f, "nothing");
	struct fake_asked *undone = fake_load(f, "foo-3.tls");
	fake_says(f, 3, 0, NULL);
	fake_imports(f, 3, "ImportError: no such module");
	fake_run(f);
	assert_answer(undone, 1, "ImportError: no such module");
	assert_loads(f,
		     "{\"Loaded\":1,\"Unchanged\":1,\"Undone\":1,\"Untrusted\":2,\"Refused\":1}");
	/* What comes back after a crash was loaded before. */
	fake_crash(f);
	fake_run(f);
	assert_loaded(f, "1*");
	assert_loads(f,
		     "{\"Loaded\":0,\"Unchanged\":0,\"Undone\":0,\"Untrusted\":0,\"Refused\":0}");
}

static const char *text_of(const json_t *array, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(array, i), key));
}

static void whose_actors_are(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	(void)fake_stranger(f->engine, fake_source(f->engine, 1), "found");
	json_t *actors = director_actors(f->director);
	json_t *budgets = director_budgets(f->director);
	assert_int_equal(json_array_size(actors), 2);
	assert_string_equal(text_of(actors, 0, "Group"), "foo");
	assert_string_equal(text_of(actors, 0, "Role"), "r");
	assert_string_equal(text_of(actors, 1, "Group"), "foo");
	assert_null(text_of(actors, 1, "Role"));
	assert_int_equal(json_array_size(budgets), 1);
	assert_string_equal(text_of(budgets, 0, "Group"), "foo");
	json_decref(actors);
	json_decref(budgets);
}

/* No limit is null, not a number that stands for it. */
static void whose_limits_are(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	json_t *limits = director_limits(f->director);
	json_t *own = json_array_get(limits, 0);
	assert_int_equal(json_array_size(limits), 1);
	assert_string_equal(text_of(limits, 0, "Group"), "foo");
	assert_int_equal(json_integer_value(json_object_get(own, "Processes")), 3);
	assert_int_equal(json_integer_value(json_object_get(own, "ProcessesMost")), 2048);
	assert_int_equal(json_integer_value(json_object_get(own, "Memory")), 4096);
	assert_true(json_is_null(json_object_get(own, "MemoryMost")));
	json_decref(limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(loads_by_result),
		IN_WORLD(whose_actors_are),
		IN_WORLD(whose_limits_are),
	};

	return cmocka_run_group_tests_name("counts", tests, NULL, NULL);
}
