/* SPDX-License-Identifier: MIT */
/*
 * Messages between actors, and what an actor asks of the admin. The payload is opaque here; the sender is the
 * link that it came by.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "local.h"
#include "mem.h"
#include "wire.h"

#define MESSAGE_HEAD 13 /* u64 from, u32 realm, u8 encoding */

/* A large payload as a sealed memory file; -1: none could be made. */
static int payload_memfd(const struct payload *payload)
{
	int fd = tds_io_memfd("tds-message");

	if (fd >= 0 &&
	    (tds_io_write(fd, payload->data, payload->len) != 0 || tds_io_seal(fd) != 0)) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static void put_from(unsigned char *body, uint64_t from, uint32_t from_realm,
		     enum encoding encoding)
{
	wire_put64(body, from);
	wire_put32(body + 8, from_realm);
	body[12] = (unsigned char)encoding;
}

struct frame *message_frame(uint64_t from, uint32_t from_realm, const struct payload *payload)
{
	struct frame *frame;

	if (payload->len <= LINK_INLINE_MAX) {
		frame = frame_new(FRAME_MESSAGE, MESSAGE_HEAD + payload->len, -1);
		if (frame)
			memcpy(frame_body(frame) + MESSAGE_HEAD, payload->data, payload->len);
	} else {
		int fd = payload_memfd(payload);

		frame = fd < 0 ? NULL : frame_new(FRAME_MESSAGE_FD, MESSAGE_HEAD + 8, fd);
		if (frame)
			wire_put64(frame_body(frame) + MESSAGE_HEAD, payload->len);
	}
	if (frame)
		put_from(frame_body(frame), from, from_realm, payload->encoding);
	return frame;
}

/* What is behind the head of a message: the payload, or the size of the memory file that has it. */
struct parcel {
	bool in_fd;
	int fd; /* -1: inline */
	enum encoding encoding;
	const unsigned char *rest;
	size_t len;
};

void bury(struct engine *engine, uint64_t id, uint32_t realm, bool never)
{
	engine->graves[id % GRAVES] = (struct grave){ .id = id, .realm = realm, .never = never };
}

/*
 * A letter to the one who collects those that cannot be delivered, or nowhere. Returns the link that it waits on, if
 * any.
 */
static struct link *dead_letter(struct engine *engine, uint64_t to, uint32_t to_realm,
				uint64_t from, uint32_t from_realm, struct parcel *parcel)
{
	struct actor *handler = actor_by_id(engine, engine->dead_letters);

	/* From outside: who waits for an answer need not any more. */
	if (from_realm == 0 && from != 0)
		engine->events->undelivered(engine->ctx, from);
	if (!handler || handler->id == to) {
		tds_close_fd(&parcel->fd);
		return NULL;
	}
	struct frame *frame = frame_new(parcel->in_fd ? FRAME_DEAD_FD : FRAME_DEAD,
					12 + MESSAGE_HEAD + parcel->len, parcel->fd);
	if (!frame)
		return NULL;
	wire_put64(frame_body(frame), to);
	wire_put32(frame_body(frame) + 8, to_realm);
	put_from(frame_body(frame) + 12, from, from_realm, parcel->encoding);
	memcpy(frame_body(frame) + 12 + MESSAGE_HEAD, parcel->rest, parcel->len);
	link_send(&handler->link, frame);
	return &handler->link;
}

/* A message back to its sender: the actor that it was for never was. */
static struct link *return_message(struct actor *from, uint64_t to, struct parcel *parcel)
{
	struct frame *frame = frame_new(parcel->in_fd ? FRAME_RETURNED_FD : FRAME_RETURNED,
					9 + parcel->len, parcel->fd);

	if (frame) {
		wire_put64(frame_body(frame), to);
		frame_body(frame)[8] = (unsigned char)parcel->encoding;
		memcpy(frame_body(frame) + 9, parcel->rest, parcel->len);
	}
	link_send(&from->link, frame);
	return &from->link;
}

/* To an outside endpoint: a client that waits for an answer. */
static bool answer(struct engine *engine, uint64_t to, struct parcel *parcel)
{
	struct payload payload = { .encoding = parcel->encoding,
				   .data = parcel->rest,
				   .len = parcel->len };
	struct stat st;
	bool taken = false;

	if (!parcel->in_fd)
		return engine->events->answer(engine->ctx, to, &payload);
	if (fstat(parcel->fd, &st) != 0 || st.st_size == 0)
		return false;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, parcel->fd, 0);
	if (map == MAP_FAILED)
		return false;
	payload.data = map;
	payload.len = (size_t)st.st_size;
	taken = engine->events->answer(engine->ctx, to, &payload);
	(void)munmap(map, payload.len);
	if (taken)
		tds_close_fd(&parcel->fd);
	return taken;
}

/* To none that lives: to the outside, to whom it is a dead letter, or back. Returns the link that it waits on, if any. */
static struct link *route_elsewhere(struct actor *from, uint64_t to_id, const struct actor *to,
				    struct parcel *parcel)
{
	struct engine *engine = from->realm->engine;
	const struct grave *grave = &engine->graves[to_id % GRAVES];
	bool buried = !to && grave->id == to_id;

	if (to ? to->never : buried && grave->never)
		return return_message(from, to_id, parcel);
	if (!to && !buried && answer(engine, to_id, parcel))
		return NULL;
	return dead_letter(engine, to_id,
			   to       ? to->realm->number
			   : buried ? grave->realm
				    : 0,
			   from->id, from->realm->number, parcel);
}

/* Returns the link that it waits on, if any. */
static struct link *route(struct actor *from, uint64_t to_id, struct parcel *parcel)
{
	struct actor *to = actor_by_id(from->realm->engine, to_id);

	if (!to || to->state == ACTOR_FAILED)
		return route_elsewhere(from, to_id, to, parcel);
	struct frame *frame = frame_new(parcel->in_fd ? FRAME_MESSAGE_FD : FRAME_MESSAGE,
					MESSAGE_HEAD + parcel->len, parcel->fd);
	if (frame) {
		put_from(frame_body(frame), from->id, from->realm->number, parcel->encoding);
		memcpy(frame_body(frame) + MESSAGE_HEAD, parcel->rest, parcel->len);
	}
	link_send(&to->link, frame);
	direct_count(from, to);
	return &to->link;
}

/* Is it a memory file of that size which nobody can change any more? */
static bool is_sealed_file(int fd, uint64_t size)
{
	struct stat st;
	const int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & wanted) == wanted && fstat(fd, &st) == 0 && size > 0 &&
	       (uint64_t)st.st_size == size;
}

static bool take_message(struct actor *actor, enum frame_type type, const unsigned char *body,
			 size_t len)
{
	struct parcel parcel = { .in_fd = type == FRAME_MESSAGE_FD, .fd = -1 };
	uint64_t size;

	if (len < 9)
		return false;
	parcel.encoding = (enum encoding)body[8];
	parcel.rest = body + 9;
	parcel.len = size = len - 9;
	if (parcel.in_fd && parcel.len == 8) {
		parcel.fd = link_take_fd(&actor->link);
		size = wire_get64(parcel.rest);
	}
	/* What the host says of a size it may not have looked at. One behind a longer head might be no frame any more. */
	if (size > (uint64_t)actor->realm->engine->limits->settings->max_message ||
	    (parcel.in_fd ? !is_sealed_file(parcel.fd, size) : size > LINK_INLINE_MAX)) {
		tds_close_fd(&parcel.fd);
		return false;
	}
	struct link *link = route(actor, wire_get64(body), &parcel);
	if (link && link_is_full(link))
		link_wait_for(&actor->link, link);
	return true;
}

void tell_exit(struct engine *engine, uint64_t creator, const struct actor *actor)
{
	struct actor *parent = actor_by_id(engine, creator);
	char address[32];

	if (!parent)
		return;
	actor_address(actor, address);
	link_control(&parent->link,
		     json_pack("{s:s, s:s, s:b, s:b}", "op", "exited", "address", address, "never",
			       actor->state == ACTOR_FAILED, "system", actor->global));
}

/* What waited for an actor that is gone: back to its sender where it never was, else a dead letter. */
void return_queue(struct actor *actor)
{
	struct engine *engine = actor->realm->engine;
	struct frame *next;

	for (struct frame *f = link_take_queue(&actor->link); f; f = next) {
		const unsigned char *body = frame_body(f);
		enum frame_type type = frame_type(f);
		size_t len = f->len - (size_t)(body - f->data);

		next = f->next;
		if ((type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD) && f->sent == 0) {
			struct actor *from = actor_by_id(engine, wire_get64(body));
			struct parcel parcel = { .in_fd = type == FRAME_MESSAGE_FD,
						 .fd = f->fds[0],
						 .encoding = (enum encoding)body[12],
						 .rest = body + MESSAGE_HEAD,
						 .len = len - MESSAGE_HEAD };

			f->fds[0] = -1;
			if (actor->never && from)
				(void)return_message(from, actor->id, &parcel);
			else
				(void)dead_letter(engine, actor->id, actor->realm->number,
						  wire_get64(body), wire_get32(body + 8), &parcel);
		}
		frame_free(f);
	}
}

/* --- what an actor asks for --- */

static void create_refused(struct actor *actor, uint64_t id)
{
	char address[32];

	bury(actor->realm->engine, id, actor->realm->number, true);
	(void)snprintf(address, sizeof(address), "%u.%ju", actor->realm->number, (uintmax_t)id);
	link_control(&actor->link,
		     json_pack("{s:s, s:s, s:b}", "op", "exited", "address", address, "never", 1));
}

static bool op_create(struct actor *actor, const json_t *op)
{
	struct engine *engine = actor->realm->engine;
	uint64_t id = (uint64_t)json_integer_value(json_object_get(op, "id"));
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));
	const char *class_name = json_string_value(json_object_get(op, "class"));
	const char *name = json_string_value(json_object_get(op, "name"));
	const char *hash = json_string_value(json_object_get(op, "hash"));
	json_t *requirements = json_object_get(op, "requirements");
	char address[32];

	if (!class_name || !actor_takes_id(actor, id))
		return false;
	struct actor *made = name ? engine_find_name(engine, name) : NULL;
	struct realm *realm = hash ? realm_by_md5(engine, hash) : actor->realm;
	if (!made && realm && !realm->stopping)
		made = actor_create(realm, id, class_name, requirements, name, actor->id, NULL);
	if (!made)
		create_refused(actor, id);
	if (json_object_get(op, "ref")) {
		if (made)
			actor_address(made, address);
		else
			(void)snprintf(address, sizeof(address), "%u.%ju", actor->realm->number,
				       (uintmax_t)id);
		link_control(&actor->link, json_pack("{s:s, s:I, s:s}", "op", "named", "ref", ref,
						     "address", address));
	}
	return true;
}

static bool op_up(struct actor *actor, const json_t *op)
{
	(void)op;
	if (actor->state != ACTOR_STARTING)
		return false;
	actor->state = ACTOR_UP;
	link_uncork(&actor->link);
	actor->realm->engine->events->actor_up(actor->realm->engine->ctx, actor);
	return true;
}

static bool op_failed(struct actor *actor, const json_t *op)
{
	const char *kind = json_string_value(json_object_get(op, "kind"));
	const char *error = json_string_value(json_object_get(op, "error"));

	actor_fail(actor, kind ? kind : "init", error ? error : "could not be constructed");
	return true;
}

static bool op_ids(struct actor *actor, const json_t *op)
{
	(void)op;
	link_control(&actor->link,
		     json_pack("{s:s, s:o}", "op", "ids", "ids", actor_grant_ids(actor)));
	return true;
}

static bool op_done(struct actor *actor, const json_t *op)
{
	const json_t *ref = json_object_get(op, "ref");
	const char *error = json_string_value(json_object_get(op, "error"));
	bool ok = json_is_true(json_object_get(op, "ok"));

	if (!json_is_integer(ref))
		return false;
	actor->realm->engine->events->message_done(actor->realm->engine->ctx, actor,
						   (uint64_t)json_integer_value(ref),
						   ok      ? NULL
						   : error ? error
							   : "failed");
	return true;
}

static bool op_dead_letters(struct actor *actor, const json_t *op)
{
	struct engine *engine = actor->realm->engine;

	if (json_is_true(json_object_get(op, "on")))
		engine->dead_letters = actor->id;
	else if (engine->dead_letters == actor->id)
		engine->dead_letters = 0;
	return true;
}

static bool op_log(struct actor *actor, const json_t *op)
{
	struct engine *engine = actor->realm->engine;
	const char *text = json_string_value(json_object_get(op, "text"));

	if (!text)
		return false;
	engine->events->output(engine->ctx, actor->realm, actor, text, strlen(text));
	engine->events->logged(engine->ctx, actor, op);
	return true;
}

static bool op_shutdown(struct actor *actor, const json_t *op)
{
	(void)op;
	actor->realm->engine->events->shutdown_asked(actor->realm->engine->ctx);
	return true;
}

static const struct {
	const char *name;
	bool (*run)(struct actor *actor, const json_t *op);
} ops[] = {
	{ "up", op_up },         { "failed", op_failed },
	{ "create", op_create }, { "ids", op_ids },
	{ "done", op_done },     { "deadletters", op_dead_letters },
	{ "log", op_log },       { "shutdown", op_shutdown },
	{ "linked", op_linked }, { "switched", op_switched },
};

static bool take_control(struct actor *actor, const unsigned char *body, size_t len)
{
	json_t *op = json_loadb((const char *)body, len, JSON_ALLOW_NUL, NULL);
	const char *name = json_string_value(json_object_get(op, "op"));
	bool ok = name != NULL;

	for (size_t i = 0; name && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(name, ops[i].name) == 0)
			ok = ops[i].run(actor, op);
	json_decref(op);
	return ok;
}

static bool on_frame(void *ctx, enum frame_type type, const unsigned char *body, size_t len)
{
	if (type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD)
		return take_message(ctx, type, body, len);
	return type == FRAME_CONTROL && take_control(ctx, body, len);
}

static void on_ended(void *ctx)
{
	/* The end of a process is what its pidfd says. One that only closed its link can do no more good. */
	actor_kill(ctx);
}

const struct link_events actor_link_events = { .frame = on_frame, .ended = on_ended };
