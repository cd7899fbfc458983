/* SPDX-License-Identifier: MIT */
/* The Director as an actor: who waits to be notified, and how many may. The engine here only counts what is posted. */
#include "unit.h"

#include <string.h>

#include "daemon/door/directoractor.h"
#include "daemon/engine/engine.h"

#define ASKERS 1100
#define BOUND 1024

static const char question[] = "{'DirectorOp': 'RequestNotification'}";

static unsigned told[ASKERS + 1];
static unsigned refused[ASKERS + 1];

static void post(struct engine *engine, uint64_t from, uint64_t to, const struct payload *payload)
{
	(void)engine;
	(void)from;
	assert_true(to <= ASKERS);
	if (memmem(payload->data, payload->len, "true", 4))
		told[to]++;
	else
		refused[to]++;
}

static const struct engine_ops ops = { .post = post };
static struct engine engine = { .ops = &ops };
static const struct door_settings settings = { .engine = &engine };

/* All that is asked is to be notified. */
static void dispatch(struct asker *asker, const json_t *request, const char *why)
{
	(void)request;
	(void)why;
	asker->notify = true;
	asker->ops->stay(asker);
}

struct world {
	struct door door;
	struct event_base *base;
	struct directoractor *actor;
};

static const char *user_name(void *ctx, uid_t uid)
{
	(void)ctx;
	(void)uid;
	return NULL;
}

static const struct means means = { .user_name = user_name };

static int setup(void **state)
{
	static struct world world;

	world = (struct world){ .door = { .settings = &settings }, .base = event_base_new() };
	world.door.director = director_new(NULL, &means, NULL);
	world.actor = directoractor_new(&world.door, world.base, dispatch);
	memset(told, 0, sizeof(told));
	memset(refused, 0, sizeof(refused));
	*state = &world;
	return world.actor ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *world = *state;

	directoractor_free(world->actor);
	director_free(world->door.director);
	event_base_free(world->base);
	return 0;
}

static void turn(struct world *world)
{
	(void)event_base_loop(world->base, EVLOOP_NONBLOCK);
}

static void ask(struct world *world, uint64_t from)
{
	struct payload payload = { .encoding = ENCODING_LITERAL,
				   .data = question,
				   .len = strlen(question) };
	static struct engine_source source;

	directoractor_take(world->actor, &(struct engine_asker){ .source = &source, .id = from },
			   &payload);
}

static void one_asker_waits_once(void **state)
{
	for (int i = 0; i < 200; i++) {
		ask(*state, 1);
		turn(*state);
	}
	ask(*state, 2);
	turn(*state);
	directoractor_changed(((struct world *)*state)->actor);
	assert_int_equal(told[1], 0); /* the engine is in the middle of something else */
	turn(*state);
	turn(*state);
	assert_int_equal(told[1], 1);
	assert_int_equal(told[2], 1);
	assert_int_equal(refused[1] + refused[2], 0);
}

static void the_oldest_goes(void **state)
{
	for (uint64_t from = 1; from <= ASKERS; from++) {
		ask(*state, from);
		turn(*state);
		if (from == BOUND) { /* which makes 1 the newest */
			ask(*state, 1);
			turn(*state);
		}
	}
	directoractor_changed(((struct world *)*state)->actor);
	turn(*state);
	for (uint64_t from = 1; from <= ASKERS; from++) {
		bool went = from > 1 && from <= ASKERS - BOUND + 1;

		assert_int_equal(told[from], !went);
		assert_int_equal(refused[from], went);
	}
}

static void later_ones_wait_for_the_next(void **state)
{
	ask(*state, 1);
	turn(*state);
	ask(*state, 2);
	directoractor_changed(((struct world *)*state)->actor);
	ask(*state, 1);
	turn(*state);
	assert_int_equal(told[1], 1);
	assert_int_equal(told[2], 0);
	directoractor_changed(((struct world *)*state)->actor);
	turn(*state);
	assert_int_equal(told[1], 2);
	assert_int_equal(told[2], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_asker_waits_once, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(later_ones_wait_for_the_next, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
