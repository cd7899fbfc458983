/* SPDX-License-Identifier: MIT */
/* The port that is open while the system runs: who connects is let go, a few in a turn, none at the reserve. */
#include "unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "daemon/base/descriptors.h"
#include "daemon/door/beacon.h"
#include "daemon/door/listener.h"

#define MANY (LISTENER_TURN_MAX + 4)
#define WAIT_MS 20000

struct street {
	struct event_base *base;
	struct beacon *beacon;
	uint16_t port;
};

static int connected(uint16_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A port that nobody has: the kernel's choice, given back. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static int set_up(void **state)
{
	static struct street street;
	struct tds_err err = { 0 };

	street.base = event_base_new();
	street.beacon = NULL;
	/* Somebody may take the port meanwhile: then another one. */
	for (int i = 0; i < 10 && !street.beacon; i++) {
		street.port = free_port();
		street.beacon = beacon_open(street.base, street.port, &err);
	}
	*state = &street;
	return street.beacon ? 0 : -1;
}

static int tear_down(void **state)
{
	struct street *street = *state;

	beacon_close(street->beacon);
	event_base_free(street->base);
	return 0;
}

/* Whether the other end has let go, having said nothing. */
static bool let_go(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, wait_ms) == 1 && recv(fd, &byte, 1, 0) == 0;
}

static void test_lets_go_without_a_word(void **state)
{
	struct street *street = *state;
	int fd = connected(street->port);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, "who is there?", 13, MSG_NOSIGNAL), 13);
	(void)event_base_loop(street->base, EVLOOP_ONCE);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	/* What it said was not read, so that the end may be a reset. */
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

static int count_gone(const int *fds)
{
	int gone = 0;

	for (int i = 0; i < MANY; i++)
		gone += let_go(fds[i], i < LISTENER_TURN_MAX ? WAIT_MS : 0);
	return gone;
}

static void test_a_few_in_a_turn(void **state)
{
	struct street *street = *state;
	int fds[MANY];

	for (int i = 0; i < MANY; i++)
		fds[i] = connected(street->port);
	(void)event_base_loop(street->base, EVLOOP_ONCE);
	assert_int_equal(count_gone(fds), LISTENER_TURN_MAX);
	(void)event_base_loop(street->base, EVLOOP_ONCE);
	assert_true(let_go(fds[MANY - 1], WAIT_MS));
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

static void test_a_port_that_is_taken(void **state)
{
	struct street *street = *state;
	struct tds_err err = { 0 };

	assert_null(beacon_open(street->base, street->port, &err));
	assert_int_equal(err.code, TDS_E_WRITE);
	err = (struct tds_err){ 0 };
	assert_null(beacon_open(street->base, 0, &err));
	assert_int_equal(err.code, 0);
}

static void test_closed_and_opened_again(void **state)
{
	struct street *street = *state;
	struct tds_err err = { 0 };
	int fd = connected(street->port);

	(void)event_base_loop(street->base, EVLOOP_ONCE);
	assert_true(let_go(fd, WAIT_MS));
	close(fd);
	beacon_close(street->beacon);
	assert_int_equal(connected(street->port), -1);
	street->beacon = beacon_open(street->base, street->port, &err);
	assert_non_null(street->beacon);
}

/* The last: its limit stays. */
static void test_nobody_at_the_reserve(void **state)
{
	struct street *street = *state;
	int fd = connected(street->port);
	int held[64];
	size_t n = 0;

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 64, 64 }), 0);
	descriptors_raise();
	while (n < COUNT(held) && (held[n] = dup(0)) >= 0 && descriptors_free(held[n]) > 0)
		n++;
	assert_true(held[n] >= 0);
	(void)event_base_loop(street->base, EVLOOP_ONCE);
	assert_false(let_go(fd, 0));
	/* It does not spin on what it does not take: nothing is to be done before it looks again. */
	(void)event_base_loop(street->base, EVLOOP_NONBLOCK);
	assert_false(let_go(fd, 0));
	close(held[n]);
	while (n > 0)
		close(held[--n]);
	while (!let_go(fd, 0))
		(void)event_base_loop(street->base, EVLOOP_ONCE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lets_go_without_a_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_few_in_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_port_that_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_closed_and_opened_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_at_the_reserve, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
