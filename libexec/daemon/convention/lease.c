/* SPDX-License-Identifier: MIT */
/* A candidate's turns: it looks at the record, takes it, sees that it was kept, renews it. */
#include "lease.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/text.h"

/*
 * Parts of a lease. A holder's time and a gap are together less than a lease: what is left of that is for clocks that drift.
 * Renewals are often, since a cluster of servers that has lost one takes no update for a while.
 */
#define HOLD_OF(lease_ms) ((lease_ms)*2 / 3)
#define GAP_OF(lease_ms) ((lease_ms) / 5)   /* between two sights that are one */
#define LOOK_OF(lease_ms) ((lease_ms) / 15) /* between two looks at the record, or two renewals */
#define PATIENCE_OF(lease_ms) ((lease_ms)*2 / 15) /* with an answer */

enum phase {
	WATCHING,   /* somebody else leads, or nobody */
	CONFIRMING, /* taken; does the store keep it? */
	LEADING,
};

/* What is asked of the store. */
enum asked { ASKED_NOTHING, ASKED_GET, ASKED_TAKE, ASKED_RENEW };

/* What the store had. */
struct sight {
	bool known; /* it was ever seen */
	bool there;
	uint64_t revision;
	struct lease_record record; /* of what is none: zero */
};

struct lease {
	char name[BUS_NAME_MAX];
	char epoch[REFERENCE_SIZE];
	int64_t lease_ms;
	struct clock *clock;
	struct bus_store *store;
	const struct lease_events *events;
	void *ctx;
	struct timer
		turn; /* the next look or update, or the end of patience with the one asked for */
	struct timer expiry; /* of what is held */

	enum phase phase;
	enum asked asked;
	uint64_t number; /* of what is asked */
	int64_t asked_mono_ms;
	int64_t answered_mono_ms; /* -1: never */

	struct sight sight;
	int64_t since_mono_ms;  /* it is seen unchanged without a gap */
	int64_t looked_mono_ms; /* the last look at it was asked for */

	uint64_t term;              /* the highest known */
	uint64_t own_term;          /* of this system's last holding; 0: none */
	char nonce[REFERENCE_SIZE]; /* of the last update that was tried */
	int64_t tried_mono_ms;
	int64_t taken_mono_ms; /* it is known since then */
	bool sure;             /* LEADING: sight is what the last update made */
	int64_t until_mono_ms;
	int64_t not_before_mono_ms; /* nothing is taken */
};

static int64_t now_ms(const struct lease *lease)
{
	return lease->clock->mono_ms(lease->clock);
}

/* --- the record --- */

static bool read_text(const json_t *doc, const char *key, char *to, size_t size)
{
	const json_t *value = json_object_get(doc, key);

	if (!tds_json_is_text(value) || json_string_length(value) >= size)
		return false;
	memcpy(to, json_string_value(value), json_string_length(value) + 1);
	return true;
}

static bool read_fields(const json_t *doc, struct lease_record *record)
{
	json_int_t term = json_integer_value(json_object_get(doc, "Term"));

	record->term = (uint64_t)term;
	return term >= 1 && (uint64_t)term <= LEASE_TERM_MAX &&
	       read_text(doc, "System", record->name, sizeof(record->name)) &&
	       tds_system_name_fits(record->name, strlen(record->name)) &&
	       read_text(doc, "Epoch", record->epoch, sizeof(record->epoch)) &&
	       tds_text_is_hex(record->epoch, REFERENCE_SIZE - 1) &&
	       read_text(doc, "Nonce", record->nonce, sizeof(record->nonce)) &&
	       tds_text_is_hex(record->nonce, REFERENCE_SIZE - 1);
}

bool lease_record_read(const void *data, size_t len, struct lease_record *record)
{
	json_t *doc = len <= LEASE_RECORD_MAX ? json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL)
					      : NULL;
	bool good = read_fields(doc, record);

	json_decref(doc);
	if (!good)
		*record = (struct lease_record){ 0 };
	return good;
}

/* This system's, with a nonce that none had before. */
static int write_record(struct lease *lease, char text[LEASE_RECORD_MAX])
{
	reference_new(lease->nonce);
	return snprintf(text, LEASE_RECORD_MAX,
			"{\"System\":\"%s\",\"Epoch\":\"%s\",\"Term\":%" PRIu64
			",\"Nonce\":\"%s\"}",
			lease->name, lease->epoch, lease->own_term, lease->nonce);
}

static bool is_ours(const struct lease *lease, const struct sight *sight)
{
	return sight->there && sight->record.term == lease->own_term &&
	       strcmp(sight->record.epoch, lease->epoch) == 0;
}

/* Is it what the last update that was tried would make? */
static bool is_tried(const struct lease *lease, const struct sight *sight)
{
	return is_ours(lease, sight) && strcmp(sight->record.nonce, lease->nonce) == 0;
}

static bool is_same(const struct sight *a, const struct sight *b)
{
	return a->known && a->there == b->there && a->revision == b->revision &&
	       strcmp(a->record.nonce, b->record.nonce) == 0;
}

static bool names_same(const struct sight *a, const struct sight *b)
{
	return a->known && a->there == b->there && a->record.term == b->record.term &&
	       strcmp(a->record.epoch, b->record.epoch) == 0;
}

/* The store has this now. Since when goes on only where no change can have been missed. */
static void note(struct lease *lease, const struct sight *sight)
{
	int64_t now = now_ms(lease);
	bool news = !names_same(&lease->sight, sight);

	if (!is_same(&lease->sight, sight) || now - lease->looked_mono_ms > GAP_OF(lease->lease_ms))
		lease->since_mono_ms = now;
	lease->looked_mono_ms = lease->asked_mono_ms;
	lease->sight = *sight;
	if (sight->record.term > lease->term)
		lease->term = sight->record.term;
	if (news)
		lease->events->seen(lease->ctx, lease_seen(lease));
}

/* --- asking --- */

static void on_turn(void *ctx);

static void next_turn(struct lease *lease, int64_t in_ms)
{
	timer_start(lease->clock, &lease->turn, in_ms, on_turn, lease);
}

/* What is asked is answered in time, or counts for unknown. */
static void await(struct lease *lease, enum asked asked, uint64_t number)
{
	lease->asked = number ? asked : ASKED_NOTHING;
	lease->number = number;
	next_turn(lease, number ? PATIENCE_OF(lease->lease_ms) : LOOK_OF(lease->lease_ms));
}

static void look(struct lease *lease)
{
	lease->asked_mono_ms = now_ms(lease);
	await(lease, ASKED_GET, lease->store->ops->get(lease->store, LEASE_KEY));
}

/* The time is that before it is sent: it may be done from then on. */
static void update(struct lease *lease, enum asked asked)
{
	const struct bus_store_ops *ops = lease->store->ops;
	char text[LEASE_RECORD_MAX];
	int len = write_record(lease, text);

	lease->asked_mono_ms = lease->tried_mono_ms = now_ms(lease);
	await(lease, asked,
	      lease->sight.there ? ops->update(lease->store, LEASE_KEY, lease->sight.revision, text,
					       (size_t)len)
				 : ops->create(lease->store, LEASE_KEY, text, (size_t)len));
}

/* --- holding --- */

static void on_expiry(void *ctx);

static void hold(struct lease *lease)
{
	lease->until_mono_ms = lease->tried_mono_ms + HOLD_OF(lease->lease_ms);
	timer_start(lease->clock, &lease->expiry, lease->until_mono_ms - now_ms(lease), on_expiry,
		    lease);
}

static void watch(struct lease *lease)
{
	timer_stop(&lease->expiry);
	lease->phase = WATCHING;
}

static void end(struct lease *lease, enum lease_end why)
{
	bool led = lease->phase == LEADING;

	watch(lease);
	if (led)
		lease->events->ended(lease->ctx, why);
}

/* Whatever comes next, in whatever order timers and answers are looked at: what has run out is not held. */
static void expire(struct lease *lease)
{
	if (lease->phase != WATCHING && now_ms(lease) >= lease->until_mono_ms)
		end(lease, LEASE_RAN_OUT);
}

static void on_expiry(void *ctx)
{
	expire(ctx);
}

static void lead(struct lease *lease)
{
	lease->phase = LEADING;
	lease->sure = true;
	next_turn(lease, 0);
	lease->events->began(lease->ctx, lease->own_term);
}

/*
 * The take is done. It counts where that is known within a gap: an update that was under way for longer may have met a
 * record of a holder that this system did not see. So it does where no later term was learned of meanwhile.
 */
static void taken(struct lease *lease, const struct sight *sight)
{
	bool first = lease->term == 0;
	int64_t now = now_ms(lease);
	bool counts = lease->own_term > lease->term &&
		      now - lease->tried_mono_ms <= GAP_OF(lease->lease_ms);

	note(lease, sight);
	next_turn(lease, LOOK_OF(lease->lease_ms));
	if (!counts)
		return;
	lease->phase = CONFIRMING;
	lease->taken_mono_ms = now;
	hold(lease);
	if (first)
		lead(lease);
}

/* --- what is done about what the store has --- */

/*
 * May this system take what it sees? Where the store has forgotten the last holder, others than that one wait for longer. A
 * store that never had a record is taken at once.
 */
static bool may_take(const struct lease *lease)
{
	const struct sight *sight = &lease->sight;
	bool forgot = sight->record.term < lease->term && lease->own_term != lease->term;
	int64_t now = now_ms(lease);
	int64_t wait_ms = lease->lease_ms + (forgot ? GAP_OF(lease->lease_ms) : 0);

	if (now < lease->not_before_mono_ms || lease->term >= LEASE_TERM_MAX)
		return false;
	return (!sight->there && lease->term == 0) || now - lease->since_mono_ms >= wait_ms;
}

static void saw_watching(struct lease *lease, const struct sight *sight)
{
	if (!is_same(&lease->sight, sight) && is_tried(lease, sight)) {
		taken(lease, sight);
		return;
	}
	note(lease, sight);
	next_turn(lease, LOOK_OF(lease->lease_ms));
	if (!may_take(lease))
		return;
	lease->own_term = lease->term + 1;
	update(lease, ASKED_TAKE);
}

static void saw_confirming(struct lease *lease, const struct sight *sight)
{
	if (!is_ours(lease, sight)) {
		watch(lease);
		saw_watching(lease, sight);
		return;
	}
	note(lease, sight);
	next_turn(lease, LOOK_OF(lease->lease_ms));
	if (lease->asked_mono_ms - lease->taken_mono_ms >= GAP_OF(lease->lease_ms))
		lead(lease);
}

/* The record is still this system's; or it is gone, or that of a holder before it, as the store has fallen back: it is written anew. */
static void saw_leading(struct lease *lease, const struct sight *sight)
{
	if (!is_ours(lease, sight) && sight->record.term >= lease->own_term) {
		end(lease, LEASE_TAKEN);
		saw_watching(lease, sight);
		return;
	}
	note(lease, sight);
	if (is_tried(lease, sight))
		hold(lease);
	lease->sure = true;
	next_turn(lease, LOOK_OF(lease->lease_ms));
}

static void (*const saw[])(struct lease *lease, const struct sight *sight) = {
	[WATCHING] = saw_watching,
	[CONFIRMING] = saw_confirming,
	[LEADING] = saw_leading,
};

static void on_turn(void *ctx)
{
	struct lease *lease = ctx;

	expire(lease);
	if (lease->asked != ASKED_NOTHING)
		lease_answer(lease, &(struct bus_answer){ .number = lease->number,
							  .result = BUS_UNKNOWN });
	else if (lease->phase == LEADING && lease->sure)
		update(lease, ASKED_RENEW);
	else
		look(lease);
}

/* --- answers --- */

static void got(struct lease *lease, const struct bus_answer *answer)
{
	struct sight sight = { .known = true, .there = answer->result == BUS_DONE };

	next_turn(lease, LOOK_OF(lease->lease_ms));
	if (answer->result != BUS_DONE && answer->result != BUS_MISSING)
		return;
	if (sight.there) {
		sight.revision = answer->revision;
		(void)lease_record_read(answer->data, answer->len, &sight.record);
	}
	saw[lease->phase](lease, &sight);
}

/* What the last update that was tried has made. */
static struct sight made(const struct lease *lease, uint64_t revision)
{
	struct sight sight = { .known = true,
			       .there = true,
			       .revision = revision,
			       .record = { .term = lease->own_term } };

	strcpy(sight.record.name, lease->name);
	strcpy(sight.record.epoch, lease->epoch);
	strcpy(sight.record.nonce, lease->nonce);
	return sight;
}

static void took(struct lease *lease, const struct bus_answer *answer)
{
	struct sight sight = made(lease, answer->revision);

	/* What became of it, if anything, is looked at. */
	next_turn(lease, answer->result == BUS_REFUSED ? LOOK_OF(lease->lease_ms) : 0);
	if (answer->result == BUS_DONE && lease->phase == WATCHING)
		taken(lease, &sight);
}

static void renewed(struct lease *lease, const struct bus_answer *answer)
{
	struct sight sight = made(lease, answer->revision);

	next_turn(lease, LOOK_OF(lease->lease_ms));
	if (lease->phase != LEADING || answer->result == BUS_REFUSED)
		return;
	if (answer->result == BUS_DONE) {
		note(lease, &sight);
		hold(lease);
	} else {
		lease->sure = false;
		next_turn(lease, 0);
	}
}

static void (*const answered[])(struct lease *lease, const struct bus_answer *answer) = {
	[ASKED_GET] = got,
	[ASKED_TAKE] = took,
	[ASKED_RENEW] = renewed,
};

void lease_answer(struct lease *lease, const struct bus_answer *answer)
{
	enum asked asked = lease->asked;

	if (asked == ASKED_NOTHING || answer->number != lease->number)
		return;
	lease->asked = ASKED_NOTHING;
	if (answer->result != BUS_UNKNOWN && answer->result != BUS_REFUSED)
		lease->answered_mono_ms = now_ms(lease);
	expire(lease);
	answered[asked](lease, answer);
}

/* --- from outside --- */

struct lease *lease_new(const struct lease_config *config, struct clock *clock,
			struct bus_store *store, const struct lease_events *events, void *ctx)
{
	struct lease *lease = calloc(1, sizeof(*lease));

	if (!lease)
		return NULL;
	*lease = (struct lease){ .lease_ms = config->lease_ms,
				 .clock = clock,
				 .store = store,
				 .events = events,
				 .ctx = ctx,
				 .answered_mono_ms = -1,
				 .term = config->term };
	(void)snprintf(lease->name, sizeof(lease->name), "%s", config->name);
	(void)snprintf(lease->epoch, sizeof(lease->epoch), "%s", config->epoch);
	next_turn(lease, 0);
	return lease;
}

void lease_free(struct lease *lease)
{
	if (!lease)
		return;
	timer_stop(&lease->turn);
	timer_stop(&lease->expiry);
	free(lease);
}

void lease_learn(struct lease *lease, uint64_t term)
{
	if (term > lease->term && term <= LEASE_TERM_LEARNED_MAX)
		lease->term = term;
}

void lease_give_up(struct lease *lease)
{
	watch(lease);
	lease->not_before_mono_ms = now_ms(lease) + lease->lease_ms;
}

bool lease_holds(const struct lease *lease)
{
	return lease->phase == LEADING && now_ms(lease) < lease->until_mono_ms;
}

uint64_t lease_term(const struct lease *lease)
{
	return lease_holds(lease) ? lease->own_term : lease->term;
}

const struct lease_record *lease_seen(const struct lease *lease)
{
	return lease->sight.there && lease->sight.record.term > 0 ? &lease->sight.record : NULL;
}

int64_t lease_store_mono_ms(const struct lease *lease)
{
	return lease->answered_mono_ms;
}
