/* SPDX-License-Identifier: MIT */
/*
 * From one system to another by two tds-links, beside libnats without anything between: a round trip, and messages one way.
 * natslink LINK PORT, for a server on loopback without TLS; prints one JSON object, microseconds and messages a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "convention/linkframe.h"

#define PAYLOAD 100
#define ASKS 4000
#define MESSAGES 400000
#define TOGETHER 64 /* frames in a write, as who has much to say writes them */
#define CHECK(condition)                                                                   \
	do {                                                                               \
		if (!(condition)) {                                                        \
			(void)fprintf(stderr, "natslink: %s: " #condition "\n", what_now); \
			exit(1);                                                           \
		}                                                                          \
	} while (0)

struct link {
	int fd;
	pid_t pid;
	size_t at, len; /* of in: what is read and not taken */
	unsigned char in[1 << 20];
};

static struct link links[2];
static const char *what_now = "start";
static const char payload[PAYLOAD];
static _Atomic long arrived;

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a - *(const double *)b;

	return x < 0 ? -1 : x > 0;
}

/* The median of what each of the asks takes. */
static double median_of(void (*ask)(void))
{
	static double took[ASKS];

	for (int i = 0; i < ASKS / 10; i++)
		ask();
	for (int i = 0; i < ASKS; i++) {
		double began = now_us();

		ask();
		took[i] = now_us() - began;
	}
	qsort(took, ASKS, sizeof(took[0]), by_size);
	return took[ASKS / 2];
}

/* --- by two tds-links --- */

static void say(struct link *link, const struct tds_buf *frames)
{
	CHECK(tds_io_write(link->fd, frames->data, frames->len) == 0);
}

static struct tds_linkframe hear(struct link *link)
{
	struct tds_linkframe frame;
	struct tds_err err;
	long n;

	while ((n = tds_linkframe_read(link->in + link->at, link->len - link->at, false, &frame,
				       &err)) == 0) {
		memmove(link->in, link->in + link->at, link->len - link->at);
		link->len -= link->at;
		link->at = 0;
		ssize_t got = read(link->fd, link->in + link->len, sizeof(link->in) - link->len);
		CHECK(got > 0);
		link->len += (size_t)got;
	}
	CHECK(n > 0);
	link->at += (size_t)n;
	return frame;
}

static void hear_message(struct link *link)
{
	struct tds_linkframe frame;

	do {
		frame = hear(link);
		CHECK(frame.kind != TDS_LINK_TROUBLE);
	} while (frame.kind != TDS_LINK_MESSAGE);
}

static void start(struct link *link, const char *program, const char *port, char system)
{
	struct tds_buf out = { 0 };
	char json[256];
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	link->pid = fork();
	CHECK(link->pid >= 0);
	if (link->pid == 0) {
		/* Where it is 3 already, dup2 leaves it to be closed by exec. */
		int fd = fcntl(ends[1], F_DUPFD, 16);
		(void)dup2(fd, 3);
		(void)close(fd);
		(void)execl(program, "tds-link", (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	link->fd = ends[0];
	int n = snprintf(json, sizeof(json),
			 "{\"Servers\":[\"nats://127.0.0.1:%s\"],\"Name\":\"bench\","
			 "\"System\":\"%c\",\"Bus\":{}}",
			 port, system);
	CHECK(tds_linkframe_add(&out, &(struct tds_linkframe){ .kind = TDS_LINK_CONFIG,
							       .data = json,
							       .len = (size_t)n }));
	say(link, &out);
	tds_buf_fini(&out);
	struct tds_linkframe frame;
	do
		frame = hear(link);
	while (frame.kind != TDS_LINK_STATE || frame.code != TDS_LINK_UP);
}

static struct tds_linkframe to_other(const char *subject)
{
	return (struct tds_linkframe){ .kind = TDS_LINK_PUBLISH,
				       .name = subject,
				       .name_len = strlen(subject),
				       .data = payload,
				       .len = PAYLOAD };
}

static struct tds_buf there, back;

static void ask_by_links(void)
{
	say(&links[0], &there);
	hear_message(&links[1]);
	say(&links[1], &back);
	hear_message(&links[0]);
}

static void *count_messages(void *unused)
{
	(void)unused;
	for (long i = 0; i < MESSAGES; i++)
		hear_message(&links[1]);
	return NULL;
}

/* Messages a second, until the last one is there. */
static double one_way_by_links(void)
{
	const struct tds_linkframe frame = to_other("tds.m.a.b.link");
	struct tds_buf many = { 0 };
	pthread_t reader;
	double began = now_us();

	for (int i = 0; i < TOGETHER; i++)
		CHECK(tds_linkframe_add(&many, &frame));
	CHECK(pthread_create(&reader, NULL, count_messages, NULL) == 0);
	for (long i = 0; i < MESSAGES; i += TOGETHER)
		say(&links[0], &many);
	CHECK(pthread_join(reader, NULL) == 0);
	tds_buf_fini(&many);
	return MESSAGES / (now_us() - began) * 1e6;
}

/* --- bare --- */

static natsConnection *bare[2];

static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	(void)sub, (void)closure;
	(void)natsConnection_Publish(nc, natsMsg_GetReply(msg), payload, PAYLOAD);
	natsMsg_Destroy(msg);
}

static void count_one(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
	(void)nc, (void)sub, (void)closure;
	natsMsg_Destroy(msg);
	arrived++;
}

static void connect_bare(const char *port)
{
	char url[64];

	(void)snprintf(url, sizeof(url), "nats://127.0.0.1:%s", port);
	for (int i = 0; i < 2; i++) {
		natsOptions *opts = NULL;
		natsSubscription *sub;

		CHECK(natsOptions_Create(&opts) == NATS_OK &&
		      natsOptions_SetURL(opts, url) == NATS_OK &&
		      natsOptions_SetSendAsap(opts, true) == NATS_OK &&
		      natsConnection_Connect(&bare[i], opts) == NATS_OK);
		natsOptions_Destroy(opts);
		if (i == 1)
			CHECK(natsConnection_Subscribe(&sub, bare[1], "bare.ask", answer, NULL) ==
				      NATS_OK &&
			      natsConnection_Subscribe(&sub, bare[1], "bare.count", count_one,
						       NULL) == NATS_OK &&
			      natsSubscription_SetPendingLimits(sub, -1, -1) == NATS_OK);
		CHECK(natsConnection_Flush(bare[i]) == NATS_OK);
	}
}

static void ask_bare(void)
{
	natsMsg *msg = NULL;

	CHECK(natsConnection_Request(&msg, bare[0], "bare.ask", payload, PAYLOAD, 5000) == NATS_OK);
	natsMsg_Destroy(msg);
}

static double one_way_bare(void)
{
	double began = now_us();

	for (long i = 0; i < MESSAGES; i++)
		CHECK(natsConnection_Publish(bare[0], "bare.count", payload, PAYLOAD) == NATS_OK);
	while (arrived < MESSAGES)
		nats_Sleep(1);
	return MESSAGES / (now_us() - began) * 1e6;
}

int main(int argc, char **argv)
{
	const struct tds_linkframe forth = to_other("tds.m.a.b.link");
	const struct tds_linkframe home = to_other("tds.m.b.a.link");

	if (argc != 3)
		return 2;
	for (int i = 0; i < 2; i++)
		start(&links[i], argv[1], argv[2], (char)('a' + i));
	connect_bare(argv[2]);
	CHECK(tds_linkframe_add(&there, &forth) && tds_linkframe_add(&back, &home));
	what_now = "asks";
	double bare_us = median_of(ask_bare);
	double link_us = median_of(ask_by_links);
	what_now = "one way";
	double bare_rate = one_way_bare();
	double link_rate = one_way_by_links();
	(void)printf("{\"bare_us\":%.1f,\"link_us\":%.1f,\"bare_rate\":%.0f,\"link_rate\":%.0f}\n",
		     bare_us, link_us, bare_rate, link_rate);
	for (int i = 0; i < 2; i++) {
		(void)close(links[i].fd);
		(void)waitpid(links[i].pid, NULL, 0);
	}
	return 0;
}
