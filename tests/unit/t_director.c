/* SPDX-License-Identifier: MIT */
/* What is loaded, and what is active: the Director's rules 1, 2, 8 and 12 of tds(7). */
#include "fake_world.h"
#include "unit.h"

/* --- 1: what is loaded --- */

static void a_group_means_its_newest_package(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_load(f, "foo");

	assert_trace(f, "verify", "verify 3");
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_int_equal(load->source, 3);
	assert_true(load->changed);
	assert_loaded(f, "3*");
}

static void a_file_means_that_file(void **state)
{
	struct fake *f = *state;

	assert_int_equal(fake_loaded(f, "foo-1.tls")->source, 1);
	assert_loaded(f, "1*");
}

static void what_is_not_there_is_not_loaded(void **state)
{
	struct fake *f = *state;

	assert_answer(fake_load(f, "nothing"), 4, "no such group");
	fake_declare(&f->means, "baz", "{}");
	assert_answer(fake_load(f, "baz"), 4, "no package");
	assert_trace(f, "audit verify",
		     "audit Refused 0: no such group, audit Refused 0: no package");
}

/* What the declaration says when the load begins, and not what it said at the load before. */
static void a_declaration_is_read_anew(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_declare(&f->means, "foo", "{'Actors': {'a.New': {}}}");
	fake_loaded(f, "foo-2.tls");
	assert_non_null(fake_actor(f->engine, 2, "a.New"));
	assert_null(fake_actor(f->engine, 2, "a.A"));
}

static void a_source_keeps_its_declaration(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_declare(&f->means, "foo", "{'Actors': {'a.New': {}}}");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	fake_run(f);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
	fake_crash(f);
	fake_run(f);
	assert_true(f->restored);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
	assert_null(fake_actor(f->engine, 1, "a.New"));
}

static void what_is_active_stays(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo");
	assert_trace(f, "none", "");
	assert_false(fake_loaded(f, "foo")->changed);
	assert_trace(f, "verify load create send keep unload", "");
	f->means.changed = true;
	assert_false(fake_loaded(f, "foo")->changed);
	assert_trace(f, "verify load create send keep unload", "verify 3");
	assert_loaded(f, "3*");
}

static void what_is_loaded_is_made_active(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	assert_loaded(f, "1 2*");
	assert_true(fake_loaded(f, "foo-1.tls")->changed);
	assert_loaded(f, "1* 2");
	assert_trace(f, "load send bind audit",
		     "send 2 a.A 'rest', send 1 a.A 'again', audit Activated 1, bind n 1 a.A");
}

static void a_declaration_at_fault(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", "{'Actors': 1");
	assert_int_equal(fake_load(f, "foo")->status, 1);
	fake_run(f);
	assert_trace(f, "verify", "");
}

/* --- 2: first the signature --- */

static void a_refused_package_changes_nothing(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 7, "no key validates it");
	fake_run(f);
	assert_answer(load, 7, "no key validates it");
	assert_false(load->changed);
	assert_trace(f, "send load create keep unload bind save audit",
		     "audit Refused 0: no key validates it");
	assert_loaded(f, "1*");
}

static void nothing_is_done_before_the_verdict(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_load(f, "foo");

	fake_clock_go(&f->clock, 50000);
	assert_trace(f, "verify load create send keep save", "verify 3");
	assert_int_equal(f->engine->prepared, 1);
	assert_no_answer(load);
}

static void the_verifier_cannot_be_started(void **state)
{
	struct fake *f = *state;

	f->means.fail_verify = true;
	assert_answer(fake_load(f, "foo"), 1, "the verifier could not be started");
	assert_loaded(f, "");
}

/* All that can be known is known before the active source is told anything. */
static void imports_come_before_the_rest(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	assert_trace(f, "send load", "load 1, send 1 a.A 'load', load 2");
	fake_imports(f, 2, "ImportError: no such module");
	assert_trace(f, "send", "");
	assert_no_answer(load);
	fake_run(f);
	assert_answer(load, 1, "ImportError: no such module");
	assert_trace(f, "send bind create", "");
	assert_loaded(f, "1*");
}

static void one_md5_is_one_source(void **state)
{
	struct fake *f = *state;

	f->means.packages[1].md5 = 1;
	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_run(f);
	assert_answer(load, 1, "another source of the same source hash is loaded");
	assert_loaded(f, "1*");
}

static void a_package_that_is_not_kept_is_not_loaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	f->means.fail_keep = true;
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_run(f);
	assert_answer(load, 5, "no space left");
	assert_loaded(f, "1*");
	assert_null(fake_source(f->engine, 2));
}

static void no_process_for_a_source(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	f->engine->fail_load = true;
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	fake_run(f);
	assert_answer(load, 1, "no process could be started");
	assert_loaded(f, "1*");
	assert_trace(f, "forget", "forget 2");
}

/* --- 8: refresh --- */

struct refreshed {
	unsigned answers;
	int status;
	json_t *results;
};

static void on_refreshed(void *ctx, json_t *results, int status)
{
	struct refreshed *r = ctx;

	r->answers++;
	r->status = status;
	json_decref(r->results);
	r->results = results;
}

static void refresh(struct fake *f, bool retry, int status)
{
	struct refreshed r = { 0 };

	director_refresh(f->director, 60, retry, NULL, on_refreshed, &r);
	fake_run(f);
	assert_int_equal(r.answers, 1);
	assert_int_equal(r.status, status);
	json_decref(r.results);
}

static void refresh_loads_the_newest_of_each(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	refresh(f, false, 0);
	assert_loaded(f, "6* 1 3*");
	assert_trace(f, "verify", "verify 1, verify 3, verify 6");
	refresh(f, false, 0);
	assert_trace(f, "verify load send create", "");
}

static void a_failure_stops_no_other_group(void **state)
{
	struct fake *f = *state;
	struct refreshed r = { 0 };

	director_refresh(f->director, 60, false, NULL, on_refreshed, &r);
	fake_says(f, 3, 7, "no key validates it");
	assert_int_equal(r.answers, 0);
	fake_run(f);
	assert_int_equal(r.answers, 1);
	assert_int_equal(r.status, 7);
	assert_int_equal(json_array_size(r.results), 2);
	json_decref(r.results);
	assert_loaded(f, "6*");
}

static void refresh_without_groups(void **state)
{
	struct fake *f = *state;

	f->means.fail_list = true;
	refresh(f, false, 5);
}

/* Its end is not told any more; what it has gathered goes with the Director. */
static void the_end_in_a_refresh(void **state)
{
	struct fake *f = *state;
	struct refreshed r = { 0 };

	director_refresh(f->director, 60, false, NULL, on_refreshed, &r);
	fake_says(f, 3, 7, "no key validates it");
	fake_crash(f);
	assert_int_equal(r.answers, 0);
}

static void refresh_leaves_the_undone_alone(void **state)
{
	struct fake *f = *state;
	struct fake_asked *load = fake_load(f, "foo");

	fake_says(f, 3, 0, NULL);
	fake_imports(f, 3, "SyntaxError");
	fake_run(f);
	assert_answer(load, 1, "SyntaxError");
	refresh(f, false, 1);
	assert_loaded(f, "6*");
	refresh(f, true, 0);
	assert_loaded(f, "6* 3*");
}

static void a_new_admin_has_forgotten_the_undone(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo");
	fake_says(f, 3, 0, NULL);
	fake_imports(f, 3, "SyntaxError");
	fake_run(f);
	fake_crash(f);
	refresh(f, false, 0);
	assert_loaded(f, "6* 3*");
}

/* --- 12: shutdown --- */

static void on_gone(void *ctx)
{
	struct fake *f = ctx;

	assert_false(f->gone);
	f->gone = true;
}

static void shutdown_tells_nobody_to_rest(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "bar-1.tls");
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	assert_trace(f, "none", "");
	director_stop(f->director, on_gone, f);
	assert_false(f->gone);
	assert_trace(f, "cancel send unload stop", "unload 4, cancel 2, unload 1, stop");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	fake_ends(f, 1);
	fake_clock_go(&f->clock, 100000);
	assert_false(f->gone);
	fake_ends(f, 4);
	assert_true(f->gone);
	assert_trace(f, "create send load verify", "");
	assert_no_answer(load);
}

/* A source that waits for its return, and an actor that waits for its next start, do so no more. */
static void shutdown_of_what_waits(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "bar-1.tls");
	fake_loaded(f, "foo-1.tls");
	for (int i = 0; i < 2; i++) {
		fake_ends(f, 1);
		fake_exited(f->engine, fake_the(f, 4, "b.B"), "exited with status 0");
		if (i == 0)
			fake_run(f);
	}
	assert_trace(f, "none", "");
	director_stop(f->director, on_gone, f);
	assert_int_equal(fake_clock_due_ms(&f->clock), -1);
	fake_ends(f, 4);
	assert_true(f->gone);
}

static void shutdown_of_nothing(void **state)
{
	struct fake *f = *state;

	director_stop(f->director, on_gone, f);
	assert_true(f->gone);
}

/* --- what the engine tells is told on --- */

static void what_actors_say(void **state)
{
	struct fake *f = *state;
	struct payload payload = { .encoding = ENCODING_LITERAL, .data = "1", .len = 1 };

	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	const struct engine_events *events = f->engine->events;
	void *ctx = f->engine->ctx;
	struct fake_actor *actor = fake_the(f, 1, "a.A");
	(void)snprintf(actor->pub.address, ENGINE_ADDRESS_MAX, "1.5");
	events->output(ctx, &actor->of->pub, &actor->pub, 0, "a line", 6);
	events->output(ctx, &actor->of->pub, NULL, 0, "its host", 8);
	events->logged(ctx, &actor->pub, NULL);
	events->director_asked(ctx,
			       &(struct engine_asker){ .kind = TDS_ASKER_ACTOR,
						       .source = &actor->of->pub,
						       .id = 5 },
			       &payload);
	events->undelivered(ctx, 77);
	events->shutdown_asked(ctx, NULL);
	events->shutdown_asked(ctx, &(struct engine_asker){ .kind = TDS_ASKER_ACTOR,
							    .source = &actor->of->pub,
							    .actor = &actor->pub,
							    .address = "1.5" });
	assert_trace(f, "output record question told shutdown",
		     "output foo r 1.5: a line, output foo - -: its host, record 1.5, "
		     "question 5 4 1, told 77: the actor is gone, and never got the message, "
		     "shutdown, shutdown by 1.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_group_means_its_newest_package),
		IN_WORLD(a_file_means_that_file),
		IN_WORLD(what_is_not_there_is_not_loaded),
		IN_WORLD(a_declaration_is_read_anew),
		IN_WORLD(a_source_keeps_its_declaration),
		IN_WORLD(what_is_active_stays),
		IN_WORLD(what_is_loaded_is_made_active),
		IN_WORLD(a_declaration_at_fault),
		IN_WORLD(a_refused_package_changes_nothing),
		IN_WORLD(nothing_is_done_before_the_verdict),
		IN_WORLD(the_verifier_cannot_be_started),
		IN_WORLD(imports_come_before_the_rest),
		IN_WORLD(one_md5_is_one_source),
		IN_WORLD(a_package_that_is_not_kept_is_not_loaded),
		IN_WORLD(no_process_for_a_source),
		IN_WORLD(refresh_loads_the_newest_of_each),
		IN_WORLD(a_failure_stops_no_other_group),
		IN_WORLD(refresh_without_groups),
		IN_WORLD(the_end_in_a_refresh),
		IN_WORLD(refresh_leaves_the_undone_alone),
		IN_WORLD(a_new_admin_has_forgotten_the_undone),
		IN_WORLD(shutdown_tells_nobody_to_rest),
		IN_WORLD(shutdown_of_what_waits),
		IN_WORLD(shutdown_of_nothing),
		IN_WORLD(what_actors_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
