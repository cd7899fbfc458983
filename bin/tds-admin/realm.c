/* SPDX-License-Identifier: MIT */
/* Realms: the Python parent of each loaded source, which holds its archive and imports and forks its actors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local.h"
#include "mem.h"

/* --- what processes print --- */

static void emit_line(struct output *o)
{
	struct engine *engine = o->realm->engine;

	if (!o->actor) {
		free(o->realm->last_line);
		o->realm->last_line = strndup(o->line, o->len);
	}
	engine->events->output(engine->ctx, o->realm, o->actor, o->line, o->len);
	free(o->line);
	o->line = NULL;
	o->len = 0;
}

/* Returns whether there may be more. */
static bool read_output(struct output *o)
{
	char buf[LINE_MAX_BYTES];
	ssize_t n = read(o->fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (!o->line && !(o->line = malloc(LINE_MAX_BYTES)))
			return false;
		if (buf[i] != '\n')
			o->line[o->len++] = buf[i];
		if (buf[i] == '\n' || o->len == LINE_MAX_BYTES)
			emit_line(o);
	}
	if (n == 0 && o->readable)
		(void)event_del(o->readable);
	return n == sizeof(buf);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)read_output(arg);
}

struct output *output_new(struct realm *realm, struct actor *actor, int fd)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o) {
		(void)close(fd);
		return NULL;
	}
	*o = (struct output){ .fd = fd, .realm = realm, .actor = actor };
	o->readable = event_new(realm->engine->base, fd, EV_READ | EV_PERSIST, on_output, o);
	if (!o->readable || evutil_make_socket_nonblocking(fd) != 0 ||
	    event_add(o->readable, NULL) != 0) {
		output_free(o);
		return NULL;
	}
	return o;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	/* A flood ends at some time: the writer is gone, and the pipe holds only so much. */
	for (int i = 0; i < 64 && read_output(o); i++)
		continue;
	if (o->len > 0)
		emit_line(o);
	if (o->readable)
		event_free(o->readable);
	(void)close(o->fd);
	free(o->line);
	free(o);
}

/* --- the parent process --- */

static bool on_frame(void *ctx, enum frame_type type, const unsigned char *body, size_t len);
static void on_link_ended(void *ctx);
static void nursery_gone(struct engine *engine);
static const struct link_events parent_link_events = { .frame = on_frame, .ended = on_link_ended };

static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	struct realm *realm = arg;
	siginfo_t info;

	(void)fd;
	(void)what;
	(void)waitid(P_PIDFD, (id_t)realm->pidfd, &info, WEXITED | WNOHANG);
	link_drain(&realm->link);
	realm->pid = 0;
	if (realm == realm->engine->nursery)
		nursery_gone(realm->engine);
	/* What made itself a daemon is now the guardian's child, who gets rid of it. */
	(void)kill(getppid(), SIGUSR1);
	(void)event_del(realm->exited);
	/* Actors die with their parent, by its death signal; their pidfds say when. Those never forked are gone now. */
	realm->held = true;
	for (struct actor *a = realm->actors, *next; a; a = next) {
		next = a->next;
		if (a->pidfd < 0 || a->dead)
			actor_gone(a);
	}
	realm->held = false;
	realm_forget(realm);
}

/* Link and output: our ends go to the realm, the host's to the caller. */
static bool open_channels(struct realm *realm, int *host_end, int *out_end)
{
	int ends[2];
	int out[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	*host_end = ends[1];
	if (!link_init(&realm->link, realm->engine->base, ends[0], &parent_link_events, realm) ||
	    pipe2(out, O_CLOEXEC) != 0)
		return false;
	*out_end = out[1];
	realm->output = output_new(realm, NULL, out[0]);
	return realm->output != NULL;
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

static struct realm *realm_make(struct engine *engine)
{
	struct realm *realm = calloc(1, sizeof(*realm));

	if (!realm)
		return NULL;
	*realm = (struct realm){
		.engine = engine,
		.pidfd = -1,
		.emptying = -1,
		.link = { .fd = -1, .ended = true },
		.stopping = true,
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
static struct realm *nursery_start(struct engine *engine)
{
	struct realm *realm = realm_make(engine);
	tds_autofd int host_end = -1;
	tds_autofd int out_end = -1;
	bool ok = false;

	if (!realm)
		return NULL;
	if (open_channels(realm, &host_end, &out_end)) {
		pid_t pid = parent_start(engine->limits, host_end, out_end);

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

/* A parent, forked by the nursery, that is told its source once its process is known. NULL: out of descriptors. */
static struct realm *realm_fork(struct engine *engine)
{
	struct realm *realm = realm_make(engine);
	int host_end = -1;
	int out_end = -1;

	if (!realm)
		return NULL;
	bool ok = open_channels(realm, &host_end, &out_end);
	realm->number = ++engine->next_realm;
	struct frame *frame = ok ? frame_control(json_pack("{s:s, s:I}", "op", "parent", "ref",
							   (json_int_t)realm->number))
				 : NULL;
	if (!frame) {
		tds_close_fd(&host_end);
		tds_close_fd(&out_end);
		realm_forget(realm);
		return NULL;
	}
	frame_add_fd(frame, host_end);
	frame_add_fd(frame, out_end);
	realm->starting = true;
	realm->link.corked = true;
	link_send(&engine->nursery->link, frame);
	return realm;
}

/* There will be no process, and there was none. */
static void never_started(struct realm *realm)
{
	realm->starting = false;
	realm_forget(realm);
}

static void nursery_gone(struct engine *engine)
{
	engine->nursery = NULL;
	for (struct realm *r = engine->realms, *next; r; r = next) {
		next = r->next;
		if (r->starting)
			never_started(r);
	}
}

static void greet(struct realm *realm, int archive, json_t *names)
{
	const struct engine_limits *limits = realm->engine->limits;
	struct frame *hello = frame_control(
		json_pack("{s:s, s:I, s:s, s:b, s:i, s:s, s:I, s:s, s:i}", "op", "hello", "realm",
			  (json_int_t)realm->number, "hash", realm->md5, "archive", 1, "admin",
			  (int)getpid(), "dir", limits->dir, "maxmessage",
			  (json_int_t)limits->settings->max_message, "capabilities",
			  limits->settings->capabilities, "log", limits->settings->log_level));

	frame_add_fd(hello, archive);
	link_send(&realm->link, hello);
	link_control(&realm->link, json_pack("{s:s, s:o}", "op", "import", "names", names));
}

void engine_prepare(struct engine *engine)
{
	if (!engine->nursery)
		engine->nursery = nursery_start(engine);
	if (engine->nursery && !engine->spare)
		engine->spare = realm_fork(engine);
}

struct realm *realm_new(struct engine *engine, const char *md5, int archive_fd, json_t *names,
			void *owner)
{
	engine_prepare(engine);
	struct realm *realm = engine->spare;
	engine->spare = NULL;
	if (!realm) {
		(void)close(archive_fd);
		json_decref(names);
		return NULL;
	}
	realm->stopping = false;
	realm->owner = owner;
	(void)snprintf(realm->md5, sizeof(realm->md5), "%s", md5);
	greet(realm, archive_fd, names);
	return realm;
}

/* --- its cgroup --- */

/* Its first process, which has forked none: all others are born there. Failing that, it runs without. */
static void join_cgroup(struct realm *realm)
{
	struct engine *engine = realm->engine;
	const struct engine_limits *limits = engine->limits;
	struct tds_err err;
	char text[sizeof(err.reason) + 64];

	if (!limits->cgroup)
		return;
	realm->limited = tds_cgroup_add(limits->cgroup, realm->number, limits->settings->pids_max,
					realm->pid, &err) == 0;
	if (realm->limited || engine->unlimited)
		return;
	engine->unlimited = true;
	(void)snprintf(text, sizeof(text), "no limit of processes: %s", err.reason);
	engine->events->output(engine->ctx, realm, NULL, text, strlen(text));
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
	struct engine *engine = realm->engine;

	if (!realm->limited ||
	    tds_cgroup_remove(engine->limits->cgroup, realm->number, &realm->emptying) ||
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
	struct engine *engine = realm->engine;

	if (realm->pid > 0 || realm->starting || realm->actors || realm->held)
		return;
	if (engine->spare == realm)
		engine->spare = NULL;
	if (!leave_cgroup(realm))
		return;
	output_free(realm->output);
	realm->output = NULL;
	if (!realm->imported && !realm->stopping)
		engine->events->imported(engine->ctx, realm, NULL,
					 realm->last_line ? realm->last_line : "the host ended");
	*realm->self = realm->next;
	if (realm->next)
		realm->next->self = realm->self;
	if (realm->owner)
		engine->events->realm_gone(engine->ctx, realm);
	link_fini(&realm->link);
	if (realm->exited)
		event_free(realm->exited);
	if (realm->grace)
		event_free(realm->grace);
	if (realm->emptied)
		event_free(realm->emptied);
	tds_close_fd(&realm->emptying);
	tds_close_fd(&realm->pidfd);
	free(realm->last_line);
	free(realm);
}

struct realm *realm_by_md5(struct engine *engine, const char *md5)
{
	for (struct realm *r = engine->realms; r; r = r->next)
		if (strcmp(r->md5, md5) == 0 && !r->stopping)
			return r;
	return NULL;
}

void *realm_owner(const struct realm *realm)
{
	return realm->owner;
}

static void kill_realm(struct realm *realm)
{
	for (struct actor *a = realm->actors; a; a = a->next)
		actor_kill(a);
	if (realm->pid > 0)
		(void)syscall(SYS_pidfd_send_signal, realm->pidfd, SIGKILL, NULL, 0);
	realm->doomed = true;
}

static void on_grace(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	kill_realm(arg);
}

void realm_stop(struct realm *realm)
{
	struct engine *engine = realm->engine;
	struct timeval grace = { .tv_sec = engine->limits->grace_ms / 1000,
				 .tv_usec = (suseconds_t)(engine->limits->grace_ms % 1000) * 1000 };

	if (realm->stopping)
		return;
	realm->stopping = true;
	for (struct actor *a = realm->actors; a; a = a->next)
		actor_exit(a);
	link_control(&realm->link, json_pack("{s:s}", "op", "bye"));
	realm->grace = evtimer_new(engine->base, on_grace, realm);
	if (!realm->grace || evtimer_add(realm->grace, &grace) != 0)
		kill_realm(realm);
}

/* --- what the parent tells --- */

static bool op_imported(struct realm *realm, const json_t *op)
{
	realm->imported = true;
	realm->engine->events->imported(realm->engine->ctx, realm, json_object_get(op, "classes"),
					NULL);
	return true;
}

static bool op_import_failed(struct realm *realm, const json_t *op)
{
	const char *error = json_string_value(json_object_get(op, "error"));

	realm->imported = true;
	realm->engine->events->imported(realm->engine->ctx, realm, NULL,
					error ? error : "an import failed");
	return true;
}

static struct actor *named_actor(struct realm *realm, const json_t *op)
{
	json_int_t id = json_integer_value(json_object_get(op, "id"));
	struct actor *actor = actor_by_id(realm->engine, (uint64_t)id);

	return actor && actor->realm == realm && actor->pidfd < 0 ? actor : NULL;
}

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

static struct realm *starting_realm(struct realm *nursery, const json_t *op)
{
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));
	struct realm *realm = nursery->engine->realms;

	while (realm && !(realm->starting && realm->number == ref))
		realm = realm->next;
	return nursery == nursery->engine->nursery ? realm : NULL;
}

static bool op_parent_started(struct realm *nursery, const json_t *op)
{
	tds_autofd int pidfd = link_take_fd(&nursery->link);
	struct realm *realm = starting_realm(nursery, op);
	pid_t pid = pidfd < 0 ? 0 : pid_of_child(nursery, pidfd);

	if (!realm || pid == 0)
		return false;
	if (pid < 0) {
		never_started(realm);
		return true;
	}
	realm->starting = false;
	if (!watch_process(realm, pid, tds_steal_fd(&pidfd)) || realm->doomed)
		kill_realm(realm);
	join_cgroup(realm);
	link_uncork(&realm->link);
	return true;
}

static bool op_parent_failed(struct realm *nursery, const json_t *op)
{
	struct realm *realm = starting_realm(nursery, op);
	const char *error = json_string_value(json_object_get(op, "error"));

	if (!realm)
		return false;
	if (error && !realm->last_line)
		realm->last_line = strdup(error);
	never_started(realm);
	return true;
}

static bool op_spawned(struct realm *realm, const json_t *op)
{
	tds_autofd int pidfd = link_take_fd(&realm->link);
	struct actor *actor = named_actor(realm, op);
	pid_t pid = pidfd < 0 ? 0 : pid_of_child(realm, pidfd);

	if (!actor || pid == 0)
		return false;
	actor_spawned(actor, pid, tds_steal_fd(&pidfd));
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
	return true;
}

static bool op_gone(struct realm *realm, const json_t *op)
{
	json_int_t id = json_integer_value(json_object_get(op, "id"));
	const json_t *status = json_object_get(op, "status");
	struct actor *actor = actor_by_id(realm->engine, (uint64_t)id);

	/* Only a word for people: what counts is the pidfd. */
	if (actor && actor->realm == realm && actor->pidfd >= 0 && json_is_integer(status))
		actor_reaped(actor, (int)json_integer_value(status));
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
	kill_realm(ctx);
}

/* --- the engine --- */

struct engine *engine_new(struct event_base *base, const struct engine_limits *limits,
			  const struct engine_events *events, void *ctx)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (engine)
		*engine = (struct engine){
			.base = base, .limits = limits, .events = events, .ctx = ctx, .next_id = 1
		};
	return engine;
}

bool engine_busy(const struct engine *engine)
{
	const struct realm *r = engine->realms;

	/* The first process and the parent that waits are nobody's. */
	while (r && !r->owner)
		r = r->next;
	return r != NULL;
}

uint64_t engine_next_id(struct engine *engine)
{
	return engine->next_id++;
}

void engine_each(struct engine *engine, struct realm *realm,
		 void (*fn)(void *ctx, struct actor *actor), void *ctx)
{
	for (struct realm *r = realm ? realm : engine->realms; r; r = realm ? NULL : r->next)
		for (struct actor *a = r->actors, *next; a; a = next) {
			next = a->next;
			fn(ctx, a);
		}
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	engine->ending = true;
	while (engine->realms) {
		struct realm *realm = engine->realms;

		realm->stopping = true;
		kill_realm(realm);
		while (realm->actors)
			actor_gone(realm->actors);
		if (realm->pid > 0)
			(void)waitpid(realm->pid, NULL, 0);
		realm->pid = 0;
		realm->starting = false;
		realm_forget(realm);
	}
	free(engine);
}
