/* SPDX-License-Identifier: MIT */
/* A link to a host: what its turns of the loop are. */
#include "daemon/local/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/loop.h"
#include "unit.h"

#define PER_TURN 256
#define TURNS 8

struct taken {
	unsigned frames;
	unsigned now;
};

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

/* In each turn of the loop as many are taken as the budget has for one: no turn passes in which nothing is. */
static void operations(void **state)
{
	static const struct link_events events = { .frame = take, .ended = end };
	const struct budget_limits limits = { .operations = PER_TURN, .bytes = 1 << 20 };
	struct budget budget = { .limits = &limits };
	struct event_base *base = event_base_new();
	struct taken taken = { 0 };
	struct link link;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_true(link_init(&link, base, ends[0], &events, &taken));
	link_charge(&link, &budget);
	write_frames(ends[1], TURNS * PER_TURN);
	for (unsigned i = 1; i <= TURNS; i++) {
		taken.now = 0;
		assert_int_equal(loop_once(base, 0), 0);
		assert_int_equal(taken.now, PER_TURN);
	}
	link_fini(&link);
	event_base_free(base);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(operations) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
