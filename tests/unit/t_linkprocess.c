/* SPDX-License-Identifier: MIT */
/* tds-link as its parent has it: one that says what is no frame is ended, and started anew, and so is one that dies. */
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/convention/linkprocess.h"

struct seen {
	struct event_base *base;
	unsigned ends;
	unsigned frames;
	char why[512];
};

static void on_frame(void *ctx, const struct tds_linkframe *frame)
{
	struct seen *seen = ctx;

	(void)frame;
	seen->frames++;
}

/* Twice, so that it was started anew. */
static void on_ended(void *ctx, const char *why)
{
	struct seen *seen = ctx;

	(void)snprintf(seen->why, sizeof(seen->why), "%s", why);
	if (++seen->ends == 2)
		(void)event_base_loopbreak(seen->base);
}

/* What becomes of a program of this text that stands for tds-link. */
static struct seen become(const char *text)
{
	char path[] = "/tmp/tds-linkprocess-XXXXXX";
	int fd = mkstemp(path);
	struct seen seen = { .base = event_base_new() };
	struct tds_bus_server server = { .port = 1, .host = "127.0.0.1" };
	struct tds_convention convention = {
		.servers = &server, .n = 1, .name = (char[]){ "n" }, .system = (char[]){ "s" }
	};
	const struct linkprocess_settings settings = { .program = path,
						       .convention = &convention,
						       .heard = on_frame,
						       .ended = on_ended,
						       .ctx = &seen };

	assert_true(fd >= 0 && seen.base);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0700), 0);
	(void)close(fd);
	struct clock *clock = clock_open(seen.base);
	struct linkprocess *process = linkprocess_new(seen.base, clock, &settings);
	(void)event_base_dispatch(seen.base);
	linkprocess_free(process);
	clock_close(clock);
	event_base_free(seen.base);
	(void)unlink(path);
	return seen;
}

static void test_no_frame(void **state)
{
	(void)state;
	struct seen seen = become("#!/bin/sh\nprintf 'JUNKJUNKJUNK' >&3\nexec sleep 1000\n");
	assert_int_equal(seen.ends, 2);
	assert_int_equal(seen.frames, 0);
	assert_non_null(strstr(seen.why, "tds-link was ended: "));
}

/* A whole one, the state of the bus, before what is none. */
static void test_wrong_way(void **state)
{
	(void)state;
	struct seen seen = become("#!/bin/sh\n"
				  "printf '\\012\\0\\0\\0S\\0\\0\\0\\0\\0\\0\\0\\0\\0' >&3\n"
				  "printf '\\001\\0\\0\\0W' >&3\nexec sleep 1000\n");
	assert_int_equal(seen.frames, 2);
	assert_non_null(strstr(seen.why, "tds-link was ended: "));
}

static void test_last_words(void **state)
{
	(void)state;
	struct seen seen = become("#!/bin/sh\necho 'tds-link: no such host' >&2\nexit 4\n");
	assert_string_equal(seen.why, "tds-link: no such host");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_frame),
		cmocka_unit_test(test_wrong_way),
		cmocka_unit_test(test_last_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
