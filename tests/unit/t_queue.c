/* SPDX-License-Identifier: MIT */
/* Whose turn it is: the changes of one group, and the places for those of all groups. */
#include "daemon/director/change.h"
#include "fake_world.h"
#include "unit.h"

/* A third group, so that there are more than places. */
static void third_group(struct fake *f)
{
	fake_package(&f->means, 7, "baz", "baz-1.tls");
	fake_declare(&f->means, "baz", "{}");
}

static void one_after_the_other(void **state)
{
	struct fake *f = *state;
	struct fake_asked *first = fake_load(f, "foo-1.tls");
	struct fake_asked *second = fake_load(f, "foo-2.tls");
	struct fake_asked *third = fake_unload(f, 1); /* of what is not loaded yet: at once */

	assert_answer(third, 4, "no such source is loaded");
	assert_trace(f, "verify", "verify 1");
	fake_says(f, 1, 0, NULL);
	fake_imports(f, 1, NULL);
	third = fake_unload(f, 1);
	assert_no_answer(third);
	fake_run(f);
	assert_answer(first, 0, NULL);
	assert_answer(second, 0, NULL);
	assert_answer(third, 0, NULL);
	assert_loaded(f, "2*");
}

static void a_hanging_import_holds_up_its_own_group_alone(void **state)
{
	struct fake *f = *state;
	struct fake_asked *hangs = fake_load(f, "foo-1.tls");

	fake_says(f, 1, 0, NULL);
	struct fake_asked *behind = fake_load(f, "foo-2.tls");
	struct fake_asked *other = fake_load(f, "bar-1.tls");
	fake_says(f, 4, 0, NULL);
	fake_imports(f, 4, NULL);
	fake_up(f->engine, fake_the(f, 4, "b.B"));
	assert_answer(other, 0, NULL);
	assert_no_answer(hangs);
	assert_no_answer(behind);
	fake_clock_go(&f->clock, 60000);
	assert_answer(behind, 9, "its turn did not come in time");
	fake_run(f);
	assert_answer(hangs, 9, "its import did not end in time");
}

/* What waits behind a hanging change begins when that is undone. */
static void behind_a_hanging_import(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo-1.tls");
	fake_clock_go(&f->clock, 30000);
	struct fake_asked *behind = fake_load(f, "foo-2.tls");
	fake_clock_go(&f->clock, 30000);
	assert_trace(f, "verify cancel", "verify 1, cancel 1, verify 2");
	/* Its own minute began with the request. */
	fake_clock_go(&f->clock, 29999);
	assert_no_answer(behind);
	fake_clock_go(&f->clock, 1);
	assert_answer(behind, 9, "it was not verified in time");
}

static void as_many_as_there_are_places(void **state)
{
	struct fake *f = *state;

	third_group(f);
	fake_load(f, "foo");
	fake_load(f, "bar");
	fake_load(f, "baz");
	assert_trace(f, "verify", "verify 3, verify 6");
	/* A place is for the verdict and the import. */
	fake_says(f, 3, 0, NULL);
	assert_trace(f, "verify", "");
	fake_imports(f, 3, NULL);
	assert_trace(f, "verify", "verify 7");
	fake_run(f);
	assert_loaded(f, "6* 7* 3*");
}

static void a_refusal_gives_its_place_free(void **state)
{
	struct fake *f = *state;

	third_group(f);
	fake_load(f, "foo");
	fake_load(f, "bar");
	fake_load(f, "baz");
	fake_says(f, 6, 7, "no key validates it");
	assert_trace(f, "verify", "verify 3, verify 6, verify 7");
}

static void who_takes_long_gives_its_place_away(void **state)
{
	struct fake *f = *state;

	third_group(f);
	fake_load(f, "foo");
	fake_load(f, "bar");
	fake_load(f, "baz");
	fake_clock_go(&f->clock, 499);
	assert_trace(f, "verify", "verify 3, verify 6");
	fake_clock_go(&f->clock, 1);
	assert_trace(f, "verify", "verify 7");
	assert_int_equal(f->director->slots_used, 1);
	fake_run(f);
	assert_int_equal(f->director->slots_used, 0);
	assert_loaded(f, "6* 7* 3*");
}

static void an_unload_needs_no_place(void **state)
{
	struct fake *f = *state;

	third_group(f);
	fake_loaded(f, "baz");
	fake_load(f, "foo");
	fake_load(f, "bar");
	fake_clock_go(&f->clock, 100);
	struct fake_asked *unload = fake_unload(f, 7);
	fake_ends(f, 7);
	assert_answer(unload, 0, NULL);
}

static void who_came_first_begins_first(void **state)
{
	struct fake *f = *state;

	third_group(f);
	f->settings.slots = 1;
	fake_load(f, "foo");
	fake_load(f, "foo-1.tls");
	fake_load(f, "baz");
	fake_load(f, "bar");
	fake_run(f);
	assert_trace(f, "verify", "verify 3, verify 7, verify 6, verify 1");
}

/* --- asked for by who is told of the end of another --- */

struct chain {
	struct fake *f;
	const char *then;
	struct fake_asked *next;
};

static void on_chained(void *ctx, const struct outcome *outcome)
{
	struct chain *chain = ctx;

	(void)outcome;
	chain->next = fake_load(chain->f, chain->then);
}

static void a_load_from_the_end_of_another(void **state)
{
	struct fake *f = *state;
	struct chain chain = { .f = f, .then = "foo-2.tls" };
	struct load_request request = { .target = "foo-1.tls", .wait_s = 1 };

	director_load(f->director, &request, on_chained, &chain);
	fake_run(f);
	assert_answer(chain.next, 0, NULL);
	assert_loaded(f, "1 2*");
	/* Also where that end comes before the request returns. */
	request.target = "nothing";
	director_load(f->director, &request, on_chained, &chain);
	fake_run(f);
	assert_answer(chain.next, 0, NULL);
}

/* An unload that an actor asks for is one like any other. */
static void an_actor_asks_for_an_unload(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct engine_source *source = &fake_source(f->engine, 1)->pub;
	const struct engine_asker asker = { .kind = TDS_ASKER_ACTOR, .source = source };
	f->engine->events->unload_asked(f->engine->ctx, source, &asker);
	fake_run(f);
	assert_loaded(f, "");
}

/* A group that only requests have named is not remembered. */
static void groups_of_requests_are_forgotten(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 3; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "nobody%d", i);
		assert_int_not_equal(fake_load_for(f, &(struct load_request){ .target = "x-1.tls",
									      .group = name })
					     ->status,
				     0);
		for (const struct group *g = f->director->groups; g; g = g->next)
			assert_string_not_equal(g->name, name);
	}
	assert_answer(
		fake_load_for(f, &(struct load_request){ .target = "x-1.tls", .group = "../x" }), 2,
		"not a name that a group can have");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(one_after_the_other),
		IN_WORLD(a_hanging_import_holds_up_its_own_group_alone),
		IN_WORLD(behind_a_hanging_import),
		IN_WORLD(as_many_as_there_are_places),
		IN_WORLD(a_refusal_gives_its_place_free),
		IN_WORLD(who_takes_long_gives_its_place_away),
		IN_WORLD(an_unload_needs_no_place),
		IN_WORLD(who_came_first_begins_first),
		IN_WORLD(a_load_from_the_end_of_another),
		IN_WORLD(an_actor_asks_for_an_unload),
		IN_WORLD(groups_of_requests_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
