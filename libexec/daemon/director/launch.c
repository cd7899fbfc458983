/* SPDX-License-Identifier: MIT */
/* Declared actors: brought up one after the other, and started again when they exit. */
#include "launch.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "change.h"
#include "rules.h"

#define NAME_MAX_BYTES 256 /* of an actor in a message; a longer one is cut */
#define TAKEN_AFTER_MS \
	5000 /* an OnLoad handler that runs this long without failing has taken its message */
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 30000
#define STEADY_MS 60000 /* alive for this long: the next exit is a first one again */

/* A literal, to its actor; ref and endpoint as in an engine_message. */
static void send_literal(const struct declared *declared, const char *text, const char *ref,
			 uint64_t endpoint)
{
	struct engine *engine = declared->source->director->engine;
	struct engine_message message = {
		.payload = { .encoding = ENCODING_LITERAL, .data = text, .len = strlen(text) },
		.ref = ref,
		.endpoint = endpoint
	};

	engine->ops->send(engine, declared->actor, &message);
}

void declared_tell_all(struct source *source, size_t message)
{
	for (size_t i = 0; i < source->ndeclared; i++) {
		const struct declared *d = &source->declared[i];
		const char *text = *(char *const *)((const char *)d + message);

		/* One that is on its way gets its OnLoad message first (restarted). */
		if (text && d->actor && d->actor->up)
			send_literal(d, text, NULL, 0);
	}
}

static int start(struct declared *declared, struct tds_err *err)
{
	const struct source *source = declared->source;
	struct engine *engine = source->director->engine;
	struct clock *clock = source->director->clock;

	declared->ref[0] = '\0';
	declared->started_mono_ms = clock->mono_ms(clock);
	declared->started_wall_ms = clock->wall_ms(clock);
	declared->actor =
		engine->ops->create(engine, source->loaded, declared->class_name, declared, err);
	return declared->actor ? 0 : err->code;
}

/* --- the launch --- */

/* What people are told of an actor that got no further. */
static const struct {
	const char *not_done;
	const char *at;
} stages[] = {
	[LAUNCH_MAKING] = { "was not made", "" },
	[LAUNCH_TAKING] = { "did not take its OnLoad message", "at its OnLoad message: " },
	[LAUNCH_CHECKING] = { "did not answer its health check", "at its health check: " },
};

static void next(struct change *change);

void launch_cancel(struct change *change)
{
	timer_stop(&change->launch.timer);
	change->launch = (struct launch){ 0 };
}

/* error NULL: all are up. */
static void finish(struct change *change, const char *error)
{
	launch_cancel(change);
	change_post(change, error ? CHANGE_FAILED : CHANGE_UP, error);
}

/* The actor at hand as people know it: "stock.keeper.Keeper (stock)", with its role where it has one. */
static void name_actor(const struct change *change, char name[NAME_MAX_BYTES])
{
	const struct declared *d = &change->launch.source->declared[change->launch.at];

	(void)snprintf(name, NAME_MAX_BYTES, d->role ? "%s (%s)" : "%s", d->key, d->role);
}

/* The same with the name of the actor at hand, and what it failed at. */
static void fail(struct change *change, const char *at, const char *error)
{
	char name[NAME_MAX_BYTES];
	char why[TDS_ERR_REASON_MAX];

	name_actor(change, name);
	(void)snprintf(why, sizeof(why), "%s: %s%s", name, at, error);
	finish(change, why);
}

void launch_overdue(const struct change *change, char why[TDS_ERR_REASON_MAX])
{
	const struct launch *launch = &change->launch;
	char name[NAME_MAX_BYTES];

	if (!launch->source || launch->at >= launch->source->ndeclared) {
		(void)snprintf(why, TDS_ERR_REASON_MAX, "was not ready in time");
		return;
	}
	name_actor(change, name);
	(void)snprintf(why, TDS_ERR_REASON_MAX, "%s: %s in time", name,
		       stages[launch->stage].not_done);
}

/* The launch that has this actor at hand; NULL: none. */
static struct change *launching(const struct declared *declared)
{
	struct change *change = declared->source->group->changes;
	const struct launch *launch = change ? &change->launch : NULL;

	return launch && launch->source == declared->source &&
			       &launch->source->declared[launch->at] == declared
		       ? change
		       : NULL;
}

static void go_on(struct change *change)
{
	change->launch.stage = LAUNCH_MAKING;
	change->launch.at++;
	next(change);
}

static void on_unhealthy(void *ctx)
{
	fail(ctx, "", "did not answer its health check in time");
}

static void check_health(struct change *change)
{
	struct launch *launch = &change->launch;
	const struct declared *d = &launch->source->declared[launch->at];
	struct director *director = launch->source->director;
	struct engine *engine = director->engine;

	if (!d->health) {
		go_on(change);
		return;
	}
	launch->stage = LAUNCH_CHECKING;
	launch->endpoint = engine->ops->ticket(engine);
	timer_start(director->clock, &launch->timer, (int64_t)(d->health_s * 1000), on_unhealthy,
		    change);
	send_literal(d, d->health, NULL, launch->endpoint);
}

static void on_taken(void *ctx)
{
	struct change *change = ctx;
	char name[NAME_MAX_BYTES];

	name_actor(change, name);
	change_warn(change, name,
		    "still at its OnLoad message after 5 seconds, which counts as taken");
	check_health(change);
}

static void send_on_load(struct change *change)
{
	struct launch *launch = &change->launch;
	struct declared *d = &launch->source->declared[launch->at];

	if (!d->on_load) {
		check_health(change);
		return;
	}
	launch->stage = LAUNCH_TAKING;
	reference_new(d->ref);
	timer_start(launch->source->director->clock, &launch->timer, TAKEN_AFTER_MS, on_taken,
		    change);
	send_literal(d, d->on_load, d->ref, 0);
}

/* The next that does not run is started; at a re-activation most of them do. */
static void next(struct change *change)
{
	struct launch *launch = &change->launch;
	struct source *source = launch->source;
	struct tds_err err;

	timer_stop(&launch->timer);
	while (launch->at < source->ndeclared && source->declared[launch->at].actor)
		launch->at++;
	if (launch->at == source->ndeclared)
		finish(change, NULL);
	else if (start(&source->declared[launch->at], &err) != 0)
		fail(change, "", err.reason);
}

void launch_start(struct change *change, struct source *source)
{
	launch_cancel(change);
	change->launch.source = source;
	next(change);
}

/* The change whose launch waits for an answer to this endpoint; NULL: none. */
static struct change *checking(const struct director *director, uint64_t endpoint)
{
	for (struct group *g = director->groups; g; g = g->next)
		if (g->changes && g->changes->launch.stage == LAUNCH_CHECKING &&
		    g->changes->launch.endpoint == endpoint)
			return g->changes;
	return NULL;
}

/* A leader may hand the question to a worker: so any actor of the source that is launched may answer, and no other. */
enum answered launch_answer(struct director *director, const struct engine_source *from,
			    uint64_t endpoint, const struct payload *payload)
{
	struct change *change = checking(director, endpoint);

	if (!change)
		return ANSWER_TO_NOBODY;
	if (from->number != change->launch.source->loaded->number)
		return ANSWER_STRAY;
	if (payload->encoding == ENCODING_POISON)
		fail(change, "", "failed its health check");
	else
		go_on(change);
	return ANSWER_TAKEN;
}

/* An OnLoad message whose handler took long is still told of, when it counts as taken already. */
void declared_message_done(struct declared *declared, const char *ref, const char *error)
{
	struct change *change = launching(declared);

	if (declared->ref[0] == '\0' || strcmp(ref, declared->ref) != 0) {
		declared->source->director->strays++;
		return;
	}
	declared->ref[0] = '\0';
	if (!change || change->launch.stage != LAUNCH_TAKING)
		return;
	if (error) {
		change_trace(change, declared->actor->traceback);
		fail(change, "its OnLoad message: ", error);
	} else {
		check_health(change);
	}
}

void declared_failed(struct declared *declared, const char *error)
{
	struct change *change = launching(declared);
	struct source *source = declared->source;

	if (change) {
		change_trace(change, declared->actor->traceback);
		fail(change, "", error);
		return;
	}
	tell(source->director, &(struct happening){ .what = "ActorFailed",
						    .group = source->group,
						    .source = source,
						    .declared = declared,
						    .actor = declared->actor,
						    .error = error,
						    .traceback = declared->actor->traceback });
}

/* --- starting again --- */

static void on_again(void *ctx);

static void start_in(struct declared *declared, int64_t delay_ms)
{
	struct clock *clock = declared->source->director->clock;

	declared->next_wall_ms = clock->wall_ms(clock) + delay_ms;
	timer_start(clock, &declared->again, delay_ms, on_again, declared);
}

static void on_again(void *ctx)
{
	struct declared *declared = ctx;
	struct tds_err err;

	if (!declared->wanted || declared->actor || start(declared, &err) == 0)
		return;
	declared->delay_ms = DELAY_MAX_MS;
	start_in(declared, DELAY_MAX_MS);
	parked_release(declared->source->director); /* who waits for it need not any more */
}

static int64_t jittered(int64_t delay_ms)
{
	unsigned char jitter = 0;

	if (getrandom(&jitter, 1, GRND_NONBLOCK) != 1)
		jitter = 0;
	return delay_ms + delay_ms * jitter / 1024;
}

/* The first exit: at once. Each further one within STEADY_MS of a start: after a delay that doubles. */
static void start_again(struct declared *declared)
{
	struct clock *clock = declared->source->director->clock;
	bool steady = clock->mono_ms(clock) - declared->started_mono_ms >= STEADY_MS;

	if (declared->restarts == 0 || steady)
		declared->delay_ms = 0;
	else if (declared->delay_ms == 0)
		declared->delay_ms = DELAY_FIRST_MS;
	else
		declared->delay_ms = 2 * declared->delay_ms < DELAY_MAX_MS ? 2 * declared->delay_ms
									   : DELAY_MAX_MS;
	declared->restarts = steady ? 1 : declared->restarts + 1;
	declared->source->director->counts.restarts++;
	start_in(declared, jittered(declared->delay_ms));
}

void declared_want_all(struct source *source, bool wanted)
{
	for (size_t i = 0; i < source->ndeclared; i++) {
		struct declared *d = &source->declared[i];

		d->wanted = wanted;
		if (wanted && !d->actor && !timer_runs(&d->again))
			start_again(d);
		else if (!wanted)
			timer_stop(&d->again);
	}
}

/* One that was started again: it gets its name and its OnLoad message, and whoever waited for it. */
static void restarted(struct declared *declared)
{
	struct source *source = declared->source;
	struct engine *engine = source->director->engine;

	if (declared->on_load)
		send_literal(declared, declared->on_load, NULL, 0);
	/* Its source was told to rest while it was on its way. */
	if (!declared->wanted && declared->on_deactivate)
		send_literal(declared, declared->on_deactivate, NULL, 0);
	if (source->group->active != source)
		return;
	if (declared->global_name)
		(void)engine->ops->bind(engine, declared->global_name, declared->actor);
	tell(source->director, &(struct happening){ .what = "ActorStarted",
						    .group = source->group,
						    .source = source,
						    .declared = declared,
						    .actor = declared->actor });
	parked_release(source->director);
}

void declared_up(struct declared *declared)
{
	struct change *change = launching(declared);

	if (change)
		send_on_load(change);
	else if (declared->source->state != SOURCE_UNLOADING) /* it is asked to exit already */
		restarted(declared);
}

void declared_exited(struct declared *declared)
{
	struct source *source = declared->source;
	struct change *change = launching(declared);
	const struct engine_actor *actor = declared->actor;

	memcpy(declared->ending, declared->actor->ending, sizeof(declared->ending));
	declared->actor = NULL;
	if (change) {
		fail(change, stages[change->launch.stage].at, declared->ending);
		return;
	}
	if (declared->wanted && !source->director->stopping)
		start_again(declared);
	tell(source->director, &(struct happening){ .what = "ActorExited",
						    .group = source->group,
						    .source = source,
						    .declared = declared,
						    .actor = actor,
						    .error = declared->ending });
	parked_release(source->director);
}
