/* SPDX-License-Identifier: MIT */
/* Health checks, and ready-first: what tds(7) adds to rule 3. */
#include "fake_world.h"
#include "unit.h"

static struct fake_actor *a(struct fake *f, unsigned number)
{
	return fake_the(f, number, "a.A");
}

/* --- health --- */

#define HEALTHY                                                             \
	"{'Health': {'Message': 'well?', 'Timeout': 2}, 'Actors': {'a.A': " \
	"{'OnLoad': {'Message': 'load'}, 'OnDeactivate': {'Message': 'rest'}}}}"

/* Until its health check is due. */
static struct fake_asked *asked_how_it_is(struct fake *f, const char *declaration)
{
	fake_declare(&f->means, "foo", declaration);
	struct fake_asked *load = fake_begun(f, "foo-2.tls", 2);
	fake_up(f->engine, a(f, 2));
	if (a(f, 2)->ref[0]) /* the OnLoad message comes first */
		fake_taken(f->engine, a(f, 2), NULL);
	assert_int_not_equal(a(f, 2)->endpoint, 0);
	return load;
}

static void a_healthy_actor(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);

	assert_trace(f, "send", "send 2 a.A 'load', send 2 a.A 'well?'");
	fake_clock_go(&f->clock, 1999);
	assert_loaded(f, "");
	assert_true(fake_answer(f->engine, a(f, 2), ENCODING_LITERAL));
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_loaded(f, "2*");
}

static void no_answer_in_time(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);
	fake_clock_go(&f->clock, 2000);
	fake_run(f);
	assert_answer(load, 1, "a.A: did not answer its health check in time");
	assert_loaded(f, "1*");
}

static void five_seconds_by_default(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load =
		asked_how_it_is(f, "{'Actors': {'a.A': {'Health': {'Message': 'well?'}}}}");

	fake_clock_go(&f->clock, 4999);
	assert_false(fake_the(f, 2, "a.A")->of->stopping);
	fake_clock_go(&f->clock, 1);
	assert_true(fake_the(f, 2, "a.A")->of->stopping);
	fake_run(f);
	assert_answer(load, 1, "a.A: did not answer its health check in time");
}

/* An actor of another source knows where the answer goes: it is neither well nor ill for the one that was asked. */
static void another_source_does_not_answer(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "bar-1.tls");
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);
	struct fake_actor *other = fake_the(f, 4, "b.B");
	assert_true(fake_forge(f->engine, other, a(f, 2), ENCODING_LITERAL));
	assert_true(fake_forge(f->engine, other, a(f, 2), ENCODING_POISON));
	assert_no_answer(load);
	assert_int_equal(director_strays(f->director), 2);
	assert_true(fake_answer(f->engine, a(f, 2), ENCODING_LITERAL));
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_int_equal(director_strays(f->director), 2);
}

/* A leader hands the question to one of its workers, which is of its source. */
static void another_actor_of_the_source_may_answer(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);
	struct fake_actor *worker = fake_stranger(f->engine, fake_source(f->engine, 2), "worker");

	assert_true(fake_forge(f->engine, worker, a(f, 2), ENCODING_LITERAL));
	fake_run(f);
	assert_answer(load, 0, NULL);
}

static void a_poison_message_is_no_answer(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);

	assert_true(fake_answer(f->engine, a(f, 2), ENCODING_POISON));
	fake_run(f);
	assert_answer(load, 1, "a.A: failed its health check");
	assert_loaded(f, "");
}

static void an_exit_is_no_answer(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);

	fake_exited(f->engine, a(f, 2), "exited with status 0");
	fake_run(f);
	assert_answer(load, 1, "a.A: at its health check: exited with status 0");
}

static void the_answer_to_another_question(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = asked_how_it_is(f, HEALTHY);
	uint64_t endpoint = a(f, 2)->endpoint;

	a(f, 2)->endpoint = endpoint + 1;
	(void)fake_answer(f->engine, a(f, 2), ENCODING_LITERAL);
	assert_no_answer(load);
	a(f, 2)->endpoint = endpoint;
	(void)fake_answer(f->engine, a(f, 2), ENCODING_LITERAL);
	assert_answer(load, 0, NULL);
}

/* What comes too late, or to nobody, is the watch's. */
static void an_answer_that_nobody_waits_for(void **state)
{
	struct fake *f = *state;

	asked_how_it_is(f, HEALTHY);
	uint64_t endpoint = a(f, 2)->endpoint;
	fake_run(f);
	a(f, 2)->endpoint = endpoint;
	assert_trace(f, "none", "");
	f->questioned = a(f, 2)->of->pub.number;
	(void)fake_answer(f->engine, a(f, 2), ENCODING_LITERAL);
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "answer %ju 'fine'", (uintmax_t)endpoint);
	assert_trace(f, "answer", expected);
}

/* --- ready-first --- */

#define READY_FIRST                                                                              \
	"{'Activate': 'ready-first', 'Health': {'Message': None}, 'Actors': {'a.A': {'OnLoad': " \
	"{'Role': "                                                                              \
	"'r', 'GlobalName': 'n', 'Message': 'load'}, 'OnDeactivate': {'Message': 'rest'}}}}"

static void ready_before_the_old_rest(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", READY_FIRST);
	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	struct fake_asked *load = asked_how_it_is(f, READY_FIRST);
	assert_trace(f, "send bind create", "create 2 a.A, send 2 a.A 'load', send 2 a.A None");
	assert_string_equal(a(f, 1)->name, "n");
	(void)fake_answer(f->engine, a(f, 2), ENCODING_LITERAL);
	assert_trace(f, "send bind create save", "send 1 a.A 'rest', save 1 2*, bind n 2 a.A");
	fake_run(f);
	assert_answer(load, 0, NULL);
}

/* One that is not ready in the end was never noticed by the old ones. */
static void not_ready(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", READY_FIRST);
	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	struct fake_asked *load = asked_how_it_is(f, READY_FIRST);
	(void)fake_answer(f->engine, a(f, 2), ENCODING_POISON);
	fake_run(f);
	assert_answer(load, 1, "a.A (r): failed its health check");
	assert_trace(f, "send bind", "send 2 a.A 'load', send 2 a.A None");
	assert_loaded(f, "1*");
	assert_string_equal(a(f, 1)->name, "n");
}

/* An old actor that exits meanwhile is started again as at any other time. */
static void the_old_are_kept_up(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", READY_FIRST);
	fake_loaded(f, "foo-1.tls");
	asked_how_it_is(f, READY_FIRST);
	fake_exited(f->engine, a(f, 1), "exited with status 0");
	assert_trace(f, "none", "");
	fake_clock_go(&f->clock, 0);
	assert_trace(f, "create", "create 1 a.A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_healthy_actor),
		IN_WORLD(no_answer_in_time),
		IN_WORLD(five_seconds_by_default),
		IN_WORLD(another_source_does_not_answer),
		IN_WORLD(another_actor_of_the_source_may_answer),
		IN_WORLD(a_poison_message_is_no_answer),
		IN_WORLD(an_exit_is_no_answer),
		IN_WORLD(the_answer_to_another_question),
		IN_WORLD(an_answer_that_nobody_waits_for),
		IN_WORLD(ready_before_the_old_rest),
		IN_WORLD(not_ready),
		IN_WORLD(the_old_are_kept_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
