/* SPDX-License-Identifier: MIT */
/* What goes: the Director's rules 7, 9 and 11 of tds(7), AutoUnload, unload and superfluous packages. */
#include "fake_world.h"
#include "unit.h"

/* --- 7: AutoUnload --- */

#define UNLOADS(what) "{'AutoUnload': " what ", 'Actors': {'a.A': {}}}"

/* Four loads with this declaration leave this. */
static void auto_unload(struct fake *f, const char *declaration, const char *left)
{
	fake_declare(&f->means, "foo", declaration);
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-3.tls");
	fake_loaded(f, "foo-2.tls");
	assert_loaded(f, left);
}

static void auto_unload_true(void **state)
{
	auto_unload(*state, UNLOADS("True"), "2*");
}

static void auto_unload_false(void **state)
{
	auto_unload(*state, UNLOADS("False"), "1 3 2*");
}

static void auto_unload_0(void **state)
{
	auto_unload(*state, UNLOADS("0"), "2*");
}

static void auto_unload_negative(void **state)
{
	auto_unload(*state, UNLOADS("-3"), "2*");
}

/* Of the others those that were loaded last stay, whatever their versions. */
static void auto_unload_a_count(void **state)
{
	auto_unload(*state, UNLOADS("1"), "3 2*");
}

static void auto_unload_a_larger_count(void **state)
{
	auto_unload(*state, UNLOADS("2"), "1 3 2*");
}

/* The declaration of the source that is replaced decides, not the new one's. */
static void the_replaced_source_decides(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS("True"));
	fake_loaded(f, "foo-1.tls");
	fake_declare(&f->means, "foo", UNLOADS("False"));
	fake_loaded(f, "foo-2.tls");
	assert_loaded(f, "2*");
	fake_declare(&f->means, "foo", UNLOADS("True"));
	fake_loaded(f, "foo-3.tls");
	assert_loaded(f, "2 3*");
}

/* What is loaded already, and is made active, replaces as a load does. */
static void making_active_unloads_too(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS("False"));
	fake_loaded(f, "foo-1.tls");
	fake_declare(&f->means, "foo", UNLOADS("True"));
	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-1.tls");
	assert_loaded(f, "1*");
}

/* One that is lost, and waits for its return, is loaded too. */
static void auto_unload_of_a_lost_one(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS("False"));
	fake_loaded(f, "foo-1.tls");
	fake_declare(&f->means, "foo", UNLOADS("True"));
	fake_loaded(f, "foo-2.tls");
	fake_ends(f, 1);
	fake_run(f);
	fake_ends(f, 1);
	assert_loaded(f, "1 2*");
	fake_loaded(f, "foo-3.tls");
	fake_run_ms(f, 60000);
	assert_loaded(f, "3*");
}

/* The source that is replaced was lost: its declaration decides all the same. */
static void the_replaced_source_is_lost(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS("True"));
	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	fake_run(f);
	fake_ends(f, 1);
	fake_declare(&f->means, "foo", UNLOADS("False"));
	fake_loaded(f, "foo-2.tls");
	fake_run_ms(f, 60000);
	assert_loaded(f, "2*");
	fake_ends(f, 2);
	fake_run(f); /* it comes back, and replaces nobody */
	assert_loaded(f, "2*");
}

/* It is lost while the new one starts. */
static void the_replaced_source_is_lost_meanwhile(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS("True"));
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	fake_ends(f, 1);
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_loaded(f, "2*");
}

/* The load is answered when they have gone; the new actors have the names before. */
static void the_answer_waits_for_the_unloaded(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo",
		     "{'AutoUnload': True, 'Actors': {'a.A': {'OnLoad': {'Role': 'r'}}}}");
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	fake_up(f->engine, fake_the(f, 2, "a.A"));
	assert_true(fake_source(f->engine, 1)->stopping);
	assert_int_equal(fake_role(f, "r"), 2);
	fake_clock_go(&f->clock, 120000); /* longer than the load may take: it has succeeded */
	assert_no_answer(load);
	fake_ends(f, 1);
	assert_answer(load, 0, NULL);
	assert_loaded(f, "2*");
}

/* --- 9: unload --- */

static void unload_of_the_active(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-3.tls");
	fake_loaded(f, "foo-2.tls");
	assert_trace(f, "none", "");
	struct fake_asked *unload = fake_unload(f, 2);
	assert_trace(f, "send unload", "send 2 a.A 'rest', unload 2");
	assert_no_answer(unload);
	fake_run(f);
	assert_answer(unload, 0, NULL);
	assert_true(unload->changed);
	/* The highest version, not the one that was active before. */
	assert_trace(f, "send bind forget", "forget 2, send 3 a.A 'again', bind n 3 a.A");
	assert_loaded(f, "1 3*");
}

static void one_that_is_gone_is_started_anew(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	fake_run(f);
	assert_null(fake_actor(f->engine, 1, "a.A")); /* of a source at rest, nobody is started */
	assert_trace(f, "none", "");
	fake_unloaded(f, 2);
	assert_trace(f, "send create", "send 2 a.A 'rest', create 1 a.A, send 1 a.A 'load'");
	assert_loaded(f, "1*");
}

static void unload_of_another_activates_nothing(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	assert_trace(f, "none", "");
	fake_unloaded(f, 1);
	assert_trace(f, "send bind create", "");
	assert_loaded(f, "2*");
}

static void unload_of_the_last(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_unloaded(f, 1);
	assert_loaded(f, "");
	assert_int_equal(fake_role(f, "r"), 0);
}

static void unload_of_what_is_not_loaded(void **state)
{
	struct fake *f = *state;

	assert_answer(fake_unload(f, 1), 4, "no such source is loaded");
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *first = fake_unload(f, 1);
	struct fake_asked *second = fake_unload(f, 1);
	fake_run(f);
	assert_answer(first, 0, NULL);
	assert_answer(second, 4, "no such source is loaded");
}

/* --- 11: superfluous packages --- */

static void superfluous_packages_go_after_a_load(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", "{'TLS_Keep_Limit': 2, 'Actors': {'a.A': {}}}");
	struct fake_asked *load = fake_load(f, "foo");
	fake_says(f, 3, 0, NULL);
	assert_trace(f, "prune", "");
	fake_run(f);
	assert_trace(f, "prune", "prune foo 2");
	f->means.fail_prune = true;
	load = fake_loaded(f, "foo-1.tls");
	assert_trace(f, "prune event",
		     "event Loaded 1, prune foo 2, event NotDeleted 0: read-only");
	assert_int_equal(load->status, 0);
}

/* What comes back is started anew, and hangs: the group is not held up for ever. */
static void what_comes_back_hangs(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited");
	struct fake_asked *asked = fake_unload(f, 2);
	fake_ends(f, 2);
	assert_no_answer(asked);
	fake_clock_go(&f->clock, 60000);
	assert_answer(asked, 9, "a.A (r): was not made in time");
	assert_loaded(f, "1*");
	struct fake_asked *next = fake_unload(f, 1);
	fake_ends(f, 1);
	assert_answer(next, 0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(auto_unload_true),
		IN_WORLD(auto_unload_false),
		IN_WORLD(auto_unload_0),
		IN_WORLD(auto_unload_negative),
		IN_WORLD(auto_unload_a_count),
		IN_WORLD(auto_unload_a_larger_count),
		IN_WORLD(the_replaced_source_decides),
		IN_WORLD(making_active_unloads_too),
		IN_WORLD(auto_unload_of_a_lost_one),
		IN_WORLD(the_replaced_source_is_lost),
		IN_WORLD(the_replaced_source_is_lost_meanwhile),
		IN_WORLD(the_answer_waits_for_the_unloaded),
		IN_WORLD(unload_of_the_active),
		IN_WORLD(one_that_is_gone_is_started_anew),
		IN_WORLD(unload_of_another_activates_nothing),
		IN_WORLD(unload_of_the_last),
		IN_WORLD(unload_of_what_is_not_loaded),
		IN_WORLD(superfluous_packages_go_after_a_load),
		IN_WORLD(what_comes_back_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
