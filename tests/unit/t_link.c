/* SPDX-License-Identifier: MIT */
/* A link to a host: what its turns of the loop are. */
#include "daemon/local/link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/charge.h"
#include "daemon/base/loop.h"
#include "daemon/local/lent.h"
#include "unit.h"

#define PER_TURN 256
#define TURNS 8

struct taken {
	unsigned frames;
	unsigned now;
};

static bool starved; /* libevent's tables cannot grow */

static void *grow(void *block, size_t size)
{
	return starved ? NULL : realloc(block, size);
}

static enum link_verdict take(void *ctx, enum frame_type type, const unsigned char *body,
			      size_t len)
{
	struct taken *taken = ctx;

	(void)type;
	(void)body;
	(void)len;
	taken->frames++;
	taken->now++;
	return LINK_TAKEN;
}

static void end(void *ctx)
{
	(void)ctx;
	fail_msg("the link has ended");
}

static void write_frames(int fd, unsigned n)
{
	unsigned char frames[TURNS * PER_TURN * FRAME_HEAD];

	for (unsigned i = 0; i < n; i++)
		memcpy(frames + (size_t)i * FRAME_HEAD,
		       (unsigned char[]){ 1, 0, 0, 0, FRAME_MESSAGE }, FRAME_HEAD);
	assert_int_equal(write(fd, frames, (size_t)n * FRAME_HEAD), n * FRAME_HEAD);
}

static const struct budget_limits limits = { .operations = PER_TURN, .bytes = 1 << 20 };

struct rig {
	struct event_base *base;
	struct budget budget;
	struct taken taken;
	struct link link;
	int other_end;
};

/* A link that has TURNS times what its budget has for a turn to read. */
static void set_up(struct rig *rig)
{
	static const struct link_events events = { .frame = take, .ended = end };
	int ends[2];

	*rig = (struct rig){ .base = event_base_new(), .budget = { .limits = &limits } };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_true(link_init(&rig->link, rig->base, ends[0], &events, &rig->taken));
	link_charge(&rig->link, &rig->budget);
	rig->other_end = ends[1];
	write_frames(ends[1], TURNS * PER_TURN);
}

static void tear_down(struct rig *rig)
{
	link_fini(&rig->link);
	event_base_free(rig->base);
	(void)close(rig->other_end);
}

/* In each turn of the loop as many are taken as the budget has for one: no turn passes in which nothing is. */
static void operations(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	for (unsigned i = 1; i <= TURNS; i++) {
		rig.taken.now = 0;
		assert_int_equal(loop_once(rig.base, 0), 0);
		assert_int_equal(rig.taken.now, PER_TURN);
	}
	tear_down(&rig);
}

/* Where a timer cannot be had for the rest, which needs memory, the loop neither stands still nor forgets it. */
static void no_timer(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	starved = true;
	(void)alarm(10); /* it would be this turn for ever */
	assert_int_equal(loop_once(rig.base, 0), 0);
	(void)alarm(0);
	starved = false;
	assert_int_equal(rig.taken.frames, TURNS * PER_TURN);
	tear_down(&rig);
}

#define LENT (1 << 20) /* bytes of a memory file, which the frame with it says nothing of */

static void lend(struct rig *rig, struct account *account)
{
	struct frame *frame = frame_new(FRAME_MESSAGE_FD, 8, open("/dev/null", O_RDONLY));

	assert_non_null(frame);
	frame->lent = LENT;
	frame->charge = account ? charge_new(account, LENT) : NULL;
	link_send(&rig->link, frame);
}

/* What is there for the host, with its descriptors, which are closed. */
static ssize_t read_all(int fd)
{
	unsigned char data[4096];

	return recv(fd, data, sizeof(data), MSG_DONTWAIT);
}

/* Of the admin's own memory files one is under way to a host, and what waits counts as much as it takes. */
static void lent(void **state)
{
	struct rig rig;

	(void)state;
	set_up(&rig);
	for (int i = 0; i < 3; i++)
		lend(&rig, NULL);
	assert_int_equal(rig.budget.passing, 2);
	assert_true(rig.budget.bytes_out > 2 * LENT);
	assert_int_equal(read_all(rig.other_end), FRAME_HEAD + 8);
	while (rig.budget.passing == 2) /* it is found out after a while */
		assert_int_equal(loop_once(rig.base, EVLOOP_ONCE), 0);
	assert_int_equal(rig.budget.passing, 1);
	assert_in_range(rig.budget.bytes_out, LENT, 2 * LENT);
	tear_down(&rig);
	assert_int_equal(rig.budget.passing, 0);
	assert_int_equal(rig.budget.bytes_out, 0);
}

/* How many of so many memory files are charged to who had them made. */
static size_t charged(const struct account *account)
{
	return account->bytes / LENT;
}

/* Who had memory files made is charged until the host has taken them, one after the other, wherever each of them is. */
static void charged_until_taken(void **state)
{
	struct account *account = account_new();
	struct rig rig;

	(void)state;
	set_up(&rig);
	for (int i = 0; i < 3; i++)
		lend(&rig, account);
	for (size_t left = 3; left > 0; left--) {
		assert_int_equal(charged(account), left);
		assert_int_equal(read_all(rig.other_end), FRAME_HEAD + 8);
		while (charged(account) == left)
			assert_int_equal(loop_once(rig.base, EVLOOP_ONCE), 0);
	}
	tear_down(&rig);
	account_unref(account);
}

/* In a socket that is never empty a file is taken when as much as there is room for was sent after it. */
static void charged_on_a_busy_link(void **state)
{
	struct account *account = account_new();
	unsigned char data[4096];
	struct rig rig;

	(void)state;
	set_up(&rig);
	lend(&rig, account);
	for (int i = 0; charged(account) > 0; i++) {
		assert_true(i < 1000);
		link_send(&rig.link, frame_new(FRAME_MESSAGE, sizeof(data) - FRAME_HEAD, -1));
		if (i >= 8)
			assert_true(read(rig.other_end, data, sizeof(data)) > 0);
		(void)lent_is_there(&rig.link);
	}
	tear_down(&rig);
	account_unref(account);
}

/* Of a link that ends nothing is charged any more, and who had them made may have gone before. */
static void charged_until_the_end(void **state)
{
	struct account *account = account_new();
	struct rig rig;

	(void)state;
	set_up(&rig);
	for (int i = 0; i < 3; i++)
		lend(&rig, account);
	struct charge *held = charge_new(account, 0);
	account_unref(account);
	tear_down(&rig);
	assert_int_equal(held->account->bytes, held->bytes);
	assert_int_equal(held->account->refs, 1);
	charge_unref(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(operations),
					    cmocka_unit_test(no_timer),
					    cmocka_unit_test(lent),
					    cmocka_unit_test(charged_until_taken),
					    cmocka_unit_test(charged_on_a_busy_link),
					    cmocka_unit_test(charged_until_the_end) };

	event_set_mem_functions(malloc, grow, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
