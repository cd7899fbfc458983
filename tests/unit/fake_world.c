/* SPDX-License-Identifier: MIT */
#include "fake_world.h"

#include "base/jsontext.h"
#include "base/mem.h"
#include "daemon/director/model.h"
#include "daemon/director/rules.h"
#include "unit.h"

#define STEPS_MAX 10000

/* --- what it tells --- */

static void on_output(void *ctx, const struct line *line)
{
	struct fake *f = ctx;

	fake_trace_add(&f->trace, "output %s %s %s: %.*s", line->group ? line->group : "-",
		       line->role ? line->role : "-", line->address ? line->address : "-",
		       (int)line->len, line->text);
}

static void on_asked(void *ctx, uint64_t ticket, uint32_t source)
{
	struct fake *f = ctx;

	(void)ticket;
	f->questioned = source;
}

static enum answered on_answer(void *ctx, uint32_t source, uint64_t endpoint,
			       const struct payload *payload)
{
	struct fake *f = ctx;

	if (source != f->questioned)
		return ANSWER_STRAY;
	fake_trace_add(&f->trace, "answer %ju %.*s", (uintmax_t)endpoint, (int)payload->len,
		       (const char *)payload->data);
	return ANSWER_TAKEN;
}

static void on_delivered(void *ctx, uint64_t ticket, const char *error)
{
	struct fake *f = ctx;

	fake_trace_add(&f->trace, "told %ju: %s", (uintmax_t)ticket, error ? error : "delivered");
}

static void on_shutdown_asked(void *ctx, json_t *by)
{
	struct fake *f = ctx;

	fake_trace_add(&f->trace, "shutdown%s%s", by ? " by " : "",
		       by ? json_string_value(json_object_get(by, "Actor")) : "");
}

static void on_question(void *ctx, const struct engine_asker *from, const struct payload *payload)
{
	struct fake *f = ctx;

	fake_trace_add(&f->trace, "question %ju %d %.*s", (uintmax_t)from->id, (int)from->kind,
		       (int)payload->len, (const char *)payload->data);
}

/* --- life --- */

static void begin(struct fake *f, bool traced)
{
	struct director_watch watch = { .output = on_output,
					.asked = on_asked,
					.answer = on_answer,
					.question = on_question,
					.delivered = on_delivered,
					.shutdown_asked = on_shutdown_asked,
					.ctx = f };

	f->director = director_new(&f->clock.clock, &f->means.means, &f->settings);
	assert_non_null(f->director);
	f->engine = fake_engine_open(&director_engine_events, f->director);
	assert_non_null(f->engine);
	director_attach(f->director, &f->engine->engine);
	if (traced) {
		f->engine->trace = f->means.trace = &f->trace;
		director_watch(f->director, &watch);
	}
}

void fake_open(struct fake *f, bool traced)
{
	memset(f, 0, sizeof(*f));
	f->settings.slots = 2;
	fake_clock_init(&f->clock);
	fake_means_init(&f->means);
	begin(f, traced);
}

/* With its Director the last timer goes, and each package that a verdict brought is kept or discarded. */
static void end(struct fake *f)
{
	f->engine->trace = NULL;
	director_free(f->director);
	assert_null(f->clock.clock.first);
	assert_null(f->means.verifications);
	assert_int_equal(f->means.packages_out, 0);
}

void fake_close(struct fake *f)
{
	f->means.frozen = true;
	end(f);
	fake_means_fini(&f->means);
	for (size_t i = 0; i < f->nasked; i++)
		json_decref(f->asked[i].warnings);
	free(f->trace.text);
}

static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

int fake_make(void **state)
{
	static const char *const files[] = { "foo-1.tls", "foo-2.tls", "foo-3.tls",
					     "bar-1.tls", "bar-2.tls", "bar-3.tls" };
	struct fake *f = malloc(sizeof(*f));

	fake_open(f, true);
	for (unsigned i = 0; i < COUNT(files); i++)
		fake_package(&f->means, i + 1, i < 3 ? "foo" : "bar", files[i]);
	fake_declare(&f->means, "foo",
		     "{'Actors': {'a.A': {'OnLoad': {'Role': 'r', 'GlobalName': 'n',"
		     " 'Message': 'load'}, 'OnDeactivate': {'Message': 'rest'},"
		     " 'OnReactivate': {'Message': 'again'}}}}");
	fake_declare(&f->means, "bar", "{'Actors': {'b.B': {'OnLoad': {'Role': 's'}}}}");
	f->settings.slots = 2;
	*state = f;
	return 0;
}

int fake_remove(void **state)
{
	struct fake *f = *state;

	fake_close(f);
	/* Each descriptor of a package or an archive was closed. */
	assert_int_equal(next_fd(), 3);
	free(f);
	return 0;
}

static void on_not_restored(void *ctx, const char *what, const char *why)
{
	struct fake *f = ctx;
	size_t len = strlen(f->not_restored);

	(void)snprintf(f->not_restored + len, sizeof(f->not_restored) - len, "%s: %s; ", what, why);
}

static void on_restored(void *ctx)
{
	struct fake *f = ctx;

	assert_false(f->restored);
	f->restored = true;
}

void fake_crash(struct fake *f)
{
	bool traced = f->engine->trace != NULL;
	tds_autofree char *lost = NULL;

	f->means.frozen = true;
	f->means.trace = NULL;
	end(f);
	lost = tds_steal(&f->trace.text);
	f->means.frozen = false;
	fake_sweep(&f->means);
	f->restored = false;
	f->restores = true;
	f->not_restored[0] = '\0';
	begin(f, traced);
	json_t *state = f->means.sources ? json_pack("{s:O}", "Sources", f->means.sources) : NULL;
	json_t *groups = f->means.defined ? json_pack("{s:O}", "Groups", f->means.defined) : NULL;
	director_restore(f->director, state, groups, on_not_restored, on_restored, f);
	json_decref(state);
	json_decref(groups);
}

/* --- what is asked for --- */

static unsigned active_of(const struct director *director, const char *group)
{
	for (const struct group *g = director->groups; g && group; g = g->next)
		if (strcmp(g->name, group) == 0 && g->active)
			return (unsigned)strtoul(g->active->md5 + 24, NULL, 16);
	return 0;
}

static void on_done(void *ctx, const struct outcome *outcome)
{
	char sha256[65];

	struct fake_asked *asked = ctx;

	asked->answers++;
	asked->status = outcome->status;
	(void)snprintf(asked->error, sizeof(asked->error), "%s",
		       outcome->error ? outcome->error : "");
	asked->source =
		outcome->source ? (unsigned)strtoul(outcome->source->md5 + 24, NULL, 16) : 0;
	asked->changed = outcome->changed;
	asked->active = active_of(asked->world->director, outcome->group);
	(void)snprintf(sha256, sizeof(sha256), "%064x", asked->number);
	asked->still_loaded = source_find(asked->world->director, sha256) != NULL;
	asked->warnings = json_deep_copy(outcome->warnings);
	assert_int_equal(outcome->status == 0, outcome->error == NULL);
}

static struct fake_asked *ask(struct fake *f)
{
	assert_true(f->nasked < FAKE_ASKED_MAX);
	f->asked[f->nasked] = (struct fake_asked){ .world = f };
	return &f->asked[f->nasked++];
}

struct fake_asked *fake_load_for(struct fake *f, const struct load_request *request)
{
	struct fake_asked *asked = ask(f);

	for (const struct fake_package *p = f->means.packages; p->number; p++)
		if (strcmp(p->file, request->target) == 0)
			asked->number = p->number;
	director_load(f->director, request, on_done, asked);
	return asked;
}

struct fake_asked *fake_load(struct fake *f, const char *target)
{
	return fake_load_for(f, &(struct load_request){ .target = target, .wait_s = 60 });
}

struct fake_asked *fake_hold(struct fake *f, const char *group, const char *version)
{
	return fake_load_for(f, &(struct load_request){ .purpose = LOAD_HOLD,
							.target = group,
							.version = version,
							.wait_s = 60 });
}

struct fake_asked *fake_rollback(struct fake *f, const char *group)
{
	return fake_load_for(f, &(struct load_request){
					.purpose = LOAD_ROLLBACK, .target = group, .wait_s = 60 });
}

struct fake_asked *fake_refresh(struct fake *f, const char *group)
{
	return fake_load_for(f, &(struct load_request){
					.purpose = LOAD_REFRESH, .target = group, .wait_s = 60 });
}

struct fake_asked *fake_forget(struct fake *f, const char *group)
{
	struct fake_asked *asked = ask(f);

	director_forget_group(f->director, group, NULL, on_done, asked);
	return asked;
}

void fake_removed(struct fake *f, const char *error)
{
	assert_non_null(f->means.removed);
	f->means.removed(f->means.removed_ctx, error);
	f->means.removed = NULL;
}

struct fake_asked *fake_release(struct fake *f, const char *group)
{
	struct fake_asked *asked = ask(f);

	director_release(f->director, group, NULL, on_done, asked);
	return asked;
}

struct fake_asked *fake_unload(struct fake *f, unsigned number)
{
	struct fake_asked *asked = ask(f);
	char md5[33];

	asked->number = number;
	asked->unloads = true;
	(void)snprintf(md5, sizeof(md5), "%032x", number);
	director_unload(f->director, md5, NULL, on_done, asked);
	return asked;
}

struct fake_asked *fake_loaded(struct fake *f, const char *target)
{
	assert_trace(f, "", "");
	struct fake_asked *load = fake_load(f, target);
	fake_run(f);
	assert_answer(load, 0, NULL);
	return load;
}

void fake_unloaded(struct fake *f, unsigned number)
{
	assert_trace(f, "", "");
	struct fake_asked *unload = fake_unload(f, number);
	fake_run(f);
	assert_answer(unload, 0, NULL);
}

enum delivery fake_send(struct fake *f, const char *target, const char *text, uint64_t *ticket)
{
	struct payload payload = { .encoding = ENCODING_LITERAL,
				   .data = text,
				   .len = strlen(text) };

	*ticket = director_ticket(f->director);
	return director_send(f->director, target, NULL, f->uid, *ticket, false, &payload);
}

/* --- what happens --- */

static bool step_source(struct fake *f)
{
	for (struct fake_source *s = f->engine->sources; s; s = s->next) {
		if (s->stopping || s->ended) {
			fake_source_gone(f->engine, s, NULL);
			return true;
		}
		if (!s->told) {
			fake_imported(f->engine, s, NULL);
			return true;
		}
	}
	return false;
}

static bool step_actor(struct fake *f)
{
	for (struct fake_actor *a = f->engine->actors; a; a = a->next) {
		if (a->of->stopping || a->failed)
			fake_exited(f->engine, a, "exited with status 0");
		else if (!a->pub.up)
			fake_up(f->engine, a);
		else if (a->ref[0])
			fake_taken(f->engine, a, NULL);
		else if (a->endpoint)
			(void)fake_answer(f->engine, a, ENCODING_LITERAL);
		else
			continue;
		return true;
	}
	return false;
}

bool fake_step(struct fake *f)
{
	if (f->means.verifications) {
		fake_verdict(f->means.verifications, 0, NULL);
		return true;
	}
	if (step_actor(f) || step_source(f))
		return true;
	return fake_clock_due_ms(&f->clock) == 0 && fake_clock_next(&f->clock);
}

void fake_run(struct fake *f)
{
	int steps = 0;

	while (fake_step(f))
		assert_true(++steps < STEPS_MAX);
}

void fake_run_ms(struct fake *f, int64_t ms)
{
	int64_t end = f->clock.now_mono_ms + ms;

	fake_run(f);
	while (f->clock.clock.first && f->clock.clock.first->due_mono_ms <= end) {
		(void)fake_clock_next(&f->clock);
		fake_run(f);
	}
	f->clock.now_mono_ms = end;
}

void fake_says(struct fake *f, unsigned number, int status, const char *error)
{
	struct verification *v = fake_verification(&f->means, number);

	assert_non_null(v);
	fake_verdict(v, status, error);
}

void fake_imports(struct fake *f, unsigned number, const char *error)
{
	struct fake_source *source = fake_source(f->engine, number);

	assert_non_null(source);
	fake_imported(f->engine, source, error);
}

void fake_ends(struct fake *f, unsigned number)
{
	struct fake_source *source = fake_source(f->engine, number);

	assert_non_null(source);
	fake_source_gone(f->engine, source, NULL);
}

struct fake_asked *fake_begun(struct fake *f, const char *file, unsigned number)
{
	struct fake_asked *load = fake_load(f, file);

	fake_says(f, number, 0, NULL);
	fake_imports(f, number, NULL);
	return load;
}

struct fake_actor *fake_the(struct fake *f, unsigned number, const char *class_name)
{
	struct fake_actor *actor = fake_actor(f->engine, number, class_name);

	assert_non_null(actor);
	return actor;
}

/* --- what is so --- */

unsigned fake_role(struct fake *f, const char *role)
{
	json_t *answer = director_retrieve_role(f->director, role, NULL);
	const char *hash = json_string_value(json_object_get(answer, "SourceHash"));
	unsigned number = hash ? (unsigned)strtoul(hash + 24, NULL, 16) : 0;

	json_decref(answer);
	return number;
}

void assert_trace(struct fake *f, const char *words, const char *expected)
{
	tds_autofree char *taken = fake_trace_take(&f->trace, words);

	assert_string_equal(taken, expected);
}

static char *model(struct fake *f)
{
	struct fake_means means = { .sources = model_sources(f->director) };
	char *text = fake_disk(&means);

	json_decref(means.sources);
	return text;
}

void assert_loaded(struct fake *f, const char *expected)
{
	tds_autofree char *loaded = model(f);
	tds_autofree char *disk = fake_disk(&f->means);

	assert_string_equal(loaded, expected);
	assert_string_equal(disk, expected);
}

void assert_answer(const struct fake_asked *asked, int status, const char *error)
{
	assert_int_equal(asked->answers, 1);
	assert_string_equal(asked->error, error ? error : "");
	assert_int_equal(asked->status, status);
}

void assert_no_answer(const struct fake_asked *asked)
{
	assert_int_equal(asked->answers, 0);
}

static unsigned package_number(const json_t *package)
{
	const char *sha256 = json_string_value(json_object_get(package, "SHA256"));

	return sha256 ? (unsigned)strtoul(sha256 + 56, NULL, 16) : 0;
}

static void wanted_text(const json_t *held, const json_t *was_active, char text[128])
{
	const json_t *package;
	size_t len = (size_t)snprintf(text, 128, "%u:", package_number(held));
	size_t i;

	json_array_foreach(was_active, i, package)
	{
		len += (size_t)snprintf(text + len, 128 - len, " %u", package_number(package));
	}
}

void assert_wanted(struct fake *f, const char *group, const char *expected)
{
	const struct group *g = group_find(f->director, group);
	const json_t *disk = json_object_get(f->means.wanted, group);
	char text[128];

	wanted_text(g ? g->held : NULL, g ? g->was_active : NULL, text);
	assert_string_equal(text, expected);
	wanted_text(json_object_get(disk, "Held"), json_object_get(disk, "WasActive"), text);
	assert_string_equal(text, expected);
}

void assert_floor(struct fake *f, const char *group, const char *version)
{
	const struct group *g = group_find(f->director, group);

	assert_string_equal(tds_json_string(g ? g->floor : NULL, "Version"), version);
	assert_string_equal(tds_json_string(json_object_get(f->means.floors, group), "Version"),
			    version);
}

void fake_revoke(struct fake *f, const unsigned *digests)
{
	json_t *revoked = json_object();

	for (; *digests; digests++) {
		char hex[65];

		(void)snprintf(hex, sizeof(hex), "%064x", *digests);
		(void)json_object_set_new(revoked, hex, json_true());
	}
	director_revoke(f->director, revoked);
}

void assert_stored(struct fake *f, const char *expected)
{
	char text[128] = "";

	for (unsigned number = 1; number < 100; number++)
		for (size_t i = 0; i < FAKE_MAX; i++) {
			const char *sha256 = f->means.stored[i].sha256;
			size_t len = strlen(text);

			if (*sha256 && strtoul(sha256 + 56, NULL, 16) == number)
				(void)snprintf(text + len, sizeof(text) - len, "%s%u",
					       len ? " " : "", number);
		}
	assert_string_equal(text, expected);
}
