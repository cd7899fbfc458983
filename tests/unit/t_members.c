/* SPDX-License-Identifier: MIT */
/* Who is in a convention: several systems on one bus that can be cut, and what each is told. */
#include "base/mem.h"
#include "fake_clock.h"
#include "unit.h"

#include "daemon/convention/beat.h"
#include "daemon/convention/document.h"
#include "daemon/convention/members.h"

#define SYSTEMS 4
#define LOST_MS 15000
#define DOCUMENT "{\"Capabilities\":{\"a\":\"1\"},\"Sources\":[],\"Refused\":[]}"

/* One system, in one of its starts. */
struct system {
	struct bus bus;
	const char *name;
	char epoch[REFERENCE_SIZE];
	struct members *members; /* NULL: it does not run */
	struct members_self self;
	bool deaf; /* the bus is cut */
	size_t published[BUS_LINK + 1];
	size_t to_all[BUS_LINK + 1]; /* of these */
	char told[4096];
};

static struct fake_clock fake;
static struct system systems[SYSTEMS];

/* --- the bus --- */

static bool publish(struct bus *bus, const char *to, enum bus_channel channel, const void *data,
		    size_t len)
{
	struct system *from = (struct system *)bus;

	from->published[channel]++;
	from->to_all[channel] += !to;
	if (from->deaf)
		return false;
	for (int i = 0; i < SYSTEMS; i++)
		if (systems[i].members && !systems[i].deaf &&
		    (!to || strcmp(to, systems[i].name) == 0))
			assert_true(
				members_heard(systems[i].members, from->name, channel, data, len));
	return true;
}

/* --- what is told --- */

static void note(void *ctx, const char *what, const struct member *member)
{
	struct system *s = ctx;
	size_t len = strlen(s->told);

	(void)snprintf(s->told + len, sizeof(s->told) - len, "%s%s %s", len ? ", " : "", what,
		       member->name);
}

static void on_joined(void *ctx, struct member *member)
{
	note(ctx, "joined", member);
}

static void on_lost(void *ctx, struct member *member)
{
	static const char *const words[] = {
		[MEMBER_SILENT] = "silent",
		[MEMBER_LEFT] = "left",
		[MEMBER_RESTARTED] = "restarted",
		[MEMBER_DISPLACED] = "displaced",
	};

	note(ctx, words[member->loss], member);
}

static void on_changed(void *ctx, struct member *member, enum member_change what)
{
	note(ctx, what == MEMBER_CHANGED_ROLE ? "role" : "document", member);
}

static void on_clash(void *ctx, struct member *member, const struct member_claim *claim)
{
	assert_string_not_equal(claim->epoch, member->epoch);
	note(ctx, "clash", member);
}

static void on_foreign(void *ctx, struct member *member)
{
	note(ctx, "foreign", member);
}

static void on_gone(void *ctx, struct member *member)
{
	note(ctx, "gone", member);
}

static void on_self(void *ctx, struct members_self *self)
{
	*self = ((struct system *)ctx)->self;
}

static const struct members_events events = { on_joined,  on_lost, on_changed, on_clash,
					      on_foreign, on_gone, on_self };

/* --- the systems --- */

static void start(int i, const char *name, unsigned number, const char *after)
{
	static const struct bus_ops ops = { publish };
	struct system *s = &systems[i];

	*s = (struct system){ .bus = { &ops }, .name = name };
	(void)snprintf(s->epoch, sizeof(s->epoch), "%032x", number);
	const struct members_config config = { .name = name,
					       .epoch = s->epoch,
					       .after = after,
					       .version = "1.0",
					       .lost_ms = LOST_MS };
	s->members = members_new(&config, &fake.clock, &s->bus, &events, s);
	assert_non_null(s->members);
}

static void stop(int i)
{
	members_free(systems[i].members);
	systems[i].members = NULL;
}

static int begin(void **state)
{
	(void)state;
	fake_clock_init(&fake);
	memset(systems, 0, sizeof(systems));
	return 0;
}

static int finish(void **state)
{
	(void)state;
	for (int i = 0; i < SYSTEMS; i++)
		stop(i);
	return 0;
}

/* What was told since it was asked last. */
static void was_told(int i, const char *expected)
{
	assert_string_equal(systems[i].told, expected);
	*systems[i].told = '\0';
}

static struct member *known(int i, const char *name)
{
	struct member *member = members_find(systems[i].members, name);

	assert_non_null(member);
	return member;
}

static size_t here(int i)
{
	struct members_counts counts;

	members_counts(systems[i].members, &counts);
	return counts.here;
}

static void set_document(int i, const char *text)
{
	struct tds_err err = { 0 };

	assert_fine(members_set_document(systems[i].members, json_loads(text, 0, NULL), &err),
		    &err);
}

static void go(int64_t ms)
{
	fake_clock_go(&fake, ms);
}

/* --- the rules --- */

static void they_join_and_are_lost(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 2, "");
	systems[1].self = (struct members_self){ MEMBER_LEADER, 7, 5, 300 };
	go(1000);
	was_told(0, "joined b");
	was_told(1, "joined a");
	const struct member *b = known(0, "b");
	assert_int_equal(b->role, MEMBER_LEADER);
	assert_int_equal(b->term, 7);
	assert_int_equal(b->actors, 5);
	assert_int_equal(b->load, 300);
	assert_string_equal(b->version, "1.0");
	assert_int_equal(here(0), 2);
	stop(1);
	go(LOST_MS - 1000);
	was_told(0, "");
	go(1000);
	was_told(0, "silent b");
	assert_int_equal(b->state, MEMBER_LOST);
	assert_int_equal(here(0), 1);
}

static void who_comes_back_has_flapped(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 2, "");
	go(1000);
	systems[1].deaf = true;
	go(LOST_MS + 1000);
	systems[1].deaf = false;
	go(1000);
	was_told(0, "joined b, silent b, joined b");
	was_told(1, "joined a, silent a, joined a");
	assert_int_equal(known(0, "b")->flaps, 1);
}

static void who_leaves_is_lost_at_once(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 2, "");
	go(1000);
	members_leave(systems[1].members);
	was_told(0, "joined b, left b");
	struct beat beat = { .protocol = MEMBERS_PROTOCOL, .count = 99, .version = "1" };
	char text[MEMBERS_BEAT_MAX];
	memcpy(beat.epoch, systems[1].epoch, sizeof(beat.epoch));
	assert_true(
		members_heard(systems[0].members, "b", BUS_BEAT, text, beat_write(&beat, text)));
	go(5000);
	was_told(0, "");
	stop(1);
	start(1, "b", 3, "");
	go(1000);
	was_told(0, "joined b");
	assert_int_equal(known(0, "b")->flaps, 0);
}

/* The next start of the same run directory takes the place of the one before, which is lost first. */
static void the_next_start_is_believed_at_once(void **state)
{
	char before[REFERENCE_SIZE];

	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 9, "");
	go(1000);
	memcpy(before, systems[1].epoch, sizeof(before));
	stop(1);
	go(2000);
	start(1, "b", 2, before);
	go(100);
	was_told(0, "joined b, restarted b, joined b");
	assert_string_equal(known(0, "b")->epoch, systems[1].epoch);
	go(2 * LOST_MS);
	was_told(0, "");
}

/* Of two the one that was started first is believed, by all; the other one once that is lost. */
static void two_have_one_name(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 9, "");
	go(5000);
	start(2, "b", 3, "");
	go(5000);
	was_told(0, "joined b, clash b");
	was_told(1, "joined a, clash b");
	assert_string_equal(known(0, "b")->epoch, systems[1].epoch);
	assert_false(members_displaced(systems[1].members));
	assert_true(members_displaced(systems[2].members));
	stop(1);
	go(LOST_MS + 1000);
	was_told(0, "silent b, joined b");
	assert_string_equal(known(0, "b")->epoch, systems[2].epoch);
	assert_false(members_displaced(systems[2].members));
}

/* One that begins while the other is silent, but not yet lost, is no clash, and joins when that is lost. */
static void one_waits_for_the_other(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 9, "");
	go(5000);
	stop(1);
	start(2, "b", 3, "");
	go(LOST_MS + 10000);
	was_told(0, "joined b, silent b, joined b");
}

/* Who has heard the later one first comes to the same. */
static void all_believe_the_same(void **state)
{
	(void)state;
	start(1, "b", 9, "");
	go(5000);
	systems[1].deaf = true;
	start(0, "a", 1, "");
	start(2, "b", 3, "");
	go(1000);
	systems[1].deaf = false;
	go(5000);
	was_told(0, "joined b, displaced b, joined b, clash b");
	assert_string_equal(known(0, "b")->epoch, systems[1].epoch);
}

/* A copy of a machine says that it follows the one that works: it is believed, and both are told. */
static void a_copy_displaces(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 2, "");
	go(5000);
	start(2, "b", 3, systems[1].epoch);
	go(10000);
	was_told(0, "joined b, restarted b, joined b, clash b");
	assert_true(members_displaced(systems[1].members));
	assert_false(members_displaced(systems[2].members));
}

static void documents_are_asked_for_once(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	start(1, "b", 2, "");
	set_document(1, DOCUMENT);
	go(3000);
	was_told(0, "joined b, document b");
	const struct member *b = known(0, "b");
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(b->document, "Capabilities"), "a")),
			    "1");
	assert_int_equal(systems[0].published[BUS_ASK], 1);
	set_document(1, DOCUMENT);
	go(3000);
	assert_int_equal(systems[0].published[BUS_ASK], 1);
	set_document(1, "{\"Capabilities\":{},\"Sources\":[],\"Refused\":[]}");
	go(3000);
	was_told(0, "document b");
	assert_int_equal(systems[0].published[BUS_ASK], 2);
	assert_int_equal(b->document_number, 2);
}

/* However often it is asked for, it goes out at most twenty times a second; to all where more than one asks. */
static void asking_costs_little(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	set_document(0, DOCUMENT);
	for (int i = 0; i < 1000; i++) {
		assert_true(members_heard(systems[0].members, i % 2 ? "b" : "c", BUS_ASK,
					  systems[0].epoch, REFERENCE_SIZE - 1));
		go(1);
	}
	assert_in_range(systems[0].published[BUS_STATE], 15, 20);
	assert_int_equal(systems[0].to_all[BUS_STATE], systems[0].published[BUS_STATE]);
	assert_true(members_heard(systems[0].members, "b", BUS_ASK, systems[0].epoch,
				  REFERENCE_SIZE - 1));
	size_t before = systems[0].to_all[BUS_STATE];
	go(1000);
	assert_int_equal(systems[0].to_all[BUS_STATE], before);
}

static void a_document_that_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"Capabilities\":{\"a\":1},\"Sources\":[],\"Refused\":[]}",
		"{\"Capabilities\":[],\"Sources\":[],\"Refused\":[]}",
		"{\"Capabilities\":{},\"Sources\":{},\"Refused\":[]}",
		"{\"Capabilities\":{},\"Sources\":[1],\"Refused\":[]}",
		"{\"Capabilities\":{},\"Sources\":[{\"Group\":\"a\"}],\"Refused\":[]}",
		"{\"Capabilities\":{},\"Sources\":[],\"Refused\":[{\"Group\":\"a\",\"SHA256\":"
		"\"x\","
		"\"Reason\":\"\"}]}",
		"{\"Capabilities\":{},\"Capabilities\":{},\"Sources\":[],\"Refused\":[]}",
	};
	struct tds_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		json_t *document = document_read(bad[i], strlen(bad[i]), &err);

		assert_null(document);
		assert_int_equal(err.code, TDS_E_SYNTAX);
	}
	start(0, "a", 1, "");
	assert_int_equal(members_set_document(systems[0].members, json_object(), &err),
			 TDS_E_REFUSED);
	json_t *known_keys = json_loads(DOCUMENT, 0, NULL);
	json_t *more = json_loads(DOCUMENT, 0, NULL);
	json_object_set_new(more, "More", json_true());
	tds_autofree char *text = json_dumps(more, 0);
	json_t *read = document_read(text, strlen(text), &err);
	assert_true(json_equal(read, known_keys));
	json_decref(read);
	json_decref(more);
	json_decref(known_keys);
}

#define EPOCH "0123456789abcdef0123456789abcdef"

static void a_beat_that_is_none(void **state)
{
	static const char good[] = "1 " EPOCH " - 1 2 3 member 0 0 0 0 1.0";
	static const char *const bad[] = {
		"",
		"0",
		"1",
		"1 " EPOCH,
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 ",
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 1.0 ",
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 1.0 stays",
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 1.0 leaves ",
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 1.0 leaves now",
		"1 " EPOCH " - 1 2 3 member 0 0 0 1000001 1.0",
		"1 " EPOCH " - 1 2 3 king 0 0 0 0 1.0",
		"1 " EPOCH " - -1 2 3 member 0 0 0 0 1.0",
		"1 " EPOCH " - 01 2 3 member 0 0 0 0 1.0",
		"1 " EPOCH " - 1 2 9007199254740993 member 0 0 0 0 1.0",
		"1 " EPOCH " x 1 2 3 member 0 0 0 0 1.0",
		"1  " EPOCH " - 1 2 3 member 0 0 0 0 1.0",
		"1 " EPOCH "0 - 1 2 3 member 0 0 0 0 1.0",
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 1.\x01",
		"1 " EPOCH " - 1 2 3 member 0 0 0 0 12345678901234567890123456789012",
	};
	struct members_counts counts;
	struct beat beat;

	(void)state;
	assert_true(beat_read(good, strlen(good), &beat));
	start(0, "a", 1, "");
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (members_heard(systems[0].members, "b", BUS_BEAT, bad[i], strlen(bad[i])))
			fail_msg("taken: %s", bad[i]);
	}
	assert_false(members_heard(systems[0].members, "b.c", BUS_BEAT, good, strlen(good)));
	assert_false(members_heard(systems[0].members, "b", BUS_LINK, good, strlen(good)));
	members_counts(systems[0].members, &counts);
	assert_int_equal(counts.known, 1);
	assert_int_equal(counts.dropped, COUNT(bad) + 2);
}

/* What comes again is no sign of life: neither a double, nor a beat of before that somebody brings back. */
static void an_old_beat_is_none(void **state)
{
	static const char first[] = "1 " EPOCH " - 1 2 3 member 0 0 0 0 1.0";
	static const char second[] = "1 " EPOCH " - 2 2 3 member 0 0 0 0 1.0";

	(void)state;
	start(0, "a", 1, "");
	(void)members_heard(systems[0].members, "b", BUS_BEAT, second, strlen(second));
	for (int i = 0; i < 20; i++) {
		go(1000);
		(void)members_heard(systems[0].members, "b", BUS_BEAT, first, strlen(first));
		(void)members_heard(systems[0].members, "b", BUS_BEAT, second, strlen(second));
	}
	was_told(0, "joined b, silent b");
}

static void another_protocol_is_told(void **state)
{
	(void)state;
	start(0, "a", 1, "");
	(void)members_heard(systems[0].members, "b", BUS_BEAT, "2 what?", 7);
	(void)members_heard(systems[0].members, "b", BUS_BEAT, "2 what?", 7);
	was_told(0, "foreign b");
	assert_int_equal(known(0, "b")->protocol, 2);
	start(1, "b", 2, "");
	go(1000);
	was_told(0, "joined b");
}

/* A thousand systems, of which one is silent; and more names than there is room for. */
static void there_are_many(void **state)
{
	struct members_counts counts;
	char name[BUS_NAME_MAX];
	char text[MEMBERS_BEAT_MAX];
	struct beat beat = { .protocol = MEMBERS_PROTOCOL, .epoch = EPOCH, .version = "1" };

	(void)state;
	start(0, "a", 1, "");
	for (beat.count = 1; beat.count <= 20; beat.count++) {
		size_t len = beat_write(&beat, text);

		for (int i = 0; i < 1000; i++) {
			(void)snprintf(name, sizeof(name), "n%d", i);
			if (i != 500 || beat.count < 3)
				assert_true(members_heard(systems[0].members, name, BUS_BEAT, text,
							  len));
		}
		go(1000);
	}
	members_counts(systems[0].members, &counts);
	assert_int_equal(counts.here, 1000);
	assert_int_equal(known(0, "n500")->state, MEMBER_LOST);
	for (int i = 1000; i < MEMBERS_MAX + 10; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_true(members_heard(systems[0].members, name, BUS_BEAT, text,
					  beat_write(&beat, text)));
	}
	members_counts(systems[0].members, &counts);
	assert_int_equal(counts.known, MEMBERS_MAX);
	assert_int_equal(counts.full, 10);
	assert_null(members_find(systems[0].members, "n500"));
}

#define CLOCKED(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLOCKED(they_join_and_are_lost),
		CLOCKED(who_comes_back_has_flapped),
		CLOCKED(who_leaves_is_lost_at_once),
		CLOCKED(the_next_start_is_believed_at_once),
		CLOCKED(two_have_one_name),
		CLOCKED(one_waits_for_the_other),
		CLOCKED(all_believe_the_same),
		CLOCKED(a_copy_displaces),
		CLOCKED(documents_are_asked_for_once),
		CLOCKED(asking_costs_little),
		CLOCKED(a_document_that_is_none),
		CLOCKED(a_beat_that_is_none),
		CLOCKED(an_old_beat_is_none),
		CLOCKED(another_protocol_is_told),
		CLOCKED(there_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
