/* SPDX-License-Identifier: MIT */
/* How actors are started, and started again: the Director's rules 3, 5 and 10 of tds(7). */
#include "daemon/director/model.h"
#include "daemon/director/rules.h"
#include "fake_world.h"
#include "unit.h"

static struct fake_actor *a(struct fake *f, unsigned number)
{
	return fake_the(f, number, "a.A");
}

/* --- 3: the order --- */

#define TWO                                                                       \
	"{'Actors': {'a.A': {'OnLoad': {'Message': 'load'}, "                     \
	"'OnDeactivate': {'Message': 'rest'}}, 'a.B': {'OnLoad': {'Message': 1}," \
	"'OnDeactivate': {'Message': 2}}}}"

static void the_old_rest_before_the_new_start(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", TWO);
	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	struct fake_asked *load = fake_begun(f, "foo-2.tls", 2);
	assert_trace(f, "send create", "send 1 a.A 'rest', send 1 a.B 2, create 2 a.A");
	fake_up(f->engine, a(f, 2));
	assert_trace(f, "send create", "send 2 a.A 'load'");
	fake_taken(f->engine, a(f, 2), NULL);
	assert_trace(f, "send create", "create 2 a.B");
	fake_up(f->engine, fake_the(f, 2, "a.B"));
	assert_trace(f, "send create save", "send 2 a.B 1");
	fake_taken(f->engine, fake_the(f, 2, "a.B"), NULL);
	assert_trace(f, "send create save", "save 1 2*");
	fake_run(f);
	assert_answer(load, 0, NULL);
}

#define MESSAGE(text) "{'Actors': {'a.A': {'OnLoad': {'Message': " text "}}}}"

static void message_is_sent(struct fake *f, const char *file, const char *declaration,
			    const char *sent)
{
	fake_declare(&f->means, "foo", declaration);
	fake_loaded(f, file);
	assert_trace(f, "send", sent);
	fake_unloaded(f, f->asked[f->nasked - 1].source);
}

static void what_is_a_message(void **state)
{
	struct fake *f = *state;

	message_is_sent(f, "foo-1.tls", MESSAGE("None"), "");
	message_is_sent(f, "foo-1.tls", MESSAGE("''"), "");
	message_is_sent(f, "foo-1.tls", MESSAGE("b''"), "");
	message_is_sent(f, "foo-1.tls", MESSAGE("()"), "");
	message_is_sent(f, "foo-1.tls", MESSAGE("[]"), "");
	message_is_sent(f, "foo-1.tls", MESSAGE("{}"), "");
	message_is_sent(f, "foo-1.tls", MESSAGE("0"), "send 1 a.A 0");
	message_is_sent(f, "foo-1.tls", MESSAGE("False"), "send 1 a.A False");
	message_is_sent(f, "foo-1.tls", MESSAGE("0.0"), "send 1 a.A 0.0");
	message_is_sent(f, "foo-1.tls", "{'Actors': {'a.A': {'OnLoad': {}}}}", "");
	message_is_sent(f, "foo-1.tls", "{'Actors': {'a.A': {}}}", "");
}

/* 500 KiB with its quotes are taken, a byte more is not; and that is said when the signature holds, not before. */
static void a_long_message(void **state)
{
	struct fake *f = *state;
	size_t limit = 500 << 10;
	char *text = malloc(limit + 100);

	for (size_t extra = 0; extra < 2; extra++) {
		char *end = text + sprintf(text, "{'Actors': {'a.A': {'OnLoad': {'Message': '");
		memset(end, 'x', limit - 2 + extra);
		strcpy(end + limit - 2 + extra, "'}}}}");
		fake_declare(&f->means, "foo", text);
		if (extra == 0)
			fake_loaded(f, "foo-1.tls");
	}
	free(text);
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	assert_no_answer(load);
	fake_says(f, 2, 7, "no key validates it");
	assert_answer(load, 7, "no key validates it");
	load = fake_load(f, "foo-2.tls");
	fake_run(f);
	assert_answer(load, 1, "a.A: its OnLoad message is longer than 512000 bytes");
	assert_loaded(f, "1*");
}

static void nothing_to_start(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", "{}");
	fake_loaded(f, "foo-1.tls");
	assert_loaded(f, "1*");
	assert_trace(f, "create", "");
}

/* --- 5: taken --- */

static void taken_when_its_handler_has_returned(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_begun(f, "foo-1.tls", 1);

	fake_up(f->engine, a(f, 1));
	fake_clock_go(&f->clock, 4999);
	assert_loaded(f, "");
	fake_taken(f->engine, a(f, 1), NULL);
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_int_equal(json_array_size(load->warnings), 0);
	assert_loaded(f, "1*");
}

static void taken_after_5_seconds(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_begun(f, "foo-1.tls", 1);

	fake_up(f->engine, a(f, 1));
	fake_clock_go(&f->clock, 4999);
	assert_no_answer(load);
	fake_clock_go(&f->clock, 1);
	assert_answer(load, 0, NULL);
	assert_string_equal(
		json_string_value(json_array_get(load->warnings, 0)),
		"a.A (r): still at its OnLoad message after 5 seconds, which counts as taken");
	assert_loaded(f, "1*");
	/* How it ends then is nobody's concern, and no stray answer. */
	fake_taken(f->engine, a(f, 1), "ValueError: 1");
	assert_loaded(f, "1*");
	assert_int_equal(director_strays(f->director), 0);
}

static void done(struct fake *f, struct fake_actor *actor, const char *ref, const char *error)
{
	f->engine->events->message_done(f->engine->ctx, &actor->pub, ref, error);
}

/* It is neither taken nor failed for what others say of it, nor for references that were guessed, none or those of others. */
static void of_no_other_reference(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "bar-1.tls");
	struct fake_asked *load = fake_begun(f, "foo-1.tls", 1);
	struct fake_actor *other = fake_the(f, 4, "b.B");
	struct fake_actor *stranger = fake_stranger(f->engine, fake_source(f->engine, 1), "s");
	fake_up(f->engine, a(f, 1));
	for (int i = 0; i < 3; i++) {
		done(f, other, a(f, 1)->ref, i ? "ValueError: 1" : NULL);
		done(f, stranger, a(f, 1)->ref, i ? "ValueError: 1" : NULL);
		done(f, a(f, 1), (const char *[]){ "", "1", "00000000000000000000000000000001" }[i],
		     "ValueError: 1");
	}
	assert_no_answer(load);
	assert_int_equal(director_strays(f->director), 9);
	fake_taken(f->engine, a(f, 1), NULL);
	fake_run(f);
	assert_answer(load, 0, NULL);
}

/* 128 bits, which are others each time. */
static void a_reference_of_its_own(void **state)
{
	struct fake *f = *state;
	char before[REFERENCE_SIZE];

	(void)fake_begun(f, "foo-1.tls", 1);
	fake_up(f->engine, a(f, 1));
	memcpy(before, a(f, 1)->ref, sizeof(before));
	assert_int_equal(strspn(before, "0123456789abcdef"), 32);
	fake_taken(f->engine, a(f, 1), NULL);
	fake_run(f);
	(void)fake_begun(f, "foo-2.tls", 2);
	fake_up(f->engine, a(f, 2));
	assert_int_equal(strspn(a(f, 2)->ref, "0123456789abcdef"), 32);
	assert_string_not_equal(a(f, 2)->ref, before);
}

static void failed_by_an_exception(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_begun(f, "foo-2.tls", 2);
	fake_up(f->engine, a(f, 2));
	fake_taken(f->engine, a(f, 2), "ValueError: 1");
	fake_run(f);
	assert_answer(load, 1, "a.A (r): its OnLoad message: ValueError: 1");
	assert_loaded(f, "1*");
}

static void failed_by_its_exit(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_begun(f, "foo-1.tls", 1);

	fake_up(f->engine, a(f, 1));
	fake_exited(f->engine, a(f, 1), "exited with status 3");
	fake_run(f);
	assert_answer(load, 1, "a.A (r): at its OnLoad message: exited with status 3");
	assert_loaded(f, "");
}

/* --- 10: started again --- */

static unsigned restarts(struct fake *f)
{
	return f->director->groups->next->active->declared[0].restarts;
}

/* The actor exits; it is started again after so long, and up to a quarter more, and not before. */
static void exits_and_waits(struct fake *f, int64_t ms)
{
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	int64_t due = fake_clock_due_ms(&f->clock);
	if (due < ms || due > ms + ms / 4)
		fail_msg("started again after %d ms, not %d", (int)due, (int)ms);
	fake_clock_go(&f->clock, due);
	fake_run(f);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
}

/* foo is behind bar in the list, which has to be there for restarts(). */
static void two_groups(struct fake *f)
{
	fake_loaded(f, "bar-1.tls");
	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
}

static void the_first_exit_starts_it_at_once(void **state)
{
	struct fake *f = *state;

	two_groups(f);
	exits_and_waits(f, 0);
	assert_int_equal(restarts(f), 1);
	assert_trace(f, "create send bind event",
		     "event ActorExited 1: exited with status 0, create 1 a.A, send 1 a.A 'load', "
		     "bind n 1 a.A, event ActorStarted 1");
}

static void each_further_exit_doubles_the_delay(void **state)
{
	static const int64_t delays[] = { 0,    100,  200,   400,   800,   1600,
					  3200, 6400, 12800, 25600, 30000, 30000 };
	struct fake *f = *state;

	two_groups(f);
	for (size_t i = 0; i < COUNT(delays); i++)
		exits_and_waits(f, delays[i]);
	assert_int_equal(restarts(f), COUNT(delays));
}

static void a_minute_of_life_begins_anew(void **state)
{
	struct fake *f = *state;

	two_groups(f);
	exits_and_waits(f, 0);
	exits_and_waits(f, 100);
	fake_clock_go(&f->clock, 59999);
	exits_and_waits(f, 200);
	fake_clock_go(&f->clock, 60000);
	exits_and_waits(f, 0);
	assert_int_equal(restarts(f), 1);
	exits_and_waits(f, 100);
}

/* One that failed, or whose process cannot be started, is tried again as well. */
static void a_start_that_fails(void **state)
{
	struct fake *f = *state;

	two_groups(f);
	f->engine->fail_create = true;
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	fake_clock_go(&f->clock, 0);
	assert_null(fake_actor(f->engine, 1, "a.A"));
	assert_int_equal(fake_clock_due_ms(&f->clock), 30000);
	f->engine->fail_create = false;
	fake_clock_go(&f->clock, 30000);
	fake_exited(f->engine, a(f, 1), "exited with status 1 before it was ready");
	fake_clock_go(&f->clock, 37500);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
}

static void what_is_unloaded_is_not_started_again(void **state)
{
	struct fake *f = *state;

	two_groups(f);
	struct fake_asked *unload = fake_unload(f, 1);
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	assert_int_equal(fake_clock_due_ms(&f->clock), -1);
	fake_run(f);
	assert_answer(unload, 0, NULL);
	assert_trace(f, "create", "");
}

/* It had taken its message, and exits while the next one is started: it is started again when its source is active. */
static void an_exit_before_its_source_is_active(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", TWO);
	struct fake_asked *load = fake_begun(f, "foo-1.tls", 1);
	fake_up(f->engine, a(f, 1));
	fake_taken(f->engine, a(f, 1), NULL);
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	fake_clock_go(&f->clock, 100);
	assert_null(fake_actor(f->engine, 1, "a.A"));
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
}

/* Its actor is being started again while another source takes over: OnLoad comes first, then it is told to rest. */
static void it_starts_while_it_is_replaced(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	fake_clock_go(&f->clock, 0);
	assert_trace(f, "none", "");
	fake_begun(f, "foo-2.tls", 2);
	assert_trace(f, "send", "");
	fake_up(f->engine, a(f, 1));
	assert_trace(f, "send", "send 1 a.A 'load', send 1 a.A 'rest'");
}

/* And where that comes to nothing, it has only been started. */
static void it_starts_while_it_is_replaced_in_vain(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	fake_clock_go(&f->clock, 0);
	assert_trace(f, "none", "");
	fake_begun(f, "foo-2.tls", 2);
	fake_failed(f->engine, a(f, 2), "TypeError: no");
	fake_ends(f, 2);
	fake_up(f->engine, a(f, 1));
	assert_trace(f, "send", "send 1 a.A 'load'");
	assert_int_equal(fake_role(f, "r"), 1);
	assert_string_equal(a(f, 1)->name, "n");
}

static json_t *listed(const json_t *all)
{
	const json_t *foo = json_object_get(json_object_get(all, "Groups"), "foo");
	const char *hash = json_string_value(json_object_get(foo, "ActiveHash"));

	return json_array_get(json_object_get(json_object_get(foo, "Running"), hash), 0);
}

static void list_says_how_often_and_when(void **state)
{
	struct fake *f = *state;

	two_groups(f);
	exits_and_waits(f, 0);
	fake_exited(f->engine, a(f, 1), "killed by signal 9");
	json_t *all = director_retrieve_all(f->director, "foo");
	json_t *actor = listed(all);
	assert_int_equal(json_integer_value(json_object_get(actor, "Restarts")), 2);
	assert_string_equal(json_string_value(json_object_get(actor, "LastEnd")),
			    "killed by signal 9");
	assert_true(json_is_string(json_object_get(actor, "NextStart")));
	assert_true(json_is_null(json_object_get(actor, "ActorAddress")));
	json_decref(all);
	all = director_restarted(f->director);
	assert_int_equal(json_array_size(all), 1);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(the_old_rest_before_the_new_start),
		IN_WORLD(what_is_a_message),
		IN_WORLD(a_long_message),
		IN_WORLD(nothing_to_start),
		IN_WORLD(taken_when_its_handler_has_returned),
		IN_WORLD(taken_after_5_seconds),
		IN_WORLD(of_no_other_reference),
		IN_WORLD(a_reference_of_its_own),
		IN_WORLD(failed_by_an_exception),
		IN_WORLD(failed_by_its_exit),
		IN_WORLD(the_first_exit_starts_it_at_once),
		IN_WORLD(each_further_exit_doubles_the_delay),
		IN_WORLD(a_minute_of_life_begins_anew),
		IN_WORLD(a_start_that_fails),
		IN_WORLD(what_is_unloaded_is_not_started_again),
		IN_WORLD(an_exit_before_its_source_is_active),
		IN_WORLD(it_starts_while_it_is_replaced),
		IN_WORLD(it_starts_while_it_is_replaced_in_vain),
		IN_WORLD(list_says_how_often_and_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
