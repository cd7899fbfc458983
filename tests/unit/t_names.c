/* SPDX-License-Identifier: MIT */
/* Roles and global names: the Director's rule 4 of tds(7). */
#include "fake_world.h"
#include "unit.h"

/* --- 4: roles and global names --- */

#define TWO_NAMES                                                          \
	"{'Actors': {'a.A': {'OnLoad': {'Role': 'r', 'GlobalName': 'n'}}," \
	" 'a.B': {'OnLoad': {'Role': 'q', 'GlobalName': 'm'}}}}"

static void names_move_when_it_is_active(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", TWO_NAMES);
	fake_loaded(f, "foo-1.tls");
	fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	assert_trace(f, "bind", "bind n 1 a.A, bind m 1 a.B");
	fake_up(f->engine, fake_the(f, 2, "a.A"));
	assert_trace(f, "bind", "");
	assert_int_equal(fake_role(f, "r"), 1);
	fake_up(f->engine, fake_the(f, 2, "a.B"));
	assert_trace(f, "bind save", "save 1 2*, bind n 2 a.A, bind m 2 a.B");
	assert_int_equal(fake_role(f, "r"), 2);
	assert_int_equal(fake_role(f, "q"), 2);
}

static void names_move_back(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	assert_non_null(fake_actor(f->engine, 1, "a.A")); /* it lives on, without the name */
	assert_string_equal(fake_the(f, 1, "a.A")->name, "");
	fake_unloaded(f, 2);
	assert_string_equal(fake_the(f, 1, "a.A")->name, "n");
	assert_int_equal(fake_role(f, "r"), 1);
	assert_loaded(f, "1*");
}

static void refused_for_a_name(struct fake *f, const char *declaration, const char *why)
{
	fake_declare(&f->means, "bar", declaration);
	struct fake_asked *load = fake_load(f, "bar");
	fake_run(f);
	assert_answer(load, 1, why);
	assert_trace(f, "send create bind", "");
	assert_null(fake_source(f->engine, 6));
}

static void names_of_other_groups(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "send", "send 1 a.A 'load'");
	refused_for_a_name(f, "{'Actors': {'b.B': {'OnLoad': {'Role': 'r'}}}}",
			   "b.B: its role r belongs to group foo");
	refused_for_a_name(f, "{'Actors': {'b.B': {'OnLoad': {'GlobalName': 'n'}}}}",
			   "b.B: its global name n belongs to group foo");
	refused_for_a_name(f, "{'Actors': {'b.B': {'OnLoad': {'GlobalName': 'Director'}}}}",
			   "b.B: its global name is that of the Director");
	assert_loaded(f, "1*");
}

static void one_source_is_of_one_group(void **state)
{
	struct fake *f = *state;
	struct load_request request = { .target = "foo-1.tls", .group = "bar" };

	fake_loaded(f, "foo-1.tls");
	struct fake_asked *load = fake_load_for(f, &request);
	fake_run(f);
	assert_answer(load, 1, "it is loaded in another group");
	assert_loaded(f, "1*");
}

/* A name that is declared, but that nobody has for the moment, is taken all the same. */
static void a_name_without_an_actor_is_taken(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	f->engine->fail_create = true;
	assert_trace(f, "none", "");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	refused_for_a_name(f, "{'Actors': {'b.B': {'OnLoad': {'GlobalName': 'n'}}}}",
			   "b.B: its global name n belongs to group foo");
}

/* A name that an actor was given, of another group or of a program, is its own until a group declares it. */
static void who_declares_a_name_takes_it(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "bar-1.tls");
	struct fake_source *source = fake_source(f->engine, 4);
	struct fake_actor *living = fake_stranger(f->engine, source, "n");
	struct fake_asked *load = fake_begun(f, "foo-1.tls", 1);
	assert_string_equal(living->name, "n"); /* until the group is active */
	fake_run(f);
	assert_answer(load, 0, NULL);
	assert_string_equal(fake_the(f, 1, "a.A")->name, "n");
	assert_string_equal(living->name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(names_move_when_it_is_active),
		IN_WORLD(names_move_back),
		IN_WORLD(names_of_other_groups),
		IN_WORLD(one_source_is_of_one_group),
		IN_WORLD(a_name_without_an_actor_is_taken),
		IN_WORLD(who_declares_a_name_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
