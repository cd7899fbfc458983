/* SPDX-License-Identifier: MIT */
/* Revocation of what runs: what ends, whatever is under way, and what is active then. */
#include "daemon/director/model.h"
#include "daemon/director/rules.h"
#include "fake_world.h"
#include "unit.h"

#define KEY 0x100      /* that validates all packages of the world */
#define KEY_FILE 0x200 /* its file */
#define REVOKES(...) fake_revoke(f, (const unsigned[]){ __VA_ARGS__, 0 })

/* All of this is loaded, in order, and the last one active. */
static void are_loaded(struct fake *f, unsigned n)
{
	char file[16];

	for (unsigned i = 1; i <= n; i++) {
		(void)snprintf(file, sizeof(file), "foo-%u.tls", i);
		fake_loaded(f, file);
	}
	assert_trace(f, "none", "");
}

static void what_runs_ends(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	REVOKES(2);
	assert_trace(f, "unload", "unload 2");
	fake_run(f);
	assert_trace(f, "audit", "audit Revoked 2: is revoked, audit Activated 1");
	assert_loaded(f, "1*");
	assert_stored(f, "1");
	/* Once is enough. */
	REVOKES(2);
	fake_run(f);
	assert_trace(f, "unload event", "");
}

static void a_key_ends_all_that_it_validated(void **state)
{
	struct fake *f = *state;

	f->means.packages[0].key = 1;
	are_loaded(f, 3);
	REVOKES(KEY);
	fake_run(f);
	assert_loaded(f, "1*");
	REVOKES(KEY_FILE + 1);
	fake_run(f);
	assert_trace(f, "audit",
		     "audit Revoked 3: its key is revoked, audit Activated 1, audit Revoked 2: "
		     "its key is revoked, audit Revoked 1: its key is revoked");
	assert_loaded(f, "");
}

static void one_that_is_not_active(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	REVOKES(1);
	fake_run(f);
	assert_trace(f, "audit", "audit Revoked 1: is revoked");
	assert_loaded(f, "2*");
}

static void digests_of_nothing_end_nothing(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	REVOKES(7, 99);
	director_revoke(f->director, NULL);
	fake_run(f);
	assert_trace(f, "unload event", "");
	assert_loaded(f, "1 2*");
}

/* What is to be active is verified first: keys may have gone meanwhile, which ends nothing by itself. */
static void the_highest_that_still_verifies(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 3);
	REVOKES(3);
	fake_ends(f, 3);
	assert_trace(f, "verify", "verify 2");
	fake_says(f, 2, 7, "no key validates it");
	fake_run(f);
	assert_trace(f, "audit", "audit Refused 2: no key validates it, audit Activated 1");
	assert_loaded(f, "1* 2");
	/* Nor does it come back later, until somebody loads it. */
	fake_unloaded(f, 1);
	assert_loaded(f, "2");
	fake_loaded(f, "foo-2.tls");
	assert_loaded(f, "2*");
}

static void where_nothing_verifies_nothing_is_active(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	REVOKES(2);
	fake_ends(f, 2);
	fake_says(f, 1, 7, "no key validates it");
	fake_run(f);
	assert_loaded(f, "1");
	assert_trace(f, "launch", "");
}

static void a_hold_does_not_keep_it(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	(void)fake_hold(f, "foo", NULL);
	REVOKES(2);
	fake_run(f);
	assert_loaded(f, "1*");
	assert_wanted(f, "foo", "2: 2 1");
	struct fake_asked *asked = fake_load(f, "foo-3.tls");
	fake_run(f);
	assert_int_equal(asked->status, 1);
}

/* --- whatever is under way --- */

static void while_it_is_verified(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 1);
	struct fake_asked *asked = fake_load(f, "foo-2.tls");
	REVOKES(2);
	/* The verifier looked before. */
	fake_says(f, 2, 0, NULL);
	fake_run(f);
	assert_answer(asked, 7, "is revoked");
	assert_loaded(f, "1*");
}

static void while_it_is_imported_or_started(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 1);
	struct fake_asked *asked = fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	REVOKES(2);
	fake_run(f);
	assert_answer(asked, 7, "is revoked");
	assert_loaded(f, "1*");
	asked = fake_begun(f, "foo-3.tls", 3);
	REVOKES(3);
	fake_run(f);
	assert_answer(asked, 7, "is revoked");
	assert_loaded(f, "1*");
}

/* A load is under way, and what it would come back to goes. */
static void what_a_load_would_come_back_to(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	struct fake_asked *asked = fake_begun(f, "foo-3.tls", 3);
	REVOKES(2);
	fake_ends(f, 2);
	fake_ends(f, 3);
	fake_run(f);
	assert_int_equal(asked->status, 1);
	assert_loaded(f, "1*");
}

static void while_it_comes_back(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	fake_ends(f, 2);
	REVOKES(2);
	fake_run(f);
	assert_loaded(f, "1*");
	/* And after a crash: it is on its way, and the verifier looked before. */
	fake_loaded(f, "foo-3.tls");
	fake_crash(f);
	REVOKES(3);
	fake_run(f);
	assert_loaded(f, "1*");
	assert_true(f->restored);
}

/* It waits for its next try, of which there will be none. */
static void while_it_is_lost(void **state)
{
	struct fake *f = *state;

	are_loaded(f, 2);
	for (unsigned i = 0; i < 3; i++) {
		fake_ends(f, 2);
		fake_run(f);
		fake_run_ms(f, 1000);
	}
	fake_ends(f, 2);
	assert_trace(f, "none", "");
	REVOKES(2);
	fake_run(f);
	assert_trace(f, "audit", "audit Revoked 2: is revoked, audit Activated 1");
	fake_run_ms(f, 60000);
	assert_loaded(f, "1*");
}

static void while_it_is_made_active(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo",
		     "{'Actors': {'a.A': {'OnLoad': {'Role': 'foo'}, 'OnReactivate': {'Message': "
		     "1}}}}");
	are_loaded(f, 3);
	struct fake_actor *actor = fake_the(f, 2, "a.A");
	assert_non_null(actor);
	fake_exited(f->engine, actor, "exit status 1");
	(void)fake_unload(f, 3);
	fake_ends(f, 3);
	/* An actor of 2 is on its way up, with which 2 is to be active. */
	REVOKES(2);
	fake_run(f);
	assert_loaded(f, "1*");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_runs_ends),
		IN_WORLD(a_key_ends_all_that_it_validated),
		IN_WORLD(one_that_is_not_active),
		IN_WORLD(digests_of_nothing_end_nothing),
		IN_WORLD(the_highest_that_still_verifies),
		IN_WORLD(where_nothing_verifies_nothing_is_active),
		IN_WORLD(a_hold_does_not_keep_it),
		IN_WORLD(while_it_is_verified),
		IN_WORLD(while_it_is_imported_or_started),
		IN_WORLD(what_a_load_would_come_back_to),
		IN_WORLD(while_it_comes_back),
		IN_WORLD(while_it_is_lost),
		IN_WORLD(while_it_is_made_active),
	};

	return cmocka_run_group_tests_name("revoke", tests, NULL, NULL);
}
