/* SPDX-License-Identifier: MIT */
/*
 * The actors that a declaration starts: what it says of them, bringing them up one after the other, and starting
 * those again that exit.
 */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/mem.h"
#include "literal/repr.h"
#include "rules.h"

#define TAKEN_AFTER_S \
	5 /* an OnLoad handler that runs this long without failing has taken its message */
#define ON_LOAD_MAX_BYTES (500 << 10) /* as a literal: escaped, it fits into a frame */
#define DELAY_FIRST_MS 100
#define DELAY_MAX_MS 30000
#define STEADY_MS 60000 /* alive for this long: the next exit is a first one again */

static int64_t clock_ms(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t mono_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

static struct timeval to_timeval(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}

/* --- reading the declaration --- */

static const char *text_of(const struct tds_value *value, const char *key)
{
	const struct tds_value *found = tds_value_get(value, key);

	return found && found->type == TDS_VALUE_STR && found->len > 0 ? found->text : NULL;
}

static bool is_empty(const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_NONE:
		return true;
	case TDS_VALUE_STR:
	case TDS_VALUE_BYTES:
		return value->len == 0;
	case TDS_VALUE_LIST:
	case TDS_VALUE_TUPLE:
	case TDS_VALUE_SET:
	case TDS_VALUE_DICT:
		return value->n == 0;
	default:
		return false; /* 0 and False are messages */
	}
}

/* The literal text of a section's Message. False: out of memory. */
static bool read_message(const struct tds_value *actor, const char *section, char **text)
{
	const struct tds_value *message = tds_value_get(tds_value_get(actor, section), "Message");

	*text = message && !is_empty(message) ? tds_value_repr(message) : NULL;
	return *text || !message || is_empty(message);
}

static bool read_health(const struct tds_value *tli, const struct tds_value *actor, struct run *run)
{
	const struct tds_value *health = tds_value_get(actor, "Health");

	if (!health)
		health = tds_value_get(tli, "Health");
	if (!health)
		return true;
	const struct tds_value *message = tds_value_get(health, "Message");
	const struct tds_value *timeout = tds_value_get(health, "Timeout");
	run->health_s = 5;
	if (timeout && timeout->type == TDS_VALUE_FLOAT)
		run->health_s = timeout->real;
	else if (timeout && timeout->type == TDS_VALUE_INT)
		run->health_s = strtod(timeout->text, NULL);
	run->health = message ? tds_value_repr(message) : strdup("None");
	return run->health != NULL;
}

static bool read_run(struct source *source, const struct tds_value *key,
		     const struct tds_value *actor, struct run *run)
{
	const struct tds_value *on_load = tds_value_get(actor, "OnLoad");

	*run = (struct run){
		.source = source,
		.key = key->text,
		.role = text_of(on_load, "Role"),
		.global_name = text_of(on_load, "GlobalName"),
	};
	return read_message(actor, "OnLoad", &run->on_load) &&
	       read_message(actor, "OnDeactivate", &run->on_deactivate) &&
	       read_message(actor, "OnReactivate", &run->on_reactivate) &&
	       read_health(source->tli.value, actor, run);
}

int runs_read(struct source *source, struct tds_err *err)
{
	int rc = 0;

	const struct tds_value *actors = tds_value_get(source->tli.value, "Actors");
	size_t n = actors && actors->type == TDS_VALUE_DICT ? actors->n : 0;

	source->runs = calloc(n ? n : 1, sizeof(*source->runs));
	while (source->runs && source->nruns < n) {
		size_t i = source->nruns++;

		if (!read_run(source, actors->items[2 * i], actors->items[2 * i + 1],
			      &source->runs[i]))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		if (rc == 0 && source->runs[i].on_load &&
		    strlen(source->runs[i].on_load) > ON_LOAD_MAX_BYTES)
			rc = tds_err_set(err, TDS_E_REFUSED,
					 "%s: its OnLoad message is longer than %d bytes",
					 source->runs[i].key, ON_LOAD_MAX_BYTES);
	}
	return source->runs ? rc : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

void runs_free(struct source *source)
{
	for (size_t i = 0; i < source->nruns; i++) {
		struct run *run = &source->runs[i];

		free(run->class_name);
		free(run->on_load);
		free(run->on_deactivate);
		free(run->on_reactivate);
		free(run->health);
		if (run->again)
			event_free(run->again);
		if (run->actor)
			run->actor->owner = NULL;
	}
	free(source->runs);
	source->runs = NULL;
	source->nruns = 0;
}

/* A literal, to its actor; ref and endpoint as in an engine_message. */
static void send_literal(struct director *director, const struct run *run, const char *text,
			 uint64_t ref, uint64_t endpoint)
{
	struct engine_message message = {
		.payload = { .encoding = ENCODING_LITERAL, .data = text, .len = strlen(text) },
		.ref = ref,
		.endpoint = endpoint
	};

	director->engine->ops->send(director->engine, run->actor, &message);
}

static void tell_run(struct director *director, const struct run *run, const char *text)
{
	if (run->actor)
		send_literal(director, run, text, 0, 0);
}

void runs_tell(struct director *director, struct source *source, size_t message)
{
	for (size_t i = 0; i < source->nruns; i++) {
		const char *text = *(char **)((char *)&source->runs[i] + message);

		if (text)
			tell_run(director, &source->runs[i], text);
	}
}

void runs_want(struct source *source, bool wanted)
{
	for (size_t i = 0; i < source->nruns; i++)
		source->runs[i].wanted = wanted;
}

/* --- bringing up --- */

static void bringup_step(struct director *director);

void bringup_cancel(struct director *director)
{
	if (director->bringup.timer)
		event_free(director->bringup.timer);
	director->bringup = (struct bringup){ 0 };
}

static void bringup_finish(struct director *director, const char *error)
{
	void (*finished)(struct director *, const char *) = director->bringup.finished;

	bringup_cancel(director);
	assert(finished); /* one bring-up ends once */
	finished(director, error);
}

static struct run *run_at_hand(struct director *director)
{
	struct bringup *b = &director->bringup;

	return b->source && b->at < b->source->nruns ? &b->source->runs[b->at] : NULL;
}

static void next_run(struct director *director)
{
	director->bringup.at++;
	bringup_step(director);
}

/* False: out of memory, and the bring-up has ended with that. */
static bool arm(struct director *director, event_callback_fn on_timer, int64_t ms)
{
	struct bringup *b = &director->bringup;
	struct timeval tv = to_timeval(ms);

	if (b->timer)
		event_free(b->timer);
	b->timer = evtimer_new(director->base, on_timer, director);
	if (b->timer && evtimer_add(b->timer, &tv) == 0)
		return true;
	bringup_finish(director, "out of memory");
	return false;
}

static void on_unhealthy(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bringup_finish(arg, "did not answer its health check in time");
}

static void check_health(struct director *director)
{
	struct run *run = run_at_hand(director);

	if (!run->health) {
		next_run(director);
		return;
	}
	director->bringup.endpoint = director->engine->ops->ticket(director->engine);
	if (arm(director, on_unhealthy, (int64_t)(run->health_s * 1000)))
		send_literal(director, run, run->health, 0, director->bringup.endpoint);
}

static void on_taken(evutil_socket_t fd, short what, void *arg)
{
	struct director *director = arg;

	(void)fd;
	(void)what;
	job_warn(director, run_at_hand(director)->key,
		 "still at its OnLoad message, which counts as taken");
	director->bringup.ref = 0;
	check_health(director);
}

static void send_on_load(struct director *director, struct run *run)
{
	if (!run->on_load) {
		check_health(director);
		return;
	}
	director->bringup.ref = ++director->next_ref;
	if (arm(director, on_taken, TAKEN_AFTER_S * 1000))
		send_literal(director, run, run->on_load, director->bringup.ref, 0);
}

static bool start(struct director *director, struct run *run, struct tds_err *err)
{
	struct engine *engine = director->engine;

	run->started_mono_ms = mono_ms();
	run->started_wall_ms = wall_ms();
	run->actor = engine->ops->create(engine, run->source->loaded, run->class_name, run, err);
	return run->actor != NULL;
}

static void bringup_step(struct director *director)
{
	struct run *run = run_at_hand(director);
	struct tds_err err;

	if (!run)
		bringup_finish(director, NULL);
	else if (run->actor)
		next_run(director); /* still there, as at a re-activation */
	else if (!start(director, run, &err))
		bringup_finish(director, err.reason);
}

void bringup_start(struct director *director, struct source *source,
		   void (*finished)(struct director *director, const char *error))
{
	bringup_cancel(director);
	director->bringup = (struct bringup){ .source = source, .finished = finished };
	bringup_step(director);
}

void run_up(struct director *director, struct run *run)
{
	if (run == run_at_hand(director)) {
		send_on_load(director, run);
		return;
	}
	/* One that is started again. */
	if (run->on_load)
		tell_run(director, run, run->on_load);
	if (run->source->group->active == run->source) {
		if (run->global_name)
			(void)director->engine->ops->bind(director->engine, run->global_name,
							  run->actor);
		tell_change(director, "ActorStarted", run->source->group, run->source, NULL);
		held_release(director);
	}
}

void run_failed(struct director *director, struct run *run, const char *error)
{
	if (run == run_at_hand(director))
		bringup_finish(director, error);
}

void run_message_done(struct director *director, uint64_t ref, const char *error)
{
	if (ref == 0 || ref != director->bringup.ref)
		return;
	director->bringup.ref = 0;
	if (error)
		bringup_finish(director, error);
	else
		check_health(director);
}

bool run_answer(struct director *director, uint64_t endpoint, const struct payload *payload)
{
	if (endpoint == 0 || endpoint != director->bringup.endpoint)
		return false;
	director->bringup.endpoint = 0;
	if (payload->encoding == ENCODING_POISON)
		bringup_finish(director, "failed its health check");
	else
		next_run(director);
	return true;
}

/* --- starting again --- */

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct timeval later = to_timeval(DELAY_MAX_MS);
	struct run *run = arg;
	struct tds_err err;

	(void)fd;
	(void)what;
	if (!run->wanted || run->actor || start(run->source->director, run, &err))
		return;
	run->delay_ms = DELAY_MAX_MS;
	run->next_wall_ms = wall_ms() + DELAY_MAX_MS;
	(void)evtimer_add(run->again, &later);
}

/* The first exit: at once. Each further one within STEADY_MS of a start: after a delay that doubles. */
static void start_again(struct director *director, struct run *run)
{
	bool steady = mono_ms() - run->started_mono_ms >= STEADY_MS;
	unsigned char jitter = 0;

	if (run->restarts == 0 || steady)
		run->delay_ms = 0;
	else if (run->delay_ms == 0)
		run->delay_ms = DELAY_FIRST_MS;
	else
		run->delay_ms = 2 * run->delay_ms < DELAY_MAX_MS ? 2 * run->delay_ms : DELAY_MAX_MS;
	run->restarts = steady ? 1 : run->restarts + 1;
	if (getrandom(&jitter, 1, GRND_NONBLOCK) != 1)
		jitter = 0;
	int64_t delay_ms = run->delay_ms + run->delay_ms * jitter / 1024;
	struct timeval tv = to_timeval(delay_ms);
	run->next_wall_ms = wall_ms() + delay_ms;
	if (!run->again)
		run->again = evtimer_new(director->base, on_again, run);
	if (run->again)
		(void)evtimer_add(run->again, &tv);
}

void runs_start_missing(struct director *director, struct source *source)
{
	for (size_t i = 0; i < source->nruns; i++) {
		struct run *run = &source->runs[i];

		if (!run->actor && !(run->again && evtimer_pending(run->again, NULL)))
			start_again(director, run);
	}
}

void run_exited(struct director *director, struct run *run)
{
	char ending[ENGINE_ENDING_MAX];

	memcpy(ending, run->actor->ending, sizeof(ending));
	memcpy(run->ending, ending, sizeof(ending));
	run->actor = NULL;
	if (run == run_at_hand(director)) {
		bringup_finish(director, ending);
		return;
	}
	if (run->wanted && !director->stopping)
		start_again(director, run);
	tell_change(director, "ActorExited", run->source->group, run->source, ending);
	held_release(director);
}
