/* SPDX-License-Identifier: MIT */
/* Messages to roles and names: delivered, parked while their target is on its way, or refused. */
#include "base/mem.h"
#include "daemon/base/charge.h"
#include "daemon/director/change.h"
#include "fake_world.h"
#include "unit.h"

static enum delivery say(struct fake *f, const char *target)
{
	uint64_t ticket;

	return fake_send(f, target, "'hello'", &ticket);
}

static void parked(struct fake *f, const char *target)
{
	assert_trace(f, "none", "");
	assert_int_equal(say(f, target), DELIVERY_PARKED);
	assert_non_null(f->director->parked);
}

static void none_is_parked(const struct fake *f)
{
	assert_null(f->director->parked);
}

/* The message was delivered, behind this, and its sender was told. */
static void delivered(struct fake *f, const char *sent)
{
	tds_autofree char *trace = fake_trace_take(&f->trace, "send told");
	char *told = strstr(trace, ", told ");

	none_is_parked(f);
	assert_non_null(told);
	assert_non_null(strstr(told, ": delivered"));
	*told = '\0';
	assert_string_equal(trace, sent);
}

static void told_that_nobody_comes(struct fake *f, const char *why)
{
	tds_autofree char *trace = fake_trace_take(&f->trace, "told");

	none_is_parked(f);
	assert_non_null(strstr(trace, ": "));
	assert_string_equal(strstr(trace, ": ") + 2, why);
}

#define ABSENT_TEXT "no such role, global name or address"

static void to_who_is_there(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	assert_trace(f, "none", "");
	assert_int_equal(say(f, "r"), DELIVERY_DONE);
	assert_int_equal(say(f, "@n"), DELIVERY_DONE);
	assert_int_equal(say(f, fake_the(f, 1, "a.A")->pub.address), DELIVERY_DONE);
	assert_trace(f, "send", "send 1 a.A 'hello', send 1 a.A 'hello', send 1 a.A 'hello'");
}

static void to_nobody(void **state)
{
	struct fake *f = *state;
	char why[ABSENCE_MAX];

	fake_loaded(f, "foo-1.tls");
	assert_int_equal(say(f, "s"), DELIVERY_NONE);
	assert_int_equal(say(f, "@s"), DELIVERY_NONE);
	assert_int_equal(say(f, "1.1"), DELIVERY_NONE);
	assert_string_equal(director_absence(f->director, "s", NULL, why), ABSENT_TEXT);
	/* A load that does not bring it is no reason to wait. */
	fake_load(f, "foo-2.tls");
	assert_int_equal(say(f, "s"), DELIVERY_NONE);
}

/* From the beginning of the first load until its actor has got its OnLoad message. */
static void while_it_is_loaded(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo-1.tls");
	parked(f, "r");
	fake_says(f, 1, 0, NULL);
	assert_non_null(f->director->parked);
	fake_imports(f, 1, NULL);
	assert_non_null(f->director->parked);
	fake_run(f);
	delivered(f, "send 1 a.A 'load', send 1 a.A 'hello'");
}

static void by_its_global_name(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo-1.tls");
	parked(f, "@n");
	fake_run(f);
	delivered(f, "send 1 a.A 'load', send 1 a.A 'hello'");
}

static void a_load_that_is_refused(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo-1.tls");
	parked(f, "r");
	fake_says(f, 1, 7, "no key validates it");
	told_that_nobody_comes(f, ABSENT_TEXT);
}

static void a_load_that_is_undone(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo-1.tls");
	fake_says(f, 1, 0, NULL);
	parked(f, "r");
	fake_imports(f, 1, "SyntaxError");
	assert_non_null(f->director->parked);
	fake_run(f);
	told_that_nobody_comes(f, ABSENT_TEXT);
}

static void while_the_next_one_is_loaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_load(f, "foo-2.tls");
	fake_says(f, 2, 0, NULL);
	fake_imports(f, 2, NULL);
	/* The old one answers until the names move, */
	assert_trace(f, "none", "");
	assert_int_equal(say(f, "r"), DELIVERY_DONE);
	assert_trace(f, "send", "send 1 a.A 'hello'");
	/* and where it exits, the new one does. */
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	parked(f, "r");
	fake_run(f);
	delivered(f, "send 2 a.A 'load', send 2 a.A 'hello'");
}

static void while_it_is_unloaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_loaded(f, "foo-2.tls");
	fake_unload(f, 2);
	parked(f, "r");
	assert_trace(f, "none", "");
	assert_int_equal(say(f, "@n"), DELIVERY_PARKED);
	/* What has an exit request handles nothing any more. */
	assert_int_equal(say(f, fake_the(f, 2, "a.A")->pub.address), DELIVERY_NONE);
	fake_ends(f, 2);
	none_is_parked(f);
	tds_autofree char *sent = fake_trace_take(&f->trace, "send");
	assert_string_equal(sent, "send 1 a.A 'again', send 1 a.A 'hello', send 1 a.A 'hello'");
}

static void while_the_last_is_unloaded(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_unload(f, 1);
	parked(f, "r");
	fake_run(f);
	told_that_nobody_comes(f, ABSENT_TEXT);
}

static void while_it_is_lost(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	parked(f, "r");
	fake_run(f);
	delivered(f, "send 1 a.A 'load', send 1 a.A 'hello'");
}

/* Also where it waits before its next try. */
static void while_it_is_lost_again(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "foo-1.tls");
	fake_ends(f, 1);
	fake_run(f);
	fake_ends(f, 1);
	assert_int_equal(fake_clock_due_ms(&f->clock), 100);
	parked(f, "r");
	fake_run_ms(f, 100);
	delivered(f, "send 1 a.A 'load', send 1 a.A 'hello'");
}

static void while_it_is_restored(void **state)
{
	struct fake *f = *state;

	fake_loaded(f, "bar-1.tls");
	fake_loaded(f, "foo-1.tls");
	f->settings.slots = 1;
	fake_crash(f);
	parked(f, "r"); /* bar is under way, and foo waits for a place */
	fake_run(f);
	assert_true(f->restored);
	delivered(f, "send 1 a.A 'load', send 1 a.A 'hello'");
}

/* An actor that is started at once: a moment. One that waits longer: whoever asks is told when. */
static void while_it_is_started_again(void **state)
{
	struct fake *f = *state;
	char why[ABSENCE_MAX];

	fake_loaded(f, "foo-1.tls");
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	fake_clock_go(&f->clock, 0);
	assert_non_null(fake_actor(f->engine, 1, "a.A"));
	parked(f, "r"); /* it is there, and its OnLoad message comes first */
	fake_run(f);
	delivered(f, "send 1 a.A 'load', send 1 a.A 'hello'");
	for (int i = 0; i < 5; i++) {
		fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
		fake_clock_next(&f->clock);
	}
	parked(f, "@n"); /* its next start is under way */
	assert_int_equal(say(f, "r"), DELIVERY_PARKED);
	fake_exited(f->engine, fake_the(f, 1, "a.A"), "exited with status 0");
	tds_autofree char *told = fake_trace_take(&f->trace, "told");
	assert_non_null(strstr(told, "its actor is not running, and is started again in "));
	assert_int_equal(say(f, "r"), DELIVERY_NONE);
	assert_int_equal(strncmp(director_absence(f->director, "r", NULL, why),
				 "its actor is not running, and is started again in ", 50),
			 0);
	assert_string_equal(director_absence(f->director, "r", "bar", why), ABSENT_TEXT);
}

static void in_the_order_in_which_they_came(void **state)
{
	struct fake *f = *state;
	uint64_t ticket;

	fake_load(f, "foo-1.tls");
	(void)fake_send(f, "r", "1", &ticket);
	(void)fake_send(f, "@n", "2", &ticket);
	(void)fake_send(f, "r", "3", &ticket);
	parked_release(f->director); /* they are tried, and none is there yet */
	assert_trace(f, "told", "");
	fake_run(f);
	assert_trace(f, "send", "send 1 a.A 'load', send 1 a.A 1, send 1 a.A 2, send 1 a.A 3");
}

static void for_one_group_alone(void **state)
{
	struct fake *f = *state;
	struct payload payload = { .encoding = ENCODING_LITERAL, .data = "1", .len = 1 };

	fake_load(f, "foo-1.tls");
	assert_int_equal(director_send(f->director, "r", "bar", 0, 1, false, &payload),
			 DELIVERY_NONE);
	assert_int_equal(director_send(f->director, "r", "foo", 0, 2, false, &payload),
			 DELIVERY_PARKED);
	fake_run(f);
	none_is_parked(f);
	assert_int_equal(director_send(f->director, "r", "bar", 0, 3, false, &payload),
			 DELIVERY_NONE);
	assert_int_equal(director_send(f->director, "r", "foo", 0, 4, false, &payload),
			 DELIVERY_DONE);
}

/* A parked question has the ticket as its endpoint. */
static void an_answer_to_a_parked_question(void **state)
{
	struct fake *f = *state;
	struct payload payload = { .encoding = ENCODING_LITERAL, .data = "1", .len = 1 };

	fake_load(f, "foo-1.tls");
	assert_int_equal(director_send(f->director, "r", NULL, 0, 77, true, &payload),
			 DELIVERY_PARKED);
	while (!fake_actor(f->engine, 1, "a.A") || fake_the(f, 1, "a.A")->endpoint != 77)
		assert_true(fake_step(f));
	(void)fake_answer(f->engine, fake_the(f, 1, "a.A"), ENCODING_LITERAL);
	assert_trace(f, "answer", "answer 77 'fine'");
}

static void another_source_does_not_answer_a_question(void **state)
{
	struct fake *f = *state;
	struct payload payload = { .encoding = ENCODING_LITERAL, .data = "1", .len = 1 };

	fake_loaded(f, "bar-1.tls");
	fake_loaded(f, "foo-1.tls");
	struct fake_actor *asked = fake_the(f, 1, "a.A");
	assert_int_equal(director_send(f->director, "r", "foo", 0, 77, true, &payload),
			 DELIVERY_DONE);
	assert_true(fake_forge(f->engine, fake_the(f, 4, "b.B"), asked, ENCODING_LITERAL));
	assert_trace(f, "answer", "");
	assert_int_equal(director_strays(f->director), 1);
	assert_true(fake_answer(f->engine, asked, ENCODING_LITERAL));
	assert_trace(f, "answer", "answer 77 'fine'");
	assert_int_equal(director_strays(f->director), 1);
}

static void what_is_forgotten_is_not_delivered(void **state)
{
	struct fake *f = *state;
	uint64_t first;
	uint64_t second;

	fake_load(f, "foo-1.tls");
	(void)fake_send(f, "r", "1", &first);
	(void)fake_send(f, "r", "2", &second);
	director_forget(f->director, first);
	director_forget(f->director, 12345);
	fake_run(f);
	assert_trace(f, "send", "send 1 a.A 'load', send 1 a.A 2");
}

/* Each user takes half of what the ones before have left. */
static void all_share_1024_places(void **state)
{
	struct fake *f = *state;

	fake_load(f, "foo-1.tls");
	for (int most = 512; most > 0; most /= 2, f->uid++) {
		for (int i = 0; i < most; i++)
			assert_int_equal(say(f, "r"), DELIVERY_PARKED);
		assert_int_equal(say(f, "r"), DELIVERY_FULL);
	}
	fake_run(f);
	none_is_parked(f);
}

static void all_share_16_mib(void **state)
{
	struct fake *f = *state;
	size_t size = 4 << 20;
	struct payload payload = { .encoding = ENCODING_LITERAL, .len = size };
	tds_autofree char *data = calloc(1, size);

	payload.data = data;
	fake_load(f, "foo-1.tls");
	for (int i = 1; i <= 3; i++)
		assert_int_equal(
			director_send(f->director, "r", NULL, 1, (uint64_t)i, false, &payload),
			i < 3 ? DELIVERY_PARKED : DELIVERY_FULL);
	assert_int_equal(director_send(f->director, "r", NULL, 2, 4, false, &payload),
			 DELIVERY_PARKED);
}

/* What is parked is charged to who sent it until it is delivered, fails, or is forgotten. */
static void what_is_parked_is_charged(void **state)
{
	struct fake *f = *state;
	struct account *account = account_new();
	struct payload payload = { .encoding = ENCODING_LITERAL, .data = "1", .len = 1 };

	fake_load(f, "foo-1.tls");
	for (uint64_t ticket = 1; ticket <= 2; ticket++) {
		payload.charge = charge_new(account, payload.len);
		assert_int_equal(director_send(f->director, "r", NULL, 1, ticket, false, &payload),
				 DELIVERY_PARKED);
		charge_unref(payload.charge);
	}
	assert_int_equal(account->bytes, 2 * (1 + CHARGE_WEIGHT));
	director_forget(f->director, 1);
	assert_int_equal(account->bytes, 1 + CHARGE_WEIGHT);
	fake_run(f);
	assert_int_equal(account->bytes, 0);
	account_unref(account);
}

/* --- a sender that sends the next when it is told --- */

static void on_told(void *ctx, uint64_t ticket, const char *error)
{
	struct fake *f = ctx;

	(void)ticket;
	if (!error)
		assert_int_equal(say(f, "@n"), DELIVERY_DONE);
}

static void who_is_told_sends_the_next(void **state)
{
	struct fake *f = *state;
	struct director_watch watch = { .delivered = on_told, .ctx = f };

	director_watch(f->director, &watch);
	fake_load(f, "foo-1.tls");
	assert_int_equal(say(f, "r"), DELIVERY_PARKED);
	assert_int_equal(say(f, "r"), DELIVERY_PARKED);
	fake_run(f);
	none_is_parked(f);
}

static void on_told_unload(void *ctx, uint64_t ticket, const char *error)
{
	struct fake *f = ctx;

	(void)ticket;
	(void)error;
	fake_unload(f, 4);
}

/* What waits for another group goes within that, while the list is walked. */
static void who_is_told_unloads_what_others_wait_for(void **state)
{
	struct fake *f = *state;
	struct director_watch watch = { .delivered = on_told_unload, .ctx = f };

	fake_loaded(f, "bar-1.tls");
	fake_ends(f, 4);
	director_watch(f->director, &watch);
	fake_load(f, "foo-1.tls");
	assert_int_equal(say(f, "s"), DELIVERY_PARKED);
	assert_int_equal(say(f, "r"), DELIVERY_PARKED);
	assert_int_equal(say(f, "s"), DELIVERY_PARKED);
	fake_run(f);
	none_is_parked(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(to_who_is_there),
		IN_WORLD(to_nobody),
		IN_WORLD(while_it_is_loaded),
		IN_WORLD(by_its_global_name),
		IN_WORLD(a_load_that_is_refused),
		IN_WORLD(a_load_that_is_undone),
		IN_WORLD(while_the_next_one_is_loaded),
		IN_WORLD(while_it_is_unloaded),
		IN_WORLD(while_the_last_is_unloaded),
		IN_WORLD(while_it_is_lost),
		IN_WORLD(while_it_is_lost_again),
		IN_WORLD(while_it_is_restored),
		IN_WORLD(while_it_is_started_again),
		IN_WORLD(in_the_order_in_which_they_came),
		IN_WORLD(for_one_group_alone),
		IN_WORLD(an_answer_to_a_parked_question),
		IN_WORLD(another_source_does_not_answer_a_question),
		IN_WORLD(what_is_forgotten_is_not_delivered),
		IN_WORLD(all_share_1024_places),
		IN_WORLD(all_share_16_mib),
		IN_WORLD(what_is_parked_is_charged),
		IN_WORLD(who_is_told_sends_the_next),
		IN_WORLD(who_is_told_unloads_what_others_wait_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
