/* SPDX-License-Identifier: MIT */
/* What is answered of a convention, in JSON. */
#include "inside.h"

#include <string.h>

const char *member_loss_words(enum member_loss loss)
{
	static const char *const words[] = {
		[MEMBER_SILENT] = "nothing was heard of it for too long",
		[MEMBER_LEFT] = "it left",
		[MEMBER_RESTARTED] = "it was started anew",
		[MEMBER_DISPLACED] = "another system of this name was started before it",
	};

	return words[loss];
}

static const char *state_word(enum member_state state)
{
	static const char *const words[] = {
		[MEMBER_HERE] = "here",
		[MEMBER_LOST] = "lost",
		[MEMBER_FOREIGN] = "foreign",
	};

	return words[state];
}

static const char *role_word(enum member_role role)
{
	static const char *const words[] = {
		[MEMBER_ORDINARY] = "member",
		[MEMBER_CANDIDATE] = "candidate",
		[MEMBER_LEADER] = "leader",
	};

	return words[role];
}

/* When that was, by the wall's clock of now. */
static json_t *heard_json(const struct convention *c, int64_t mono_ms)
{
	int64_t ago_ms = c->clock->mono_ms(c->clock) - mono_ms;

	return tds_document_time(c->clock->wall_ms(c->clock) - ago_ms);
}

static void add_heard(const struct convention *c, json_t *to, const struct member *m)
{
	(void)json_object_set_new(to, "LastHeard", heard_json(c, m->heard_mono_ms));
	(void)json_object_set_new(to, "ClockOffset", json_real((double)m->offset_ms / 1000));
	if (m->state == MEMBER_LOST)
		(void)json_object_set_new(to, "Message", json_string(member_loss_words(m->loss)));
	if (m->state == MEMBER_FOREIGN)
		(void)json_object_set_new(to, "Protocol", json_integer((json_int_t)m->protocol));
}

static json_t *member_json(const struct convention *c, const struct member *m)
{
	json_t *doc = json_pack("{s:s, s:b, s:s, s:o, s:s, s:o, s:o, s:I, s:I, s:f, s:I}", "State",
				state_word(m->state), "Self", m->self, "Role", role_word(m->role),
				"Version", tds_document_text(m->version), "Epoch", m->epoch,
				"Since", tds_document_time(m->since_wall_ms), "Started",
				tds_document_time(m->started_wall_ms), "Term", (json_int_t)m->term,
				"Actors", (json_int_t)m->actors, "Load", (double)m->load / 1000,
				"Flaps", (json_int_t)m->flaps);

	if (!doc)
		return NULL;
	if (!m->self)
		add_heard(c, doc, m);
	if (m->document) /* its keys are checked: Capabilities, Sources, Refused */
		(void)json_object_update_missing(doc, (json_t *)(uintptr_t)m->document);
	return doc;
}

struct listing {
	const struct convention *c;
	json_t *all;
};

static bool show(void *ctx, struct member *member)
{
	const struct listing *listing = ctx;

	return json_object_set_new(listing->all, member->name, member_json(listing->c, member)) ==
	       0;
}

json_t *convention_members(const struct convention *c)
{
	struct listing listing = { c, json_object() };

	if (listing.all)
		members_each(c->members, show, &listing);
	return listing.all;
}

static json_t *side_json(const struct linkbus *link, enum tds_link_side side)
{
	const struct linkbus_side *s = &link->sides[side];
	bool up = s->state == TDS_LINK_UP;
	json_t *doc =
		json_pack("{s:b, s:o}", "Up", up, "Since", tds_document_time(s->since_wall_ms));

	if (doc && !up && *s->why)
		(void)json_object_set_new(doc, "Message", tds_document_text(s->why));
	return doc;
}

static bool is_leader(void *ctx, struct member *member)
{
	const struct listing *listing = ctx;

	if (*listing->c->leader_epoch && strcmp(member->epoch, listing->c->leader_epoch) == 0)
		(void)json_object_set_new(listing->all, "Leader", json_string(member->name));
	return true;
}

json_t *convention_status(const struct convention *c)
{
	const struct tds_convention *config = c->settings->config;
	struct members_counts counts;

	members_counts(c->members, &counts);
	json_t *doc = json_pack(
		"{s:s, s:s, s:s, s:n, s:I, s:o, s:I, s:I, s:I, s:I}", "Name", config->name,
		"System", config->system, "Role", tds_convention_role_word(c->settings->role),
		"Leader", "Term", (json_int_t)c->past.term, "Bus",
		side_json(&c->link, TDS_LINK_BUS), "Members", (json_int_t)counts.here, "Dropped",
		(json_int_t)(counts.dropped + c->dropped), "LinkEnds", (json_int_t)c->link_ends,
		"LinkPid", (json_int_t)linkprocess_pid(c->process));
	struct listing listing = { c, doc };

	if (!doc)
		return NULL;
	members_each(c->members, is_leader, &listing);
	if (c->settings->role != TDS_CONVENTION_MEMBER)
		(void)json_object_set_new(doc, "Store", side_json(&c->link, TDS_LINK_STORE));
	if (c->troubles > 0)
		(void)json_object_set_new(doc, "Trouble", tds_document_text(c->trouble));
	if (c->document_rc.code)
		(void)json_object_set_new(doc, "NotTold", tds_document_text(c->document_rc.reason));
	return doc;
}
