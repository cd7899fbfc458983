/* SPDX-License-Identifier: MIT */
/* What a crash, or the end of a source's process, took comes back: from the store, verified again. */
#include "base/mem.h"
#include "daemon/director/change.h"
#include "fake_world.h"
#include "unit.h"

static struct source *source(struct fake *f, unsigned number)
{
	char sha256[65];

	(void)snprintf(sha256, sizeof(sha256), "%064x", number);
	return source_find(f->director, sha256);
}

/* --- after a crash --- */

static void nothing_was_loaded(void **state)
{
	struct fake *f = *state;

	fake_crash(f);
	assert_true(f->restored);
	assert_string_equal(f->not_restored, "");
}

static void all_come_back(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-3.tls");
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "bar-1.tls");
	assert_loaded(f, "4* 2 3 1*");
	fake_crash(f);
	assert_loaded(f, "4* 2 3 1*"); /* a crash while they come back forgets none */
	assert_false(f->restored);
	fake_run(f);
	assert_true(f->restored);
	assert_string_equal(f->not_restored, "");
	assert_loaded(f, "4* 2 3 1*");
	assert_int_equal(fake_role(f, "r"), 1);
	assert_int_equal(fake_role(f, "s"), 4);
	for (unsigned number = 1; number < 5; number++)
		assert_int_equal(source(f, number)->state, SOURCE_LOADED);
	/* As before, the actors of those that are not active live without the name. */
	assert_string_equal(fake_the(f, 1, "a.A")->name, "n");
	assert_string_equal(fake_the(f, 3, "a.A")->name, "");
}

/* What has nothing to do with the package does not make it forgotten: it is tried again. */
static void what_passes_is_tried_again(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	f->means.fail_open = true;
	fake_crash(f);
	fake_run(f);
	assert_string_equal(f->not_restored, "foo-1.tls: too many open files; ");
	assert_loaded(f, "1*");
	f->means.fail_open = false;
	f->means.fail_verify = true;
	fake_run_ms(f, 1000);
	assert_int_equal(source(f, 1)->state, SOURCE_LOST);
	f->means.fail_verify = false;
	while (!fake_verification(&f->means, 1))
		fake_clock_go(&f->clock, 100);
	fake_says(f, 1, FAKE_NONE, "the verifier took too long");
	assert_loaded(f, "1*");
	fake_run_ms(f, 60000);
	assert_int_equal(source(f, 1)->state, SOURCE_LOADED);
	assert_int_equal(fake_role(f, "r"), 1);
}

/* Which key validates it, and which version is signed, is what the verdict of now says. */
static void the_verdict_of_now(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	(void)strcpy(f->means.packages[0].version, "signed");
	fake_crash(f);
	fake_run(f);
	assert_string_equal(source(f, 1)->key, "/dir/a.cert");
	assert_string_equal(source(f, 1)->version, "signed");
}

/* Whenever the next crash comes, all is on disk. */
static void a_crash_at_each_step(void **state)
{
	struct fake *f = *state;
	int steps = 0;

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "bar-1.tls");
	for (int after = 0; !f->restored || after == 0; after++) {
		fake_crash(f);
		for (steps = 0; steps < after && !f->restored; steps++)
			assert_true(fake_step(f));
		assert_loaded(f, "4* 2 1*");
	}
	assert_true(steps > 5);
	assert_int_equal(fake_role(f, "r"), 1);
}

static void what_no_longer_verifies(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_crash(f);
	while (!fake_verification(&f->means, 2))
		assert_true(fake_step(f));
	fake_says(f, 2, 7, "no key validates it");
	fake_run(f);
	assert_true(f->restored);
	assert_string_equal(f->not_restored, "foo-2.tls: no key validates it; ");
	/* The one that is left is active. */
	assert_loaded(f, "1*");
	assert_int_equal(fake_role(f, "r"), 1);
}

static void what_no_longer_starts(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_crash(f);
	fake_says(f, 1, 0, NULL);
	fake_imports(f, 1, "ImportError: gone");
	fake_run(f);
	assert_string_equal(f->not_restored, "foo-1.tls: ImportError: gone; ");
	assert_loaded(f, "");
}

static void what_the_store_has_not(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "bar-1.tls");
	f->means.stored[0].sha256[0] = 'x';
	fake_crash(f);
	assert_string_equal(f->not_restored, "foo-1.tls: its definition is not in the store; ");
	assert_loaded(f, "4*"); /* and is not named by the state of now */
	fake_run(f);
	assert_true(f->restored);
	assert_loaded(f, "4*");
}

static void a_load_that_had_not_finished(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	fake_crash(f);
	fake_run(f);
	assert_no_answer(load);
	assert_loaded(f, "1*");
}

static void definitions_come_back(void **state)
{
	struct fake *f = *state;
	struct tds_err err = { 0 };
	json_t *request = json_pack("{s:{s:{s:{s:s}}}}", "Actors", "x.X", "OnLoad", "Role", "x");

	assert_fine(director_define(f->director, "foo", request, NULL, &err), &err);
	json_decref(request);
	fake_crash(f);
	assert_true(f->restored);
	struct load_request load = { .target = "foo", .group = "foo" };
	fake_load_for(f, &load);
	fake_run(f);
	assert_int_equal(fake_role(f, "x"), 3);
}

static void a_definition_that_is_not_written_down(void **state)
{
	struct fake *f = *state;
	struct tds_err err = { 0 };
	json_t *request = json_pack("{s:{s:{}}}", "Actors", "x.X");

	f->means.fail_groups = true;
	assert_failed(director_define(f->director, "foo", request, NULL, &err), &err, TDS_E_WRITE,
		      "no space left");
	json_decref(request);
	struct load_request load = { .target = "foo", .group = "foo" };
	fake_load_for(f, &load);
	fake_run(f);
	assert_int_equal(fake_role(f, "r"), 3); /* the file counts */
}

/* A definition that names the group is for loads that do so; a plain load has the file's. */
static void whose_definition_counts(void **state)
{
	struct fake *f = *state;
	struct tds_err err = { 0 };
	json_t *request = json_pack("{s:s}", "Literal", "{'Actors': {'x.X': {}}}");

	assert_fine(director_define(f->director, "foo", request, NULL, &err), &err);
	json_decref(request);
	fake_loaded(f, "foo-1.tls");
	assert_null(fake_actor(f->engine, 1, "x.X"));
	struct load_request load = { .target = "foo-2.tls", .group = "foo" };
	fake_load_for(f, &load);
	fake_run(f);
	assert_non_null(fake_actor(f->engine, 2, "x.X"));
	/* A group that nobody declared is one without actors. */
	fake_package(&f->means, 9, "new", "new-1.tls");
	load = (struct load_request){ .target = "new-1.tls", .group = "new" };
	fake_load_for(f, &load);
	fake_run(f);
	assert_loaded(f, "1 2* 9*");
}

static void a_definition_at_fault(void **state)
{
	struct fake *f = *state;
	struct tds_err err = { 0 };
	json_t *request = json_pack("{s:s}", "Literal", "{'Actors': 1}");

	assert_int_equal(director_define(f->director, "foo", request, NULL, &err), TDS_E_USAGE);
	assert_int_equal(director_define(f->director, "-foo", request, NULL, &err), TDS_E_USAGE);
	json_decref(request);
}

/* --- after the end of a source's process --- */

static void a_lost_source_comes_back(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	fake_ends(f, 1);
	assert_loaded(f, "1*"); /* on disk it was there all the time */
	assert_int_equal(fake_role(f, "r"), 0);
	fake_run(f);
	assert_loaded(f, "1*");
	assert_int_equal(fake_role(f, "r"), 1);
	assert_trace(f, "verify load create send",
		     "verify 1, load 1, create 1 a.A, send 1 a.A 'load'");
}

/* At once, then after a time that doubles, up to half a minute; a minute of life begins anew. */
static void it_is_lost_again_and_again(void **state)
{
	static const int64_t delays[] = { 0,    100,  200,   400,   800,   1600,
					  3200, 6400, 12800, 25600, 30000, 30000 };
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	for (size_t i = 0; i < COUNT(delays); i++) {
		fake_ends(f, 1);
		assert_int_equal(fake_clock_due_ms(&f->clock), delays[i]);
		fake_run_ms(f, delays[i]);
		assert_int_equal(fake_role(f, "r"), 1);
	}
	fake_run_ms(f, 60000);
	fake_ends(f, 1);
	assert_int_equal(fake_clock_due_ms(&f->clock), 0);
}

static void it_comes_back_at_rest(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	assert_trace(f, "none", "");
	fake_ends(f, 1);
	fake_run(f);
	assert_loaded(f, "1 2*");
	assert_int_equal(fake_role(f, "r"), 2);
	assert_string_equal(fake_the(f, 2, "a.A")->name, "n");
	assert_trace(f, "event",
		     "event ActorExited 1: killed by signal 9, event Lost 1: the host ended");
}

/* Meanwhile another was made active: it is at rest when it is back. */
static void another_took_its_place(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	fake_run(f);
	fake_ends(f, 1); /* it waits 100 ms now */
	fake_loaded(f, "foo-2.tls");
	fake_run_ms(f, 1000);
	assert_loaded(f, "1 2*");
	assert_int_equal(fake_role(f, "r"), 2);
	assert_int_equal(source(f, 1)->state, SOURCE_LOADED);
}

static void its_process_ends_while_it_comes_back(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	while (!fake_source(f->engine, 1))
		assert_true(fake_step(f));
	fake_ends(f, 1);
	assert_loaded(f, "1*");
	fake_run_ms(f, 100);
	assert_int_equal(fake_role(f, "r"), 1);
}

static void no_process_for_it(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	f->engine->fail_load = true;
	fake_ends(f, 1);
	fake_run_ms(f, 1000);
	assert_loaded(f, "1*");
	f->engine->fail_load = false;
	fake_run_ms(f, 60000);
	assert_int_equal(fake_role(f, "r"), 1);
}

/* A minute from its turn, not from when it was lost. */
static void it_is_not_back_in_time(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	while (!fake_source(f->engine, 1))
		assert_true(fake_step(f));
	fake_clock_go(&f->clock, 60000);
	assert_true(fake_source(f->engine, 1)->stopping);
	fake_run(f);
	/* It is undone, and the one that is left is active. */
	assert_loaded(f, "2*");
	assert_int_equal(fake_role(f, "r"), 2);
}

static void a_lost_one_is_unloaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	fake_unloaded(f, 1);
	assert_loaded(f, "2*");
	assert_int_equal(fake_role(f, "r"), 2);
}

static void a_lost_one_is_loaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	fake_run(f);
	fake_ends(f, 1);
	fake_loaded(f, "foo-1.tls");
	assert_loaded(f, "1*");
	assert_trace(f, "verify load", "verify 1, load 1");
	assert_int_equal(fake_clock_due_ms(&f->clock), -1);
}

/* It was to be active again: when its load is undone, the one that is left is. */
static void a_lost_one_is_loaded_in_vain(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_ends(f, 2);
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, "ImportError: gone");
	fake_run(f);
	assert_answer(load, 1, "ImportError: gone");
	assert_loaded(f, "1*");
	assert_int_equal(fake_role(f, "r"), 1);
}

/* The source that an undone load would come back to was lost meanwhile: it comes back by itself. */
static void the_one_before_is_lost(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	fake_ends(f, 1);
	fake_failed(f->engine, fake_the(f, 2, "a.A"), "TypeError: no");
	fake_run(f);
	assert_answer(load, 1, "a.A (r): TypeError: no");
	assert_loaded(f, "1*");
	assert_int_equal(fake_role(f, "r"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(nothing_was_loaded),
		IN_WORLD(all_come_back),
		IN_WORLD(what_passes_is_tried_again),
		IN_WORLD(the_verdict_of_now),
		IN_WORLD(a_crash_at_each_step),
		IN_WORLD(what_no_longer_verifies),
		IN_WORLD(what_no_longer_starts),
		IN_WORLD(what_the_store_has_not),
		IN_WORLD(a_load_that_had_not_finished),
		IN_WORLD(definitions_come_back),
		IN_WORLD(a_definition_that_is_not_written_down),
		IN_WORLD(whose_definition_counts),
		IN_WORLD(a_definition_at_fault),
		IN_WORLD(a_lost_source_comes_back),
		IN_WORLD(it_is_lost_again_and_again),
		IN_WORLD(it_comes_back_at_rest),
		IN_WORLD(another_took_its_place),
		IN_WORLD(its_process_ends_while_it_comes_back),
		IN_WORLD(no_process_for_it),
		IN_WORLD(it_is_not_back_in_time),
		IN_WORLD(a_lost_one_is_unloaded),
		IN_WORLD(a_lost_one_is_loaded),
		IN_WORLD(a_lost_one_is_loaded_in_vain),
		IN_WORLD(the_one_before_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
