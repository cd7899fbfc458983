/* SPDX-License-Identifier: MIT */
/* A link to a peer, by its state: what it sends, what it hears, and what its end and its return mean. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "peerform.h"
#include "peerin.h"
#include "peerout.h"

#define RESEND_MS 500 /* without progress; twice as long each time */
#define RESEND_MOST_MS 4000
#define ACKNOWLEDGE_MS 5 /* that what is to be sent anyway may take it along */

enum state {
	OPENING, /* our session is proposed */
	OPEN,    /* the peer has taken it up */
	LOST,
};

struct peer {
	char self_epoch[REFERENCE_SIZE];
	char name[BUS_NAME_MAX];
	char epoch[REFERENCE_SIZE];
	struct clock *clock;
	struct bus *bus;
	const struct peer_events *events;
	void *ctx;
	struct timer send;   /* what waits, in the next turn */
	struct timer resend; /* what is not acknowledged */
	struct timer acknowledge;
	int64_t resend_ms;

	enum state state;
	uint64_t session; /* of what is sent */
	struct peer_out out;
	bool full; /* somebody was told that there is no room */
	uint64_t
		again_from; /* the peer has missed this piece, and those behind it go again already; 0: none */

	uint64_t peer_session; /* of what is received; 0: none yet */
	bool receiving;        /* it is open */
	bool gap;              /* the peer is to send again what comes behind the mark */
	struct peer_in in;

	struct peer_counts counts;
};

/* --- packets --- */

static void fill_head(const struct peer *peer, enum peer_kind kind, uint64_t first,
		      struct peer_head *head)
{
	*head = (struct peer_head){ .kind = kind,
				    .session = peer->session,
				    .first = first,
				    .heard_session = peer->peer_session,
				    .mark = peer->in.mark,
				    .flags = (peer->receiving ? PEER_RECEIVING : 0u) |
					     (peer->gap ? PEER_GAP : 0u) };
	memcpy(head->from, peer->self_epoch, sizeof(head->from));
	memcpy(head->to, peer->epoch, sizeof(head->to));
}

static bool publish(struct peer *peer, const void *data, size_t len)
{
	bool sent = peer->bus->ops->publish(peer->bus, peer->name, BUS_LINK, data, len);

	if (sent) {
		timer_stop(&peer->acknowledge);
		peer->gap = false;
	}
	return sent;
}

/* A packet without pieces. */
static void publish_head(struct peer *peer, enum peer_kind kind)
{
	unsigned char data[PEER_HEAD];
	struct peer_head head;

	fill_head(peer, kind, peer->out.acknowledged + 1, &head);
	peer_head_write(&head, data);
	(void)publish(peer, data, sizeof(data));
}

/* The next batch. False: there is none, or it could not be sent now. */
static bool publish_batch(struct peer *peer)
{
	struct peer_batch batch;
	struct peer_head head;

	if (!peer_out_batch(&peer->out, &batch))
		return false;
	tds_autofree unsigned char *data = malloc(PEER_HEAD + batch.len);
	if (!data)
		return false;
	fill_head(peer, PEER_DATA, batch.first, &head);
	peer_head_write(&head, data);
	peer_out_write(&peer->out, &batch, data + PEER_HEAD);
	if (!publish(peer, data, PEER_HEAD + batch.len))
		return false;
	peer->counts.resent += batch.again;
	peer_out_sent(&peer->out, &batch);
	return true;
}

static void on_resend(void *ctx);

static void await_progress(struct peer *peer)
{
	timer_start(peer->clock, &peer->resend, peer->resend_ms, on_resend, peer);
}

static void send_all(struct peer *peer)
{
	if (peer->state != OPEN)
		return;
	while (publish_batch(peer))
		;
	if (!peer_out_is_empty(&peer->out) && !timer_runs(&peer->resend))
		await_progress(peer);
}

static void on_send(void *ctx)
{
	send_all(ctx);
}

static void send_soon(struct peer *peer)
{
	if (peer->state == OPEN && !timer_runs(&peer->send))
		timer_start(peer->clock, &peer->send, 0, on_send, peer);
}

static void on_acknowledge(void *ctx)
{
	struct peer *peer = ctx;

	publish_head(peer, peer->state == OPENING ? PEER_OPEN : PEER_DATA);
}

static void acknowledge_in(struct peer *peer, int64_t in_ms)
{
	if (in_ms == 0 || !timer_runs(&peer->acknowledge))
		timer_start(peer->clock, &peer->acknowledge, in_ms, on_acknowledge, peer);
}

/* Nothing has moved: one batch goes again, the others when that is acknowledged, and less and less often. */
static void on_resend(void *ctx)
{
	struct peer *peer = ctx;

	peer->resend_ms =
		peer->resend_ms * 2 < RESEND_MOST_MS ? peer->resend_ms * 2 : RESEND_MOST_MS;
	await_progress(peer);
	if (peer->state == OPENING) {
		publish_head(peer, PEER_OPEN);
	} else {
		peer->again_from = 0;
		peer_out_again(&peer->out, true);
		(void)publish_batch(peer);
	}
}

/* --- sessions --- */

/* Of the time before nothing counts any more: this begins anew, behind all that had a number. */
static void open_session(struct peer *peer)
{
	peer->state = OPENING;
	peer->session++;
	peer->resend_ms = RESEND_MS;
	publish_head(peer, PEER_OPEN);
	await_progress(peer);
}

/* All that waits has come to its end. What was sent may be taken: the next session settles it. */
static void end_session(struct peer *peer)
{
	struct peer_parcel *parcel;

	timer_stop(&peer->send);
	while ((parcel = peer_out_drop(&peer->out, peer->out.next)) != NULL) {
		enum peer_outcome outcome = parcel->sent ? PEER_UNKNOWN : PEER_NOT_TAKEN;
		uint64_t id = parcel->id;

		if (outcome == PEER_UNKNOWN)
			peer_out_remember(&peer->out, parcel);
		else
			peer_parcel_free(parcel);
		peer->counts.unknown += outcome == PEER_UNKNOWN;
		peer->events->outcome(peer->ctx, id, outcome);
	}
}

/* The peer has told what it took of the sessions before: all else it never will. */
static void settle(struct peer *peer, uint64_t mark)
{
	uint64_t id;
	uint64_t last;

	while (peer_out_recall(&peer->out, &id, &last)) {
		peer->counts.unknown--;
		peer->events->settled(peer->ctx, id, last <= mark);
	}
}

/* What is acknowledged is taken. */
static bool progress(struct peer *peer, uint64_t mark)
{
	struct peer_parcel *parcel;
	bool moved = peer_out_acknowledge(&peer->out, mark);

	while ((parcel = peer_out_taken(&peer->out)) != NULL) {
		uint64_t id = parcel->id;

		peer_parcel_free(parcel);
		peer->counts.sent++;
		peer->events->outcome(peer->ctx, id, PEER_TAKEN);
	}
	return moved;
}

/* The peer had lost us: it takes nothing of this session any more, so that what it has not taken it never will. */
static void cut(struct peer *peer, uint64_t mark)
{
	struct peer_parcel *parcel;
	uint64_t below = peer->out.next; /* what is handed in from now on is of the next session */

	(void)progress(peer, mark);
	while ((parcel = peer_out_drop(&peer->out, below)) != NULL) {
		uint64_t id = parcel->id;

		peer_parcel_free(parcel);
		peer->events->outcome(peer->ctx, id, PEER_NOT_TAKEN);
	}
	open_session(peer);
	peer->events->cut(peer->ctx);
}

static void tell_ready(struct peer *peer)
{
	if (!peer->full || peer->out.bytes > PEER_WINDOW / 2)
		return;
	peer->full = false;
	peer->events->ready(peer->ctx);
}

static void hear_open(struct peer *peer, uint64_t mark, unsigned flags)
{
	if (!(flags & PEER_RECEIVING)) {
		cut(peer, mark);
		return;
	}
	bool moved = progress(peer, mark);
	bool again = flags & PEER_GAP && mark + 1 != peer->again_from;
	if (moved) {
		peer->resend_ms = RESEND_MS;
		timer_stop(&peer->resend);
	}
	if (again) {
		peer->again_from = mark + 1;
		peer_out_again(&peer->out, false);
	}
	if (moved || again)
		send_all(peer);
}

/* What a packet says of what the peer heard. False: it speaks of what was never sent. */
static bool hear_mark(struct peer *peer, const struct peer_head *head)
{
	if (head->heard_session != peer->session || peer->state == LOST)
		return true;
	if (head->mark > peer->out.sent)
		return false;
	if (peer->state == OPEN) {
		hear_open(peer, head->mark, head->flags);
	} else if (head->flags & PEER_RECEIVING) {
		peer->state = OPEN;
		peer->resend_ms = RESEND_MS;
		timer_stop(&peer->resend);
		settle(peer, head->mark);
		send_all(peer);
	} else {
		open_session(peer);
	}
	tell_ready(peer);
	return true;
}

/* --- what comes --- */

static bool hear_session(struct peer *peer, const struct peer_head *head)
{
	if (head->session < peer->peer_session)
		return true;
	if (head->session > peer->peer_session) {
		peer->peer_session = head->session;
		peer->receiving = peer_in_begin(&peer->in, head->first);
	}
	acknowledge_in(peer, 0);
	return peer->receiving;
}

/* Take a message that is whole. False: there is no room for it. */
static bool take(struct peer *peer)
{
	if (!peer->events->take(peer->ctx, peer->in.joined.data ? peer->in.joined.data : "",
				peer->in.joined.len))
		return false;
	peer->counts.received++;
	peer_in_taken(&peer->in);
	return true;
}

/* False: the pieces are not as they may be. */
static bool hear_pieces(struct peer *peer, const struct peer_head *head, const unsigned char *data,
			size_t len)
{
	struct peer_piece piece;
	uint64_t number = head->first;
	size_t at = 0;

	for (; at < len; number++) {
		if (!peer_piece_read(data, len, &at, &piece))
			return false;
		switch (peer_in_piece(&peer->in, number, &piece)) {
		case PEER_IN_BAD:
			return false;
		case PEER_IN_DOUBLE:
			peer->counts.doubles++;
			continue;
		case PEER_IN_GAP:
			peer->gap = true;
			return true;
		case PEER_IN_FULL:
			return true;
		case PEER_IN_PART:
			continue;
		case PEER_IN_WHOLE:
			if (!take(peer))
				return true;
		}
	}
	return true;
}

static bool hear_data(struct peer *peer, const struct peer_head *head, const unsigned char *data,
		      size_t len)
{
	if (len == 0 || head->session != peer->peer_session)
		return true;
	bool good = !peer->receiving || hear_pieces(peer, head, data, len);
	acknowledge_in(peer, peer->gap || !peer->receiving ? 0 : ACKNOWLEDGE_MS);
	return good;
}

bool peer_heard(struct peer *peer, const void *data, size_t len)
{
	struct peer_head head;
	bool good = peer_head_read(data, len, &head) && strcmp(head.from, peer->epoch) == 0 &&
		    strcmp(head.to, peer->self_epoch) == 0;

	if (good && peer->state != LOST) {
		if (head.kind == PEER_OPEN)
			good = hear_session(peer, &head);
		good = good && hear_mark(peer, &head);
		if (good && head.kind == PEER_DATA && peer->state != LOST)
			good = hear_data(peer, &head, (const unsigned char *)data + PEER_HEAD,
					 len - PEER_HEAD);
	}
	peer->counts.dropped += !good;
	return good;
}

/* --- from outside --- */

struct peer *peer_new(const struct peer_config *config, struct clock *clock, struct bus *bus,
		      const struct peer_events *events, void *ctx)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	*peer = (struct peer){ .clock = clock, .bus = bus, .events = events, .ctx = ctx };
	(void)snprintf(peer->self_epoch, sizeof(peer->self_epoch), "%s", config->self_epoch);
	(void)snprintf(peer->name, sizeof(peer->name), "%s", config->name);
	(void)snprintf(peer->epoch, sizeof(peer->epoch), "%s", config->epoch);
	peer_out_init(&peer->out);
	peer_in_init(&peer->in, config->max_message);
	open_session(peer);
	return peer;
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	timer_stop(&peer->send);
	timer_stop(&peer->resend);
	timer_stop(&peer->acknowledge);
	peer_out_fini(&peer->out);
	peer_in_fini(&peer->in);
	free(peer);
}

bool peer_send(struct peer *peer, uint64_t id, const void *data, size_t len)
{
	if (peer->state == LOST || len > peer->in.max_message ||
	    peer->out.bytes >= PEER_QUEUE_MAX || !peer_out_add(&peer->out, id, data, len)) {
		peer->full |= peer->state != LOST;
		return false;
	}
	send_soon(peer);
	return true;
}

bool peer_has_room(struct peer *peer)
{
	bool room = peer->out.bytes < PEER_WINDOW;

	peer->full |= !room;
	return room;
}

void peer_resume(struct peer *peer)
{
	if (peer->state == LOST || !peer->receiving || !peer->in.whole || !take(peer))
		return;
	peer->gap = true;
	acknowledge_in(peer, 0);
}

void peer_reconnected(struct peer *peer)
{
	if (peer->state == LOST)
		return;
	peer->resend_ms = RESEND_MS;
	acknowledge_in(peer, 0);
	if (peer->state == OPENING) {
		publish_head(peer, PEER_OPEN);
		return;
	}
	peer_out_again(&peer->out, false);
	send_all(peer);
}

void peer_lost(struct peer *peer)
{
	if (peer->state == LOST)
		return;
	peer->state = LOST;
	peer->receiving = false;
	peer_in_end(&peer->in);
	timer_stop(&peer->resend);
	timer_stop(&peer->acknowledge);
	end_session(peer);
}

void peer_back(struct peer *peer)
{
	if (peer->state == LOST)
		open_session(peer);
}

void peer_counts(const struct peer *peer, struct peer_counts *counts)
{
	*counts = peer->counts;
	counts->waiting = peer->out.bytes;
}
