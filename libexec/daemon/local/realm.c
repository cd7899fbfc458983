/* SPDX-License-Identifier: MIT */
/* Realms: the Python parent of each loaded source, which holds its archive and imports and forks its actors. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "local.h"
#include "sources.h"

/* --- the parent process --- */

static bool on_frame(void *ctx, enum frame_type type, const unsigned char *body, size_t len);
static void on_link_ended(void *ctx);
const struct link_events parent_link_events = { .frame = on_frame, .ended = on_link_ended };

/* A number behind "NAME:" in a file of /proc; 0: there is none. */
static long proc_number(const char *path, const char *name)
{
	tds_autofile FILE *f = fopen(path, "re");
	char line[256];
	size_t n = strlen(name);

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, n) == 0)
			return strtol(line + n, NULL, 10);
	return 0;
}

/* Is it a process that the guardian got when the source's process ended? Anything else is none of its actors. */
static bool is_orphan(pid_t pid)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	return pid != getpid() && proc_number(path, "PPid:") == getppid();
}

static void on_left(evutil_socket_t fd, short what, void *arg);

/* Be told of the end of an actor whose source's process is gone. False: it is gone too. */
static bool await(struct realm *realm, pid_t pid)
{
	static const struct timeval patience = { .tv_sec = 1 };
	tds_autofd int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	/* Those of a user's programs may be anybody's children: they are given a moment. */
	if (pidfd < 0 || (!realm->pub.of_program && !is_orphan(pid)))
		return false;
	realm->exited = event_new(realm->engine->base, pidfd, EV_READ, on_left, realm);
	if (!realm->exited ||
	    event_add(realm->exited, realm->pub.of_program ? &patience : NULL) != 0)
		return false;
	realm->pidfd = tds_steal_fd(&pidfd);
	return true;
}

static void forget_process(struct realm *realm)
{
	if (realm->exited)
		event_free(realm->exited);
	realm->exited = NULL;
	tds_close_fd(&realm->pidfd);
	realm->pidfd = -1;
}

/*
 * The source's process is gone, and its actors die: by their death signal, or by the guardian, to whom they fall. They
 * are waited for one after the other, which takes one descriptor, and no longer than the last of them does. Those that
 * were never forked are gone now.
 */
void realm_await_actors(struct realm *realm)
{
	realm->held = true;
	forget_process(realm);
	while (realm->actors && !await(realm, realm->actors->pub.pid))
		actor_gone(realm->actors);
	realm->held = false;
	realm_forget(realm);
}

static void on_left(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;

	(void)fd;
	/* Those that outstay the end of a program are not waited for one by one. */
	for (struct actor *a = realm->actors; a && (what & EV_TIMEOUT); a = a->next)
		a->pub.pid = 0;
	realm->held = true;
	actor_gone(realm->actors);
	realm_await_actors(realm);
}

/* What made itself a daemon is now the guardian's child, who gets rid of it. */
static void tell_guardian(void)
{
	(void)kill(getppid(), SIGUSR1);
}

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;
	siginfo_t info;

	(void)fd;
	(void)what;
	(void)waitid(P_PIDFD, (id_t)realm->pidfd, &info, WEXITED | WNOHANG);
	/* Until here it may have told of actors that are gone. */
	link_drain(&realm->link);
	realm->pid = 0;
	if (realm == realm->engine->nursery) {
		realm_children_lost(realm);
		realm->engine->nursery = NULL;
	}
	tell_guardian();
	realm_await_actors(realm);
}

/* Link and output (out_end NULL: none): our ends go to the realm, the host's to the caller. */
static bool open_channels(struct realm *realm, int *host_end, int *out_end)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	*host_end = ends[1];
	if (!link_init(&realm->link, realm->engine->base, ends[0], &parent_link_events, realm))
		return false;
	return !out_end || output_open(realm, out_end);
}

/* Its process is known: when it is gone, we are told. */
static bool watch_process(struct realm *realm, pid_t pid, int pidfd)
{
	realm->pid = pid;
	realm->pidfd = pidfd;
	realm->exited = pidfd < 0 ? NULL
				  : event_new(realm->engine->base, pidfd, EV_READ | EV_PERSIST,
					      on_exited, realm);
	return realm->exited && event_add(realm->exited, NULL) == 0;
}

/* One among all, with nothing in it yet. NULL: out of memory. */
struct realm *realm_alloc(struct local *engine)
{
	struct realm *realm = calloc(1, sizeof(*realm));

	if (!realm)
		return NULL;
	*realm = (struct realm){
		.engine = engine,
		.pidfd = -1,
		.archive = -1,
		.emptying = -1,
		.link = { .fd = -1, .ended = true },
	};
	realm->next = engine->realms;
	realm->self = &engine->realms;
	if (realm->next)
		realm->next->self = &realm->next;
	engine->realms = realm;
	return realm;
}

/*
 * The host's first process: it never has a source, and forks the parents of those that have, in a few milliseconds
 * and with shared memory, while a Python takes fifty to start. NULL: no process could be started.
 */
static struct realm *nursery_start(struct local *engine)
{
	struct realm *realm = realm_alloc(engine);
	tds_autofd int host_end = -1;
	tds_autofd int out_end = -1;
	bool ok = false;

	if (!realm)
		return NULL;
	realm->stopping = true;
	if (open_channels(realm, &host_end, &out_end)) {
		pid_t pid = parent_start(engine->config, host_end, out_end);

		ok = pid > 0 && watch_process(realm, pid, (int)syscall(SYS_pidfd_open, pid, 0));
	}
	if (ok)
		return realm;
	/* Nobody would tell when it is gone. */
	if (realm->pid > 0) {
		(void)kill(realm->pid, SIGKILL);
		(void)waitpid(realm->pid, NULL, 0);
	}
	realm->pid = 0;
	realm_forget(realm);
	return NULL;
}

static bool has_nursery(struct local *engine)
{
	if (!engine->nursery)
		engine->nursery = nursery_start(engine);
	return engine->nursery != NULL;
}

/* Who forks its parent process: the first process; of what a user's programs brought, the parent of those. */
static struct realm *forker_of(const struct realm *realm)
{
	return realm->home && realm->home->guest ? realm->home : realm->engine->nursery;
}

/* Have its parent process forked; parent-started or parent-failed tells. False: out of descriptors. */
static bool ask_parent(struct realm *realm, bool piped)
{
	int host_end = -1;
	int out_end = -1;
	bool ok = open_channels(realm, &host_end, piped ? &out_end : NULL);
	struct frame *frame =
		ok ? frame_control(json_pack("{s:s, s:I, s:b}", "op", "parent", "ref",
					     (json_int_t)realm->number, "output", piped))
		   : NULL;

	if (!frame) {
		tds_close_fd(&host_end);
		tds_close_fd(&out_end);
		return false;
	}
	frame_add_fd(frame, host_end);
	if (piped)
		frame_add_fd(frame, out_end);
	realm->starting = true;
	realm->link.corked = true;
	link_send(&forker_of(realm)->link, frame);
	return true;
}

/* A parent that is told its source later. NULL: out of descriptors. */
static struct realm *realm_fork(struct local *engine)
{
	struct realm *realm = realm_alloc(engine);

	if (!realm)
		return NULL;
	realm->stopping = true;
	realm->number = ++engine->next_realm;
	if (ask_parent(realm, true))
		return realm;
	realm_forget(realm);
	return NULL;
}

/* There will be no process, and there was none. */
static void never_started(struct realm *realm)
{
	realm->starting = false;
	if (realm->pending)
		realm_abandon(realm, "process",
			      realm->last_line ? realm->last_line : "no process could be started");
	else
		realm_forget(realm);
}

/* A realm whose parent process it was asked to fork; ref 0: any. NULL: none, or gone meanwhile. */
static struct realm *find_starting(const struct realm *forker, json_int_t ref)
{
	struct realm *realm = forker->engine->realms;

	while (realm && !(realm->starting && forker_of(realm) == forker &&
			  (ref == 0 || realm->number == ref)))
		realm = realm->next;
	return realm;
}

void realm_children_lost(struct realm *forker)
{
	for (struct realm *realm; (realm = find_starting(forker, 0));)
		never_started(realm);
}

void realm_greet(struct realm *realm, int archive, int log_level)
{
	const struct local *engine = realm->engine;
	const struct engine_config *config = engine->config;
	struct frame *hello = frame_control(json_pack(
		"{s:s, s:I, s:s, s:b, s:b, s:i, s:s, s:I, s:O, s:i}", "op", "hello", "realm",
		(json_int_t)realm->number, "hash", realm->md5, "archive", archive >= 0, "guest",
		realm->guest != NULL, "admin", (int)getpid(), "dir", config->dir, "maxmessage",
		(json_int_t)config->settings->max_message, "capabilities", engine->capabilities,
		"log", log_level));

	if (archive >= 0)
		frame_add_fd(hello, archive);
	link_send(&realm->link, hello);
}

void prepare(struct local *engine)
{
	if (has_nursery(engine) && !engine->spare)
		engine->spare = realm_fork(engine);
}

struct realm *realm_new(struct local *engine, const struct engine_load *load)
{
	prepare(engine);
	struct realm *realm = engine->spare;
	engine->spare = NULL;
	if (!realm) {
		(void)close(load->archive);
		json_decref(load->names);
		return NULL;
	}
	realm->stopping = false;
	realm->pub.owner = load->owner;
	realm->info = strdup(load->info);
	(void)snprintf(realm->md5, sizeof(realm->md5), "%s", load->md5);
	realm_greet(realm, load->archive, engine->config->settings->log_level);
	link_control(&realm->link, json_pack("{s:s, s:o}", "op", "import", "names", load->names));
	return realm;
}

/* --- its cgroup --- */

/* Its first process, which has forked none: all others are born there. Failing that, it runs without. */
static void join_cgroup(struct realm *realm)
{
	struct local *engine = realm->engine;
	const struct engine_config *config = engine->config;
	struct tds_err err;
	char text[sizeof(err.reason) + 64];

	if (!config->cgroup)
		return;
	realm->limited = tds_cgroup_add(config->cgroup, realm->number, config->settings->pids_max,
					realm->pid, &err) == 0;
	if (realm->limited || engine->unlimited)
		return;
	engine->unlimited = true;
	(void)snprintf(text, sizeof(text), "no limit of processes: %s", err.reason);
	engine->events->output(engine->ctx, &realm->pub, NULL, text, strlen(text));
}

static void on_emptied(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	realm_forget(arg);
}

/* Ends what no parent knows any more, such as a child that made itself a daemon. False: it is about to. */
static bool leave_cgroup(struct realm *realm)
{
	struct local *engine = realm->engine;

	if (!realm->limited ||
	    tds_cgroup_remove(engine->config->cgroup, realm->number, &realm->emptying) ||
	    engine->ending)
		return true;
	if (!realm->emptied)
		realm->emptied = event_new(engine->base, realm->emptying, EV_READ | EV_PERSIST,
					   on_emptied, realm);
	return !realm->emptied || event_add(realm->emptied, NULL) != 0;
}

/* Once the parent and all actors are gone, there is nothing left of a realm. */
void realm_forget(struct realm *realm)
{
	struct local *engine = realm->engine;

	if (!realm->held)
		guest_end_if_idle(realm);
	if (realm->home && !realm->actors && !realm->held) {
		realm->held = true;
		guest_end_if_idle(realm->home);
		realm->held = false;
	}
	if (realm->retired && !realm->actors)
		realm_stop(realm);
	if (realm->pid > 0 || realm->starting || realm->actors || realm->held || realm->pending ||
	    realm->nderived > 0 || !guest_over(realm))
		return;
	if (engine->spare == realm)
		engine->spare = NULL;
	if (!leave_cgroup(realm))
		return;
	sources_tell_package(realm, false);
	if (!realm->home)
		sources_end(realm);
	output_free(realm->output);
	realm->output = NULL;
	if (!realm->imported && !realm->stopping && !realm->home)
		engine->events->imported(engine->ctx, &realm->pub, NULL,
					 realm->last_line ? realm->last_line : "the host ended");
	*realm->self = realm->next;
	if (realm->next)
		realm->next->self = realm->self;
	if (realm->pub.owner || realm->guest || realm->home)
		engine->events->source_gone(engine->ctx, &realm->pub);
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
	guest_free(realm);
	free(realm->last_line);
	free(realm->info);
	struct realm *home = realm->home;
	free(realm);
	if (home) {
		home->nderived--;
		realm_forget(home);
	}
}

struct realm *realm_by_md5(struct local *engine, const char *md5)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		if (!r->guest && !r->home && strcmp(r->md5, md5) == 0 && !r->stopping)
			return r;
	return NULL;
}

void realm_kill(struct realm *realm)
{
	if (realm->guest)
		guest_parent_ended(realm);
	else if (realm->pid > 0)
		(void)syscall(SYS_pidfd_send_signal, realm->pidfd, SIGKILL, NULL, 0);
	realm->doomed = true;
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	realm_kill(arg);
}

void realm_stop(struct realm *realm)
{
	struct local *engine = realm->engine;
	struct timeval grace = { .tv_sec = engine->config->grace_ms / 1000,
				 .tv_usec = (suseconds_t)(engine->config->grace_ms % 1000) * 1000 };

	if (realm->stopping)
		return;
	if (realm->pending) {
		realm_abandon(realm, "shutdown", "the system is shutting down");
		return;
	}
	realm->stopping = true;
	sources_tell_package(realm, false);
	if (!realm->home)
		sources_end(realm);
	for (struct actor *a = realm->actors; a; a = a->next)
		actor_exit(a);
	link_control(&realm->link, json_pack("{s:s}", "op", "bye"));
	realm->grace = evtimer_new(engine->base, on_grace, realm);
	if (!realm->grace || evtimer_add(realm->grace, &grace) != 0)
		realm_kill(realm);
}

/* --- realms of sources that users bring --- */

struct realm *realm_derive(struct realm *by, const char *md5)
{
	struct realm *realm = realm_alloc(by->engine);

	if (!realm)
		return NULL;
	realm->home = realm_origin(by);
	realm->pub.of_program = realm->home->pub.of_program;
	realm->home->nderived++;
	realm->number = ++realm->engine->next_realm;
	realm->pending = true;
	(void)snprintf(realm->md5, sizeof(realm->md5), "%s", md5);
	return realm;
}

/* There is a process: what waited for it goes on. */
static void derived_started(struct realm *realm)
{
	realm->pending = false;
	realm_greet(realm, tds_steal_fd(&realm->archive),
		    realm->engine->config->settings->log_level);
	link_control(&realm->link, json_pack("{s:s, s:[]}", "op", "import", "names"));
	for (struct actor *a = realm->actors, *next; a; a = next) {
		next = a->next;
		realm->held = true;
		if (!actor_begin(a))
			actor_gone(a);
		realm->held = false;
	}
	realm_forget(realm);
}

bool realm_begin(struct realm *realm, int archive)
{
	bool of_guest = realm->home->guest != NULL;
	bool can_fork = of_guest ? realm->home->pid > 0 : has_nursery(realm->engine);

	realm->archive = fcntl(archive, F_DUPFD_CLOEXEC, 3);
	/* What a guest prints goes where its program prints. */
	if (can_fork && realm->archive >= 0 && ask_parent(realm, !of_guest))
		return true; /* op_parent_started goes on */
	realm_abandon(realm, "process", "no process could be started");
	return false;
}

void realm_abandon(struct realm *realm, const char *kind, const char *error)
{
	realm->stopping = true;
	while (realm->actors) {
		actor_fail(realm->actors, kind, error);
		actor_gone(realm->actors);
	}
	realm->pending = false;
	realm->starting = false; /* the end of its link tells whoever is about to start */
	realm_forget(realm);
}

void realm_retire(struct realm *realm)
{
	realm->retired = true;
	realm_forget(realm);
}

/* --- what the parent tells --- */

static bool op_imported(struct realm *realm, const json_t *op)
{
	realm->imported = true;
	sources_tell_package(realm, true);
	realm->engine->events->imported(realm->engine->ctx, &realm->pub,
					json_object_get(op, "classes"), NULL);
	return true;
}

static bool op_import_failed(struct realm *realm, const json_t *op)
{
	const char *error = json_string_value(json_object_get(op, "error"));

	realm->imported = true;
	realm->engine->events->imported(realm->engine->ctx, &realm->pub, NULL,
					error ? error : "an import failed");
	return true;
}

static struct actor *named_actor(struct realm *realm, const json_t *op)
{
	json_int_t id = json_integer_value(json_object_get(op, "id"));
	struct actor *actor = actor_by_id(realm->engine, (uint64_t)id);

	return actor && actor->realm == realm && actor->pub.pid == 0 ? actor : NULL;
}

/*
 * Whose pidfd is it? It will be killed one day, with our rights: so it must be a child of the parent that sent it, or
 * dead already (-1). 0: it is neither.
 */
static pid_t pid_of_child(const struct realm *realm, int pidfd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	long pid = proc_number(path, "Pid:");
	if (pid <= 0)
		return (pid_t)pid;
	(void)snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	/* What was read of the pid counts only if the process was there before and after. */
	bool is_child = proc_number(path, "PPid:") == realm->pid;
	bool is_there = syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
	return !is_there ? -1 : is_child ? (pid_t)pid : 0;
}

static struct realm *asked_for(const struct realm *forker, const json_t *op)
{
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));

	return ref > 0 ? find_starting(forker, ref) : NULL;
}

/* Only these are asked to. */
static bool may_fork(const struct realm *realm)
{
	return realm->guest || realm == realm->engine->nursery;
}

static bool op_parent_started(struct realm *forker, const json_t *op)
{
	tds_autofd int pidfd = link_take_fd(&forker->link);
	struct realm *realm = asked_for(forker, op);
	pid_t pid = pidfd == LINK_FD_LOST ? -1 : pidfd < 0 ? 0 : pid_of_child(forker, pidfd);

	if (pid == 0 || !may_fork(forker))
		return false;
	if (!realm)
		return true; /* the end of its link tells it */
	if (pidfd == LINK_FD_LOST && !realm->last_line)
		realm->last_line = strdup("no descriptor is left for its process");
	if (pid < 0) {
		never_started(realm);
		return true;
	}
	realm->starting = false;
	if (!watch_process(realm, pid, tds_steal_fd(&pidfd)) || realm->doomed)
		realm_kill(realm);
	if (!forker->guest)
		join_cgroup(realm);
	link_uncork(&realm->link);
	if (realm->pending)
		derived_started(realm);
	return true;
}

static bool op_parent_failed(struct realm *forker, const json_t *op)
{
	struct realm *realm = asked_for(forker, op);
	const char *error = json_string_value(json_object_get(op, "error"));

	if (!may_fork(forker))
		return false;
	if (!realm)
		return true;
	if (error && !realm->last_line)
		realm->last_line = strdup(error);
	never_started(realm);
	return true;
}

static bool op_spawned(struct realm *realm, const json_t *op)
{
	struct actor *actor = named_actor(realm, op);
	json_int_t pid = json_integer_value(json_object_get(op, "pid"));

	/* The pid is told to people, and names who prints. It is never killed. */
	if (!actor || pid <= 0 || pid > INT_MAX)
		return false;
	actor_spawned(actor, (pid_t)pid);
	return true;
}

static bool op_spawn_failed(struct realm *realm, const json_t *op)
{
	struct actor *actor = named_actor(realm, op);
	const char *kind = json_string_value(json_object_get(op, "kind"));
	const char *error = json_string_value(json_object_get(op, "error"));

	if (!actor)
		return false;
	actor_fail(actor, kind ? kind : "process", error ? error : "no process could be started");
	actor_gone(actor);
	output_spawned(realm->output, 0);
	return true;
}

static bool op_gone(struct realm *realm, const json_t *op)
{
	json_int_t id = json_integer_value(json_object_get(op, "id"));
	const json_t *status = json_object_get(op, "status");
	struct actor *actor = actor_by_id(realm->engine, (uint64_t)id);

	if (!actor || actor->realm != realm || !json_is_integer(status))
		return true;
	actor->told = true;
	actor->status = (int)json_integer_value(status);
	actor_gone(actor);
	return true;
}

static bool on_frame(void *ctx, enum frame_type type, const unsigned char *body, size_t len)
{
	static const struct {
		const char *name;
		bool (*run)(struct realm *realm, const json_t *op);
	} ops[] = {
		{ "imported", op_imported },
		{ "import-failed", op_import_failed },
		{ "parent-started", op_parent_started },
		{ "parent-failed", op_parent_failed },
		{ "spawned", op_spawned },
		{ "spawn-failed", op_spawn_failed },
		{ "gone", op_gone },
	};
	json_t *op = type == FRAME_CONTROL
			     ? json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL)
			     : NULL;
	const char *name = json_string_value(json_object_get(op, "op"));
	bool ok = name != NULL;

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			ok = ops[i].run(ctx, op);
	json_decref(op);
	return ok;
}

static void on_link_ended(void *ctx)
{
	/* The parent of guests has no other way to end, as far as we can see. */
	realm_kill(ctx);
}
