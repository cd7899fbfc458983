/* SPDX-License-Identifier: MIT */
#include "fake_store.h"

#include <assert.h>
#include <string.h>

const struct fake_record *fake_store_has(const struct fake_store *store)
{
	return &store->states[store->nstates - 1];
}

static uint64_t ask(struct bus_store *door, enum fake_operation operation, uint64_t revision,
		    const void *data, size_t len)
{
	const struct fake_door *d = (const struct fake_door *)door;
	struct fake_store *store = d->shared;

	if (d->down || store->nasked == FAKE_ASKED_MAX)
		return 0;
	assert(len <= FAKE_RECORD_MAX);
	struct fake_asked *asked = &store->asked[store->nasked++];
	*asked = (struct fake_asked){ .operation = operation,
				      .system = d->system,
				      .number = ++store->number,
				      .revision = revision,
				      .record = { .there = true, .len = len } };
	if (len > 0)
		memcpy(asked->record.data, data, len);
	return asked->number;
}

static uint64_t get(struct bus_store *store, const char *key)
{
	(void)key;
	return ask(store, FAKE_GET, 0, NULL, 0);
}

static uint64_t create(struct bus_store *store, const char *key, const void *data, size_t len)
{
	(void)key;
	return ask(store, FAKE_CREATE, 0, data, len);
}

static uint64_t update(struct bus_store *store, const char *key, uint64_t revision,
		       const void *data, size_t len)
{
	(void)key;
	return ask(store, FAKE_UPDATE, revision, data, len);
}

void fake_store_init(struct fake_store *store)
{
	*store = (struct fake_store){ .nstates = 1 };
}

void fake_door_init(struct fake_door *door, struct fake_store *store, unsigned system)
{
	static const struct bus_store_ops ops = { get, create, update };

	*door = (struct fake_door){ .store = { &ops }, .shared = store, .system = system };
}

static void write_state(struct fake_store *store, const struct fake_record *record)
{
	if (store->nstates == FAKE_STATES_MAX) {
		size_t half = FAKE_STATES_MAX / 2;

		memmove(store->states, store->states + half, half * sizeof(store->states[0]));
		store->nstates = half;
	}
	store->states[store->nstates++] = *record;
}

static bool fits(const struct fake_record *has, const struct fake_asked *asked)
{
	return asked->operation == FAKE_CREATE ? !has->there
					       : has->there && has->revision == asked->revision;
}

void fake_store_do(struct fake_store *store, size_t i)
{
	struct fake_asked *asked = &store->asked[i];
	const struct fake_record *has = fake_store_has(store);

	asked->done = true;
	if (asked->operation == FAKE_GET) {
		asked->record = *has;
		asked->result = has->there ? BUS_DONE : BUS_MISSING;
		asked->revision = has->revision;
	} else if (fits(has, asked)) {
		asked->revision = asked->record.revision = ++store->revision;
		write_state(store, &asked->record);
		asked->result = BUS_DONE;
	} else {
		asked->result = BUS_CONFLICT;
	}
}

void fake_store_lose(struct fake_store *store, size_t i)
{
	memmove(&store->asked[i], &store->asked[i + 1],
		(--store->nasked - i) * sizeof(store->asked[0]));
}

void fake_store_take(struct fake_store *store, size_t i, struct fake_asked *asked,
		     struct bus_answer *answer)
{
	*asked = store->asked[i];
	assert(asked->done);
	fake_store_lose(store, i);
	*answer = (struct bus_answer){ .number = asked->number,
				       .result = asked->result,
				       .revision = asked->revision };
	if (asked->operation == FAKE_GET && asked->result == BUS_DONE) {
		answer->data = asked->record.data;
		answer->len = asked->record.len;
	}
}

/* Revisions go on from there: one that was given out may be given out again, for something else. */
void fake_store_fall_back(struct fake_store *store, size_t changes)
{
	struct fake_record before;

	if (changes >= store->nstates)
		changes = store->nstates - 1;
	before = store->states[store->nstates - 1 - changes];
	write_state(store, &before);
	store->revision = before.revision;
}

void fake_store_erase(struct fake_store *store)
{
	write_state(store, &(struct fake_record){ 0 });
	store->revision = 0;
}
