/* SPDX-License-Identifier: MIT */
/* The life of an actor: asked for, up, gone. Gone means that its pidfd says so, whatever else ended before. */
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/mem.h"
#include "base/text.h"
#include "local.h"

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = ((const struct actor *)a)->id;
	uint64_t y = ((const struct actor *)b)->id;

	return x < y ? -1 : x > y;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct actor *)a)->name, ((const struct actor *)b)->name);
}

struct actor *actor_by_id(struct local *engine, uint64_t id)
{
	struct actor key = { .id = id };
	struct actor **found = tfind(&key, &engine->actors_by_id, compare_ids);

	return found ? *found : NULL;
}

struct actor *find_name(struct local *engine, const char *global_name)
{
	struct actor key = { .name = (char *)(uintptr_t)global_name };
	struct actor **found = tfind(&key, &engine->actors_by_name, compare_names);

	return found ? *found : NULL;
}

struct engine_actor *actor_find(struct local *engine, const char *address)
{
	const char *dot = strchr(address, '.');
	uint64_t realm;
	uint64_t id;

	if (!dot || !tds_parse_uint(address, (size_t)(dot - address), UINT32_MAX, &realm) ||
	    !tds_parse_uint(dot + 1, strlen(dot + 1), UINT64_MAX, &id))
		return NULL;
	struct actor *actor = actor_by_id(engine, id);
	return actor && actor->realm->number == realm ? &actor->pub : NULL;
}

static void drop_name(struct actor *actor)
{
	if (!actor->name)
		return;
	(void)tdelete(actor, &actor->realm->engine->actors_by_name, compare_names);
	free(actor->name);
	actor->name = NULL;
}

bool set_name(struct local *engine, const char *global_name, struct actor *actor)
{
	struct actor *before = find_name(engine, global_name);
	char *name;

	if (before == actor)
		return true;
	/* An actor that ends would keep the name beyond its own end. */
	if (actor && actor->left)
		return false;
	if (before)
		drop_name(before);
	if (!actor)
		return true;
	drop_name(actor);
	name = strdup(global_name);
	actor->name = name;
	if (!name || !tsearch(actor, &engine->actors_by_name, compare_names)) {
		free(name);
		actor->name = NULL;
		return false;
	}
	return true;
}

json_t *actor_grant_ids(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	memcpy(actor->ids[1], actor->ids[0], sizeof(actor->ids[0]));
	actor->ids[0][0] = engine->next_id;
	engine->next_id += IDS_IN_A_BLOCK;
	actor->ids[0][1] = engine->next_id;
	return json_pack("[I, I]", (json_int_t)actor->ids[0][0], (json_int_t)actor->ids[0][1]);
}

bool actor_takes_id(struct actor *actor, uint64_t id)
{
	for (int i = 0; i < 2; i++) {
		if (id >= actor->ids[i][0] && id < actor->ids[i][1]) {
			actor->ids[i][0] = id + 1;
			return true;
		}
	}
	return false;
}

static json_t *parent_address(struct actor *actor)
{
	struct actor *creator =
		actor->global ? NULL : actor_by_id(actor->realm->engine, actor->creator);

	return creator ? json_string(creator->pub.address) : json_null();
}

static void close_pair(int fds[2])
{
	tds_close_fd(&fds[0]);
	tds_close_fd(&fds[1]);
}

/* Its link and, where it is piped, its output. A pidfd is still to come for each actor that was asked for. */
static bool open_pairs(const struct local *engine, bool piped, int ends[2], int out[2])
{
	ends[0] = ends[1] = out[0] = out[1] = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 &&
	    (!piped || pipe2(out, O_CLOEXEC) == 0) &&
	    descriptors_suffice(piped ? out[1] : ends[1], engine->npromised + 1))
		return true;
	close_pair(ends);
	close_pair(out);
	return false;
}

/* Both ends of its link and of its output; the host's ends go with the spawn. */
static bool open_channels(struct actor *actor, json_t *requirements)
{
	struct local *engine = actor->realm->engine;
	/* What a guest prints goes where its program prints. */
	bool piped = !actor->realm->pub.of_program;
	int ends[2];
	int out[2];

	if (!open_pairs(engine, piped, ends, out))
		return false;
	json_t *op = json_pack("{s:s, s:I, s:s, s:O?, s:s?, s:o, s:o, s:b}", "op", "spawn", "id",
			       (json_int_t)actor->id, "class", actor->class_name, "requirements",
			       requirements, "name", actor->name, "parent", parent_address(actor),
			       "ids", actor_grant_ids(actor), "output", piped);
	struct frame *spawn = frame_control(op);
	frame_add_fd(spawn, ends[1]);
	if (piped) {
		frame_add_fd(spawn, out[1]);
		actor->output = output_new(actor->realm, actor, out[0]);
	}
	if (!link_init(&actor->link, engine->base, ends[0], &actor_link_events, actor) ||
	    (piped && !actor->output) || !spawn) {
		frame_free(spawn);
		return false;
	}
	actor->promised = true;
	engine->npromised++;
	link_send(&actor->realm->link, spawn);
	return true;
}

/* Frames for it wait, as with one that is starting. */
static bool wait_for_realm(struct actor *actor, json_t *requirements)
{
	actor->link = (struct link){ .fd = -1, .corked = true };
	actor->link.last = &actor->link.first;
	actor->requirements = json_incref(requirements);
	return true;
}

bool actor_begin(struct actor *actor)
{
	struct frame *waiting = link_take_queue(&actor->link);

	link_fini(&actor->link);
	bool ok = open_channels(actor, actor->requirements);
	actor->link.corked = true;
	for (struct frame *f = waiting, *next; f; f = next) {
		next = f->next;
		f->next = NULL;
		link_send(&actor->link, f);
	}
	return ok;
}

static void unlink_actor(struct actor *actor)
{
	(void)tdelete(actor, &actor->realm->engine->actors_by_id, compare_ids);
	*actor->self = actor->next;
	if (actor->next)
		actor->next->self = actor->self;
}

static void pidfd_came(struct actor *actor)
{
	actor->realm->engine->npromised -= actor->promised;
	actor->promised = false;
}

static void actor_free(struct actor *actor)
{
	pidfd_came(actor);
	link_fini(&actor->link);
	output_free(actor->output);
	if (actor->exited)
		event_free(actor->exited);
	tds_close_fd(&actor->pidfd);
	json_decref(actor->requirements);
	free(actor->class_name);
	free(actor);
}

/* An actor whose creation failed half way: who asked for it is told by that, and nobody else knows of it. */
static void discard(struct actor *actor)
{
	drop_name(actor);
	unlink_actor(actor);
	actor_free(actor);
}

struct actor *actor_create(struct realm *realm, uint64_t id, const char *class_name,
			   json_t *requirements, const char *name, uint64_t creator, void *owner)
{
	struct local *engine = realm->engine;
	/* No parent, no child: it would wait for ever. */
	bool possible = !realm->stopping && (realm->pid > 0 || realm->pending);
	struct actor *actor = possible ? calloc(1, sizeof(*actor)) : NULL;

	if (!actor)
		return NULL;
	*actor = (struct actor){ .id = id,
				 .realm = realm,
				 .creator = creator,
				 .global = name != NULL,
				 .pidfd = -1,
				 .pub = { .owner = owner, .source = &realm->pub },
				 .link = { .fd = -1, .ended = true } };
	(void)snprintf(actor->pub.address, ENGINE_ADDRESS_MAX, "%u.%ju", realm->number,
		       (uintmax_t)id);
	actor->class_name = strdup(class_name);
	actor->next = realm->actors;
	actor->self = &realm->actors;
	if (actor->next)
		actor->next->self = &actor->next;
	realm->actors = actor;
	if (!actor->class_name || !tsearch(actor, &engine->actors_by_id, compare_ids) ||
	    (name && !set_name(engine, name, actor)) ||
	    !(realm->pending ? wait_for_realm(actor, requirements)
			     : open_channels(actor, requirements))) {
		discard(actor);
		return NULL;
	}
	/* What comes now waits: should the actor never come up, it goes back to its senders. */
	actor->link.corked = true;
	return actor;
}

/* Its process is gone. How, only the parent can say, which is told a little later than we are. */
static void on_exited(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval patience = { .tv_usec = 200000 };
	struct actor *actor = arg;

	(void)fd;
	if (actor->told || (what & EV_TIMEOUT) || actor->realm->pid <= 0 ||
	    event_assign(actor->exited, actor->realm->engine->base, -1, 0, on_exited, actor) != 0 ||
	    event_add(actor->exited, &patience) != 0)
		actor_gone(actor);
	else
		actor->dead = true;
}

void actor_reaped(struct actor *actor, int status)
{
	actor->told = true;
	actor->status = status;
	if (actor->dead)
		actor_gone(actor);
}

void actor_spawned(struct actor *actor, pid_t pid, int pidfd)
{
	pidfd_came(actor);
	actor->pub.pid = pid;
	actor->pidfd = pidfd;
	actor->exited = event_new(actor->realm->engine->base, pidfd, EV_READ, on_exited, actor);
	/* One that has broken a rule before it could be killed is killed now. */
	if (!actor->exited || event_add(actor->exited, NULL) != 0 || actor->link.ended)
		actor_kill(actor);
	else if (actor->exiting && actor->realm->stopping)
		actor_exit(actor);
}

/* Nobody would be told of its end, so it may not begin. Its parent kills it, and says when it is gone. */
void actor_unwatched(struct actor *actor)
{
	pidfd_came(actor);
	actor_fail(actor, "process", "no descriptor is left for the actor's process");
	link_control(&actor->realm->link,
		     json_pack("{s:s, s:I}", "op", "kill", "id", (json_int_t)actor->id));
}

void actor_fail(struct actor *actor, const char *kind, const char *error)
{
	if (actor->state != ACTOR_STARTING)
		return;
	actor->state = ACTOR_FAILED;
	actor->never = strcmp(kind, "import") == 0 || strcmp(kind, "capability") == 0 ||
		       strcmp(kind, "source") == 0 || strcmp(kind, "class") == 0;
	guest_creation_ended(actor, kind, error);
	actor->realm->engine->events->actor_failed(actor->realm->engine->ctx, &actor->pub, error);
}

/* To other actors it is over, while its process still has to end. */
void actor_leave(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	if (actor->left)
		return;
	actor->left = true;
	actor->pub.up = false;
	directs_end(actor);
	tell_exit(engine, actor->creator, actor);
	drop_name(actor);
	if (engine->dead_letters == actor->id)
		engine->dead_letters = 0;
}

/* For people, as far as it is known. */
static void describe_ending(struct actor *actor)
{
	const char *when = actor->state == ACTOR_UP ? "" : " before it was ready";
	char *text = actor->pub.ending;

	if (!actor->told)
		(void)snprintf(text, ENGINE_ENDING_MAX, "exited%s", when);
	else if (actor->status < 0)
		(void)snprintf(text, ENGINE_ENDING_MAX, "killed by signal %d%s", -actor->status,
			       when);
	else
		(void)snprintf(text, ENGINE_ENDING_MAX, "exited with status %d%s", actor->status,
			       when);
}

/* Its process is gone, or there never was one. */
void actor_gone(struct actor *actor)
{
	struct local *engine = actor->realm->engine;

	/* What it sent and printed before it went still counts. */
	if (actor->link.fd >= 0)
		link_drain(&actor->link);
	describe_ending(actor);
	actor_fail(actor, "exit", actor->pub.ending);
	/* First it leaves: what its end sets in motion must neither find it by its name nor give it one. */
	actor_leave(actor);
	engine->events->actor_exited(engine->ctx, &actor->pub);
	unlink_actor(actor);
	bury(engine, actor->id, actor->realm->number, actor->never);
	return_queue(actor);
	struct realm *realm = actor->realm;
	actor_free(actor);
	realm_forget(realm);
}

void actor_deliver(struct actor *actor, const struct engine_message *message)
{
	const struct payload *payload = &message->payload;
	char encoding[2] = { (char)payload->encoding, '\0' };

	if (message->ref == 0)
		link_send(&actor->link, message_frame(message->endpoint, 0, payload));
	else
		link_control(&actor->link,
			     json_pack("{s:s, s:I, s:s, s:s%}", "op", "message", "ref",
				       (json_int_t)message->ref, "enc", encoding, "text",
				       payload->data, payload->len));
}

void actor_exit(struct actor *actor)
{
	actor->exiting = true;
	link_control(&actor->link, json_pack("{s:s, s:b}", "op", "exit", "recursive", 1));
}

void actor_kill(struct actor *actor)
{
	actor->exiting = true;
	if (actor->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, actor->pidfd, SIGKILL, NULL, 0);
}
