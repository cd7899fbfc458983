/* SPDX-License-Identifier: MIT */
/*
 * What a system says of itself: each line of an input is a beat, but for those that begin with "{", which are documents.
 * Whatever is taken is written and read again as the same; a table of systems takes it all.
 */
#include "fuzz.h"

#include "base/jsontext.h"
#include "daemon/convention/beat.h"
#include "daemon/convention/document.h"
#include "daemon/convention/members.h"
#include "../unit/fake_clock.h"

#define EPOCH "0123456789abcdef0123456789abcdef"

static size_t told;

static bool publish(struct bus *bus, const char *to, enum bus_channel channel, const void *data,
		    size_t len)
{
	(void)bus, (void)to, (void)channel, (void)data;
	CHECK(len > 0 && len <= BUS_MESSAGE_MAX);
	return true;
}

static void on_member(void *ctx, struct member *member)
{
	(void)ctx;
	told += strlen(member->epoch);
	CHECK(tds_system_name_fits(member->name, strlen(member->name)));
}

static void on_changed(void *ctx, struct member *member, enum member_change what)
{
	on_member(ctx, member);
	CHECK(what != MEMBER_CHANGED_DOCUMENT || member->document);
}

static void on_clash(void *ctx, struct member *member, const struct member_claim *claim)
{
	on_member(ctx, member);
	CHECK(strcmp(member->epoch, claim->epoch) != 0);
}

static void on_self(void *ctx, struct members_self *self)
{
	(void)ctx, (void)self;
}

static const struct members_events events = { on_member, on_member, on_changed, on_clash,
					      on_member, on_member, on_self };

/* Each beat has one spelling. */
static void check_beat(struct input line)
{
	char text[MEMBERS_BEAT_MAX];
	struct beat beat = { 0 };

	if (!beat_read(line.at, line.len, &beat) || beat.protocol != MEMBERS_PROTOCOL)
		return;
	size_t len = beat_write(&beat, text);
	CHECK(len == line.len && memcmp(text, line.at, len) == 0);
}

static void check_document(struct input line)
{
	struct tds_err err = { 0 };
	json_t *document = document_read(line.at, line.len, &err);

	CHECK(!document == (err.code != TDS_OK));
	if (!document)
		return;
	char *text = tds_json_text(document, JSON_COMPACT);
	CHECK(text);
	json_t *again = document_read(text, strlen(text), &err);
	CHECK(strlen(text) > DOCUMENT_MAX || json_equal(document, again));
	json_decref(again);
	json_decref(document);
	free(text);
}

/* The document that a line is comes from the system of the beat before. */
static void hear(struct members *members, struct input line, const char *epoch, uint64_t number)
{
	char head[64];
	int len = snprintf(head, sizeof(head), "%s %ju\n", epoch, (uintmax_t)number);
	char *text = malloc((size_t)len + line.len);

	CHECK(text);
	memcpy(text, head, (size_t)len);
	memcpy(text + len, line.at, line.len);
	(void)members_heard(members, "b", BUS_STATE, text, (size_t)len + line.len);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bus_ops ops = { publish };
	const struct members_config config = {
		.name = "a", .epoch = EPOCH, .after = "", .version = "1", .lost_ms = 5000
	};
	struct input rest = { (const char *)data, size };
	struct fake_clock fake;
	struct bus bus = { &ops };
	struct beat beat = { .epoch = EPOCH };

	fake_clock_init(&fake);
	struct members *members = members_new(&config, &fake.clock, &bus, &events, NULL);
	CHECK(members);
	for (uint64_t n = 1; rest.len > 0 && n < 100; n++) {
		struct input line = input_line(&rest);

		(void)members_heard(members, "b", (enum bus_channel)(n % 3), line.at, line.len);
		if (line.len > 0 && *line.at == '{') {
			check_document(line);
			hear(members, line, beat.epoch, n);
		} else {
			check_beat(line);
			(void)beat_read(line.at, line.len, &beat);
			(void)members_heard(members, n % 7 ? "b" : "a", BUS_BEAT, line.at,
					    line.len);
		}
		fake_clock_go(&fake, n % 5 ? 1000 : 6000);
	}
	members_free(members);
	return 0;
}
