/* SPDX-License-Identifier: MIT */
/* The declaration that is signed with a package, beside the definition that its group has: tli(5). */
#include "fake_world.h"
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "daemon/director/declaration.h"
#include "daemon/director/model.h"
#include "literal/repr.h"

#define OTHER "{'Actors': {'a.Signed': {}}, 'May': ['load:foo'], 'Sandbox': 'strict'}"

static void declare(struct fake *f, unsigned number, const char *text)
{
	struct fake_package *p = f->means.packages;

	while (p->number != number)
		p++;
	p->declared = text;
}

static const struct source *active(struct fake *f)
{
	const struct group *group = group_find(f->director, "foo");

	return group ? group->active : NULL;
}

/* What a source says of a key, in its definition and in its package; "-": nothing. */
static void assert_says(struct fake *f, const char *key, const char *defined, const char *is_signed)
{
	const struct tds_value *d = declaration_defined(active(f), key);
	const struct tds_value *s = declaration_signed(active(f), key);
	tds_autofree char *in_definition = d ? tds_value_repr(d) : strdup("-");
	tds_autofree char *in_package = s ? tds_value_repr(s) : strdup("-");

	assert_string_equal(in_definition, defined);
	assert_string_equal(in_package, is_signed);
}

static const char *warning(const struct fake_asked *load)
{
	assert_true(json_array_size(load->warnings) <= 1);
	return json_array_size(load->warnings) == 1
		       ? json_string_value(json_array_get(load->warnings, 0))
		       : "";
}

static void the_definition_decides(void **state)
{
	struct fake *f = *state;

	declare(f, 1, OTHER);
	struct fake_asked *load = fake_loaded(f, "foo-1.tls");
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
	assert_null(fake_actor(f->engine, 1, "a.Signed"));
	assert_string_equal(warning(load), "foo.tli: differs from what is signed with the "
					   "package: Actors, May, Sandbox");
	assert_says(f, "May", "-", "['load:foo']");
	assert_says(f, "Sandbox", "-", "'strict'");
}

static void what_is_the_same_is_not_told(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", OTHER);
	declare(f, 1, OTHER);
	assert_string_equal(warning(fake_loaded(f, "foo-1.tls")), "");
	assert_says(f, "May", "['load:foo']", "['load:foo']");
}

static void a_package_without_one_may_nothing(void **state)
{
	struct fake *f = *state;

	fake_declare(&f->means, "foo", OTHER);
	assert_string_equal(warning(fake_loaded(f, "foo-1.tls")),
			    "foo.tli: its May does not count: the package has no signed one");
	assert_says(f, "May", "['load:foo']", "-");
	fake_declare(&f->means, "foo", "{'May': None}");
	assert_string_equal(warning(fake_loaded(f, "foo-2.tls")), "");
}

/* By the store's package again, and by nothing that was written down. */
static void it_comes_back_with_the_source(void **state)
{
	struct fake *f = *state;

	declare(f, 1, OTHER);
	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	fake_run(f);
	assert_says(f, "May", "-", "['load:foo']");
	fake_crash(f);
	fake_run(f);
	assert_true(f->restored);
	assert_says(f, "May", "-", "['load:foo']");
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
}

static void what_is_signed_decides_alone(void **state)
{
	struct fake *f = *state;

	f->settings.signed_tli_alone = true;
	declare(f, 1, OTHER);
	struct fake_asked *load = fake_loaded(f, "foo-1.tls");
	assert_non_null(fake_actor(f->engine, 1, "a.Signed"));
	assert_null(fake_actor(f->engine, 1, "a.A"));
	assert_string_equal(warning(load), "foo.tli: differs from what is signed with the "
					   "package, which decides: Actors, May, Sandbox");
	assert_says(f, "May", "['load:foo']", "['load:foo']");
	/* A crash does not bring the other one back. */
	f->settings.signed_tli_alone = false;
	fake_crash(f);
	fake_run(f);
	assert_non_null(fake_actor(f->engine, 1, "a.Signed"));
}

static void what_has_none_is_refused_then(void **state)
{
	struct fake *f = *state;

	f->settings.signed_tli_alone = true;
	struct fake_asked *load = fake_load(f, "foo-1.tls");
	fake_run(f);
	assert_answer(load, 1, "no declaration is signed with it, and signedtli.cfg wants one");
	assert_loaded(f, "");
	assert_int_equal(f->means.packages_out, 0);
}

/* It declares the group still, whatever it says. */
static void a_definition_at_fault_does_not_matter_then(void **state)
{
	struct fake *f = *state;

	f->settings.signed_tli_alone = true;
	declare(f, 1, OTHER);
	fake_declare(&f->means, "foo", "{'Actors': 1");
	fake_loaded(f, "foo-1.tls");
	assert_non_null(fake_actor(f->engine, 1, "a.Signed"));
	f->settings.signed_tli_alone = false;
	declare(f, 2, OTHER);
	assert_int_equal(fake_load(f, "foo-2.tls")->status, 1);
}

/* What is signed is held against the names of other groups like any definition. */
static void its_names_may_be_taken(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "bar-1.tls");
	f->settings.signed_tli_alone = true;
	declare(f, 1, "{'Actors': {'a.Signed': {'OnLoad': {'Role': 's'}}}}");
	struct fake_asked *load = fake_load(f, "foo-1.tls");
	fake_run(f);
	assert_answer(load, 1, "a.Signed: its role s belongs to group bar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(the_definition_decides),
		IN_WORLD(what_is_the_same_is_not_told),
		IN_WORLD(a_package_without_one_may_nothing),
		IN_WORLD(it_comes_back_with_the_source),
		IN_WORLD(what_is_signed_decides_alone),
		IN_WORLD(what_has_none_is_refused_then),
		IN_WORLD(a_definition_at_fault_does_not_matter_then),
		IN_WORLD(its_names_may_be_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
