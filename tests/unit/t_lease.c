/* SPDX-License-Identifier: MIT */
/*
 * One leader, whatever happens: rules one by one, then histories by chance of systems whose clocks drift, that stand still,
 * die and come back, on a store that is late, forgets, and loses what it is asked and what it answers. TDS_SEED plays one
 * history again, TDS_SCALE says how many there are.
 */
#include <sys/random.h>
#include <time.h>

#include "base/mem.h"
#include "fake_clock.h"
#include "fake_store.h"
#include "unit.h"

#include "daemon/convention/lease.h"

#define SYSTEMS 3
#define LEASE_MS 15000
#define NONE SYSTEMS /* no system */

struct system {
	unsigned index;
	struct fake_clock clock;
	struct fake_door door;
	struct lease *lease; /* NULL: it does not run */
	unsigned starts;
	uint64_t term; /* that it remembers over its end */
	double rate;   /* of its clock */
	double mono_ms;
	int64_t stands_until_ms; /* of true time */
	unsigned began;
	unsigned ended;
	enum lease_end why;
	unsigned seen;
};

static struct world {
	struct fake_store store;
	struct system systems[SYSTEMS];
	int64_t now_ms; /* true time */
	uint64_t led;   /* the highest term that anybody led with */
	bool led_twice;
} w;

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A seed gives the same history each time. */
ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < len; i++)
		((unsigned char *)buf)[i] = (unsigned char)next_random();
	return (ssize_t)len;
}

static size_t below(size_t n)
{
	return (size_t)(next_random() % n);
}

static bool one_in(unsigned n)
{
	return next_random() % n == 0;
}

/* --- the systems --- */

static void on_began(void *ctx, uint64_t term)
{
	struct system *s = ctx;

	s->began++;
	w.led_twice |= term <= w.led;
	w.led = term;
}

static void on_ended(void *ctx, enum lease_end why)
{
	struct system *s = ctx;

	s->ended++;
	s->why = why;
}

static void on_seen(void *ctx, const struct lease_record *record)
{
	(void)record;
	((struct system *)ctx)->seen++;
}

static const struct lease_events events = { on_began, on_ended, on_seen };

static void start(unsigned i)
{
	static const char *const names[SYSTEMS] = { "a", "b", "c" };
	struct system *s = &w.systems[i];
	char epoch[REFERENCE_SIZE];

	(void)snprintf(epoch, sizeof(epoch), "%016x%016x", i, ++s->starts);
	const struct lease_config config = {
		.name = names[i], .epoch = epoch, .lease_ms = LEASE_MS, .term = s->term
	};
	s->lease = lease_new(&config, &s->clock.clock, &s->door.store, &events, s);
	assert_non_null(s->lease);
}

static void stop(unsigned i)
{
	struct system *s = &w.systems[i];

	if (s->lease)
		s->term = lease_term(s->lease);
	lease_free(s->lease);
	s->lease = NULL;
}

static int begin(void **state)
{
	(void)state;
	w = (struct world){ 0 };
	fake_store_init(&w.store);
	for (unsigned i = 0; i < SYSTEMS; i++) {
		struct system *s = &w.systems[i];

		*s = (struct system){ .index = i, .rate = 1 };
		fake_clock_init(&s->clock);
		s->mono_ms = (double)s->clock.now_mono_ms;
		fake_door_init(&s->door, &w.store, i);
	}
	return 0;
}

static int finish(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SYSTEMS; i++)
		stop(i);
	return 0;
}

static bool stands(const struct system *s)
{
	return w.now_ms < s->stands_until_ms;
}

static void give_answer(size_t i)
{
	struct fake_asked asked;
	struct bus_answer answer;

	fake_store_take(&w.store, i, &asked, &answer);
	if (w.systems[asked.system].lease)
		lease_answer(w.systems[asked.system].lease, &answer);
}

/* All that waits is done and answered, in order. */
static void settle(void)
{
	while (w.store.nasked > 0) {
		fake_store_do(&w.store, 0);
		give_answer(0);
	}
}

/* Members that are no candidates tell of each term that they have heard of, whoever is gone meanwhile. */
static void hear_beats(void)
{
	for (unsigned i = 0; i < SYSTEMS; i++)
		if (w.systems[i].lease && !w.systems[i].door.down && !stands(&w.systems[i]))
			lease_learn(w.systems[i].lease, w.led);
}

/* True time goes on by a bit; clocks go on as they do, and timers fire where the process does not stand still. */
static void tick(int64_t ms)
{
	w.now_ms += ms;
	for (unsigned i = 0; i < SYSTEMS; i++) {
		struct system *s = &w.systems[i];

		s->mono_ms += (double)ms * s->rate;
		s->clock.now_mono_ms = (int64_t)s->mono_ms;
		if (!stands(s))
			clock_run(&s->clock.clock);
	}
}

static unsigned leaders(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SYSTEMS; i++)
		n += w.systems[i].lease && lease_holds(w.systems[i].lease);
	return n;
}

static unsigned leader(void)
{
	for (unsigned i = 0; i < SYSTEMS; i++)
		if (w.systems[i].lease && lease_holds(w.systems[i].lease))
			return i;
	return NONE;
}

/* So much time passes, in which the store does at once what it is asked. */
static void go(int64_t ms)
{
	for (; ms > 0; ms -= 50) {
		tick(50);
		settle();
		assert_true(leaders() <= 1);
	}
}

/* How long it takes until this one leads; at most so long. */
static int64_t until_leads(unsigned i, int64_t most_ms)
{
	int64_t ms = 0;

	for (; ms <= most_ms && leader() != i; ms += 50)
		go(50);
	assert_int_equal(leader(), i);
	return ms;
}

/* --- the rules --- */

static void the_first_leads_at_once(void **state)
{
	(void)state;
	start(0);
	go(50);
	assert_int_equal(leader(), 0);
	assert_int_equal(lease_term(w.systems[0].lease), 1);
	start(1);
	go(10 * LEASE_MS);
	assert_int_equal(leader(), 0);
	assert_int_equal(w.systems[0].began, 1);
	assert_int_equal(w.systems[1].began, 0);
	assert_string_equal(lease_seen(w.systems[1].lease)->name, "a");
}

/* Two that begin at once: the store decides. */
static void two_take_it_and_one_has_it(void **state)
{
	(void)state;
	start(0);
	start(1);
	tick(50); /* both look */
	fake_store_do(&w.store, 0);
	fake_store_do(&w.store, 1);
	give_answer(0);
	give_answer(0); /* both create */
	assert_int_equal(w.store.nasked, 2);
	fake_store_do(&w.store, 1);
	fake_store_do(&w.store, 0);
	settle();
	go(LEASE_MS);
	assert_int_equal(leader(), 1);
}

static void a_candidate_takes_over(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	start(1);
	go(LEASE_MS);
	stop(0);
	int64_t ms = until_leads(1, 2 * LEASE_MS);
	/* The whole lease, since the last renewal, and a fifth to see that the store has kept it. */
	assert_in_range(ms, LEASE_MS * 9 / 10, LEASE_MS * 13 / 10);
	assert_int_equal(lease_term(w.systems[1].lease), 2);
}

/* Without its store a leader stops, by its own clock, after two thirds; and the other cannot have it before. */
static void who_does_not_reach_the_store_stops(void **state)
{
	(void)state;
	start(0);
	start(1);
	go(LEASE_MS);
	unsigned first = leader();
	unsigned other = 1 - first;
	w.systems[first].door.down = true;
	go(LEASE_MS * 2 / 5);
	assert_int_equal(leader(), first);
	go(LEASE_MS / 3);
	assert_int_equal(leader(), NONE);
	assert_int_equal(w.systems[first].ended, 1);
	assert_int_equal(w.systems[first].why, LEASE_RAN_OUT);
	until_leads(other, LEASE_MS);
	w.systems[first].door.down = false;
	go(2 * LEASE_MS);
	assert_int_equal(leader(), other);
	assert_string_equal(lease_seen(w.systems[first].lease)->name, other ? "b" : "a");
}

/* A process that stood still holds nothing when it goes on, before any timer of it has fired. */
static void who_stood_still_knows(void **state)
{
	(void)state;
	start(0);
	start(1);
	go(LEASE_MS);
	unsigned first = leader();
	w.systems[first].stands_until_ms = w.now_ms + 2 * LEASE_MS;
	for (int64_t ms = 0; ms < 2 * LEASE_MS - 100; ms += 50) {
		tick(50);
		while (w.store.nasked > 0 && w.store.asked[0].system != first) {
			fake_store_do(&w.store, 0);
			give_answer(0);
		}
	}
	assert_false(lease_holds(w.systems[first].lease));
	assert_int_equal(leader(), 1 - first);
	assert_int_equal(w.systems[first].ended, 0);
	go(LEASE_MS);
	assert_int_equal(w.systems[first].ended, 1);
	assert_int_equal(leader(), 1 - first);
}

/* What is asked next of the store, by anybody. */
static enum fake_operation await_asked(void)
{
	while (w.store.nasked == 0)
		tick(50);
	assert_int_equal(w.store.nasked, 1);
	return w.store.asked[0].operation;
}

/* An update whose answer does not come is looked at, and counts where it was done. */
static void an_unknown_update_is_read_back(void **state)
{
	struct fake_asked asked;
	struct bus_answer answer;

	(void)state;
	start(0);
	go(LEASE_MS);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(await_asked(), FAKE_UPDATE);
		if (i % 2)
			fake_store_do(&w.store, 0);
		fake_store_lose(&w.store, 0);
		assert_int_equal(await_asked(), FAKE_GET);
		settle();
	}
	assert_int_equal(leader(), 0);
	/* The link says so itself: it is read back at once. */
	assert_int_equal(await_asked(), FAKE_UPDATE);
	fake_store_do(&w.store, 0);
	fake_store_take(&w.store, 0, &asked, &answer);
	answer.result = BUS_UNKNOWN;
	lease_answer(w.systems[0].lease, &answer);
	tick(0);
	assert_int_equal(w.store.asked[0].operation, FAKE_GET);
	go(LEASE_MS);
	assert_int_equal(w.systems[0].ended, 0);
	assert_int_equal(w.systems[0].began, 1);
}

/* A slow answer makes no longer lease: what counts is when it was asked. */
static void it_counts_from_when_it_is_sent(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	assert_int_equal(await_asked(), FAKE_UPDATE);
	int64_t sent_ms = w.now_ms;
	fake_store_do(&w.store, 0);
	tick(LEASE_MS / 10);
	give_answer(0);
	w.systems[0].door.down = true;
	while (w.now_ms < sent_ms + LEASE_MS * 2 / 3 - 100)
		go(50);
	assert_int_equal(leader(), 0);
	go(100);
	assert_int_equal(leader(), NONE);
}

/* The second system has looked for a whole lease, and its next question is to take the record. */
static void about_to_take(void)
{
	start(0);
	go(LEASE_MS);
	start(1);
	go(LEASE_MS);
	stop(0);
	while (await_asked() != FAKE_UPDATE) {
		fake_store_do(&w.store, 0);
		give_answer(0);
	}
	assert_int_equal(w.store.asked[0].system, 1);
}

/* What the store has forgotten of a take may be another's by now. */
static void a_take_that_is_forgotten_is_none(void **state)
{
	(void)state;
	about_to_take();
	settle();
	assert_int_equal(leader(), NONE);
	go(LEASE_MS / 10);
	fake_store_fall_back(&w.store, 1);
	go(LEASE_MS - 100);
	assert_int_equal(w.systems[1].began, 0);
	until_leads(1, LEASE_MS);
}

/* It may have come after the record of a holder that was not seen. */
static void a_take_that_is_late_is_none(void **state)
{
	(void)state;
	about_to_take();
	fake_store_do(&w.store, 0);
	fake_store_lose(&w.store, 0);
	assert_int_equal(await_asked(), FAKE_GET);
	tick(LEASE_MS / 12);
	settle();
	go(LEASE_MS - 100);
	assert_int_equal(w.systems[1].began, 0);
	until_leads(1, LEASE_MS);
}

/* Who could not look for a while has not seen that the record was unchanged. */
static void a_gap_begins_the_wait_anew(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	start(1);
	go(LEASE_MS);
	stop(0);
	go(LEASE_MS * 9 / 10);
	w.systems[1].door.down = true;
	go(LEASE_MS / 4);
	w.systems[1].door.down = false;
	go(LEASE_MS);
	assert_int_equal(w.systems[1].began, 0);
	until_leads(1, LEASE_MS / 2);
}

static void a_leader_writes_anew_what_is_forgotten(void **state)
{
	struct lease_record record;

	(void)state;
	start(0);
	start(1);
	go(LEASE_MS);
	unsigned first = leader();
	fake_store_fall_back(&w.store, 3);
	go(2 * LEASE_MS);
	fake_store_erase(&w.store);
	go(2 * LEASE_MS);
	assert_int_equal(leader(), first);
	assert_int_equal(w.systems[first].began, 1);
	const struct fake_record *has = fake_store_has(&w.store);
	assert_true(lease_record_read(has->data, has->len, &record));
	assert_int_equal(record.term, 1);
	assert_string_equal(record.name, first ? "b" : "a");
}

/* It was away when its lease ran out: it is the first that takes the empty store, before one that looks for as long. */
static void the_last_leader_is_first(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	w.systems[1].term = 1;
	w.systems[0].door.down = true;
	go(LEASE_MS);
	assert_int_equal(leader(), NONE);
	fake_store_erase(&w.store);
	start(1);
	w.systems[0].door.down = false;
	until_leads(0, 2 * LEASE_MS);
	assert_int_equal(lease_term(w.systems[0].lease), 2);
}

/* Who knows of a term does not take an empty store for a new convention. */
static void a_term_that_is_known_is_heeded(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	start(1);
	lease_learn(w.systems[1].lease, 1);
	lease_learn(w.systems[1].lease, LEASE_TERM_LEARNED_MAX + 1);
	assert_int_equal(lease_term(w.systems[1].lease), 1);
	fake_store_erase(&w.store);
	tick(0);
	while (w.store.nasked > 0 && w.store.asked[0].system == 1) {
		fake_store_do(&w.store, 0);
		give_answer(0);
	}
	go(LEASE_MS);
	assert_int_equal(leader(), 0);
	assert_int_equal(w.systems[1].began, 0);
}

static void write_other(const char *text)
{
	struct fake_door door;

	fake_door_init(&door, &w.store, 2);
	assert_int_not_equal(door.store.ops->update(&door.store, LEASE_KEY,
						    fake_store_has(&w.store)->revision, text,
						    strlen(text)),
			     0);
	settle();
}

#define EPOCH "0123456789abcdef0123456789abcdef"

static void a_later_holder_is_heeded(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	write_other("{\"System\":\"z\",\"Epoch\":\"" EPOCH "\",\"Term\":7,\"Nonce\":\"" EPOCH
		    "\"}");
	go(LEASE_MS / 2);
	assert_int_equal(leader(), NONE);
	assert_int_equal(w.systems[0].why, LEASE_TAKEN);
	assert_string_equal(lease_seen(w.systems[0].lease)->name, "z");
	until_leads(0, 2 * LEASE_MS);
	assert_int_equal(lease_term(w.systems[0].lease), 8);
}

/* What is no record is nobody's, and is written over by who leads, or taken when nobody does. */
static void a_record_that_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"System\":\"a.b\",\"Epoch\":\"" EPOCH "\",\"Term\":7,\"Nonce\":\"" EPOCH "\"}",
		"{\"System\":\"a\",\"Epoch\":\"" EPOCH "\",\"Term\":0,\"Nonce\":\"" EPOCH "\"}",
		"{\"System\":\"a\",\"Epoch\":\"" EPOCH
		"\",\"Term\":9007199254740993,\"Nonce\":\"" EPOCH "\"}",
		"{\"System\":\"a\",\"Epoch\":\"" EPOCH "\",\"Term\":7.0,\"Nonce\":\"" EPOCH "\"}",
		"{\"System\":\"a\",\"Epoch\":\"" EPOCH "0\",\"Term\":7,\"Nonce\":\"" EPOCH "\"}",
		"{\"System\":\"a\",\"Epoch\":\"" EPOCH "\",\"Term\":7,\"Nonce\":\"\"}",
		"{\"System\":\"a\",\"System\":\"a\",\"Epoch\":\"" EPOCH
		"\",\"Term\":7,\"Nonce\":\"" EPOCH "\"}",
	};
	struct lease_record record;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(lease_record_read(bad[i], strlen(bad[i]), &record));
		assert_int_equal(record.term, 0);
	}
	start(0);
	go(LEASE_MS);
	write_other("what?");
	go(LEASE_MS);
	assert_int_equal(leader(), 0);
	assert_int_equal(w.systems[0].began, 1);
	stop(0);
	write_other("what?");
	start(1);
	until_leads(1, 2 * LEASE_MS);
}

static void who_gives_up_waits(void **state)
{
	(void)state;
	start(0);
	go(LEASE_MS);
	lease_give_up(w.systems[0].lease);
	assert_int_equal(leader(), NONE);
	assert_int_equal(w.systems[0].ended, 0);
	go(LEASE_MS - 100);
	assert_int_equal(leader(), NONE);
	until_leads(0, 2 * LEASE_MS);
}

/* --- histories by chance --- */

#define STEPS 400
#define HISTORIES 4000

static int64_t forgot_ms;
static uint64_t seed;

/* Once a lease; nobody is new to the convention any more, which began some time ago. */
static void forget(void)
{
	if (w.now_ms - forgot_ms < LEASE_MS * 21 / 20)
		return;
	forgot_ms = w.now_ms;
	if (one_in(3))
		fake_store_erase(&w.store);
	else
		fake_store_fall_back(&w.store, 1 + below(one_in(2) ? 4 : 100));
}

/* Where it hurts: the store forgets what has just been taken. */
static void forget_take(void)
{
	const struct fake_record *states = w.store.states;
	size_t n = w.store.nstates;
	struct lease_record last;
	struct lease_record before;

	if (n < 2 || w.now_ms - forgot_ms < LEASE_MS * 21 / 20 ||
	    !lease_record_read(states[n - 1].data, states[n - 1].len, &last) ||
	    !lease_record_read(states[n - 2].data, states[n - 2].len, &before) ||
	    last.term <= before.term)
		return;
	forgot_ms = w.now_ms;
	fake_store_fall_back(&w.store, 1);
}

static void do_or_lose(void)
{
	if (w.store.nasked == 0)
		return;

	size_t i = one_in(4) ? below(w.store.nasked) : 0;
	const struct fake_asked *asked = &w.store.asked[i];
	if (one_in(20))
		fake_store_lose(&w.store, i);
	else if (!asked->done)
		fake_store_do(&w.store, i);
	else if (!stands(&w.systems[asked->system]))
		give_answer(i);
}

static void die_or_live(struct system *s)
{
	if (!s->lease) {
		start(s->index);
	} else {
		stop(s->index);
		if (one_in(2))
			start(s->index);
	}
}

static void happen(void)
{
	struct system *s = &w.systems[below(SYSTEMS)];
	size_t what = below(100);

	if (what < 20)
		tick((int64_t)below(LEASE_MS / 15));
	else if (what < 90)
		do_or_lose();
	else if (what < 92)
		forget();
	else if (what < 94)
		s->stands_until_ms = w.now_ms + (int64_t)below(2 * LEASE_MS);
	else if (what < 96)
		s->door.down = !s->door.down;
	else if (what < 97)
		die_or_live(s);
	else if (what < 98)
		forget_take();
	else
		tick((int64_t)below(LEASE_MS / 4));
}

static void must(bool good, const char *what)
{
	if (!good)
		fail_msg("TDS_SEED=%ju: %s", (uintmax_t)seed, what);
}

/* When nothing goes wrong any more, somebody leads before long. */
static void recover(void)
{
	for (unsigned i = 0; i < SYSTEMS; i++) {
		w.systems[i].door.down = false;
		w.systems[i].stands_until_ms = 0;
		if (!w.systems[i].lease)
			start(i);
	}
	for (int64_t ms = 0; ms < 3 * LEASE_MS; ms += 50) {
		hear_beats();
		tick(50);
		settle();
		must(leaders() <= 1, "two lead");
	}
	must(leaders() == 1, "nobody leads");
}

static void play(void)
{
	random_state = seed * 0x9e3779b97f4a7c15 + 1;
	begin(NULL);
	for (unsigned i = 0; i < SYSTEMS; i++) {
		w.systems[i].rate = 0.98 + (double)below(41) / 1000;
		start(i);
	}
	for (unsigned i = 0; i < 100; i++) {
		tick(LEASE_MS / 100);
		settle();
	}
	must(leaders() == 1, "nobody has begun to lead");
	forgot_ms = w.now_ms - (int64_t)below(LEASE_MS);
	for (unsigned i = 0; i < STEPS; i++) {
		happen();
		hear_beats();
		must(leaders() <= 1, "two lead");
	}
	recover();
	must(!w.led_twice, "a term was led twice");
	finish(NULL);
}

static void by_chance(void **state)
{
	const char *given = getenv("TDS_SEED");
	const char *scale = getenv("TDS_SCALE");
	unsigned n = given ? 1 : HISTORIES * (scale ? (unsigned)strtoul(scale, NULL, 10) : 1);
	uint64_t first = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000000;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		seed = first + i;
		play();
	}
	(void)printf("# %u histories from TDS_SEED=%ju\n", n, (uintmax_t)first);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(the_first_leads_at_once),
		IN_WORLD(two_take_it_and_one_has_it),
		IN_WORLD(a_candidate_takes_over),
		IN_WORLD(who_does_not_reach_the_store_stops),
		IN_WORLD(who_stood_still_knows),
		IN_WORLD(an_unknown_update_is_read_back),
		IN_WORLD(it_counts_from_when_it_is_sent),
		IN_WORLD(a_take_that_is_forgotten_is_none),
		IN_WORLD(a_take_that_is_late_is_none),
		IN_WORLD(a_gap_begins_the_wait_anew),
		IN_WORLD(a_leader_writes_anew_what_is_forgotten),
		IN_WORLD(the_last_leader_is_first),
		IN_WORLD(a_term_that_is_known_is_heeded),
		IN_WORLD(a_later_holder_is_heeded),
		IN_WORLD(a_record_that_is_none),
		IN_WORLD(who_gives_up_waits),
		cmocka_unit_test(by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
