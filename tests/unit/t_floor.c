/* SPDX-License-Identifier: MIT */
/* Floors: what raises and what sets them, what they refuse and what they do not, and what outlives a crash. */
#include "daemon/director/model.h"
#include "fake_world.h"
#include "unit.h"

#define BELOW_3 "is below the floor of group foo, version 3 (tds-load --allow-downgrade foo)"
#define LOST "the floor of group foo is lost, though it was active (tds-load --allow-downgrade foo)"

static void ends(struct fake *f, struct fake_asked *asked, int status, const char *error)
{
	fake_run(f);
	assert_answer(asked, status, error);
	assert_trace(f, "none", "");
}

static void deleted(struct fake *f, unsigned number)
{
	f->means.packages[number - 1].deleted = true;
}

static struct fake_asked *load_down(struct fake *f, const char *target)
{
	const struct load_request request = { .purpose = LOAD_NAMED,
					      .target = target,
					      .allow_downgrade = true };

	return fake_load_for(f, &request);
}

static void lose_floors(struct fake *f)
{
	json_decref(f->means.floors);
	f->means.floors = NULL;
}

/* Nothing is loaded any more, as after a shutdown. */
static void shut_down(struct fake *f)
{
	json_decref(f->means.sources);
	f->means.sources = NULL;
	fake_crash(f);
	fake_run(f);
}

static void raised_by_what_is_active(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	assert_trace(f, "save floor want event", "save 2*, floor, want, event Loaded 2");
	assert_floor(f, "foo", "2");
	assert_floor(f, "bar", "");
	fake_loaded(f, "foo-3.tls");
	assert_floor(f, "foo", "3");
	/* One that is named by its file is older, and leaves it alone; so does coming back to one. */
	assert_trace(f, "none", "");
	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "floor", "");
	assert_floor(f, "foo", "3");
	fake_unloaded(f, 3);
	fake_unloaded(f, 1);
	assert_loaded(f, "2*");
	assert_floor(f, "foo", "3");
}

static void binds_where_a_version_is_chosen(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo");
	deleted(f, 3);
	ends(f, fake_load(f, "foo"), 1, BELOW_3);
	ends(f, fake_refresh(f, "foo"), 1, BELOW_3);
	assert_loaded(f, "3*");
	/* At the boot after a shutdown, too; and what is named by its file is not chosen. */
	shut_down(f);
	ends(f, fake_refresh(f, "foo"), 1, BELOW_3);
	ends(f, fake_load(f, "foo-2.tls"), 0, NULL);
	assert_loaded(f, "2*");
	/* What is active already is not chosen anew. */
	ends(f, fake_load(f, "foo"), 0, NULL);
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	assert_floor(f, "foo", "3");
}

static void set_by_who_says_so(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo");
	deleted(f, 3);
	fake_unloaded(f, 3);
	assert_trace(f, "none", "");
	struct fake_asked *asked = load_down(f, "foo");
	fake_run(f);
	assert_answer(asked, 0, NULL);
	assert_trace(f, "save floor event audit",
		     "audit Loaded 2, save 2*, floor, event Loaded 2, audit FloorLowered 2: from "
		     "version 3, event FloorLowered 2: from version 3");
	assert_floor(f, "foo", "2");
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	/* Where it is active already, the floor alone moves. */
	fake_loaded(f, "foo-1.tls");
	deleted(f, 2);
	assert_floor(f, "foo", "2");
	assert_trace(f, "none", "");
	asked = load_down(f, "foo");
	assert_answer(asked, 0, NULL);
	assert_true(asked->changed);
	assert_trace(f, "floor event", "floor, event FloorLowered 1: from version 2");
	assert_floor(f, "foo", "1");
	assert_false(load_down(f, "foo")->changed);
	f->means.packages[1].deleted = false;
	fake_loaded(f, "foo-2.tls");
	assert_floor(f, "foo", "2");
}

static void set_by_holds_and_rollbacks(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-3.tls");
	ends(f, fake_rollback(f, "foo"), 0, NULL);
	assert_floor(f, "foo", "1");
	ends(f, fake_release(f, "foo"), 0, NULL);
	assert_floor(f, "foo", "1");
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	assert_floor(f, "foo", "3");
	ends(f, fake_hold(f, "foo", "1"), 0, NULL);
	assert_floor(f, "foo", "1");
	/* What it is held at is not refused, whatever the floor is. */
	ends(f, fake_hold(f, "foo", "3"), 0, NULL);
	ends(f, fake_release(f, "foo"), 0, NULL);
	ends(f, fake_load(f, "foo-1.tls"), 0, NULL);
	assert_floor(f, "foo", "3");
	ends(f, fake_hold(f, "foo", NULL), 0, NULL);
	assert_floor(f, "foo", "1");
}

static void a_load_that_fails_moves_nothing(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	struct fake_asked *asked = fake_load(f, "foo-3.tls");
	fake_says(f, 3, 0, NULL);
	fake_imports(f, 3, "ImportError: no");
	ends(f, asked, 1, "ImportError: no");
	assert_floor(f, "foo", "2");
	/* Nor one that could not be written down. */
	const struct load_request again = { .target = "foo-3.tls", .retry = true };
	f->means.fail_floors = true;
	asked = fake_load_for(f, &again);
	fake_run(f);
	assert_int_equal(asked->status, 5);
	f->means.fail_floors = false;
	assert_loaded(f, "2*");
	assert_floor(f, "foo", "2");
	f->means.fail_desired = true;
	asked = fake_load_for(f, &again);
	fake_run(f);
	assert_int_equal(asked->status, 5);
	f->means.fail_desired = false;
	fake_loaded(f, "bar");
	assert_floor(f, "foo", "2");
}

/* Dead between loaded.json and floor.json: the restore completes it. */
static void a_crash_before_it_is_written(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "foo-3.tls");
	json_decref(f->means.floors);
	f->means.floors = json_pack("{s:{s:s, s:i}}", "foo", "Version", "2", "SinceMs", 1);
	fake_crash(f);
	fake_run(f);
	assert_floor(f, "foo", "3");
	/* The first of all that was ever active had no floor yet, and is not in desired.json either. */
	json_decref(f->means.floors);
	json_decref(f->means.wanted);
	f->means.floors = f->means.wanted = NULL;
	fake_crash(f);
	fake_run(f);
	assert_floor(f, "foo", "3");
}

static void what_is_lost_binds_all(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	lose_floors(f);
	fake_crash(f);
	fake_run(f);
	assert_loaded(f, "2*");
	assert_floor(f, "foo", "");
	ends(f, fake_refresh(f, "foo"), 1, LOST);
	ends(f, fake_load(f, "foo-3.tls"), 0, NULL);
	assert_floor(f, "foo", "");
	deleted(f, 3);
	ends(f, fake_load(f, "foo"), 1, LOST);
	ends(f, fake_load(f, "bar"), 0, NULL);
	ends(f, load_down(f, "foo"), 0, NULL);
	assert_floor(f, "foo", "2");
	ends(f, fake_load(f, "foo"), 0, NULL);
}

/* Once written with floors, a floor.json that is not there is one that was deleted. */
static void what_was_active_last_is_the_floor_after_an_upgrade(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-3.tls");
	fake_loaded(f, "foo-2.tls");
	lose_floors(f);
	f->means.is_old = true;
	shut_down(f);
	assert_floor(f, "foo", "2");
	assert_false(f->means.is_old);
	deleted(f, 3);
	deleted(f, 2);
	ends(f, fake_load(f, "foo"), 1,
	     "is below the floor of group foo, version 2 (tds-load --allow-downgrade foo)");
	/* A floor that is there is raised, and never lowered. */
	f->means.is_old = true;
	f->means.packages[2].deleted = false;
	ends(f, fake_load(f, "foo"), 0, NULL);
	ends(f, fake_load(f, "foo-1.tls"), 0, NULL);
	f->means.is_old = true;
	shut_down(f);
	assert_floor(f, "foo", "3");
	lose_floors(f);
	shut_down(f);
	ends(f, fake_load(f, "foo"), 1, LOST);
}

/* Where either is damaged, the upgrade waits until it is mended. */
static void an_upgrade_waits_for_what_is_damaged(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	lose_floors(f);
	f->means.is_old = f->means.damaged = true;
	shut_down(f);
	assert_floor(f, "foo", "");
	f->means.damaged = false;
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	assert_floor(f, "foo", "3");
}

static void what_cannot_be_read_binds_all(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-2.tls");
	f->means.damaged_floors = true;
	fake_crash(f);
	fake_run(f);
	assert_string_equal(f->not_restored, "the floors of groups: floor.json: is damaged; ");
	ends(f, fake_refresh(f, "foo"), 4, "floor.json: is damaged");
	ends(f, fake_load(f, "foo-3.tls"), 0, NULL);
	ends(f, fake_hold(f, "foo", NULL), 0, NULL);
	ends(f, fake_release(f, "foo"), 0, NULL);
	/* It is mended: nothing was written over. */
	f->means.damaged_floors = false;
	ends(f, fake_refresh(f, "foo"), 0, NULL);
	fake_loaded(f, "bar");
	assert_floor(f, "foo", "3");
}

static void it_outlives_what_is_forgotten(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo");
	shut_down(f);
	struct fake_asked *asked = fake_forget(f, "foo");
	fake_removed(f, NULL);
	ends(f, asked, 0, NULL);
	fake_loaded(f, "bar");
	assert_floor(f, "foo", "3");
	deleted(f, 3);
	ends(f, fake_load(f, "foo"), 1, BELOW_3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(raised_by_what_is_active),
		IN_WORLD(binds_where_a_version_is_chosen),
		IN_WORLD(set_by_who_says_so),
		IN_WORLD(set_by_holds_and_rollbacks),
		IN_WORLD(a_load_that_fails_moves_nothing),
		IN_WORLD(a_crash_before_it_is_written),
		IN_WORLD(what_is_lost_binds_all),
		IN_WORLD(what_was_active_last_is_the_floor_after_an_upgrade),
		IN_WORLD(an_upgrade_waits_for_what_is_damaged),
		IN_WORLD(what_cannot_be_read_binds_all),
		IN_WORLD(it_outlives_what_is_forgotten),
	};

	return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
