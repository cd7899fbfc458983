/* SPDX-License-Identifier: MIT */
/*
 * What a peer sends on its link. An input is packets, each behind its length in two bytes, the most significant first. A
 * byte before them says what happens between: bit 0, messages are sent; bit 1, the peer is lost and comes back after each
 * third packet; bit 2, there is no room for what comes.
 */
#include "fuzz.h"

#include "daemon/convention/peer.h"
#include "../unit/fake_clock.h"

#define MESSAGE_MAX 4096
#define MESSAGES 64

static unsigned char told[MESSAGES];
static uint64_t handed;
static bool no_room;
static size_t looked;

static bool publish(struct bus *bus, const char *to, enum bus_channel channel, const void *data,
		    size_t len)
{
	(void)bus, (void)to, (void)data;
	CHECK(channel == BUS_LINK && len > 0 && len <= BUS_MESSAGE_MAX);
	return true;
}

static bool on_take(void *ctx, const void *data, size_t len)
{
	(void)ctx;
	CHECK(len <= MESSAGE_MAX);
	for (size_t i = 0; i < len; i++)
		looked += ((const unsigned char *)data)[i];
	return !no_room;
}

static void on_outcome(void *ctx, uint64_t id, enum peer_outcome outcome)
{
	(void)ctx;
	CHECK(id < handed && told[id] == 0);
	told[id] = outcome == PEER_UNKNOWN ? 2 : 1;
}

static void on_settled(void *ctx, uint64_t id, bool taken)
{
	(void)ctx, (void)taken;
	CHECK(id < handed && told[id] == 2);
	told[id] = 1;
}

static void on_nothing(void *ctx)
{
	(void)ctx;
}

static const struct peer_events events = { on_take, on_outcome, on_settled, on_nothing,
					   on_nothing };

static void happen(struct peer *peer, struct fake_clock *fake, unsigned how, unsigned n)
{
	if (how & 1 && handed < MESSAGES && peer_send(peer, handed, "message", 7))
		handed++;
	if (how & 2 && n % 3 == 2) {
		peer_lost(peer);
		peer_back(peer);
	}
	fake_clock_go(fake, 10);
	if (how & 4 && n % 4 == 3) {
		no_room = false;
		peer_resume(peer);
		no_room = true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bus_ops ops = { publish };
	const struct peer_config config = { .self_epoch = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
					    .name = "b",
					    .epoch = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
					    .max_message = MESSAGE_MAX };
	struct bus bus = { &ops };
	struct fake_clock fake;
	unsigned how = size > 0 ? data[0] : 0;

	memset(told, 0, sizeof(told));
	handed = 0;
	no_room = how & 4;
	fake_clock_init(&fake);
	struct peer *peer = peer_new(&config, &fake.clock, &bus, &events, NULL);
	CHECK(peer);
	for (size_t at = 1, n = 0; at + 2 <= size; n++) {
		size_t len = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		len = len < size - at ? len : size - at;
		happen(peer, &fake, how, (unsigned)n);
		(void)peer_heard(peer, data + at, len);
		at += len;
	}
	peer_lost(peer);
	for (uint64_t id = 0; id < handed; id++)
		CHECK(told[id] != 0);
	peer_free(peer);
	return 0;
}
