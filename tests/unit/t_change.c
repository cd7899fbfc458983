/* SPDX-License-Identifier: MIT */
/*
 * The table of changes: each of its edges, and that all other events are ignored; how a change is undone, rule 6 of
 * tds(7); and a state that cannot be written down.
 */
#include "base/mem.h"
#include "daemon/director/change.h"
#include "fake_world.h"
#include "unit.h"

/* --- the table --- */

/* What the table knows, by this test's lights, and which of it has happened. */
static const bool known[CHANGE_STATES][CHANGE_EVENTS] = {
	[CHANGE_WAITING] = { [CHANGE_BEGIN] = true, [CHANGE_DEADLINE] = true },
	[CHANGE_VERIFYING] = { [CHANGE_VERDICT] = true, [CHANGE_DEADLINE] = true },
	[CHANGE_IMPORTING] = { [CHANGE_IMPORTED] = true,
			       [CHANGE_REVOKED] = true,
			       [CHANGE_GONE] = true,
			       [CHANGE_DEADLINE] = true },
	[CHANGE_STARTING] = { [CHANGE_UP] = true,
			      [CHANGE_FAILED] = true,
			      [CHANGE_REVOKED] = true,
			      [CHANGE_GONE] = true,
			      [CHANGE_DEADLINE] = true },
	[CHANGE_STOPPING] = { [CHANGE_GONE] = true },
	[CHANGE_RETURNING] = { [CHANGE_UP] = true,
			       [CHANGE_FAILED] = true,
			       [CHANGE_GONE] = true,
			       [CHANGE_DEADLINE] = true },
	[CHANGE_CLEARING] = { [CHANGE_CLEARED] = true },
};
static bool seen[CHANGE_STATES][CHANGE_EVENTS];

static void note(struct change *change, enum change_event event, const struct news *news)
{
	seen[change->state][event] = true;
	change_takes(change, event, news);
}

static int make(void **state)
{
	int rc = fake_make(state);

	((struct fake *)*state)->director->happens = note;
	return rc;
}
#define EDGE(test) cmocka_unit_test_setup_teardown(test, make, fake_remove)

static struct change *under_way(struct fake *f)
{
	for (struct group *g = f->director->groups; g; g = g->next)
		if (g->changes)
			return g->changes;
	return NULL;
}

/* A change is in this state; what the table does not know of does nothing. */
static void in_state(struct fake *f, enum change_state state)
{
	struct change *change = under_way(f);

	assert_non_null(change);
	assert_int_equal(change->state, state);
	assert_trace(f, "none", "");
	for (int event = 0; event < CHANGE_EVENTS; event++)
		if (!known[state][event])
			change_takes(change, event, &(struct news){ .error = "not known" });
	assert_ptr_equal(under_way(f), change);
	assert_int_equal(change->state, state);
	assert_null(f->trace.text);
	assert_true(change->error == NULL || strcmp(change->error, "not known") != 0);
}

static struct fake_asked *load_of(struct fake *f, const char *file, unsigned wait_s)
{
	return fake_load_for(f, &(struct load_request){ .target = file, .wait_s = wait_s });
}

/* A load of foo-2.tls while foo-1.tls is active, until it is imported. */
static struct fake_asked *starting(struct fake *f)
{
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = load_of(f, "foo-2.tls", 60);
	in_state(f, CHANGE_VERIFYING);
	fake_says(f, 2, 0, NULL);
	in_state(f, CHANGE_IMPORTING);
	fake_imports(f, 2, NULL);
	in_state(f, CHANGE_STARTING);
	return load;
}

/* An actor that is being launched tells nothing any more: the end of its source's process is all that is heard. */
static void its_actor_is_silent(struct fake *f, unsigned number)
{
	struct fake_actor *actor = fake_the(f, number, "a.A");
	struct declared *declared = actor->pub.owner;

	declared->actor = NULL;
	actor->pub.owner = NULL;
}

/* It ends so, with foo-1.tls active as before, told to rest and then that it is active again. */
static void undone(struct fake *f, const struct fake_asked *load, int status, const char *why)
{
	in_state(f, CHANGE_STOPPING);
	fake_run(f);
	assert_answer(load, status, why);
	assert_int_equal(load->source, 0);
	assert_true(load->changed);
	assert_loaded(f, "1*");
	assert_trace(f, "send bind", "send 1 a.A 'again', bind n 1 a.A");
	assert_int_equal(fake_role(f, "r"), 1);
	assert_null(fake_source(f->engine, 2));
}

/* --- 6: undone --- */

static void an_actor_that_cannot_be_constructed(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = starting(f);

	fake_failed(f->engine, fake_the(f, 2, "a.A"), "TypeError: no");
	assert_trace(f, "unload", "unload 2");
	f->trace.text = NULL;
	struct change *change = under_way(f);
	assert_int_equal(change->state, CHANGE_STOPPING);
	fake_exited(f->engine, fake_the(f, 2, "a.A"), "exited with status 1");
	assert_no_answer(load);
	fake_ends(f, 2);
	assert_answer(load, 1, "a.A (r): TypeError: no");
	assert_loaded(f, "1*");
}

static void an_actor_that_cannot_be_started(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = load_of(f, "foo-2.tls", 60);
	fake_says(f, 2, 0, NULL);
	f->engine->fail_create = true;
	fake_imports(f, 2, NULL);
	f->engine->fail_create = false;
	undone(f, load, 1, "a.A (r): no process could be started");
}

static void an_actor_that_fails_its_message(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = starting(f);

	fake_up(f->engine, fake_the(f, 2, "a.A"));
	fake_taken(f->engine, fake_the(f, 2, "a.A"), "ValueError: 1");
	undone(f, load, 1, "a.A (r): its OnLoad message: ValueError: 1");
}

static void a_class_that_is_not_found(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = load_of(f, "foo-1.tls", 60);

	fake_says(f, 1, 0, NULL);
	json_decref(fake_source(f->engine, 1)->names);
	fake_source(f->engine, 1)->names = json_array();
	fake_imports(f, 1, NULL);
	fake_run(f);
	assert_answer(load, 1, "the host found no class");
	assert_loaded(f, "");
}

static void its_process_ends_while_it_is_imported(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = load_of(f, "foo-2.tls", 60);
	fake_says(f, 2, 0, NULL);
	in_state(f, CHANGE_IMPORTING);
	fake_source_gone(f->engine, fake_source(f->engine, 2), "Fatal Python error");
	assert_answer(load, 1, "Fatal Python error");
	assert_trace(f, "send bind", "");
	assert_loaded(f, "1*");
}

static void its_process_ends_while_it_starts(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", "{'Actors': {}}");
	fake_loaded(f, "foo-1.tls");
	fake_declare(&f->means, "foo", "{'Actors': {'a.A': {'OnLoad': {'Message': 1}}}}");
	struct fake_asked *load = load_of(f, "foo-2.tls", 60);
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	its_actor_is_silent(f, 2);
	fake_ends(f, 2);
	assert_answer(load, 1, "the host ended");
	assert_loaded(f, "1*");
}

static void its_process_ends_while_it_is_undone(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = starting(f);

	fake_failed(f->engine, fake_the(f, 2, "a.A"), "TypeError: no");
	fake_ends(f, 2);
	assert_answer(load, 1, "a.A (r): TypeError: no");
	assert_loaded(f, "1*");
}

/* Nothing was active before: nothing is. */
static void the_first_load_is_undone(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = load_of(f, "foo-1.tls", 60);

	fake_says(f, 1, 0, NULL);
	fake_imports(f, 1, "SyntaxError");
	in_state(f, CHANGE_STOPPING);
	fake_ends(f, 1);
	assert_answer(load, 1, "SyntaxError");
	assert_loaded(f, "");
	assert_trace(f, "forget audit", "forget 1, audit Undone 1: SyntaxError");
}

/* The load fails, and so does the actor that is started to come back: what came first is the reason. */
static void two_reasons(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = starting(f);

	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	fake_failed(f->engine, fake_the(f, 2, "a.A"), "TypeError: no");
	fake_ends(f, 2);
	fake_failed(f->engine, fake_the(f, 1, "a.A"), "ValueError: 1");
	assert_answer(load, 1, "a.A (r): TypeError: no");
}

/* --- the time of --wait is over --- */

static void overdue_while_it_waits(void **state)
{
	struct fake *f = *state;
	struct fake_asked *first = load_of(f, "foo-1.tls", 0);
	struct fake_asked *second = load_of(f, "foo-2.tls", 30);

	fake_clock_go(&f->clock, 29999);
	assert_no_answer(second);
	fake_clock_go(&f->clock, 1);
	assert_answer(second, 9, "its turn did not come in time");
	assert_no_answer(first);
	fake_run(f);
	assert_answer(first, 0, NULL);
	assert_loaded(f, "1*");
}

static void overdue_while_it_is_verified(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = load_of(f, "foo-1.tls", 30);

	fake_clock_go(&f->clock, 30000);
	assert_answer(load, 9, "it was not verified in time");
	assert_false(load->changed);
	assert_trace(f, "cancel", "cancel 1");
}

static void overdue_while_it_is_imported(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = load_of(f, "foo-1.tls", 30);

	fake_says(f, 1, 0, NULL);
	fake_clock_go(&f->clock, 30000);
	assert_no_answer(load);
	assert_true(fake_source(f->engine, 1)->stopping);
	fake_imports(f, 1, NULL); /* too late, and ignored */
	fake_run(f);
	assert_answer(load, 9, "its import did not end in time");
	assert_loaded(f, "");
}

static void overdue_while_it_starts(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = starting(f);

	fake_clock_go(&f->clock, 60000);
	assert_trace(f, "none", "");
	fake_up(f->engine, fake_the(f, 2, "a.A")); /* too late, and ignored */
	assert_trace(f, "send create", "");
	undone(f, load, 9, "a.A (r): was not made in time");
}

/* --- returning --- */

/* foo-1.tls is being made active again, and its actor is started for that. */
static struct fake_asked *returning(struct fake *f)
{
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	struct fake_asked *load = load_of(f, "foo-1.tls", 30);
	fake_says(f, 1, 0, NULL);
	in_state(f, CHANGE_RETURNING);
	return load;
}

static void a_return_that_goes_well(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = returning(f);

	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_loaded(f, "1* 2");
}

/* It is active all the same, and its actor is started again and again. */
static void a_return_whose_actor_fails(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = returning(f);

	fake_failed(f->engine, fake_the(f, 1, "a.A"), "TypeError: no");
	assert_answer(load, 1, "a.A (r): TypeError: no");
	assert_loaded(f, "1* 2");
	assert_trace(f, "bind", "bind n -"); /* nobody has it until the next start */
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 1");
	fake_run(f);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
	assert_true(fake_the(f, 1, "a.A")->pub.up);
}

/* The source before is active again, and it comes back by itself, at rest. */
static void a_return_whose_process_ends(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = returning(f);
	its_actor_is_silent(f, 1);
	fake_ends(f, 1);
	fake_run(f);
	assert_answer(load, 1, "the host ended");
	assert_loaded(f, "1 2*");
	assert_int_equal(fake_role(f, "r"), 2);
}

static void a_return_that_is_overdue(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = returning(f);

	fake_clock_go(&f->clock, 30000);
	assert_answer(load, 9, "a.A (r): was not made in time");
	assert_loaded(f, "1 2*");
	assert_trace(f, "send", "send 2 a.A 'again'");
}

/* --- clearing --- */

static void a_load_that_clears(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", "{'AutoUnload': True}");
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = load_of(f, "foo-2.tls", 30);
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	in_state(f, CHANGE_CLEARING);
	fake_ends(f, 1);
	assert_answer(load, 0, NULL);
	assert_loaded(f, "2*");
}

/* --- a state that is not written down --- */

static void a_load_that_is_not_written_down_is_undone(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = starting(f);

	f->means.fail_save = true;
	fake_up(f->engine, fake_the(f, 2, "a.A"));
	fake_taken(f->engine, fake_the(f, 2, "a.A"), NULL);
	f->means.fail_save = false;
	/* Names move when it is on disk, not before. */
	assert_trace(f, "save bind event", "save fails, event StateNotWritten 0: no space left");
	undone(f, load, 5, "no space left");
}

static void an_unload_that_is_not_written_down(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	f->means.fail_save = true;
	struct fake_asked *unload = fake_unload(f, 1);
	fake_run(f);
	assert_answer(unload, 5,
		      "foo-1.tls is unloaded, but that could not be written down: no space left");
	/* The next change writes it. */
	f->means.fail_save = false;
	fake_loaded(f, "bar-1.tls");
	assert_loaded(f, "4*");
}

/* Where the disk is full, what the store held makes room. */
static void an_unload_that_makes_room(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	unsigned saves = f->means.saves;
	f->means.fail_save = true;
	struct fake_asked *unload = fake_unload(f, 1);
	fake_run(f);
	assert_int_equal(f->means.saves, saves + 2);
	assert_int_equal(unload->answers, 1);
}

static void an_activation_that_is_not_written_down(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	f->means.fail_save = true;
	struct fake_asked *load = fake_load(f, "foo-1.tls");
	fake_run(f);
	assert_answer(load, 5,
		      "foo-1.tls is active, but that could not be written down: no space left");
	assert_int_equal(fake_role(f, "r"), 1);
	f->means.fail_save = false;
	fake_loaded(f, "bar-1.tls");
	assert_loaded(f, "4* 1* 2");
}

static void what_is_cleared_is_not_written_down(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", "{'AutoUnload': True}");
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = load_of(f, "foo-2.tls", 30);
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	f->means.fail_save = true;
	fake_run(f);
	assert_answer(load, 5,
		      "foo-1.tls is unloaded, but that could not be written down: no space left");
	f->means.fail_save = false;
	fake_loaded(f, "bar-1.tls");
	assert_loaded(f, "4* 2*");
}

/* --- all of it --- */

/* Imported, and then started: both are undone. */
static void it_is_revoked_meanwhile(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = load_of(f, "foo-2.tls", 60);
	fake_says(f, 2, 0, NULL);
	in_state(f, CHANGE_IMPORTING);
	fake_revoke(f, (const unsigned[]){ 2, 0 });
	in_state(f, CHANGE_STOPPING);
	fake_run(f);
	assert_answer(load, 7, "is revoked");
	load = fake_begun(f, "foo-3.tls", 3);
	in_state(f, CHANGE_STARTING);
	fake_revoke(f, (const unsigned[]){ 3, 0 });
	fake_run(f);
	assert_answer(load, 7, "is revoked");
	assert_loaded(f, "1*");
}

static void each_edge_was_taken(void **state)
{
	(void)state;
	for (int s = 0; s < CHANGE_STATES; s++)
		for (int e = 0; e < CHANGE_EVENTS; e++)
			if (known[s][e] && !seen[s][e])
				fail_msg("state %d, event %d", s, e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EDGE(an_actor_that_cannot_be_constructed),
		EDGE(an_actor_that_cannot_be_started),
		EDGE(an_actor_that_fails_its_message),
		EDGE(a_class_that_is_not_found),
		EDGE(its_process_ends_while_it_is_imported),
		EDGE(its_process_ends_while_it_starts),
		EDGE(its_process_ends_while_it_is_undone),
		EDGE(the_first_load_is_undone),
		EDGE(two_reasons),
		EDGE(overdue_while_it_waits),
		EDGE(overdue_while_it_is_verified),
		EDGE(overdue_while_it_is_imported),
		EDGE(overdue_while_it_starts),
		EDGE(a_return_that_goes_well),
		EDGE(a_return_whose_actor_fails),
		EDGE(a_return_whose_process_ends),
		EDGE(a_return_that_is_overdue),
		EDGE(a_load_that_clears),
		EDGE(a_load_that_is_not_written_down_is_undone),
		EDGE(an_unload_that_is_not_written_down),
		EDGE(an_unload_that_makes_room),
		EDGE(an_activation_that_is_not_written_down),
		EDGE(what_is_cleared_is_not_written_down),
		EDGE(it_is_revoked_meanwhile),
		cmocka_unit_test(each_edge_was_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
