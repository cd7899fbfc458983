/* SPDX-License-Identifier: MIT */
/* The two tables of bus.h, which write frames. */
#include "linkbus.h"

#include <stddef.h>
#include <string.h>

#include "convention/subject.h"
#include "linkprocess.h"

bool linkbus_is_up(const struct linkbus *linkbus, enum tds_link_side side)
{
	return linkbus->sides[side].state == TDS_LINK_UP;
}

static bool publish(struct bus *bus, const char *to, enum bus_channel channel, const void *data,
		    size_t len)
{
	struct linkbus *linkbus = (struct linkbus *)bus;
	char subject[TDS_SUBJECT_MAX];

	return linkbus_is_up(linkbus, TDS_LINK_BUS) &&
	       tds_subject_make(subject, linkbus->system, to, bus_channel_word(channel)) &&
	       linkprocess_say(linkbus->process,
			       &(struct tds_linkframe){ .kind = TDS_LINK_PUBLISH,
							.name = subject,
							.name_len = strlen(subject),
							.data = data,
							.len = len });
}

static uint64_t ask(struct bus_store *store, struct tds_linkframe *frame, const char *key)
{
	struct linkbus *linkbus =
		(struct linkbus *)(void *)((char *)store - offsetof(struct linkbus, store));

	frame->number = linkbus->asked + 1;
	frame->name = key;
	frame->name_len = strlen(key);
	if (!linkbus_is_up(linkbus, TDS_LINK_STORE) || !linkprocess_say(linkbus->process, frame))
		return 0;
	return ++linkbus->asked;
}

static uint64_t get(struct bus_store *store, const char *key)
{
	return ask(store, &(struct tds_linkframe){ .kind = TDS_LINK_GET }, key);
}

static uint64_t create(struct bus_store *store, const char *key, const void *data, size_t len)
{
	return ask(store,
		   &(struct tds_linkframe){ .kind = TDS_LINK_CREATE, .data = data, .len = len },
		   key);
}

static uint64_t update(struct bus_store *store, const char *key, uint64_t revision,
		       const void *data, size_t len)
{
	return ask(
		store,
		&(struct tds_linkframe){
			.kind = TDS_LINK_UPDATE, .revision = revision, .data = data, .len = len },
		key);
}

static const struct bus_ops bus_ops = { publish };
static const struct bus_store_ops store_ops = { get, create, update };

void linkbus_init(struct linkbus *linkbus, struct clock *clock, const char *system)
{
	*linkbus = (struct linkbus){
		.bus = { &bus_ops }, .store = { &store_ops }, .clock = clock, .system = system
	};
	for (int side = 0; side < TDS_LINK_SIDES; side++)
		linkbus->sides[side].since_wall_ms = clock->wall_ms(clock);
}

bool linkbus_set(struct linkbus *linkbus, enum tds_link_side side, enum tds_link_state state,
		 const char *why, size_t len)
{
	struct linkbus_side *s = &linkbus->sides[side];
	bool before = s->state == TDS_LINK_UP;

	len = len < LINKBUS_WHY_MAX ? len : LINKBUS_WHY_MAX - 1;
	/* One that was lost is not one that never stood, only since the process is another. */
	if (state != TDS_LINK_CONNECTING || s->state != TDS_LINK_LOST) {
		s->state = state;
		memcpy(s->why, why, len);
		s->why[len] = '\0';
	}
	if (before == (s->state == TDS_LINK_UP))
		return false;
	s->since_wall_ms = linkbus->clock->wall_ms(linkbus->clock);
	return true;
}

struct bus_answer linkbus_answer(const struct tds_linkframe *frame)
{
	static const enum bus_result results[TDS_LINK_RESULTS] = {
		[TDS_LINK_DONE] = BUS_DONE,       [TDS_LINK_CONFLICT] = BUS_CONFLICT,
		[TDS_LINK_MISSING] = BUS_MISSING, [TDS_LINK_UNKNOWN] = BUS_UNKNOWN,
		[TDS_LINK_DENIED] = BUS_REFUSED,
	};

	return (struct bus_answer){ .number = frame->number,
				    .result = results[frame->code],
				    .revision = frame->revision,
				    .data = frame->data,
				    .len = frame->len };
}
