/* SPDX-License-Identifier: MIT */
/*
 * A link between two systems over a bus that cuts, delays, doubles and forgets: rules one by one, then histories by chance,
 * after which each message was taken once, in order, and what was told of each is true. TDS_SEED plays one history again,
 * TDS_SCALE says how many there are.
 */
#include <time.h>

#include "base/mem.h"
#include "fake_clock.h"
#include "unit.h"

#include "daemon/convention/peer.h"
#include "daemon/convention/peerform.h"

#define MESSAGE_MAX (3 << 20)
#define MESSAGES 4096 /* of a history, each way */
#define PACKETS 4096

#define EPOCH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define EPOCH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

enum told { NOT_TOLD, TAKEN, NOT_TAKEN, UNKNOWN };

struct packet {
	unsigned char *data;
	size_t len;
};

/* One end, what it sent, what it was told, and what waits on the bus for the other. */
struct end {
	struct bus bus;
	struct peer *peer;
	bool down;  /* the bus takes nothing */
	bool stuck; /* takes nothing */
	bool lost;
	uint64_t handed;
	enum told told[MESSAGES];
	bool settled[MESSAGES];
	bool taken[MESSAGES]; /* by the other end */
	uint64_t last_taken;
	unsigned cuts;
	unsigned ready;
	struct packet packets[PACKETS];
	size_t npackets;
	struct packet old; /* some packet that was sent once */
};

static struct fake_clock fake;
static struct end ends[2];
static uint64_t seed;

static void must(bool good, const char *what)
{
	if (!good)
		fail_msg("TDS_SEED=%ju: %s", (uintmax_t)seed, what);
}

/* --- the bus --- */

static struct packet copy(const void *data, size_t len)
{
	struct packet packet = { malloc(len), len };

	assert_non_null(packet.data);
	memcpy(packet.data, data, len);
	return packet;
}

static bool publish(struct bus *bus, const char *to, enum bus_channel channel, const void *data,
		    size_t len)
{
	struct end *end = (struct end *)bus;

	assert_int_equal(channel, BUS_LINK);
	assert_string_equal(to, end == &ends[0] ? "b" : "a");
	assert_in_range(len, 1, BUS_MESSAGE_MAX);
	if (end->down || end->npackets == PACKETS)
		return false;
	end->packets[end->npackets++] = copy(data, len);
	return true;
}

static void drop(struct end *from, size_t i)
{
	free(from->packets[i].data);
	memmove(&from->packets[i], &from->packets[i + 1],
		(--from->npackets - i) * sizeof(from->packets[0]));
}

static struct end *other(struct end *end)
{
	return end == &ends[0] ? &ends[1] : &ends[0];
}

static void deliver(struct end *from, size_t i)
{
	struct packet packet = copy(from->packets[i].data, from->packets[i].len);

	drop(from, i);
	(void)peer_heard(other(from)->peer, packet.data, packet.len);
	free(packet.data);
}

/* --- the ends --- */

/* A message says its number, and is as long as that wants it to be. */
static size_t length_of(uint64_t id)
{
	return id % 50 == 7 ? 2000000 + id : id % 9 == 3 ? 100000 + id : id % 40;
}

static unsigned char byte_of(uint64_t id, size_t at)
{
	return (unsigned char)(id * 31 + at * 7 + (at >> 9));
}

static bool on_take(void *ctx, const void *data, size_t len)
{
	struct end *to = ctx;
	struct end *from = other(to);
	const unsigned char *bytes = data;
	uint64_t id = 0;

	if (to->stuck)
		return false;
	must(len >= 8, "a message was cut");
	memcpy(&id, bytes, 8);
	must(id < from->handed && len == 8 + length_of(id), "a message has another length");
	for (size_t i = 0; i < len - 8; i += 1 + i / 3)
		must(bytes[8 + i] == byte_of(id, i), "a message was changed");
	must(!from->taken[id], "a message was taken twice");
	must(id >= from->last_taken, "messages came in another order");
	must(from->told[id] != NOT_TAKEN, "a message was taken after all");
	from->taken[id] = true;
	from->last_taken = id;
	return true;
}

static void on_outcome(void *ctx, uint64_t id, enum peer_outcome outcome)
{
	struct end *end = ctx;

	must(end->told[id] == NOT_TOLD, "an outcome was told twice");
	must(id == 0 || end->told[id - 1] != NOT_TOLD, "outcomes came in another order");
	end->told[id] = outcome == PEER_TAKEN       ? TAKEN
			: outcome == PEER_NOT_TAKEN ? NOT_TAKEN
						    : UNKNOWN;
	must(outcome != PEER_TAKEN || end->taken[id], "taken was told, and was not so");
	must(outcome != PEER_NOT_TAKEN || !end->taken[id], "not taken was told, and was not so");
}

static void on_settled(void *ctx, uint64_t id, bool taken)
{
	struct end *end = ctx;

	must(end->told[id] == UNKNOWN && !end->settled[id], "what was settled was not unknown");
	must(taken == end->taken[id], "it was settled wrongly");
	end->settled[id] = true;
	end->told[id] = taken ? TAKEN : NOT_TAKEN;
}

static void on_ready(void *ctx)
{
	((struct end *)ctx)->ready++;
}

static void on_cut(void *ctx)
{
	((struct end *)ctx)->cuts++;
}

static const struct peer_events events = { on_take, on_outcome, on_settled, on_ready, on_cut };

static int begin(void **state)
{
	static const struct bus_ops ops = { publish };

	(void)state;
	fake_clock_init(&fake);
	for (int i = 0; i < 2; i++) {
		struct peer_config config = { .self_epoch = i ? EPOCH_B : EPOCH_A,
					      .name = i ? "a" : "b",
					      .epoch = i ? EPOCH_A : EPOCH_B,
					      .max_message = MESSAGE_MAX };
		memset(&ends[i], 0, sizeof(ends[i]));
		ends[i].bus.ops = &ops;
		ends[i].peer = peer_new(&config, &fake.clock, &ends[i].bus, &events, &ends[i]);
		assert_non_null(ends[i].peer);
	}
	return 0;
}

static int finish(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		while (ends[i].npackets > 0)
			drop(&ends[i], 0);
		free(ends[i].old.data);
		peer_free(ends[i].peer);
	}
	return 0;
}

static bool hand_in(struct end *end)
{
	uint64_t id = end->handed;
	size_t len = 8 + length_of(id);
	tds_autofree unsigned char *data = malloc(len);

	assert_non_null(data);
	if (id == MESSAGES)
		return false;
	memcpy(data, &id, 8);
	for (size_t i = 0; i < len - 8; i++)
		data[8 + i] = byte_of(id, i);
	if (!peer_send(end->peer, id, data, len))
		return false;
	end->handed++;
	return true;
}

/* All is delivered, and time goes on. */
static void go(int64_t ms)
{
	for (int64_t t = 0; t < ms; t += 5) {
		fake_clock_go(&fake, 5);
		while (ends[0].npackets + ends[1].npackets > 0)
			deliver(ends[0].npackets > 0 ? &ends[0] : &ends[1], 0);
	}
}

static void all_are(const struct end *end, enum told told)
{
	for (uint64_t id = 0; id < end->handed; id++)
		must(end->told[id] == told, "not all have ended so");
}

/* --- the rules --- */

static void all_arrive(void **state)
{
	(void)state;
	for (int i = 0; i < 120; i++) {
		assert_true(hand_in(&ends[0]));
		(void)hand_in(&ends[1]);
		go(10);
	}
	go(100);
	all_are(&ends[0], TAKEN);
	all_are(&ends[1], TAKEN);
	assert_int_equal(ends[0].handed, 120);
}

/* What is handed in in one turn goes in one packet. */
static void small_ones_go_together(void **state)
{
	(void)state;
	go(100);
	ends[0].handed = 4;
	memset(ends[0].told, TAKEN, sizeof(ends[0].told[0]) * 4);
	for (int i = 0; i < 4; i++)
		ends[0].told[i] = TAKEN;
	for (int i = 0; i < 3; i++)
		assert_true(hand_in(&ends[0]));
	fake_clock_go(&fake, 0);
	assert_int_equal(ends[0].npackets, 1);
	go(10);
	assert_true(ends[0].taken[4] && ends[0].taken[5] && ends[0].taken[6]);
}

static void the_window_holds(void **state)
{
	size_t bytes = 0;

	(void)state;
	go(100);
	while (hand_in(&ends[0]))
		;
	assert_false(peer_has_room(ends[0].peer));
	fake_clock_go(&fake, 1);
	for (size_t i = 0; i < ends[0].npackets; i++)
		bytes += ends[0].packets[i].len - PEER_HEAD;
	assert_in_range(bytes, PEER_WINDOW / 2, PEER_WINDOW);
	go(2000);
	all_are(&ends[0], TAKEN);
	assert_int_equal(ends[0].ready, 1);
	assert_true(peer_has_room(ends[0].peer));
}

static void who_has_no_room_gets_it_later(void **state)
{
	(void)state;
	go(100);
	ends[1].stuck = true;
	for (int i = 0; i < 20; i++)
		assert_true(hand_in(&ends[0]));
	go(20000);
	assert_int_equal(ends[0].told[0], NOT_TOLD);
	ends[1].stuck = false;
	peer_resume(ends[1].peer);
	go(100);
	all_are(&ends[0], TAKEN);
}

/* Nobody says that something is lost: it goes again when nothing was heard of it for a while, a packet at a time. */
static void what_is_lost_goes_again(void **state)
{
	(void)state;
	go(100);
	while (peer_has_room(ends[0].peer))
		assert_true(hand_in(&ends[0]));
	fake_clock_go(&fake, 0);
	while (ends[0].npackets > 0)
		drop(&ends[0], 0);
	fake_clock_go(&fake, 700);
	assert_int_equal(ends[0].npackets, 1);
	go(100);
	all_are(&ends[0], TAKEN);
}

static void a_cut_loses_nothing(void **state)
{
	(void)state;
	go(100);
	for (int i = 0; i < 20; i++)
		assert_true(hand_in(&ends[0]));
	fake_clock_go(&fake, 0);
	while (ends[0].npackets > 0)
		drop(&ends[0], 0);
	ends[0].down = true;
	for (int i = 0; i < 20; i++)
		assert_true(hand_in(&ends[0]));
	go(10000);
	ends[0].down = false;
	peer_reconnected(ends[0].peer);
	go(100);
	all_are(&ends[0], TAKEN);
}

/* Two were taken, and the acknowledgement was lost; two were lost; one was never sent. */
static void what_is_lost_is_told(void **state)
{
	static const enum told at_first[] = { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, NOT_TAKEN };
	static const enum told at_last[] = { TAKEN, TAKEN, NOT_TAKEN, NOT_TAKEN, NOT_TAKEN };

	(void)state;
	go(100);
	(void)hand_in(&ends[0]);
	(void)hand_in(&ends[0]);
	fake_clock_go(&fake, 0);
	deliver(&ends[0], 0);
	(void)hand_in(&ends[0]);
	(void)hand_in(&ends[0]);
	fake_clock_go(&fake, 0);
	ends[0].down = true;
	(void)hand_in(&ends[0]);
	peer_lost(ends[0].peer);
	peer_lost(ends[1].peer);
	assert_memory_equal(ends[0].told, at_first, sizeof(at_first));
	assert_false(peer_send(ends[0].peer, 99, "x", 1));
	ends[0].down = false;
	while (ends[1].npackets > 0)
		drop(&ends[1], 0);
	peer_back(ends[0].peer);
	peer_back(ends[1].peer);
	go(5000); /* the packet of before comes now */
	assert_memory_equal(ends[0].told, at_last, sizeof(at_last));
	(void)hand_in(&ends[0]);
	go(100);
	assert_int_equal(ends[0].told[5], TAKEN);
}

/* Only the other had lost this one: it learns so, and that nothing more of then is taken. */
static void who_was_lost_learns_it(void **state)
{
	(void)state;
	go(100);
	peer_lost(ends[1].peer);
	for (int i = 0; i < 3; i++)
		assert_true(hand_in(&ends[0]));
	go(1000);
	assert_int_equal(ends[0].told[0], NOT_TOLD);
	peer_back(ends[1].peer);
	go(5000);
	all_are(&ends[0], NOT_TAKEN);
	assert_int_equal(ends[0].cuts, 1);
	assert_true(hand_in(&ends[0]));
	go(100);
	assert_int_equal(ends[0].told[3], TAKEN);
}

static void hear_piece(uint64_t number, size_t len, size_t rest, bool good)
{
	unsigned char data[PEER_HEAD + PEER_PIECE_HEAD + 8] = { 0 };
	struct peer_head head = { .kind = PEER_DATA,
				  .flags = PEER_RECEIVING,
				  .from = EPOCH_B,
				  .to = EPOCH_A,
				  .session = 1,
				  .first = number,
				  .heard_session = 1 };

	peer_head_write(&head, data);
	peer_piece_write(len, rest, data + PEER_HEAD);
	must(peer_heard(ends[0].peer, data, PEER_HEAD + PEER_PIECE_HEAD + len) == good,
	     "a piece was judged wrongly");
}

/* What may be half there is bounded by what the first piece says, and that by max_message. */
static void pieces_that_lie(void **state)
{
	struct peer_counts counts;
	unsigned char data[PEER_HEAD] = { 0 };

	(void)state;
	go(100);
	hear_piece(1, 8, MESSAGE_MAX, false);
	hear_piece(1, 0, 8, false);
	hear_piece(1, 4, 8, true);
	hear_piece(2, 4, 8, false);
	hear_piece(2, 4, 5, false);
	hear_piece(2, 0, 8, false);
	hear_piece(1, 4, 8, true); /* a double */
	hear_piece(9, 4, 4, true); /* it comes too soon */
	assert_false(peer_heard(ends[0].peer, data, sizeof(data)));
	peer_counts(ends[0].peer, &counts);
	assert_int_equal(counts.dropped, 6);
	assert_int_equal(counts.doubles, 1);
	assert_int_equal(counts.received, 0);
}

/* A mark of what was never sent, and packets of other epochs. */
static void heads_that_lie(void **state)
{
	unsigned char data[PEER_HEAD];
	struct peer_head head = { .kind = PEER_DATA,
				  .flags = PEER_RECEIVING,
				  .from = EPOCH_B,
				  .to = EPOCH_A,
				  .session = 1,
				  .first = 1,
				  .heard_session = 1,
				  .mark = 1 };

	(void)state;
	go(100);
	peer_head_write(&head, data);
	assert_false(peer_heard(ends[0].peer, data, sizeof(data)));
	head.mark = 0;
	peer_head_write(&head, data);
	assert_true(peer_heard(ends[0].peer, data, sizeof(data)));
	head.from[0] = 'c';
	peer_head_write(&head, data);
	assert_false(peer_heard(ends[0].peer, data, sizeof(data)));
	head.from[0] = 'b';
	head.to[31] = 'c';
	peer_head_write(&head, data);
	assert_false(peer_heard(ends[0].peer, data, sizeof(data)));
}

/* --- histories by chance --- */

#define STEPS 600
#define HISTORIES 60

static uint64_t random_state;

static size_t below(size_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (size_t)(random_state % n);
}

/* The bus between is cut, or not; it doubles what passes, and brings back what is old. */
static void carry(struct end *from)
{
	if (from->npackets == 0)
		return;
	size_t i = below(8) == 0 ? below(from->npackets) : 0;
	switch (below(16)) {
	case 0:
		drop(from, i);
		break;
	case 1:
		if (from->npackets < PACKETS) {
			struct packet packet = copy(from->packets[i].data, from->packets[i].len);
			from->packets[from->npackets++] = packet;
		}
		deliver(from, i);
		break;
	case 2:
		free(from->old.data);
		from->old = copy(from->packets[i].data, from->packets[i].len);
		break;
	default:
		deliver(from, i);
	}
}

static void lose_or_meet(struct end *end)
{
	end->lost = !end->lost;
	if (end->lost)
		peer_lost(end->peer);
	else
		peer_back(end->peer);
}

static void stick_or_go(struct end *end)
{
	end->stuck = !end->stuck;
	if (!end->stuck)
		peer_resume(end->peer);
}

static void happen(void)
{
	struct end *end = &ends[below(2)];
	size_t what = below(100);

	if (what < 30)
		(void)(peer_has_room(end->peer) && hand_in(end));
	else if (what < 70)
		carry(end);
	else if (what < 88)
		fake_clock_go(&fake, (int64_t)below(what < 86 ? 10 : 2000));
	else if (what < 90)
		end->down = !end->down;
	else if (what < 92)
		peer_reconnected(end->peer);
	else if (what < 94)
		stick_or_go(end);
	else if (what < 96 && end->old.data)
		(void)peer_heard(other(end)->peer, end->old.data, end->old.len);
	else if (what == 99 && below(2) == 0)
		lose_or_meet(end);
}

/* Everything is well again: all that was handed in has ended, and the link works. */
static void recover(bool any_lost)
{
	for (int i = 0; i < 2; i++) {
		ends[i].down = false;
		if (ends[i].stuck)
			stick_or_go(&ends[i]);
		if (ends[i].lost)
			lose_or_meet(&ends[i]);
	}
	go(20000);
	for (int i = 0; i < 2; i++) {
		uint64_t before = ends[i].handed;

		must(hand_in(&ends[i]), "nothing can be sent");
		go(1000);
		must(ends[i].told[before] == TAKEN, "the link does not work any more");
		for (uint64_t id = 0; id < before; id++)
			must(ends[i].told[id] == (ends[i].taken[id] ? TAKEN : NOT_TAKEN),
			     "a message has not ended");
		if (!any_lost)
			all_are(&ends[i], TAKEN);
	}
}

static bool any_is_lost(void)
{
	return ends[0].lost || ends[1].lost;
}

static void play(void)
{
	bool any_lost = false;

	random_state = seed * 0x9e3779b97f4a7c15 + 1;
	begin(NULL);
	for (unsigned i = 0; i < STEPS; i++) {
		happen();
		any_lost |= any_is_lost();
	}
	recover(any_lost);
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

#define LINKED(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINKED(all_arrive),
		LINKED(small_ones_go_together),
		LINKED(the_window_holds),
		LINKED(who_has_no_room_gets_it_later),
		LINKED(what_is_lost_goes_again),
		LINKED(a_cut_loses_nothing),
		LINKED(what_is_lost_is_told),
		LINKED(who_was_lost_learns_it),
		LINKED(pieces_that_lie),
		LINKED(heads_that_lie),
		cmocka_unit_test(by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
