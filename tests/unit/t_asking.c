/* SPDX-License-Identifier: MIT */
/* Who may have what, as the Director answers its engine: rights, whose names and capabilities are whose, and what is told. */
#include "unit.h"

#include "base/mem.h"
#include "director/asking.h"
#include "fake_world.h"

#define MINUTE_MS 60000
#define WHY(what, right)                                                                      \
	"not allowed (" what "): May in the signed declaration of its package has no '" right \
	"' (put it into GROUP.tli and pack anew)"

static struct engine_asker asker_of(struct fake_actor *actor, const char *address)
{
	(void)snprintf(actor->pub.address, sizeof(actor->pub.address), "%s", address);
	struct engine_asker asker = { .kind = TDS_ASKER_ACTOR,
				      .source = &actor->of->pub,
				      .actor = &actor->pub,
				      .uid = (uid_t)-1 };

	(void)snprintf(asker.address, sizeof(asker.address), "%s", address);
	return asker;
}

static bool may(struct fake *f, const struct engine_asker *asker, enum tds_asked what,
		const struct engine_source *of)
{
	return f->engine->events->may(f->engine->ctx, asker, what, of);
}

/* foo is signed and declared with this May; may.cfg leaves all. */
static struct engine_asker loaded_with(struct fake *f, const char *rights)
{
	char text[200];

	f->means.narrowed = tds_rights_all();
	(void)snprintf(
		text, sizeof(text),
		"{'Actors': {'a.A': {'OnLoad': {'Role': 'r', 'GlobalName': 'n'}}}, 'May': %s}",
		rights);
	fake_declare(&f->means, "foo", text);
	f->means.packages[0].declared = text;
	fake_loaded(f, "foo-1.tls");
	f->means.packages[0].declared = NULL;
	assert_trace(f, "none", "");
	return asker_of(fake_the(f, 1, "a.A"), "1.5");
}

static void a_right_is_of_groups(void **state)
{
	struct fake *f = *state;
	const struct engine_asker foo = loaded_with(f, "['create:b*', 'capabilities']");

	fake_loaded(f, "bar-1.tls");
	struct engine_source *bar = &fake_source(f->engine, 4)->pub;
	assert_true(may(f, &foo, TDS_ASKED_CREATE_OTHER, bar));
	assert_false(may(f, &foo, TDS_ASKED_CREATE_OTHER, foo.source));
	assert_false(may(f, &foo, TDS_ASKED_UNLOAD_SOURCE, bar));
	assert_true(may(f, &foo, TDS_ASKED_CAPABILITY_OTHER, NULL));
	assert_false(may(f, &foo, TDS_ASKED_SYSTEM_END, NULL));
	/* What may.cfg leaves counts at once. */
	f->means.narrowed = NULL;
	assert_false(may(f, &foo, TDS_ASKED_CREATE_OTHER, bar));
	assert_false(may(f, &foo, TDS_ASKED_CAPABILITY_OTHER, NULL));
}

/* A package without a signed declaration has no right, whatever GROUP.tli says. */
static void what_is_not_signed_counts_for_nothing(void **state)
{
	struct fake *f = *state;

	f->means.narrowed = tds_rights_all();
	fake_declare(&f->means, "foo", "{'Actors': {'a.A': {}}, 'May': ['capabilities']}");
	fake_loaded(f, "foo-1.tls");
	const struct engine_asker foo = asker_of(fake_the(f, 1, "a.A"), "1.5");
	assert_false(may(f, &foo, TDS_ASKED_CAPABILITY_OTHER, NULL));
}

/* Sources of one group are not others to each other, but those of another are. */
static void capabilities_are_a_groups(void **state)
{
	struct fake *f = *state;
	const struct engine_asker foo = loaded_with(f, "[]");

	fake_loaded(f, "foo-2.tls");
	fake_loaded(f, "bar-1.tls");
	assert_true(may(f, &foo, TDS_ASKED_CAPABILITY_OTHER, &fake_source(f->engine, 2)->pub));
	assert_false(may(f, &foo, TDS_ASKED_CAPABILITY_OTHER, &fake_source(f->engine, 4)->pub));
	assert_false(may(f, &foo, TDS_ASKED_CAPABILITY_OTHER, NULL));
}

static void a_name_is_of_who_declares_it(void **state)
{
	struct fake *f = *state;
	const struct engine_asker foo = loaded_with(f, "[]");
	const struct engine_events *events = f->engine->events;

	fake_loaded(f, "bar-1.tls");
	assert_false(events->declares(f->engine->ctx, foo.source, "n")); /* its own */
	assert_true(events->declares(f->engine->ctx, &fake_source(f->engine, 4)->pub, "n"));
	assert_false(events->declares(f->engine->ctx, &fake_source(f->engine, 4)->pub, "m"));
}

/* Of each actor once a minute; the audit log has it once a minute for all of a source. */
static void a_refusal_is_told_once_a_minute(void **state)
{
	struct fake *f = *state;
	const struct engine_asker one = loaded_with(f, "[]");
	struct fake_actor *stranger = fake_stranger(f->engine, fake_source(f->engine, 1), "x");
	const struct engine_asker two = asker_of(stranger, "1.6");

	for (int i = 0; i < 100; i++)
		assert_false(may(f, &one, TDS_ASKED_SYSTEM_END, NULL));
	assert_trace(
		f, "event audit output",
		"audit NotAllowed 0: " WHY(
			"end the system",
			"shutdown") ", event NotAllowed 0: " WHY("end the system",
								 "shutdown") ", output foo r "
									     "1.5: " WHY("end the "
											 "system",
											 "shutdow"
											 "n"));
	assert_false(may(f, &two, TDS_ASKED_DEAD_LETTERS, NULL));
	assert_false(may(f, &two, TDS_ASKED_DEAD_LETTERS, NULL));
	assert_trace(f, "event audit output",
		     "event NotAllowed 0: " WHY(
			     "be sent dead letters",
			     "deadletters") ", output foo - 1.6: " WHY("be sent dead letters",
								       "deadletters"));
	fake_run_ms(f, MINUTE_MS / 2);
	const struct engine_asker three =
		asker_of(fake_stranger(f->engine, fake_source(f->engine, 1), "y"), "1.7");
	assert_false(may(f, &three, TDS_ASKED_DEAD_LETTERS, NULL));
	assert_trace(f, "output", "output foo - 1.7: " WHY("be sent dead letters", "deadletters"));
	fake_run_ms(f, MINUTE_MS / 2);
	/* Its own minute has not passed, though that of the source in the audit log has. */
	assert_false(may(f, &three, TDS_ASKED_DEAD_LETTERS, NULL));
	assert_trace(f, "event audit output", "");
	assert_false(may(f, &one, TDS_ASKED_SYSTEM_END, NULL));
	assert_trace(f, "output", "output foo r 1.5: " WHY("end the system", "shutdown"));
	fake_run_ms(f, MINUTE_MS - 1);
	assert_false(may(f, &one, TDS_ASKED_SYSTEM_END, NULL));
	assert_trace(f, "event audit output", "");
	fake_run_ms(f, 1);
	assert_false(may(f, &one, TDS_ASKED_SYSTEM_END, NULL));
	assert_trace(f, "output", "output foo r 1.5: " WHY("end the system", "shutdown"));
}

/* What can be said without a Director: every list that counts has to have a right, and the first that has not is named. */
static void reasons(void **state)
{
	tds_auto(rights) struct tds_rights *load = NULL;
	char why[TDS_ASKING_WHY_MAX];

	(void)state;
	assert_int_equal(tds_rights_parse("load:a*", 7, TDS_HELD_BY_ACTORS, &load, NULL), 0);
	struct tds_asking asking = {
		.kind = TDS_ASKER_ACTOR,
		.rights = { [TDS_RIGHTS_SIGNED] = load, [TDS_RIGHTS_DECLARED] = tds_rights_all() }
	};
	assert_false(tds_asking_may(&asking, TDS_ASKED_LOAD, "ab"));
	tds_asking_why(&asking, TDS_ASKED_LOAD, "ab", why);
	assert_string_equal(why, "not allowed (LoadSource): may.cfg does not leave its group "
				 "'load:ab'");
	asking.rights[TDS_RIGHTS_MACHINE] = tds_rights_all();
	assert_true(tds_asking_may(&asking, TDS_ASKED_LOAD, "ab"));
	assert_false(tds_asking_may(&asking, TDS_ASKED_LOAD, "b"));
	assert_false(tds_asking_may(&asking, TDS_ASKED_LOAD, NULL));
	assert_true(tds_asking_may_any(&asking, TDS_ASKED_LOAD));
	assert_false(tds_asking_may_any(&asking, TDS_ASKED_UNLOAD));
	asking = (struct tds_asking){ .kind = TDS_ASKER_FOREIGN };
	tds_asking_why(&asking, TDS_ASKED_LOAD, "b", why);
	assert_string_equal(why, "not allowed (LoadSource): programs of other users may not; "
				 "adminusers.cfg lets their users ask by the socket");
	asking.kind = TDS_ASKER_USER;
	tds_asking_why(&asking, TDS_ASKED_RESTART_AS, NULL, why);
	assert_string_equal(why, "not allowed (Restart with Program): that is for root and the "
				 "admin's own user (adminuser.cfg)");
	tds_asking_why(&asking, TDS_ASKED_WATCH, NULL, why);
	assert_string_equal(why, "not allowed (Watch): adminusers.cfg does not give this user "
				 "'watch'");
}

/* A copy has its lists when those that it was made of are gone. */
static void copies(void **state)
{
	struct tds_rights *rights = NULL;
	struct tds_asking copy;

	(void)state;
	assert_int_equal(tds_rights_parse("load:a*", 7, TDS_HELD_BY_ACTORS, &rights, NULL), 0);
	const struct tds_asking asking = { .kind = TDS_ASKER_ACTOR,
					   .rights = { [TDS_RIGHTS_SIGNED] = rights,
						       [TDS_RIGHTS_DECLARED] = rights,
						       [TDS_RIGHTS_MACHINE] = tds_rights_all() },
					   .group = "foo" };
	assert_true(tds_asking_copy(&asking, &copy));
	tds_rights_free(rights);
	assert_true(tds_asking_may(&copy, TDS_ASKED_LOAD, "ab"));
	assert_string_equal(copy.group, "foo");
	tds_asking_fini(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_right_is_of_groups),
		IN_WORLD(what_is_not_signed_counts_for_nothing),
		IN_WORLD(capabilities_are_a_groups),
		IN_WORLD(a_name_is_of_who_declares_it),
		IN_WORLD(a_refusal_is_told_once_a_minute),
		cmocka_unit_test(reasons),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
