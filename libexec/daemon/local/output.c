/* SPDX-License-Identifier: MIT */
/*
 * What processes of a source print, line by line. All of them write to one socket, the standard output of the source's
 * process, which its actors inherit; the kernel says of each piece which process wrote it.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "local.h"
#include "proc.h"

#define PARTIALS 32 /* unfinished lines; one more, and the oldest is taken as it is */
#define PIECES_IN_A_TURN 16
#define ANCESTORS 16 /* between a program that writes and the actor that it came from */
#define SPAWN_PATIENCE_MS 500

/* An unfinished line of an actor, with the programs that it runs. */
struct partial {
	uint64_t actor; /* 0: the source's own process */
	size_t len;
	char *text; /* of LINE_MAX_BYTES; NULL: the slot is free */
};

/* What one process wrote, as far as it was read at once. */
struct piece {
	pid_t pid;
	size_t len;
	char text[LINE_MAX_BYTES];
};

struct output {
	int fd;
	struct realm *realm;
	struct event *readable;
	struct event *patience; /* with the piece that waits */
	struct piece *waiting;  /* of a process that may be an actor whose `spawned` is under way */
	uint64_t last_actor;    /* that wrote; 0: none */
	size_t oldest;          /* of partials */
	struct partial partials[PARTIALS];
};

/* --- who wrote it --- */

/* NULL: the source's own process, or an actor that is gone. */
static struct actor *actor_of_id(const struct output *o, uint64_t id)
{
	struct actor *actor = o->realm->actors;

	while (actor && actor->bearer.id != id)
		actor = actor->next;
	return actor;
}

static struct actor *actor_of_pid(struct output *o, pid_t pid)
{
	struct actor *actor = actor_of_id(o, o->last_actor);

	if (!actor || actor->pub.pid != pid)
		for (actor = o->realm->actors; actor && actor->pub.pid != pid;)
			actor = actor->next;
	o->last_actor = actor ? actor->bearer.id : 0;
	return actor;
}

static bool is_spawning(const struct realm *realm)
{
	for (const struct actor *a = realm->actors; a; a = a->next)
		if (a->pub.pid == 0)
			return true;
	return false;
}

/*
 * The actor that a process belongs to: itself, or the nearest ancestor that is one. NULL: the source's own process, or
 * nobody that is still there; *unsure: a child of the source's process that is about to be known as an actor.
 */
static struct actor *actor_of_writer(struct output *o, pid_t pid, bool *unsure)
{
	*unsure = false;
	for (int i = 0; pid > 1 && pid != o->realm->pid && i < ANCESTORS; i++) {
		struct actor *actor = actor_of_pid(o, pid);
		pid_t parent = actor ? 0 : proc_parent(pid);

		if (actor)
			return actor;
		*unsure = parent == o->realm->pid && is_spawning(o->realm);
		pid = parent;
	}
	return NULL;
}

/* --- lines --- */

static void emit(struct output *o, struct actor *actor, const char *text, size_t len)
{
	struct local *engine = o->realm->engine;

	if (!actor) {
		free(o->realm->last_line);
		o->realm->last_line = strndup(text, len);
	}
	engine->events->output(engine->ctx, &o->realm->pub, actor ? &actor->pub : NULL,
			       OUTPUT_PRINTED, text, len);
}

static void finish_line(struct output *o, struct partial *partial)
{
	struct partial line = *partial;

	*partial = (struct partial){ 0 };
	if (line.text)
		emit(o, actor_of_id(o, line.actor), line.text, line.len);
	free(line.text);
}

static struct partial *find_partial(struct output *o, uint64_t actor)
{
	for (size_t i = 0; i < PARTIALS; i++)
		if (o->partials[i].text && o->partials[i].actor == actor)
			return &o->partials[i];
	return NULL;
}

/* Slots are used in turn. NULL: out of memory. */
static struct partial *new_partial(struct output *o, uint64_t actor)
{
	struct partial *partial = &o->partials[o->oldest++ % PARTIALS];

	finish_line(o, partial);
	*partial = (struct partial){ .actor = actor, .text = malloc(LINE_MAX_BYTES) };
	return partial->text ? partial : NULL;
}

/* A part of a line that is shorter than the longest, whole: its end. */
static void take_part(struct output *o, struct actor *actor, const char *text, size_t len,
		      bool whole)
{
	uint64_t id = actor ? actor->bearer.id : 0;
	struct partial *partial = find_partial(o, id);

	if (!partial && !whole)
		partial = new_partial(o, id);
	if (!partial) {
		emit(o, actor, text, len);
		return;
	}
	size_t n = len < LINE_MAX_BYTES - partial->len ? len : LINE_MAX_BYTES - partial->len;
	memcpy(partial->text + partial->len, text, n);
	partial->len += n;
	if (whole || partial->len == LINE_MAX_BYTES)
		finish_line(o, partial);
	if (n < len)
		take_part(o, actor, text + n, len - n, whole);
}

static void take_piece(struct output *o, struct actor *actor, const struct piece *piece)
{
	const char *p = piece->text;
	size_t left = piece->len;

	while (left > 0) {
		const char *end = memchr(p, '\n', left);
		size_t n = end ? (size_t)(end - p) : left;

		take_part(o, actor, p, n, end != NULL);
		p += n + (end != NULL);
		left -= n + (end != NULL);
	}
}

/* --- reading --- */

/* Read what one process wrote. Its credentials fill the room there is: a descriptor that it sends is not taken. */
static ssize_t read_piece(int fd, struct piece *piece)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { .iov_base = piece->text, .iov_len = sizeof(piece->text) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	piece->pid = 0;
	piece->len = n > 0 ? (size_t)n : 0;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
		struct ucred who;

		memcpy(&who, CMSG_DATA(c), sizeof(who));
		piece->pid = who.pid;
	}
	return n;
}

/* A piece waits until the source's process has said whose it is: it says so next, or has other things to do. */
static bool wait_for_spawned(struct output *o, const struct piece *piece)
{
	static const struct timeval patience = { .tv_usec = SPAWN_PATIENCE_MS * 1000 };
	struct piece *copy = malloc(sizeof(*copy));

	if (!copy || evtimer_add(o->patience, &patience) != 0) {
		free(copy);
		return false;
	}
	*copy = *piece;
	o->waiting = copy;
	(void)event_del(o->readable);
	return true;
}

/* Returns how many bytes were read, 0 or less: there are no more. last: nobody is waited for any more. */
static ssize_t read_output(struct output *o, bool last)
{
	struct piece piece;
	bool unsure;
	ssize_t n = read_piece(o->fd, &piece);

	if (n == 0)
		(void)event_del(o->readable);
	if (n <= 0)
		return n;
	struct actor *actor = actor_of_writer(o, piece.pid, &unsure);
	if (unsure && !last && wait_for_spawned(o, &piece))
		return 0;
	take_piece(o, actor, &piece);
	return n;
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (int i = 0; i < PIECES_IN_A_TURN && read_output(arg, false) > 0; i++)
		continue;
}

/* Take the piece that waited, and read on. */
static void resume(struct output *o)
{
	struct piece *piece = o->waiting;
	bool unsure;

	if (!piece)
		return;
	o->waiting = NULL;
	(void)event_del(o->patience);
	(void)event_add(o->readable, NULL);
	take_piece(o, actor_of_writer(o, piece->pid, &unsure), piece);
	free(piece);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	resume(arg);
}

void output_spawned(struct output *o, pid_t pid)
{
	if (o && o->waiting && (o->waiting->pid == pid || !is_spawning(o->realm)))
		resume(o);
}

/* --- records --- */

bool output_record(struct realm *realm, struct actor *actor, const json_t *op)
{
	struct local *engine = realm->engine;
	struct engine_actor *pub = actor ? &actor->pub : NULL;
	const char *text = json_string_value(json_object_get(op, "text"));
	json_int_t level = json_integer_value(json_object_get(op, "level"));

	if (!text)
		return false;
	engine->events->output(engine->ctx, &realm->pub, pub,
			       level > 0 && level <= INT_MAX ? (int)level : OUTPUT_PRINTED, text,
			       strlen(text));
	engine->events->logged(engine->ctx, pub, op);
	return true;
}

/* --- its life --- */

/* What was written until now, and no more: others go on. */
static void drain(struct output *o)
{
	int queued = 0;

	resume(o);
	(void)ioctl(o->fd, FIONREAD, &queued);
	for (ssize_t n = 1; queued > 0 && n > 0; queued -= (int)n)
		n = read_output(o, true);
}

void output_actor_gone(struct output *o, const struct actor *actor)
{
	if (!o)
		return;
	drain(o);
	struct partial *partial = find_partial(o, actor->bearer.id);
	if (partial)
		finish_line(o, partial);
}

bool output_open(struct realm *realm, int *host_end)
{
	struct output *o = calloc(1, sizeof(*o));
	int ends[2];

	if (!o || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		free(o);
		return false;
	}
	*o = (struct output){ .fd = ends[0], .realm = realm };
	*host_end = ends[1];
	realm->output = o;
	o->readable = event_new(realm->engine->base, o->fd, EV_READ | EV_PERSIST, on_output, o);
	o->patience = evtimer_new(realm->engine->base, on_patience, o);
	return o->readable && o->patience && evutil_make_socket_nonblocking(o->fd) == 0 &&
	       setsockopt(o->fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == 0 &&
	       event_add(o->readable, NULL) == 0;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	if (o->readable && o->patience)
		drain(o);
	for (size_t i = 0; i < PARTIALS; i++)
		finish_line(o, &o->partials[i]);
	if (o->readable)
		event_free(o->readable);
	if (o->patience)
		event_free(o->patience);
	(void)close(o->fd);
	free(o);
}
