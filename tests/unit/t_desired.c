/* SPDX-License-Identifier: MIT */
/* What is wanted of groups: holds and rollbacks, what refuses them and what they refuse, and what outlives a crash. */
#include "daemon/director/model.h"
#include "fake_world.h"
#include "unit.h"

#define UNLOADS "{'AutoUnload': True, 'Actors': {'a.A': {'OnLoad': {'Role': 'r'}}}}"
#define HELD_AT_1 "group foo is held at version 1 (tds-load --release foo)"

/* It is asked for, goes on to its end, and ends so; error NULL: well. */
static void ends(struct fake *f, struct fake_asked *asked, int status, const char *error)
{
	fake_run(f);
	assert_answer(asked, status, error);
	assert_trace(f, "none", "");
}

static void held(struct fake *f, const char *version)
{
	ends(f, fake_hold(f, "foo", version), 0, NULL);
}

static void deleted(struct fake *f, unsigned number)
{
	f->means.packages[number - 1].deleted = true;
}

/* As far as the next one sees it: nothing was loaded. */
static void shut_down(struct fake *f)
{
	json_decref(f->means.sources);
	f->means.sources = NULL;
	fake_crash(f);
	fake_run(f);
}

/* --- holds --- */

static void what_is_active_is_held(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	assert_trace(f, "none", "");
	struct fake_asked *asked = fake_hold(f, "foo", NULL);
	assert_answer(asked, 0, NULL);
	assert_true(asked->changed);
	assert_trace(f, "verify save want event", "save 2*, want, event Held 2");
	assert_wanted(f, "foo", "2: 2");
	/* Twice is once. */
	asked = fake_hold(f, "foo", "2");
	assert_answer(asked, 0, NULL);
	assert_false(asked->changed);
	assert_trace(f, "verify save want event", "");
}

static void nothing_is_active_and_the_newest_is_held(void **state)
{
	struct fake *f = *state;

	held(f, NULL);
	assert_loaded(f, "3*");
	assert_wanted(f, "foo", "3: 3");
}

static void a_version_is_loaded_and_held(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-3.tls");
	assert_trace(f, "none", "");
	struct fake_asked *asked = fake_hold(f, "foo", "1");
	fake_run(f);
	assert_answer(asked, 0, NULL);
	assert_trace(f, "event",
		     "event Loaded 1, event FloorLowered 1: from version 3, event Held 1");
	assert_loaded(f, "3 1*");
	assert_wanted(f, "foo", "1: 3 1");
	/* One that is loaded is made active; its package comes from the store. */
	deleted(f, 3);
	held(f, "3");
	assert_loaded(f, "3* 1");
	assert_wanted(f, "foo", "3: 1 3");
}

static void what_is_not_there_cannot_be_held(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	ends(f, fake_hold(f, "foo", "9"), 4, "there is no foo-9.tls");
	ends(f, fake_hold(f, "foo-1.tls", NULL), 4, "no such group");
	ends(f, fake_hold(f, "none", NULL), 4, "no such group");
	assert_wanted(f, "foo", "0: 2");
}

static void a_refused_package_is_not_held(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	struct fake_asked *asked = fake_hold(f, "foo", "1");
	fake_says(f, 1, 7, "no key validates it");
	ends(f, asked, 7, "no key validates it");
	asked = fake_hold(f, "foo", "3");
	fake_says(f, 3, 0, NULL);
	fake_imports(f, 3, "ImportError: no");
	ends(f, asked, 1, "ImportError: no");
	assert_loaded(f, "2*");
	assert_wanted(f, "foo", "0: 2");
}

static void refresh_keeps_it(void **state)
{
	struct fake *f = *state;

	held(f, "1");
	assert_trace(f, "none", "");
	struct fake_asked *asked = fake_refresh(f, "foo");
	assert_answer(asked, 0, NULL);
	assert_false(asked->changed);
	assert_trace(f, "verify", "");
	/* Nothing is loaded after a shutdown: what it is held at is, though its file is gone, with the definition of now. */
	shut_down(f);
	deleted(f, 1);
	fake_declare(&f->means, "foo", "{'Actors': {'a.A': {'OnLoad': {'Role': 'new'}}}}");
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	assert_loaded(f, "1*");
	assert_int_equal(fake_role(f, "new"), 1);
	fake_crash(f);
	fake_run(f);
	assert_int_equal(fake_role(f, "new"), 1);
}

static void its_name_refuses_others(void **state)
{
	struct fake *f = *state;

	held(f, "1");
	ends(f, fake_load(f, "foo"), 1, HELD_AT_1);
	ends(f, fake_load(f, "foo-2.tls"), 1, HELD_AT_1);
	ends(f, fake_load(f, "foo-1.tls"), 0, NULL);
	ends(f, fake_unload(f, 1), 1, HELD_AT_1);
	ends(f, fake_load(f, "bar"), 0, NULL);
	assert_loaded(f, "6* 1*");
	ends(f, fake_release(f, "foo"), 0, NULL);
	ends(f, fake_load(f, "foo"), 0, NULL);
	assert_loaded(f, "6* 1 3*");
}

/* With nothing newer there is nothing to refuse; and where something else is active, the name means what it is held at. */
static void its_name_means_what_it_is_held_at(void **state)
{
	struct fake *f = *state;

	held(f, "3");
	ends(f, fake_load(f, "foo"), 0, NULL);
	held(f, "1");
	shut_down(f);
	ends(f, fake_load(f, "foo"), 0, NULL);
	assert_loaded(f, "1*");
}

static void a_package_by_another_content(void **state)
{
	struct fake *f = *state;

	held(f, "1");
	shut_down(f);
	/* The store has lost it, and its file is another one by now. */
	fake_sweep(&f->means);
	for (size_t i = 0; i < FAKE_MAX; i++)
		f->means.stored[i].sha256[0] = '\0';
	f->means.packages[0].number = 9;
	ends(f, fake_refresh(f, "foo"), 4, "is another package by now (its SHA-256)");
	deleted(f, 1);
	ends(f, fake_refresh(f, "foo"), 4,
	     "foo-1.tls is neither in the store nor in the director directory");
	assert_loaded(f, "");
}

static void a_release_changes_nothing_else(void **state)
{
	struct fake *f = *state;

	held(f, "1");
	assert_trace(f, "none", "");
	struct fake_asked *asked = fake_release(f, "foo");
	assert_answer(asked, 0, NULL);
	assert_true(asked->changed);
	assert_trace(f, "verify save want event", "save 1*, want, event Released 1");
	assert_wanted(f, "foo", "0: 1");
	assert_loaded(f, "1*");
	asked = fake_release(f, "foo");
	assert_answer(asked, 0, NULL);
	assert_false(asked->changed);
	ends(f, fake_release(f, "none"), 4, "no such group");
}

/* A hold that waits for its turn comes first. */
static void a_release_waits_for_its_turn(void **state)
{
	struct fake *f = *state;
	struct fake_asked *hold = fake_hold(f, "foo", "1");
	struct fake_asked *release = fake_release(f, "foo");

	assert_no_answer(release);
	fake_run(f);
	assert_answer(hold, 0, NULL);
	assert_answer(release, 0, NULL);
	assert_wanted(f, "foo", "0: 1");
}

/* --- rollbacks --- */

static void back_to_what_is_loaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	assert_trace(f, "none", "");
	struct fake_asked *asked = fake_rollback(f, "foo");
	fake_run(f);
	assert_answer(asked, 0, NULL);
	assert_trace(f, "verify load event",
		     "verify 1, event Activated 1, "
		     "event FloorLowered 1: from version 2, event RolledBack 1");
	assert_loaded(f, "1* 2");
	assert_wanted(f, "foo", "1: 2 1");
	ends(f, fake_rollback(f, "foo"), 4, "no version before foo-1.tls was active");
	assert_wanted(f, "foo", "1: 2 1");
}

/* From the store, where AutoUnload took it, and its file is gone; what was unloaded by name only where its file is. */
static void back_to_what_was_unloaded(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS);
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-3.tls");
	assert_stored(f, "2 3");
	deleted(f, 2);
	ends(f, fake_rollback(f, "foo"), 0, NULL);
	assert_loaded(f, "2*");
	assert_stored(f, "2 3");
	/* Of one before only the file is there. */
	ends(f, fake_rollback(f, "foo"), 0, NULL);
	assert_loaded(f, "1*");
	assert_wanted(f, "foo", "1: 3 2 1");
	assert_stored(f, "1 2");
}

static void back_to_what_is_nowhere(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_unloaded(f, 1);
	deleted(f, 1);
	assert_stored(f, "2");
	ends(f, fake_rollback(f, "foo"), 4,
	     "foo-1.tls is neither in the store nor in the director directory");
	assert_loaded(f, "2*");
	assert_wanted(f, "foo", "0: 1 2");
	ends(f, fake_rollback(f, "bar"), 4, "no version was active");
}

/* The highest version below, not the one that was active last; one that is loaded before one that is not. */
static void which_is_the_one_before(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-3.tls");
	ends(f, fake_rollback(f, "foo"), 0, NULL);
	assert_loaded(f, "2* 1 3");
	ends(f, fake_release(f, "foo"), 0, NULL);
	fake_loaded(f, "foo-3.tls");
	fake_unloaded(f, 2);
	ends(f, fake_rollback(f, "foo"), 0, NULL);
	assert_loaded(f, "1* 3");
}

/* After a shutdown nothing is loaded: the one before is before that which was active last. */
static void back_after_a_shutdown(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	shut_down(f);
	assert_stored(f, "1 2");
	deleted(f, 1);
	ends(f, fake_rollback(f, "foo"), 0, NULL);
	assert_loaded(f, "1*");
	assert_wanted(f, "foo", "1: 2 1");
}

static void one_that_does_not_start_is_undone(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", UNLOADS);
	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	struct fake_asked *asked = fake_rollback(f, "foo");
	fake_says(f, 1, 0, NULL);
	fake_imports(f, 1, "ImportError: no");
	ends(f, asked, 1, "ImportError: no");
	assert_loaded(f, "2*");
	assert_wanted(f, "foo", "0: 1 2");
	assert_stored(f, "1 2");
}

/* --- what cannot be written, or read --- */

static void a_full_disk(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	f->means.fail_desired = true;
	ends(f, fake_hold(f, "foo", NULL), 5, "no space left");
	ends(f, fake_hold(f, "foo", "3"), 5, "no space left");
	assert_loaded(f, "1 2*");
	/* What is loaded is active by then, as ever. */
	struct fake_asked *asked = fake_rollback(f, "foo");
	fake_run(f);
	assert_answer(asked, 5,
		      "foo-1.tls is active, but that could not be written down: no space left");
	/* The next change writes it. */
	f->means.fail_desired = false;
	fake_loaded(f, "bar-1.tls");
	assert_wanted(f, "foo", "1: 2 1");
	f->means.fail_desired = true;
	ends(f, fake_release(f, "foo"), 5, "no space left");
	assert_wanted(f, "foo", "1: 2 1");
	f->means.fail_desired = false;
	f->means.fail_save = true;
	ends(f, fake_release(f, "foo"), 5, "no space left");
	f->means.fail_save = false;
	assert_wanted(f, "foo", "1: 2 1");
}

static void nobody_guesses(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	ends(f, fake_hold(f, "bar", "1"), 0, NULL);
	f->means.damaged = true;
	fake_crash(f);
	fake_run(f);
	assert_string_equal(f->not_restored,
			    "what is wanted of groups: desired.json: is damaged; ");
	assert_loaded(f, "4* 1*");
	ends(f, fake_refresh(f, "foo"), 4, "desired.json: is damaged");
	ends(f, fake_load(f, "foo-2.tls"), 4, "desired.json: is damaged");
	ends(f, fake_hold(f, "foo", NULL), 4, "desired.json: is damaged");
	ends(f, fake_release(f, "foo"), 4, "desired.json: is damaged");
	ends(f, fake_rollback(f, "foo"), 4, "desired.json: is damaged");
	ends(f, fake_unload(f, 1), 4, "desired.json: is damaged");
	/* Nor is it written over. It is read again when it is mended. */
	f->means.damaged = false;
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	assert_loaded(f, "4* 1 3*");
	assert_wanted(f, "foo", "0: 1 3");
	assert_wanted(f, "bar", "4: 4");
}

/* Whatever was written when the crash came: all is as before, or as it was to be. */
static void a_crash_at_each_step(void **state)
{
	struct fake *f = *state;
	unsigned both = 0;

	for (unsigned step = 0; step < 16; step++) {
		fake_loaded(f, "foo-2.tls");
		(void)fake_hold(f, "foo", "1");
		for (unsigned i = 0; i < step; i++)
			(void)fake_step(f);
		fake_crash(f);
		fake_run(f);
		const struct group *g = group_find(f->director, "foo");
		bool is_new = strcmp(g->active->file, "foo-1.tls") == 0;
		assert_int_equal(g->held != NULL, is_new);
		both |= 1u << is_new;
		ends(f, fake_release(f, "foo"), 0, NULL);
		assert_trace(f, "none", "");
		if (is_new)
			fake_unloaded(f, 1);
	}
	assert_int_equal(both, 3);
}

/* loaded.json is written first: what it has, the restore completes. */
static void what_a_crash_cut_off_is_completed(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	json_t *before = json_deep_copy(f->means.wanted);
	held(f, NULL);
	json_decref(f->means.wanted);
	f->means.wanted = before;
	fake_crash(f);
	fake_run(f);
	assert_wanted(f, "foo", "1: 1");
	ends(f, fake_load(f, "foo-2.tls"), 1, HELD_AT_1);
}

/* --- what is kept of a group --- */

static void what_is_loaded_is_not_forgotten(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	ends(f, fake_forget(f, "foo"), 1, "group foo is loaded");
	fake_ends(f, 1); /* lost, it comes back */
	ends(f, fake_forget(f, "foo"), 1, "group foo is loaded");
	fake_unloaded(f, 1);
	struct fake_asked *load = fake_load(f, "foo-2.tls");
	struct fake_asked *forget = fake_forget(f, "foo");
	assert_answer(forget, 1, "group foo is loaded");
	ends(f, load, 0, NULL);
	ends(f, fake_forget(f, "bar"), 4, "nothing is kept of this group");
	ends(f, fake_forget(f, "/"), 4, "no such group");
}

static void all_is_forgotten(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_unloaded(f, 1);
	assert_trace(f, "none", "");
	struct fake_asked *asked = fake_forget(f, "foo");
	assert_no_answer(asked);
	fake_removed(f, NULL);
	assert_answer(asked, 0, NULL);
	assert_true(asked->changed);
	assert_trace(f, "remove want audit event",
		     "remove foo, want, audit Forgotten 0, event Forgotten 0");
	assert_wanted(f, "foo", "0:");
	ends(f, fake_forget(f, "foo"), 4, "nothing is kept of this group");
}

/* Loaded meanwhile, it needs what is remembered of it; a hold stays anyway. */
static void it_is_loaded_while_it_is_forgotten(void **state)
{
	struct fake *f = *state;

	held(f, "1");
	shut_down(f);
	struct fake_asked *asked = fake_forget(f, "foo");
	fake_loaded(f, "foo");
	fake_removed(f, NULL);
	assert_answer(asked, 0, NULL);
	assert_wanted(f, "foo", "1: 1");
	shut_down(f);
	(void)fake_forget(f, "foo");
	fake_removed(f, NULL);
	assert_wanted(f, "foo", "1:");
	assert_stored(f, "1");
}

/* Nobody is told any more; what is left of the folder goes at the next start. */
static void the_end_comes_before(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_unloaded(f, 1);
	struct fake_asked *asked = fake_forget(f, "foo");
	fake_crash(f);
	assert_no_answer(asked);
	assert_wanted(f, "foo", "0: 1");
}

static void what_cannot_be_removed(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_unloaded(f, 1);
	struct fake_asked *asked = fake_forget(f, "foo");
	fake_removed(f, "mounted: Device or resource busy");
	assert_answer(asked, 5, "mounted: Device or resource busy");
	assert_wanted(f, "foo", "0: 1");
}

/* A source without the folder for its actors is not loaded; one that comes back tries again. */
static void no_folder(void **state)
{
	struct fake *f = *state;

	f->means.fail_data = true;
	ends(f, fake_load(f, "foo-1.tls"), 5, "data/foo: no space left");
	assert_loaded(f, "");
	assert_stored(f, "");
	f->means.fail_data = false;
	fake_loaded(f, "foo-1.tls");
	f->means.fail_data = true;
	fake_ends(f, 1);
	fake_run_ms(f, 1000);
	assert_int_equal(fake_role(f, "r"), 0);
	assert_loaded(f, "1*");
	f->means.fail_data = false;
	fake_run_ms(f, 60000);
	assert_int_equal(fake_role(f, "r"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_is_active_is_held),
		IN_WORLD(nothing_is_active_and_the_newest_is_held),
		IN_WORLD(a_version_is_loaded_and_held),
		IN_WORLD(what_is_not_there_cannot_be_held),
		IN_WORLD(a_refused_package_is_not_held),
		IN_WORLD(refresh_keeps_it),
		IN_WORLD(its_name_refuses_others),
		IN_WORLD(its_name_means_what_it_is_held_at),
		IN_WORLD(a_package_by_another_content),
		IN_WORLD(a_release_changes_nothing_else),
		IN_WORLD(a_release_waits_for_its_turn),
		IN_WORLD(back_to_what_is_loaded),
		IN_WORLD(back_to_what_was_unloaded),
		IN_WORLD(back_to_what_is_nowhere),
		IN_WORLD(which_is_the_one_before),
		IN_WORLD(back_after_a_shutdown),
		IN_WORLD(one_that_does_not_start_is_undone),
		IN_WORLD(a_full_disk),
		IN_WORLD(nobody_guesses),
		IN_WORLD(a_crash_at_each_step),
		IN_WORLD(what_a_crash_cut_off_is_completed),
		IN_WORLD(what_is_loaded_is_not_forgotten),
		IN_WORLD(all_is_forgotten),
		IN_WORLD(it_is_loaded_while_it_is_forgotten),
		IN_WORLD(the_end_comes_before),
		IN_WORLD(what_cannot_be_removed),
		IN_WORLD(no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
