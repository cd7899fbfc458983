/* SPDX-License-Identifier: MIT */
/* What comes from tds-link goes to members and lease, and what these find out is told. */
#include "convention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "convention/subject.h"
#include "inside.h"

#define CLUSTER_LEASE_MS 15000 /* servers that lose one of them take no update for a while */
#define LISTEN_MS (MEMBERS_BEAT_MS * 5 / 2) /* to the terms of others, before one leads */
#define LISTEN_LEADER_MS (MEMBERS_BEAT_MS * 3 / 2)
#define RETRY_MS 1000

/* --- telling --- */

static void tell(const struct convention *c, const char *what, json_t *fields)
{
	c->settings->tell(c->settings->ctx, what, fields);
}

static void tell_bus(struct convention *c, enum bus_told told)
{
	const struct linkbus_side *side = &c->link.sides[TDS_LINK_BUS];

	if (c->told == told)
		return;
	c->told = told;
	timer_stop(&c->unreached);
	tell(c, told == BUS_TOLD_UP ? "BusUp" : "BusLost",
	     told == BUS_TOLD_UP || !*side->why
		     ? json_object()
		     : json_pack("{s:o}", "Message", tds_document_text(side->why)));
}

/* It was not reached in the time after which others would be lost. */
static void on_unreached(void *ctx)
{
	tell_bus(ctx, BUS_TOLD_LOST);
}

/* --- who leads --- */

static bool look_for_leader(void *ctx, struct member *member)
{
	struct member **best = ctx;

	if (!member->self && member->state == MEMBER_HERE && member->role == MEMBER_LEADER &&
	    (!*best || member->term > (*best)->term))
		*best = member;
	return true;
}

/* This system by its lease, others by what they say. NULL: nobody. */
static struct member *find_leader(const struct convention *c)
{
	struct member *best = NULL;

	if (c->lease && lease_holds(c->lease))
		return members_self(c->members);
	members_each(c->members, look_for_leader, &best);
	return best;
}

static void look_at_leader(struct convention *c)
{
	const struct member *leader = find_leader(c);
	const char *epoch = leader ? leader->epoch : "";

	if (strcmp(c->leader_epoch, epoch) == 0)
		return;
	(void)snprintf(c->leader_epoch, sizeof(c->leader_epoch), "%s", epoch);
	if (leader)
		tell(c, "LeaderChanged", json_pack("{s:s}", "System", leader->name));
	else
		tell(c, "LeaderChanged", json_pack("{s:s}", "Message", "nobody leads"));
}

static bool take_term(void *ctx, struct member *member)
{
	struct convention *c = ctx;

	if (member->term > c->past.term && member->term <= LEASE_TERM_LEARNED_MAX)
		c->past.term = member->term;
	return true;
}

/* The highest term that is known, and written where it is news. */
static void learn_term(struct convention *c)
{
	uint64_t before = c->past.term;

	members_each(c->members, take_term, c);
	if (c->lease)
		lease_learn(c->lease, c->past.term);
	if (c->lease && lease_term(c->lease) > c->past.term)
		c->past.term = lease_term(c->lease);
	if (c->past.term != before)
		c->settings->remember(c->settings->ctx, &c->past);
}

static void on_began(void *ctx, uint64_t term)
{
	(void)term;
	learn_term(ctx);
	look_at_leader(ctx);
}

static void on_ended(void *ctx, enum lease_end why)
{
	(void)why;
	look_at_leader(ctx);
}

static void on_seen(void *ctx, const struct lease_record *record)
{
	(void)record;
	learn_term(ctx);
}

static const struct lease_events lease_events = { on_began, on_ended, on_seen };

/* It has listened for a while. */
static void stand(void *ctx)
{
	struct convention *c = ctx;
	const struct convention_settings *s = c->settings;
	int64_t lost_ms = (int64_t)s->config->lost_s * 1000;

	learn_term(c);
	const struct lease_config config = {
		.name = s->config->system,
		.epoch = c->past.epoch,
		.lease_ms =
			s->config->n > 1 && lost_ms < CLUSTER_LEASE_MS ? CLUSTER_LEASE_MS : lost_ms,
		.term = c->past.term,
	};
	c->lease = lease_new(&config, c->clock, &c->link.store, &lease_events, c);
	if (!c->lease)
		timer_start(c->clock, &c->listening, RETRY_MS, stand, c);
}

static void listen_first(struct convention *c)
{
	enum tds_convention_role role = c->settings->role;

	if (role != TDS_CONVENTION_MEMBER && !c->lease && !timer_runs(&c->listening))
		timer_start(c->clock, &c->listening,
			    role == TDS_CONVENTION_LEADER ? LISTEN_LEADER_MS : LISTEN_MS, stand, c);
}

/* --- members --- */

static void on_joined(void *ctx, struct member *member)
{
	struct convention *c = ctx;

	tell(c, "MemberJoined",
	     json_pack("{s:s, s:o, s:s}", "System", member->name, "Version",
		       tds_document_text(member->version), "Epoch", member->epoch));
	learn_term(c);
	look_at_leader(c);
}

static void on_lost(void *ctx, struct member *member)
{
	struct convention *c = ctx;

	tell(c, member->loss == MEMBER_LEFT ? "MemberLeft" : "MemberLost",
	     json_pack("{s:s, s:s, s:s}", "System", member->name, "Epoch", member->epoch, "Message",
		       member_loss_words(member->loss)));
	look_at_leader(c);
}

static void on_changed(void *ctx, struct member *member, enum member_change what)
{
	(void)member;
	if (what == MEMBER_CHANGED_ROLE)
		look_at_leader(ctx);
}

static void on_clash(void *ctx, struct member *member, const struct member_claim *claim)
{
	struct convention *c = ctx;

	tell(c, "NameClash",
	     json_pack("{s:s, s:s, s:s, s:s}", "System", member->name, "Epoch", member->epoch,
		       "OtherEpoch", claim->epoch, "Message",
		       "two systems that live have this name: give one another (convsystem.cfg)"));
	if (c->lease && members_displaced(c->members))
		lease_give_up(c->lease);
}

static void on_foreign(void *ctx, struct member *member)
{
	tell(ctx, "MemberForeign",
	     json_pack("{s:s, s:I, s:s}", "System", member->name, "Protocol",
		       (json_int_t)member->protocol, "Message",
		       "it speaks another protocol, and is no member"));
}

static void on_gone(void *ctx, struct member *member)
{
	(void)ctx;
	(void)member;
}

/* Of a thousand: how busy its processors are. */
static uint64_t load_now(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double load = 0;

	return getloadavg(&load, 1) == 1 && cores > 0 ? (uint64_t)(load * 1000 / (double)cores) : 0;
}

static void set_document(struct convention *c)
{
	json_t *document = c->settings->describe(c->settings->ctx);

	c->document_rc = (struct tds_err){ 0 };
	if (document && members_set_document(c->members, document, &c->document_rc) != 0 &&
	    c->document_rc.code != TDS_E_REFUSED)
		c->document_rc = (struct tds_err){ 0 };
}

/* What it has is looked at once for each beat: who hears that it is another one asks for it. */
static void on_self(void *ctx, struct members_self *self)
{
	struct convention *c = ctx;

	learn_term(c);
	look_at_leader(c);
	set_document(c);
	self->role = c->lease && lease_holds(c->lease)            ? MEMBER_LEADER
		     : c->settings->role != TDS_CONVENTION_MEMBER ? MEMBER_CANDIDATE
								  : MEMBER_ORDINARY;
	self->term = c->past.term;
	self->actors = c->settings->actors(c->settings->ctx);
	self->load = load_now();
}

static const struct members_events members_events = {
	.joined = on_joined,
	.lost = on_lost,
	.changed = on_changed,
	.clash = on_clash,
	.foreign = on_foreign,
	.gone = on_gone,
	.self = on_self,
};

/* --- tds-link --- */

static void take_state(struct convention *c, enum tds_link_side side, enum tds_link_state state,
		       const char *why, size_t len)
{
	(void)linkbus_set(&c->link, side, state, why, len);
	if (side != TDS_LINK_BUS)
		return;
	if (state == TDS_LINK_UP) {
		tell_bus(c, BUS_TOLD_UP);
		listen_first(c);
	} else if (state != TDS_LINK_CONNECTING) {
		tell_bus(c, BUS_TOLD_LOST);
	}
}

/* Of what is for this system, what it knows; all else is dropped, and counted. */
static bool take_message(struct convention *c, const struct tds_linkframe *frame)
{
	struct tds_subject subject;
	enum bus_channel channel;

	return tds_subject_read(frame->name, frame->name_len, &subject) &&
	       (!*subject.to || strcmp(subject.to, c->settings->config->system) == 0) &&
	       bus_channel_of(subject.channel, &channel) && channel != BUS_LINK &&
	       members_heard(c->members, subject.from, channel, frame->data, frame->len);
}

static void take_trouble(struct convention *c, const struct tds_linkframe *frame)
{
	c->troubles++;
	(void)snprintf(c->trouble, sizeof(c->trouble), "%.*s",
		       (int)(frame->len < sizeof(c->trouble) ? frame->len : sizeof(c->trouble) - 1),
		       frame->len > 0 ? (const char *)frame->data : "");
}

static void on_frame(void *ctx, const struct tds_linkframe *frame)
{
	struct convention *c = ctx;
	struct bus_answer answer;

	switch (frame->kind) {
	case TDS_LINK_STATE:
		take_state(c, (enum tds_link_side)frame->number, (enum tds_link_state)frame->code,
			   frame->data, frame->len);
		break;
	case TDS_LINK_MESSAGE:
		if (!take_message(c, frame))
			c->dropped++;
		break;
	case TDS_LINK_ANSWER:
		answer = linkbus_answer(frame);
		if (c->lease)
			lease_answer(c->lease, &answer);
		break;
	case TDS_LINK_TROUBLE:
		take_trouble(c, frame);
		break;
	default: /* nothing else was asked for */
		break;
	}
}

static void on_link_ended(void *ctx, const char *why)
{
	struct convention *c = ctx;

	c->link_ends++;
	for (int side = 0; side < TDS_LINK_SIDES; side++)
		take_state(c, (enum tds_link_side)side, TDS_LINK_LOST, why, strlen(why));
}

/* --- its life --- */

static bool make(struct convention *c, struct event_base *base)
{
	const struct convention_settings *s = c->settings;
	const struct members_config members = { .name = s->config->system,
						.epoch = c->past.epoch,
						.after = s->past.epoch,
						.version = s->version,
						.lost_ms = (int64_t)s->config->lost_s * 1000 };

	c->process_settings =
		(struct linkprocess_settings){ .program = s->program,
					       .dir = s->dir,
					       .convention = s->config,
					       .wants_store = s->role != TDS_CONVENTION_MEMBER,
					       .heard = on_frame,
					       .ended = on_link_ended,
					       .ctx = c };
	linkbus_init(&c->link, c->clock, s->config->system);
	c->members = members_new(&members, c->clock, &c->link.bus, &members_events, c);
	c->link.process = c->process = linkprocess_new(base, c->clock, &c->process_settings);
	timer_start(c->clock, &c->unreached, members.lost_ms, on_unreached, c);
	return c->members && c->process;
}

struct convention *convention_new(struct event_base *base, struct clock *clock,
				  const struct convention_settings *settings)
{
	struct convention *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->settings = settings;
	c->clock = clock;
	c->past.term = settings->past.term;
	reference_new(c->past.epoch);
	if (!make(c, base)) {
		convention_free(c);
		return NULL;
	}
	settings->remember(settings->ctx, &c->past);
	return c;
}

void convention_leave(struct convention *c)
{
	if (!c || !linkbus_is_up(&c->link, TDS_LINK_BUS))
		return;
	members_leave(c->members);
	linkprocess_flush(c->process);
}

void convention_free(struct convention *c)
{
	if (!c)
		return;
	timer_stop(&c->listening);
	timer_stop(&c->unreached);
	if (c->lease)
		lease_free(c->lease);
	members_free(c->members);
	linkprocess_free(c->process);
	free(c);
}
