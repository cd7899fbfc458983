/* SPDX-License-Identifier: MIT */
/* What the process of a source tells: what was imported, and what became of processes that it was asked to fork. */
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "local.h"
#include "proc.h"
#include "strangers.h"

static bool op_imported(struct realm *realm, const json_t *op)
{
	struct local *engine = realm->engine;

	if (!traits(realm)->loaded)
		return true;
	if (realm->state == REALM_LOADING) {
		realm->state = REALM_OPEN;
		engine->hooks->opened(realm);
	}
	engine->events->imported(engine->ctx, &realm->pub, json_object_get(op, "classes"), NULL);
	return true;
}

/* What went wrong in the source's process, whole; it is the actors' log's too. NULL: that is not said. */
static const char *log_traceback(struct realm *realm, const json_t *op)
{
	const char *traceback = json_string_value(json_object_get(op, "traceback"));
	struct local *engine = realm->engine;

	if (traceback && *traceback)
		engine->events->output(engine->ctx, &realm->pub, NULL, OUTPUT_ERROR, traceback,
				       strlen(traceback));
	return traceback;
}

static bool op_import_failed(struct realm *realm, const json_t *op)
{
	const char *error = json_string_value(json_object_get(op, "error"));
	struct local *engine = realm->engine;

	if (!traits(realm)->loaded)
		return true;
	if (realm->state == REALM_LOADING)
		realm->state = REALM_BROKEN;
	realm->pub.traceback = log_traceback(realm, op);
	engine->events->imported(engine->ctx, &realm->pub, NULL,
				 error ? error : "an import failed");
	realm->pub.traceback = NULL;
	return true;
}

/* --- processes of other sources --- */

/*
 * Whose pidfd is it? It will be killed one day, with our rights: so it must be a child of the process that sent it, or
 * dead already (-1). 0: it is neither.
 */
static pid_t pid_of_child(const struct realm *realm, int pidfd)
{
	pid_t pid = proc_of_pidfd(pidfd);

	if (pid <= 0)
		return pid;
	/* What was read of the pid counts only if the process was there before and after. */
	bool is_child = proc_parent(pid) == realm->pid;
	bool is_there = syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
	return !is_there ? -1 : is_child ? pid : 0;
}

static struct realm *asked_for(const struct realm *forker, const json_t *op)
{
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));

	return ref > 0 ? forkserver_asked(forker, ref) : NULL;
}

static void note_failure(struct realm *realm, const char *error)
{
	if (error && !realm->last_line)
		realm->last_line = strdup(error);
}

static bool op_parent_started(struct realm *forker, const json_t *op)
{
	tds_autofd int pidfd = link_take_fd(&forker->link);
	struct realm *realm = asked_for(forker, op);
	pid_t pid = pidfd == LINK_FD_LOST ? -1 : pidfd < 0 ? 0 : pid_of_child(forker, pidfd);

	if (pid == 0 || !traits(forker)->forks)
		return false;
	if (!realm)
		return true; /* the end of its link tells it */
	if (pidfd == LINK_FD_LOST)
		note_failure(realm, "no descriptor is left for its process");
	if (pid < 0)
		forkserver_never_started(realm);
	else
		forkserver_started(realm, pid, tds_steal_fd(&pidfd));
	return true;
}

static bool op_parent_failed(struct realm *forker, const json_t *op)
{
	struct realm *realm = asked_for(forker, op);

	if (!traits(forker)->forks)
		return false;
	if (!realm)
		return true;
	note_failure(realm, json_string_value(json_object_get(op, "error")));
	forkserver_never_started(realm);
	return true;
}

/* --- logging --- */

/* What the source's modules log while they are imported. */
static bool op_log(struct realm *realm, const json_t *op)
{
	return output_record(realm, NULL, op);
}

/* --- actors --- */

/* An actor of this source. NULL: none that is known. */
static struct actor *own_actor(const struct realm *realm, const json_t *op)
{
	json_int_t id = json_integer_value(json_object_get(op, "id"));
	struct actor *actor = actor_by_id(realm->engine, (uint64_t)id);

	return actor && actor->realm == realm ? actor : NULL;
}

static bool op_spawned(struct realm *realm, const json_t *op)
{
	struct actor *actor = own_actor(realm, op);
	json_int_t pid = json_integer_value(json_object_get(op, "pid"));

	/* The pid is told to people, and names who prints. It is never killed. */
	if (!actor || actor->pub.pid > 0 || pid <= 0 || pid > INT_MAX)
		return false;
	actor_spawned(actor, (pid_t)pid);
	return true;
}

static bool op_spawn_failed(struct realm *realm, const json_t *op)
{
	struct actor *actor = own_actor(realm, op);
	const char *kind = json_string_value(json_object_get(op, "kind"));
	const char *error = json_string_value(json_object_get(op, "error"));

	if (!actor || actor->pub.pid > 0)
		return false;
	actor->pub.traceback = log_traceback(realm, op);
	actor_fail(actor, failure_parse(kind, FAILURE_PROCESS),
		   error ? error : "no process could be started");
	actor->pub.traceback = NULL;
	actor_gone(actor);
	output_spawned(realm->output, 0);
	return true;
}

/* It forks one ahead while it has nothing else to do. */
static bool op_spare(struct realm *realm, const json_t *op)
{
	json_int_t pid = json_integer_value(json_object_get(op, "pid"));

	if (pid <= 0 || pid > INT_MAX)
		return false;
	strangers_expect(realm, (pid_t)pid);
	return true;
}

static bool op_gone(struct realm *realm, const json_t *op)
{
	struct actor *actor = own_actor(realm, op);
	const json_t *status = json_object_get(op, "status");

	if (actor && json_is_integer(status))
		actor_reaped(actor, (int)json_integer_value(status));
	return true;
}

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
	{ "spare", op_spare },
	{ "gone", op_gone },
	{ "log", op_log },
};

static enum link_verdict on_frame(void *ctx, enum frame_type type, const unsigned char *body,
				  size_t len)
{
	json_t *op = type == FRAME_CONTROL
			     ? json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL)
			     : NULL;
	const char *name = json_string_value(json_object_get(op, "op"));
	bool ok = name != NULL;

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			ok = ops[i].run(ctx, op);
	json_decref(op);
	return ok ? LINK_TAKEN : LINK_BROKEN;
}

static void on_caught_up(void *ctx)
{
	struct realm *realm = ctx;

	capabilities_tell(realm->engine, &realm->link);
}

static void on_ended(void *ctx)
{
	realm_kill(ctx);
}

const struct link_events sourceops_link = { .frame = on_frame,
					    .caught_up = on_caught_up,
					    .ended = on_ended };
