/* SPDX-License-Identifier: MIT */
/* The table of systems: what a beat, a document and a silence do to a record. */
#include "members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/text.h"
#include "beat.h"
#include "document.h"
#include "memtable.h"

#define LATE_MS 3000 /* what was sent before its sender ended may come until then */
#define ANSWER_MS 50 /* who asks for the document meanwhile is answered together */
#define STATE_HEAD_MAX 64

/* --- beats --- */

static void ask_document(struct members *members, const struct entry *entry)
{
	const struct member *m = &entry->member;

	if (m->number > 0 && m->number != m->document_number)
		(void)members->bus->ops->publish(members->bus, m->name, BUS_ASK, m->epoch,
						 strlen(m->epoch));
}

/* True: something is new that is told. */
static bool take_beat(const struct members *members, struct entry *entry, const struct beat *beat)
{
	struct member *m = &entry->member;
	bool news = m->role != beat->role || strcmp(m->version, beat->version) != 0;

	entry->count = beat->count;
	m->protocol = beat->protocol;
	m->role = beat->role;
	m->term = beat->term;
	memcpy(m->version, beat->version, sizeof(m->version));
	m->actors = beat->actors;
	m->load = beat->load;
	m->offset_ms = beat->wall_ms - members->clock->wall_ms(members->clock);
	m->number = beat->number;
	return news;
}

/* Another epoch than before: nothing of that one is left but who it was. */
static void begin_epoch(struct members *members, struct entry *entry, const struct beat *beat)
{
	struct member *m = &entry->member;

	memcpy(entry->former, m->epoch, sizeof(entry->former));
	entry->former_mono_ms = memtable_now_ms(members);
	memcpy(m->epoch, beat->epoch, sizeof(m->epoch));
	memcpy(entry->after, beat->after, sizeof(entry->after));
	m->started_wall_ms = beat->started_wall_ms;
	json_decref(entry->document);
	entry->document = NULL;
	m->document = NULL;
	m->document_number = 0;
}

static void join(struct members *members, struct entry *entry, const struct beat *beat)
{
	struct member *m = &entry->member;

	if (strcmp(m->epoch, beat->epoch) != 0)
		begin_epoch(members, entry, beat);
	m->flaps += m->state == MEMBER_LOST && m->loss == MEMBER_SILENT;
	if (strcmp(entry->claim.shown.epoch, beat->epoch) == 0)
		entry->claim = (struct claim){ 0 };
	memtable_hear(members, entry);
	memtable_set_state(members, entry, MEMBER_HERE);
	(void)take_beat(members, entry, beat);
	members->events->joined(members->ctx, m);
	ask_document(members, entry);
}

static void tell_clash(struct members *members, struct entry *entry)
{
	entry->claim.told = true;
	members->events->clash(members->ctx, &entry->member, &entry->claim.shown);
}

/* The one that is believed is still there, some time after another one began, which is still there too. */
static void look_at_claim(struct members *members, struct entry *entry)
{
	const struct claim *claim = &entry->claim;
	int64_t now = memtable_now_ms(members);

	if (*claim->shown.epoch && !claim->told && now - claim->first_mono_ms >= LATE_MS &&
	    now - claim->shown.heard_mono_ms <= LATE_MS)
		tell_clash(members, entry);
}

static void hear_same(struct members *members, struct entry *entry, const struct beat *beat)
{
	if (beat->leaves) {
		memtable_lose(members, entry, MEMBER_LEFT);
		return;
	}
	memtable_hear(members, entry);
	if (take_beat(members, entry, beat))
		members->events->changed(members->ctx, &entry->member, MEMBER_CHANGED_ROLE);
	ask_document(members, entry);
	look_at_claim(members, entry);
}

static void note_claim(struct members *members, struct entry *entry, const char *epoch,
		       int64_t started_wall_ms)
{
	struct claim *claim = &entry->claim;
	int64_t now = memtable_now_ms(members);

	if (strcmp(claim->shown.epoch, epoch) != 0) {
		*claim = (struct claim){ .first_mono_ms = now };
		memcpy(claim->shown.epoch, epoch, REFERENCE_SIZE);
		claim->shown.started_wall_ms = started_wall_ms;
	}
	claim->shown.heard_mono_ms = now;
}

/* Was it started before the one that is believed? Every hearer says the same. */
static bool is_older(const struct member *m, const char *epoch, int64_t started_wall_ms)
{
	return started_wall_ms != m->started_wall_ms ? started_wall_ms < m->started_wall_ms
						     : strcmp(epoch, m->epoch) < 0;
}

/* Another one of this name, while one is here. */
static void hear_other(struct members *members, struct entry *entry, const struct beat *beat)
{
	struct member *m = &entry->member;
	bool former =
		strcmp(beat->epoch, entry->former) == 0 || strcmp(beat->epoch, entry->after) == 0;

	if (beat->leaves || (former && memtable_now_ms(members) - entry->former_mono_ms <= LATE_MS))
		return;
	if (strcmp(beat->after, m->epoch) == 0) {
		memtable_lose(members, entry, MEMBER_RESTARTED);
		join(members, entry, beat);
	} else if (!former && is_older(m, beat->epoch, beat->started_wall_ms)) {
		char epoch[REFERENCE_SIZE];
		int64_t started_wall_ms = m->started_wall_ms;

		memcpy(epoch, m->epoch, sizeof(epoch));
		memtable_lose(members, entry, MEMBER_DISPLACED);
		join(members, entry, beat);
		note_claim(members, entry, epoch, started_wall_ms);
	} else {
		note_claim(members, entry, beat->epoch, beat->started_wall_ms);
	}
}

/* A beat in this system's own name: its own comes back, or another one has the name. */
static void hear_own(struct members *members, const struct beat *beat)
{
	struct entry *self = members->self;
	bool before = strcmp(beat->epoch, self->after) == 0;

	if (strcmp(beat->epoch, self->member.epoch) == 0 || beat->leaves ||
	    (before && memtable_now_ms(members) - self->former_mono_ms <= LATE_MS))
		return;
	note_claim(members, self, beat->epoch, beat->started_wall_ms);
	self->claim.follows =
		strcmp(beat->after, self->member.epoch) == 0 ||
		(!before && is_older(&self->member, beat->epoch, beat->started_wall_ms));
	if (!self->claim.told)
		tell_clash(members, self);
}

static void hear_foreign(struct members *members, struct entry *entry, uint64_t protocol)
{
	struct member *m = &entry->member;

	if (m->state == MEMBER_HERE)
		return;
	bool news = m->state == MEMBER_LOST || m->protocol != protocol;
	memtable_hear(members, entry);
	m->protocol = protocol;
	if (m->state == MEMBER_LOST)
		memtable_set_state(members, entry, MEMBER_FOREIGN);
	if (news)
		members->events->foreign(members->ctx, m);
}

static void hear_absent(struct members *members, struct entry *entry, const struct beat *beat)
{
	const struct member *m = &entry->member;
	bool same = strcmp(m->epoch, beat->epoch) == 0;

	if (beat->leaves || (same && (m->loss != MEMBER_SILENT || beat->count <= entry->count)))
		return;
	join(members, entry, beat);
}

static bool hear_beat(struct members *members, const char *from, const char *text, size_t len)
{
	struct beat beat;

	if (!beat_read(text, len, &beat))
		return false;
	members->counts.beats++;
	struct entry *entry = memtable_find(members, from);
	entry = entry ? entry : memtable_add(members, from);
	if (!entry)
		members->counts.full++;
	else if (beat.protocol != MEMBERS_PROTOCOL)
		hear_foreign(members, entry, beat.protocol);
	else if (entry->member.self)
		hear_own(members, &beat);
	else if (entry->member.state != MEMBER_HERE)
		hear_absent(members, entry, &beat);
	else if (strcmp(beat.epoch, entry->member.epoch) != 0)
		hear_other(members, entry, &beat);
	else if (beat.count > entry->count)
		hear_same(members, entry, &beat);
	return true;
}

static void on_beat(void *ctx)
{
	struct members *members = ctx;
	struct entry *self = members->self;
	struct member *m = &self->member;
	struct members_self now = { .role = m->role };
	char text[MEMBERS_BEAT_MAX];

	members->events->self(members->ctx, &now);
	struct beat beat = { .protocol = MEMBERS_PROTOCOL,
			     .count = ++self->count,
			     .wall_ms = members->clock->wall_ms(members->clock),
			     .started_wall_ms = m->started_wall_ms,
			     .role = now.role,
			     .term = now.term,
			     .number = m->number,
			     .actors = now.actors,
			     .load = now.load < MEMBERS_LOAD_MAX ? now.load : MEMBERS_LOAD_MAX,
			     .leaves = members->leaves };
	memcpy(beat.epoch, m->epoch, sizeof(beat.epoch));
	memcpy(beat.after, self->after, sizeof(beat.after));
	memcpy(beat.version, m->version, sizeof(beat.version));
	m->heard_mono_ms = memtable_now_ms(members);
	(void)take_beat(members, self, &beat);
	(void)members->bus->ops->publish(members->bus, NULL, BUS_BEAT, text,
					 beat_write(&beat, text));
	if (!members->leaves)
		timer_start(members->clock, &members->beat, MEMBERS_BEAT_MS, on_beat, members);
}

void members_leave(struct members *members)
{
	members->leaves = true;
	timer_stop(&members->beat);
	on_beat(members);
}

/* --- documents --- */

/* However many ask at once, and however often: one packet, to who asked, or to all. */
static void on_answer(void *ctx)
{
	struct members *members = ctx;

	if (members->state.len > 0)
		(void)members->bus->ops->publish(
			members->bus, members->many_ask ? NULL : members->asker, BUS_STATE,
			members->state.data, members->state.len);
	*members->asker = '\0';
	members->many_ask = false;
}

static bool hear_ask(struct members *members, const char *from, const char *text, size_t len)
{
	const char *epoch = members->self->member.epoch;

	if (len != REFERENCE_SIZE - 1 || memcmp(text, epoch, len) != 0)
		return false;
	members->many_ask |= *members->asker && strcmp(members->asker, from) != 0;
	(void)snprintf(members->asker, sizeof(members->asker), "%s", from);
	if (!timer_runs(&members->answer))
		timer_start(members->clock, &members->answer, ANSWER_MS, on_answer, members);
	return true;
}

/* Before the document stand epoch and number, with a blank between them and a newline behind. */
static bool read_head(const char *text, size_t len, char epoch[REFERENCE_SIZE], uint64_t *number,
		      size_t *head)
{
	const char *end = memchr(text, '\n', len < STATE_HEAD_MAX ? len : STATE_HEAD_MAX);
	size_t digits = REFERENCE_SIZE;

	if (!end || (size_t)(end - text) <= digits || text[digits - 1] != ' ')
		return false;
	memcpy(epoch, text, REFERENCE_SIZE - 1);
	epoch[REFERENCE_SIZE - 1] = '\0';
	*head = (size_t)(end - text) + 1;
	return tds_text_is_hex(epoch, REFERENCE_SIZE - 1) &&
	       tds_parse_uint(text + digits, *head - 1 - digits, (uint64_t)1 << 53, number);
}

static bool hear_document(struct members *members, const char *from, const char *text, size_t len)
{
	struct entry *entry = memtable_find(members, from);
	char epoch[REFERENCE_SIZE];
	uint64_t number;
	size_t head;

	if (!read_head(text, len, epoch, &number, &head))
		return false;
	if (!entry || entry->member.self || entry->member.state != MEMBER_HERE ||
	    strcmp(entry->member.epoch, epoch) != 0 || number <= entry->member.document_number)
		return true;
	json_t *document = document_read(text + head, len - head, &(struct tds_err){ 0 });
	if (!document)
		return false;
	json_decref(entry->document);
	entry->document = document;
	entry->member.document = document;
	entry->member.document_number = number;
	members->events->changed(members->ctx, &entry->member, MEMBER_CHANGED_DOCUMENT);
	return true;
}

/* The packet of a document; false: no memory. */
static bool write_state(const struct member *m, uint64_t number, const char *text,
			struct tds_buf *state)
{
	char head[STATE_HEAD_MAX];
	int len = snprintf(head, sizeof(head), "%s %" PRIu64 "\n", m->epoch, number);

	return tds_buf_add(state, head, (size_t)len) && tds_buf_add(state, text, strlen(text));
}

static int replace_document(struct members *members, json_t *document, const char *text,
			    struct tds_err *err)
{
	struct entry *self = members->self;
	struct tds_buf state = { 0 };

	if (!write_state(&self->member, self->member.number + 1, text, &state)) {
		tds_buf_fini(&state);
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	tds_buf_fini(&members->state);
	members->state = state;
	self->member.document_number = ++self->member.number;
	json_decref(self->document);
	self->document = json_incref(document);
	self->member.document = self->document;
	return 0;
}

int members_set_document(struct members *members, json_t *document, struct tds_err *err)
{
	struct entry *self = members->self;
	char *text = tds_json_text(document, JSON_COMPACT | JSON_SORT_KEYS);
	json_t *checked = text ? document_read(text, strlen(text), err) : NULL;
	int rc = 0;

	json_decref(document);
	if (!text || (!checked && err->code == TDS_E_NOMEM))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	else if (!checked)
		rc = tds_err_set(err, TDS_E_REFUSED, "not the document of a system, or too long");
	else if (!json_equal(checked, self->document))
		rc = replace_document(members, checked, text, err);
	json_decref(checked);
	free(text);
	return rc;
}

bool members_heard(struct members *members, const char *from, enum bus_channel channel,
		   const void *data, size_t len)
{
	static bool (*const hears[])(struct members * members, const char *from, const char *text,
				     size_t len) = {
		[BUS_BEAT] = hear_beat, [BUS_ASK] = hear_ask, [BUS_STATE] = hear_document
	};
	bool good = channel <= BUS_STATE && len > 0 && tds_system_name_fits(from, strlen(from)) &&
		    hears[channel](members, from, data, len);

	members->counts.dropped += !good;
	return good;
}

/* --- from outside --- */

static bool begin_self(struct members *members, const struct members_config *config)
{
	struct entry *self = memtable_add(members, config->name);

	if (!self)
		return false;
	struct member *m = &self->member;
	members->self = self;
	m->self = true;
	m->protocol = MEMBERS_PROTOCOL;
	m->started_wall_ms = members->clock->wall_ms(members->clock);
	self->former_mono_ms = memtable_now_ms(members);
	(void)snprintf(m->epoch, sizeof(m->epoch), "%s", config->epoch);
	(void)snprintf(self->after, sizeof(self->after), "%s", config->after);
	(void)snprintf(m->version, sizeof(m->version), "%s", config->version);
	memtable_set_state(members, self, MEMBER_HERE);
	return true;
}

struct members *members_new(const struct members_config *config, struct clock *clock,
			    struct bus *bus, const struct members_events *events, void *ctx)
{
	struct members *members = calloc(1, sizeof(*members));

	if (!members)
		return NULL;
	members->clock = clock;
	members->bus = bus;
	members->events = events;
	members->ctx = ctx;
	members->lost_ms = config->lost_ms;
	if (!begin_self(members, config)) {
		free(members);
		return NULL;
	}
	timer_start(clock, &members->beat, 0, on_beat, members);
	return members;
}

void members_free(struct members *members)
{
	if (!members)
		return;
	timer_stop(&members->beat);
	timer_stop(&members->silent);
	timer_stop(&members->answer);
	memtable_free(members);
	tds_buf_fini(&members->state);
	free(members);
}

struct member *members_find(const struct members *members, const char *name)
{
	struct entry *entry = memtable_find(members, name);

	return entry ? &entry->member : NULL;
}

struct member *members_self(const struct members *members)
{
	return &members->self->member;
}

bool members_displaced(const struct members *members)
{
	const struct claim *claim = &members->self->claim;

	return claim->follows &&
	       memtable_now_ms(members) - claim->shown.heard_mono_ms < members->lost_ms;
}

void members_each(const struct members *members, bool (*show)(void *ctx, struct member *member),
		  void *ctx)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct entry *e = members->buckets[i]; e; e = e->in_bucket)
			if (!show(ctx, &e->member))
				return;
}

void members_counts(const struct members *members, struct members_counts *counts)
{
	*counts = members->counts;
}
