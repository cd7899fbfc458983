/* SPDX-License-Identifier: MIT */
/* The options of libnats, and what it calls. */
#include "side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define PING_MS 2000 /* a cut is seen after two of them */
#define PINGS_OUT 2
#define CONNECT_MS 2000
#define AGAIN_MS 250
#define LOGINS 2 /* that are refused before it is given up, as libnats itself does it later */
#define NOTHING_WAITS 1   /* byte: what has no connection is told so, not sent at some later time */
#define PENDING_MAX 65536 /* messages that wait for the reader of the frames */

static int pipe_ends[2] = { -1, -1 };
/* Closures: which side calls. */
static enum tds_link_side sides[TDS_LINK_SIDES] = { TDS_LINK_BUS, TDS_LINK_STORE };

/* --- events --- */

int side_events_open(void)
{
	return pipe2(pipe_ends, O_CLOEXEC) == 0 && fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK) == 0
		       ? pipe_ends[0]
		       : -1;
}

/* An event is less than PIPE_BUF, so that it goes whole. */
static void put(struct side_event event)
{
	if (tds_io_write(pipe_ends[1], &event, sizeof(event)) != 0)
		abort(); /* its other end is this process's own */
}

bool side_event_read(int fd, struct side_event *event)
{
	return tds_io_read(fd, event, sizeof(*event)) == (ssize_t)sizeof(*event);
}

void side_event_fini(struct side_event *event)
{
	free(event->text);
	natsMsg_Destroy(event->msg);
}

/* The last error of the connection; text may be NULL. */
static struct side_event event_of(enum side_event_kind kind, natsConnection *nc, const void *side)
{
	struct side_event event = { .kind = kind, .side = *(const enum tds_link_side *)side };
	const char *text = NULL;

	event.status = natsConnection_GetLastError(nc, &text);
	event.text = text && text[0] ? strndup(text, TDS_ERR_REASON_MAX) : NULL;
	return event;
}

static void on_up(natsConnection *nc, void *side)
{
	put(event_of(SIDE_UP, nc, side));
}

static void on_down(natsConnection *nc, void *side)
{
	put(event_of(SIDE_DOWN, nc, side));
}

static void on_closed(natsConnection *nc, void *side)
{
	put(event_of(SIDE_CLOSED, nc, side));
}

static void on_error(natsConnection *nc, natsSubscription *sub, natsStatus status, void *side)
{
	struct side_event event = event_of(SIDE_ERROR, nc, side);

	(void)sub;
	event.status = status;
	put(event);
}

void side_on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *side)
{
	(void)nc, (void)sub;
	put((struct side_event){
		.kind = SIDE_MESSAGE, .side = *(const enum tds_link_side *)side, .msg = msg });
}

/* --- connecting --- */

static natsStatus set_tls(natsOptions *opts, const struct side_servers *servers,
			  const struct tds_convention_pems *pems)
{
	natsStatus s = natsOptions_SetSecure(opts, true);

	if (s == NATS_OK)
		s = natsOptions_SetCATrustedCertificates(opts, pems->ca);
	if (s == NATS_OK)
		s = natsOptions_SetCertificatesChain(opts, pems->cert, pems->key);
	return s == NATS_OK ? natsOptions_SetExpectedHostname(opts, servers->host) : s;
}

/* When it is told and tried. */
static natsStatus set_patience(natsOptions *opts)
{
	natsStatus s = natsOptions_SetTimeout(opts, CONNECT_MS);

	if (s == NATS_OK)
		s = natsOptions_SetPingInterval(opts, PING_MS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPingsOut(opts, PINGS_OUT);
	if (s == NATS_OK)
		s = natsOptions_SetMaxReconnect(opts, -1);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectWait(opts, AGAIN_MS);
	if (s == NATS_OK)
		s = natsOptions_SetReconnectBufSize(opts, NOTHING_WAITS);
	if (s == NATS_OK)
		s = natsOptions_SetMaxPendingMsgs(opts, PENDING_MAX);
	return s == NATS_OK ? natsOptions_SetSendAsap(opts, true) : s;
}

static natsStatus set_events(natsOptions *opts, enum tds_link_side *side)
{
	natsStatus s = natsOptions_SetDisconnectedCB(opts, on_down, side);

	if (s == NATS_OK)
		s = natsOptions_SetReconnectedCB(opts, on_up, side);
	if (s == NATS_OK)
		s = natsOptions_SetClosedCB(opts, on_closed, side);
	return s == NATS_OK ? natsOptions_SetErrorHandler(opts, on_error, side) : s;
}

static natsStatus set_all(natsOptions *opts, enum tds_link_side side,
			  const struct side_servers *servers, const struct tds_linkconfig *config)
{
	const struct tds_linkconfig_side *own =
		side == TDS_LINK_BUS ? &config->bus : &config->store;
	natsStatus s = natsOptions_SetServers(opts, (const char **)servers->urls, servers->n);

	/* Others have other ports, perhaps, and the sandbox knows those that it was told. */
	if (s == NATS_OK)
		s = natsOptions_SetIgnoreDiscoveredServers(opts, true);
	if (s == NATS_OK)
		s = natsOptions_SetName(opts, config->system);
	if (s == NATS_OK && config->tls)
		s = set_tls(opts, servers, &own->pems);
	if (s == NATS_OK)
		s = set_patience(opts);
	return s == NATS_OK ? set_events(opts, &sides[side]) : s;
}

/* Is it worth another look for ever? Else it is what the two sides think of each other. */
static bool may_come_later(natsStatus s)
{
	return s == NATS_NO_SERVER || s == NATS_TIMEOUT || s == NATS_IO_ERROR ||
	       s == NATS_CONNECTION_CLOSED || s == NATS_CONNECTION_DISCONNECTED;
}

/*
 * A first login that is refused is tried once more, for the server may only be about to know us. Only for what may come
 * later libnats is told to try for ever: then it tells no reason any more.
 */
static natsStatus connect_with(natsOptions *opts, natsConnection **nc, enum tds_link_side side)
{
	natsStatus s = natsConnection_Connect(nc, opts);

	for (int i = 1; i < LOGINS && s != NATS_OK && !may_come_later(s); i++) {
		nats_Sleep(AGAIN_MS);
		s = natsConnection_Connect(nc, opts);
	}
	if (!may_come_later(s))
		return s;
	s = natsOptions_SetRetryOnFailedConnect(opts, true, on_up, &sides[side]);
	return s == NATS_OK ? natsConnection_Connect(nc, opts) : s;
}

/* libnats keeps what it was for each thread, behind the place in its sources. */
static const char *last_reason(natsStatus s)
{
	const char *text = nats_GetLastError(NULL);
	const char *behind = text && text[0] == '(' ? strstr(text, "): ") : NULL;

	if (behind)
		return behind + strlen("): ");
	return text && text[0] ? text : natsStatus_GetText(s);
}

int side_connect(enum tds_link_side side, const struct side_servers *servers,
		 const struct tds_linkconfig *config, natsConnection **nc, struct tds_err *err)
{
	natsOptions *opts = NULL;
	natsStatus s = natsOptions_Create(&opts);

	*nc = NULL;
	if (s == NATS_OK)
		s = set_all(opts, side, servers, config);
	if (s == NATS_OK)
		s = connect_with(opts, nc, side);
	/* Of one that stands at once nobody tells. */
	if (s == NATS_OK)
		put((struct side_event){ .kind = SIDE_UP, .side = side });
	natsOptions_Destroy(opts);
	if (s == NATS_OK || s == NATS_NOT_YET_CONNECTED)
		return 0;
	return s == NATS_NO_MEMORY ? tds_err_set(err, TDS_E_NOMEM, "out of memory")
				   : tds_err_set(err, TDS_E_REFUSED, "%s", last_reason(s));
}
