/* SPDX-License-Identifier: MIT */
/*
 * tds-link: what of a system speaks NATS. It bridges frames and the bus, and keeps nothing: no numbers, no resending, no
 * rules; it may be killed at any time, and is then a bus that was lost.
 *
 * Descriptors: 3 the stream socket of frames (tds-protocol(7)), the first of which says where to connect. It ends with it.
 *              2 takes one line where it ends for another reason.
 * Status:      0 the socket ended; 1 a login was refused twice, or a frame was none; 2 wrong usage; 4 no server has an address.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/cores.h"
#include "base/mem.h"
#include "base/text.h"
#include "bus.h"
#include "out.h"
#include "resolve.h"
#include "store.h"

#define FD_FRAMES 3
#define READ_BYTES (256 << 10) /* at once */
#define DESCRIPTORS 64

struct link {
	struct tds_linkconfig config;
	natsConnection *nc[TDS_LINK_SIDES]; /* NULL: it is not made */
	struct store *store;                /* NULL: none */
	bool bus_is_up;
	int events;
	size_t len; /* of in */
};

static unsigned char in[4 + TDS_LINKFRAME_MAX + READ_BYTES];

static int fail(const struct tds_err *err)
{
	(void)fputs("tds-link: ", stderr);
	tds_text_print(stderr, err->reason);
	(void)fputc('\n', stderr);
	return tds_code_status(err->code);
}

/* --- frames --- */

/* More bytes. 0: the socket has ended, as it also has where reading fails. */
static size_t hear(struct link *link)
{
	ssize_t n = TEMP_FAILURE_RETRY(read(FD_FRAMES, in + link->len, READ_BYTES));

	link->len += n > 0 ? (size_t)n : 0;
	return n > 0 ? (size_t)n : 0;
}

static int take_frame(struct link *link, const struct tds_linkframe *frame, struct tds_err *err)
{
	if (frame->kind == TDS_LINK_CONFIG)
		return tds_err_set(err, TDS_E_SYNTAX, "a second configuration");
	if (frame->kind == TDS_LINK_PUBLISH)
		bus_publish(link->bus_is_up ? link->nc[TDS_LINK_BUS] : NULL, frame);
	else
		store_ask(link->store, frame);
	return 0;
}

static int take_frames(struct link *link, struct tds_err *err)
{
	struct tds_linkframe frame;
	size_t at = 0;
	long n = 0;
	int rc = 0;

	while (rc == 0 &&
	       (n = tds_linkframe_read(in + at, link->len - at, true, &frame, err)) > 0) {
		rc = take_frame(link, &frame, err);
		at += (size_t)n;
	}
	link->len -= at;
	memmove(in, in + at, link->len);
	return rc != 0 ? rc : n < 0 ? (int)n : 0;
}

/* The first frame alone; what comes behind it stays. Status, or -1: go on. */
static int take_config(struct link *link, struct tds_err *err)
{
	struct tds_linkframe frame;
	long n;

	while ((n = tds_linkframe_read(in, link->len, true, &frame, err)) == 0)
		if (hear(link) == 0)
			return 0;
	if (n > 0 && frame.kind != TDS_LINK_CONFIG)
		(void)tds_err_set(err, TDS_E_SYNTAX, "the first frame is no configuration");
	if (n < 0 || frame.kind != TDS_LINK_CONFIG ||
	    tds_linkconfig_read(frame.data, frame.len, &link->config, err) != 0)
		return fail(err);
	link->len -= (size_t)n;
	memmove(in, in + n, link->len);
	explicit_bzero(in + link->len, (size_t)n);
	return -1;
}

/* --- events of the connections --- */

static const char *why_of(const struct side_event *event)
{
	/* It has none left to try: each has refused this system twice. */
	if (event->kind == SIDE_CLOSED && event->status == NATS_NO_SERVER)
		return "the login was refused twice";
	return event->text ? event->text : natsStatus_GetText(event->status);
}

static enum tds_link_trouble trouble_of(natsStatus status)
{
	switch (status) {
	case NATS_NOT_PERMITTED:
		return TDS_LINK_NOT_PERMITTED;
	case NATS_SLOW_CONSUMER:
		return TDS_LINK_DROPPED;
	case NATS_PROTOCOL_ERROR:
		return TDS_LINK_FOREIGN;
	default:
		return TDS_LINK_OTHER;
	}
}

static void on_up(struct link *link, enum tds_link_side side)
{
	if (side == TDS_LINK_BUS) {
		link->bus_is_up = true;
		out_state(side, TDS_LINK_UP, "");
	} else if (link->store) {
		store_up(link->store);
	}
}

static void on_down(struct link *link, const struct side_event *event)
{
	out_state(event->side, TDS_LINK_LOST, why_of(event));
	if (event->side == TDS_LINK_BUS)
		link->bus_is_up = false;
	else if (link->store)
		store_down(link->store, "the connection was lost");
}

/* False: it was the bus, and this process has nothing to do any more. */
static bool on_closed(struct link *link, const struct side_event *event, struct tds_err *err)
{
	out_state(event->side, TDS_LINK_REFUSED, why_of(event));
	if (event->side == TDS_LINK_STORE && link->store)
		store_down(link->store, "the connection was refused");
	if (event->side == TDS_LINK_STORE)
		return true;
	(void)tds_err_set(err, TDS_E_REFUSED, "%s: %s", link->config.servers[0].host,
			  why_of(event));
	return false;
}

static int take_event(struct link *link, const struct side_event *event, struct tds_err *err)
{
	switch (event->kind) {
	case SIDE_UP:
		on_up(link, event->side);
		return 0;
	case SIDE_DOWN:
		on_down(link, event);
		return 0;
	case SIDE_CLOSED:
		return on_closed(link, event, err) ? 0 : TDS_E_REFUSED;
	case SIDE_ERROR:
		out_trouble(event->side, trouble_of(event->status), why_of(event));
		return 0;
	case SIDE_MESSAGE:
		if (link->store)
			store_take(link->store, event->msg);
		return 0;
	}
	return 0;
}

static int take_events(struct link *link, struct tds_err *err)
{
	struct side_event event;
	int rc = 0;

	while (rc == 0 && side_event_read(link->events, &event)) {
		rc = take_event(link, &event, err);
		side_event_fini(&event);
	}
	return rc;
}

/* --- the beginning --- */

/* After this it has its memory, its socket, and connections to these ports. */
static int confine(const struct tds_linkconfig *config, struct tds_err *err)
{
	static const struct tds_bounds bounds = { .cpu_s = RLIM_INFINITY,
						  .memory = RLIM_INFINITY,
						  .file = RLIM_INFINITY,
						  .descriptors = DESCRIPTORS };
	uint16_t ports[TDS_LINKCONFIG_SERVERS_MAX];

	for (size_t i = 0; i < config->n; i++)
		ports[i] = config->servers[i].port;
	/* Its own settings are read from files. */
	if (OPENSSL_init_ssl(0, NULL) != 1)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return tds_confine_link(&bounds, ports, config->n, err);
}

static int connect_store(struct link *link, const struct side_servers *servers, struct tds_err *err)
{
	if (!link->config.store.wanted)
		return 0;
	out_state(TDS_LINK_STORE, TDS_LINK_CONNECTING, "");
	/* Who is no candidate in the server's eyes is a member all the same. */
	if (side_connect(TDS_LINK_STORE, servers, &link->config, &link->nc[TDS_LINK_STORE], err) !=
	    0) {
		out_state(TDS_LINK_STORE, TDS_LINK_REFUSED, err->reason);
		return 0;
	}
	link->store = store_new(link->nc[TDS_LINK_STORE], link->config.name);
	return link->store ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int connect_both(struct link *link, const struct side_servers *servers, struct tds_err *err)
{
	if (nats_Open(-1) != NATS_OK)
		return tds_err_set(err, TDS_E_NOMEM, "libnats cannot begin");
	out_state(TDS_LINK_BUS, TDS_LINK_CONNECTING, "");
	int rc = side_connect(TDS_LINK_BUS, servers, &link->config, &link->nc[TDS_LINK_BUS], err);
	if (rc != 0) {
		out_state(TDS_LINK_BUS, TDS_LINK_REFUSED, err->reason);
		return tds_err_prefix(err, "%s", link->config.servers[0].host);
	}
	rc = bus_subscribe(link->nc[TDS_LINK_BUS], link->config.system, err);
	return rc == 0 ? connect_store(link, servers, err) : rc;
}

static int begin(struct link *link, struct tds_err *err)
{
	struct side_servers servers;
	int rc = resolve_servers(&link->config, &servers, err);

	if (rc != 0)
		return rc;
	link->events = side_events_open();
	rc = link->events < 0 ? tds_err_sys(err, TDS_E_NOMEM, "a pipe")
			      : confine(&link->config, err);
	if (rc == 0)
		rc = connect_both(link, &servers, err);
	resolve_free(&servers);
	return rc;
}

/* Status. */
static int go_on(struct link *link, struct tds_err *err)
{
	struct pollfd polled[] = { { .fd = FD_FRAMES, .events = POLLIN },
				   { .fd = link->events, .events = POLLIN } };

	for (;;) {
		if (take_frames(link, err) != 0)
			return fail(err);
		if (poll(polled, 2, link->store ? store_tick(link->store) : -1) < 0)
			continue;
		if (polled[1].revents && take_events(link, err) != 0)
			return fail(err);
		if (polled[0].revents && hear(link) == 0)
			return 0;
	}
}

int main(int argc, char **argv)
{
	struct link link = { .events = -1 };
	struct tds_err err = { 0 };

	(void)argv;
	if (argc != 1 || fcntl(FD_FRAMES, F_SETFD, FD_CLOEXEC) != 0) {
		(void)fputs("tds-link is started by the admin process\n", stderr);
		return 2;
	}
	tds_cores_off();
	(void)signal(SIGPIPE, SIG_IGN);
	out_open(FD_FRAMES);
	int status = take_config(&link, &err);
	if (status < 0)
		status = begin(&link, &err) == 0 ? go_on(&link, &err) : fail(&err);
	(void)fflush(stderr);
	/* libnats' threads hold nothing that is to be kept. */
	_exit(status);
}
