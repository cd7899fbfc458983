/* SPDX-License-Identifier: MIT */
/* The life of a realm: counted, stopped, waited for, freed. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/release.h"
#include "daemon/base/actorenv.h"
#include "daemon/guardian/ward.h"
#include "confine.h"
#include "local.h"
#include "proc.h"
#include "strangers.h"

/* One among all, with nothing in it yet. It counts what asked for it, which becomes its process. */
struct realm *realm_alloc(struct local *engine, enum realm_kind kind)
{
	struct realm *realm = calloc(1, sizeof(*realm));

	if (!realm)
		return NULL;
	*realm = (struct realm){
		.engine = engine,
		.kind = kind,
		.process = PROCESS_WANTED,
		.refs = 1,
		.budget = { .limits = &engine->config->settings->budget },
		.pidfd = -1,
		.archive = -1,
		.emptying = -1,
		.own = ACTOR_HOME_NONE,
		.link = { .fd = -1, .ended = true },
	};
	realm->pub.origin = &realm->pub;
	realm->next = engine->realms;
	realm->self = &engine->realms;
	if (realm->next)
		realm->next->self = &realm->next;
	engine->realms = realm;
	return realm;
}

struct realm *realm_by_md5(struct local *engine, const char *md5)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		if (r->kind == REALM_PACKAGE && r->state != REALM_STOPPING &&
		    strcmp(r->md5, md5) == 0)
			return r;
	return NULL;
}

int64_t realm_tell_max_message(struct local *engine)
{
	int64_t now = engine->config->settings->max_message;

	if (engine->max_told < now)
		engine->max_told = now;
	return now;
}

/* NULL: out of memory. */
static json_t *json_variables(char *const *variables)
{
	json_t *env = variables ? json_array() : NULL;

	for (; env && *variables; variables++)
		if (json_array_append_new(env, frame_bytes(*variables)) != 0) {
			json_decref(env);
			env = NULL;
		}
	return env;
}

bool realm_move_in(struct realm *realm, struct tds_err *err)
{
	const struct realm *origin = realm_origin(realm);
	const struct engine_config *config = realm->engine->config;
	const struct actor_home *own = &origin->own;

	if (origin->pub.of_program) /* it has the program's user, and environment */
		return true;
	char **variables = actorenv_new(&(struct actorenv){ .settings = config->settings,
							    .dir = config->dir,
							    .home = own,
							    .trusted = !realm_is_confined(realm) });
	struct frame *frame = frame_control(json_pack(
		"{s:s, s:o, s:o}", "op", "become", "env", json_variables(variables), "user",
		own->uid == (uid_t)-1
			? json_null()
			: json_pack("[I, I]", (json_int_t)own->uid, (json_int_t)own->gid)));
	actorenv_free(variables);
	/* Without that it would be somebody else, or not have what it is to know. */
	if (!frame)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
	link_send(&realm->link, frame);
	return true;
}

bool realm_confine(struct realm *realm, struct tds_err *err)
{
	const struct realm *origin = realm_origin(realm);
	tds_auto(confinement) struct confinement confinement = CONFINEMENT_NONE;

	if (confinement_make(origin->sandbox, &origin->own, &confinement, err) != 0)
		return false;
	if (!confinement.op)
		return true;
	struct frame *frame = frame_control(tds_steal(&confinement.op));
	if (!frame)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
	if (confinement.rules >= 0) {
		frame_add_fd(frame, tds_steal_fd(&confinement.rules));
		frame_add_fd(frame, tds_steal_fd(&confinement.filters));
	}
	link_send(&realm->link, frame);
	/* Programs that its actors run may be anything. */
	if (!realm_is_confined(realm) || origin->sandbox->nlist[TDS_SANDBOX_RUN] > 0 ||
	    strangers_watch(realm))
		return true;
	return tds_err_set(err, TDS_E_NOMEM, "out of memory") == 0;
}

void realm_greet(struct realm *realm, int archive, int log_level)
{
	struct local *engine = realm->engine;
	const struct engine_config *config = engine->config;
	struct frame *hello = frame_control(json_pack(
		"{s:s, s:i, s:I, s:s, s:b, s:b, s:b, s:i, s:s, s:I, s:O, s:i}", "op", "hello",
		"protocol", tds_release_protocol, "realm", (json_int_t)realm->number, "hash",
		realm->md5, "archive", archive >= 0, "guest", realm->kind == REALM_PROGRAM,
		"confined", realm_is_confined(realm), "admin", (int)getpid(), "dir", config->dir,
		"maxmessage", (json_int_t)realm_tell_max_message(engine), "capabilities",
		engine->capabilities, "log", log_level));

	if (archive >= 0)
		frame_add_fd(hello, archive);
	realm->link.told = engine->capabilities_version;
	link_send(&realm->link, hello);
}

/* --- its end --- */

/* It takes no more actors, and what came from its code goes with it. */
static void close_realm(struct realm *realm)
{
	enum realm_state before = realm->state;

	if (before == REALM_STOPPING)
		return;
	realm->state = REALM_STOPPING;
	realm_ref(realm);
	realm->engine->hooks->closed(realm, before);
	realm_unref(realm);
}

/* A program's realm may end with what it was needed for. */
static void changed(struct realm *realm)
{
	if (realm->kind == REALM_PROGRAM)
		realm->engine->hooks->program_changed(realm);
}

static void free_realm(struct realm *realm)
{
	struct realm *home = realm->home;

	link_fini(&realm->link);
	if (realm->exited)
		event_free(realm->exited);
	if (realm->grace)
		event_free(realm->grace);
	if (realm->emptied)
		event_free(realm->emptied);
	tds_close_fd(&realm->emptying);
	tds_close_fd(&realm->pidfd);
	tds_close_fd(&realm->archive);
	if (realm->program)
		realm->engine->hooks->program_free(realm);
	free(realm->last_line);
	free(realm->info);
	actor_home_fini(&realm->own);
	tds_sandbox_unref(realm->sandbox);
	free(realm->watch);
	free(realm);
	if (home) {
		changed(home);
		realm_unref(home);
	}
}

/* Nothing needs it, and no process of it is left. */
static void end_realm(struct realm *realm)
{
	struct local *engine = realm->engine;
	bool loading = realm->state == REALM_LOADING;

	realm_ref(realm); /* for good: it ends once */
	close_realm(realm);
	output_free(realm->output);
	realm->output = NULL;
	*realm->self = realm->next;
	if (realm->next)
		realm->next->self = realm->self;
	/* What was said before the names were imported is why they were not. */
	if (loading)
		realm->pub.last_words = realm->last_line;
	if (realm->starved)
		realm->pub.last_words = "its process was killed: " LIMITS_STARVED;
	/* A program that did not come in has never been there. */
	if (traits(realm)->counts && !(loading && realm->kind == REALM_PROGRAM))
		engine->events->source_gone(engine->ctx, &realm->pub);
	free_realm(realm);
}

static bool leave_cgroup(struct realm *realm);

static void on_emptied(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	if (leave_cgroup(arg))
		end_realm(arg);
}

/* Ends what no process of ours knows any more, such as a child that made itself a daemon. False: it is about to. */
static bool leave_cgroup(struct realm *realm)
{
	struct local *engine = realm->engine;

	if (!realm->has_cgroup ||
	    tds_cgroup_remove(engine->config->cgroup, realm->number, &realm->emptying) ||
	    engine->ending)
		return true;
	if (!realm->emptied)
		realm->emptied = event_new(engine->base, realm->emptying, EV_READ | EV_PERSIST,
					   on_emptied, realm);
	return !realm->emptied || event_add(realm->emptied, NULL) != 0;
}

void realm_number(struct realm *realm)
{
	realm->number = ++realm->engine->next_realm;
	realm->pub.number = realm_origin(realm)->number;
}

void realm_ref(struct realm *realm)
{
	realm->refs++;
}

void realm_unref(struct realm *realm)
{
	/* What waits for its cgroup ends when that is empty, not in whatever call looks at it meanwhile. */
	bool awaited = realm->emptied && !realm->engine->ending;

	if (--realm->refs == 0 && !awaited && leave_cgroup(realm))
		end_realm(realm);
}

void realm_actor_freed(struct realm *realm)
{
	if (realm->state == REALM_RETIRED && !realm->actors)
		realm_stop(realm);
	changed(realm_origin(realm));
	realm_unref(realm);
}

/* --- its process --- */

void realm_process_over(struct realm *realm)
{
	if (realm->process == PROCESS_NONE)
		return;
	realm->process = PROCESS_NONE;
	realm->pid = 0;
	if (realm->engine->warm == realm)
		realm->engine->warm = NULL; /* at once: its cgroup may take long to be empty */
	realm_unref(realm);
}

static void forget_process(struct realm *realm)
{
	if (realm->exited)
		event_free(realm->exited);
	realm->exited = NULL;
	tds_close_fd(&realm->pidfd);
}

/* Is it a process that the guardian got when the source's process ended? Anything else is none of its actors. */
static bool is_orphan(pid_t pid)
{
	return pid != getpid() && proc_parent(pid) == getppid();
}

static void on_left(evutil_socket_t fd, short what, void *arg);

/* Be told of the end of an actor whose source's process is gone. False: it is gone too. */
static bool await(struct realm *realm, const struct actor *actor)
{
	static const struct timeval patience = { .tv_sec = 1 };
	pid_t pid = actor->pub.pid;
	tds_autofd int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	/* Those of a user's programs may be anybody's children: they are given a moment. */
	if (pidfd < 0 || (!realm->pub.of_program && !is_orphan(pid)))
		return false;
	realm->exited = event_new(realm->engine->base, pidfd, EV_READ, on_left, realm);
	if (!realm->exited ||
	    event_add(realm->exited, realm->pub.of_program ? &patience : NULL) != 0) {
		forget_process(realm);
		return false;
	}
	realm->pidfd = tds_steal_fd(&pidfd);
	realm->awaited = actor->bearer.id;
	return true;
}

static struct actor *left_behind(const struct realm *realm)
{
	struct actor *actor = realm->actors;

	while (actor && !actor->left_behind)
		actor = actor->next;
	return actor;
}

static void await_next(struct realm *realm)
{
	struct actor *actor;

	realm_ref(realm);
	forget_process(realm);
	while ((actor = left_behind(realm)) && !await(realm, actor))
		actor_gone(actor);
	changed(realm);
	realm_unref(realm);
}

/*
 * The source's process is gone, and its actors die: by their death signal, or by the guardian, to whom they fall. They
 * are waited for one after the other, which takes one descriptor, and no longer than the last of them does. Those that
 * were never forked are gone now.
 */
void realm_await_actors(struct realm *realm)
{
	for (struct actor *a = realm->actors; a; a = a->next)
		a->left_behind = true;
	await_next(realm);
}

static void on_left(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;
	struct actor *actor = actor_by_id(realm->engine, realm->awaited);

	(void)fd;
	/* Those that outstay the end of a program are not waited for one by one. */
	for (struct actor *a = realm->actors; a && (what & EV_TIMEOUT); a = a->next)
		if (a->left_behind)
			a->pub.pid = 0;
	realm_ref(realm);
	if (actor) /* else its next process has said that it is gone */
		actor_gone(actor);
	await_next(realm);
	realm_unref(realm);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;
	siginfo_t info;

	(void)fd;
	(void)what;
	(void)waitid(P_PIDFD, (id_t)realm->pidfd, &info, WEXITED | WNOHANG);
	realm_ref(realm);
	/* Until here it may have told of actors that are gone. */
	link_drain(&realm->link);
	realm->starved = limits_killed(realm);
	ward_tell_strays(); /* what made itself a daemon is now the guardian's child */
	if (realm->kind == REALM_FORK_SERVER) {
		realm->engine->hooks->forks_no_more(realm);
		realm->engine->fork_server = NULL;
	}
	/* Of one that never came so far the import is told, in the end. */
	if (realm->state != REALM_LOADING)
		close_realm(realm);
	realm_process_over(realm);
	realm_await_actors(realm);
	realm_unref(realm);
}

bool realm_watch_process(struct realm *realm, pid_t pid, int pidfd)
{
	realm->process = PROCESS_RUNS;
	realm->pid = pid;
	realm->pidfd = pidfd;
	realm->exited = pidfd < 0 ? NULL
				  : event_new(realm->engine->base, pidfd, EV_READ | EV_PERSIST,
					      on_exited, realm);
	return realm->exited && event_add(realm->exited, NULL) == 0;
}

/* --- ended on purpose --- */

void realm_kill(struct realm *realm)
{
	if (traits(realm)->link_is_process)
		realm->engine->hooks->program_kill(realm);
	else if (realm->process == PROCESS_RUNS)
		(void)syscall(SYS_pidfd_send_signal, realm->pidfd, SIGKILL, NULL, 0);
	else if (realm->process == PROCESS_ASKED)
		realm->process = PROCESS_DOOMED;
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	realm_kill(arg);
}

static void on_abandoned(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	realm_abandon(arg, FAILURE_SHUTDOWN, "the system is shutting down");
}

/* Do so later, or at once where that cannot be. */
static void schedule(struct realm *realm, event_callback_fn act, unsigned ms)
{
	struct timeval after = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	realm->grace = evtimer_new(realm->engine->base, act, realm);
	if (!realm->grace || evtimer_add(realm->grace, &after) != 0)
		act(-1, EV_TIMEOUT, realm);
}

void realm_stop(struct realm *realm)
{
	bool waits = realm_actors_wait(realm);

	if (realm->state == REALM_STOPPING)
		return;
	realm_ref(realm);
	close_realm(realm);
	for (struct actor *a = realm->actors; a; a = a->next)
		actor_exit(a);
	link_control(&realm->link, json_pack("{s:s}", "op", "bye"));
	if (waits)
		schedule(realm, on_abandoned, 0);
	else
		schedule(realm, on_grace,
			 realm->pub.grace_ms ? realm->pub.grace_ms
					     : realm->engine->config->grace_ms);
	realm_unref(realm);
}

/* There is no process for its actors to be forked from, and there will be none. */
void realm_abandon(struct realm *realm, enum failure failure, const char *error)
{
	realm_ref(realm);
	close_realm(realm);
	while (realm->actors) {
		actor_fail(realm->actors, failure, error);
		actor_gone(realm->actors);
	}
	/* The end of its link tells a process that is about to start. */
	if (realm->process == PROCESS_RUNS)
		realm_kill(realm);
	else
		realm_process_over(realm);
	realm_unref(realm);
}

void realm_retire(struct realm *realm)
{
	realm->state = REALM_RETIRED;
	if (!realm->actors)
		realm_stop(realm);
}
