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

#include "base/io.h"
#include "base/mem.h"
#include "local.h"
#include "sources.h"
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

void bury(struct local *engine, uint64_t id, uint32_t realm, bool never)
{
	engine->graves[id % GRAVES] = (struct grave){ .id = id, .realm = realm, .never = never };
}

/*
 * A letter to the one who collects those that cannot be delivered, or nowhere. Returns the link that it waits on, if
 * any.
 */
static struct link *dead_letter(struct local *engine, uint64_t to, uint32_t to_realm, uint64_t from,
				uint32_t from_realm, struct parcel *parcel)
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

static bool may_change(const struct sender *from)
{
	const struct realm *realm = from->engine->realms;

	while (realm && realm->number != from->realm)
		realm = realm->next;
	return realm && !guest_is_foreign(realm);
}

static bool to_outside(const struct sender *from, uint64_t to, const struct payload *payload)
{
	const struct local *engine = from->engine;

	if (to != DIRECTOR_ID)
		return engine->events->answer(engine->ctx, to, payload);
	/* One that does not take its answers gets no more. */
	if (!link_is_full(from->link))
		engine->events->director_asked(engine->ctx, from->id, may_change(from), payload);
	return true;
}

void post(struct local *engine, uint64_t from, uint64_t to, const struct payload *payload)
{
	struct actor *actor = actor_by_id(engine, to);
	uint32_t realm;
	struct link *link = actor ? &actor->link : guest_endpoint_link(engine, to, &realm);

	if (link)
		link_send(link, message_frame(from, 0, payload));
}

/* To an outside endpoint: a client that waits for an answer, or the Director. */
static bool answer(const struct sender *from, uint64_t to, struct parcel *parcel)
{
	struct payload payload = { .encoding = parcel->encoding,
				   .data = parcel->rest,
				   .len = parcel->len };
	struct stat st;
	bool taken = false;

	if (!parcel->in_fd)
		return to_outside(from, to, &payload);
	if (fstat(parcel->fd, &st) != 0 || st.st_size == 0)
		return false;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, parcel->fd, 0);
	if (map == MAP_FAILED)
		return false;
	payload.data = map;
	payload.len = (size_t)st.st_size;
	taken = to_outside(from, to, &payload);
	(void)munmap(map, payload.len);
	if (taken)
		tds_close_fd(&parcel->fd);
	return taken;
}

static struct link *forward(const struct sender *from, struct link *to, struct parcel *parcel)
{
	struct frame *frame = frame_new(parcel->in_fd ? FRAME_MESSAGE_FD : FRAME_MESSAGE,
					MESSAGE_HEAD + parcel->len, parcel->fd);

	if (frame) {
		put_from(frame_body(frame), from->id, from->realm, parcel->encoding);
		memcpy(frame_body(frame) + MESSAGE_HEAD, parcel->rest, parcel->len);
	}
	link_send(to, frame);
	return to;
}

/* To none that lives: to the outside, to whom it is a dead letter, or back. Returns the link that it waits on, if any. */
static struct link *route_elsewhere(const struct sender *from, uint64_t to_id,
				    const struct actor *to, struct parcel *parcel)
{
	struct local *engine = from->engine;
	const struct grave *grave = &engine->graves[to_id % GRAVES];
	bool buried = !to && grave->id == to_id;
	uint32_t realm = to ? to->realm->number : buried ? grave->realm : 0;
	struct link *program = to || buried ? NULL : guest_endpoint_link(engine, to_id, &realm);

	if (from->actor && (to ? to->never : buried && grave->never))
		return return_message(from->actor, to_id, parcel);
	/* A program reads when it wants an answer, not before: its actors need not wait for that. */
	if (program)
		return forward(from, program, parcel)->queued >= ENDPOINT_QUEUE_FULL ? program
										     : NULL;
	if (!to && !buried && answer(from, to_id, parcel))
		return NULL;
	guest_target_dead(engine, from->id, to_id);
	return dead_letter(engine, to_id, realm, from->id, from->realm, parcel);
}

/* Returns the link that it waits on, if any. */
static struct link *route(const struct sender *from, uint64_t to_id, struct parcel *parcel)
{
	struct actor *to = actor_by_id(from->engine, to_id);

	if (!to || to->state == ACTOR_FAILED || to->left)
		return route_elsewhere(from, to_id, to, parcel);
	(void)forward(from, &to->link, parcel);
	if (from->actor)
		direct_count(from->actor, to);
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

/* The reserve of descriptors is used up. The sender has done nothing wrong. */
static void say_lost(const struct sender *from)
{
	static const char text[] = "a large message is lost: no descriptor is left to take it";
	const struct local *engine = from->engine;

	if (from->actor)
		engine->events->output(engine->ctx, &from->actor->realm->pub, &from->actor->pub,
				       text, strlen(text));
}

bool take_message(const struct sender *from, enum frame_type type, const unsigned char *body,
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
		parcel.fd = link_take_fd(from->link);
		size = wire_get64(parcel.rest);
	}
	if (parcel.fd == LINK_FD_LOST) {
		say_lost(from);
		return true;
	}
	/* What the host says of a size it may not have looked at. One behind a longer head might be no frame any more. */
	if (size > (uint64_t)from->engine->config->settings->max_message ||
	    (parcel.in_fd ? !is_sealed_file(parcel.fd, size) : size > LINK_INLINE_MAX)) {
		tds_close_fd(&parcel.fd);
		return false;
	}
	struct link *link = route(from, wire_get64(body), &parcel);
	if (link && link_is_full(link))
		link_wait_for(from->link, link);
	return true;
}

void tell_exit(struct local *engine, uint64_t creator, const struct actor *actor)
{
	struct actor *parent = actor_by_id(engine, creator);

	if (!parent)
		return;
	link_control(&parent->link,
		     json_pack("{s:s, s:s, s:b, s:b}", "op", "exited", "address",
			       actor->pub.address, "never", actor->state == ACTOR_FAILED, "system",
			       actor->global));
}

/* What waited for an actor that is gone: back to its sender where it never was, else a dead letter. */
void return_queue(struct actor *actor)
{
	struct local *engine = actor->realm->engine;
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
			if (actor->never && from) {
				(void)return_message(from, actor->id, &parcel);
			} else {
				guest_target_dead(engine, wire_get64(body), actor->id);
				(void)dead_letter(engine, actor->id, actor->realm->number,
						  wire_get64(body), wire_get32(body + 8), &parcel);
			}
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
	link_control(&actor->link, json_pack("{s:s, s:s, s:b, s:b}", "op", "exited", "address",
					     address, "never", 1, "refused", 1));
}

static bool op_create(struct actor *actor, const json_t *op)
{
	struct local *engine = actor->realm->engine;
	uint64_t id = (uint64_t)json_integer_value(json_object_get(op, "id"));
	json_int_t ref = json_integer_value(json_object_get(op, "ref"));
	const char *class_name = json_string_value(json_object_get(op, "class"));
	const char *name = json_string_value(json_object_get(op, "name"));
	const char *hash = json_string_value(json_object_get(op, "hash"));
	json_t *requirements = json_object_get(op, "requirements");
	char address[32];

	if (!class_name || !actor_takes_id(actor, id))
		return false;
	if (name && strcmp(name, DIRECTOR_NAME) == 0) {
		link_control(&actor->link, json_pack("{s:s, s:I, s:s}", "op", "named", "ref", ref,
						     "address", DIRECTOR_ADDRESS));
		return true;
	}
	struct actor *made = name ? find_name(engine, name) : NULL;
	struct realm *realm = hash ? source_realm(actor->realm, hash) : actor->realm;
	bool allowed = realm &&
		       (realm_origin(realm) == realm_origin(actor->realm) ||
			!guest_is_foreign(actor->realm)) &&
		       (!name || guest_may_name(actor->realm, name));
	if (!made && allowed && !realm->stopping)
		made = actor_create(realm, id, class_name, requirements, name, actor->id, NULL);
	if (!made)
		create_refused(actor, id);
	if (json_object_get(op, "ref")) {
		if (made)
			(void)snprintf(address, sizeof(address), "%s", made->pub.address);
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
	actor->pub.up = true;
	link_uncork(&actor->link);
	guest_creation_ended(actor, NULL, NULL);
	actor->realm->engine->events->actor_up(actor->realm->engine->ctx, &actor->pub);
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
	actor->realm->engine->events->message_done(actor->realm->engine->ctx, &actor->pub,
						   (uint64_t)json_integer_value(ref),
						   ok      ? NULL
						   : error ? error
							   : "failed");
	return true;
}

static bool op_dead_letters(struct actor *actor, const json_t *op)
{
	struct local *engine = actor->realm->engine;

	if (guest_is_foreign(actor->realm))
		return true;
	if (json_is_true(json_object_get(op, "on")))
		engine->dead_letters = actor->id;
	else if (engine->dead_letters == actor->id)
		engine->dead_letters = 0;
	return true;
}

static bool op_log(struct actor *actor, const json_t *op)
{
	struct local *engine = actor->realm->engine;
	const char *text = json_string_value(json_object_get(op, "text"));

	if (!text)
		return false;
	engine->events->output(engine->ctx, &actor->realm->pub, &actor->pub, text, strlen(text));
	engine->events->logged(engine->ctx, &actor->pub, op);
	return true;
}

static bool op_shutdown(struct actor *actor, const json_t *op)
{
	(void)op;
	if (guest_is_foreign(actor->realm))
		return true;
	actor->realm->engine->events->shutdown_asked(actor->realm->engine->ctx);
	return true;
}

static bool op_leaving(struct actor *actor, const json_t *op)
{
	(void)op;
	actor_leave(actor);
	return true;
}

static bool op_status(struct actor *actor, const json_t *op)
{
	(void)op;
	link_control(&actor->link, status_of(actor->realm));
	return true;
}

static bool op_capability(struct actor *actor, const json_t *op)
{
	const char *name = json_string_value(json_object_get(op, "name"));

	if (name && !guest_is_foreign(actor->realm))
		set_capability(actor->realm->engine, name,
			       json_string_value(json_object_get(op, "value")));
	return name != NULL;
}

static const struct {
	const char *name;
	bool (*run)(struct actor *actor, const json_t *op);
} ops[] = {
	{ "up", op_up },
	{ "failed", op_failed },
	{ "leaving", op_leaving },
	{ "create", op_create },
	{ "ids", op_ids },
	{ "done", op_done },
	{ "deadletters", op_dead_letters },
	{ "log", op_log },
	{ "shutdown", op_shutdown },
	{ "linked", op_linked },
	{ "switched", op_switched },
	{ "status", op_status },
	{ "capability", op_capability },
	{ "authority", source_op_authority },
	{ "load", source_op_load },
	{ "validated", source_op_validated },
	{ "unload", source_op_unload },
	{ "sources", source_op_watch },
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
	struct actor *actor = ctx;
	const struct sender from = { .engine = actor->realm->engine,
				     .actor = actor,
				     .id = actor->id,
				     .realm = actor->realm->number,
				     .link = &actor->link };

	if (type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD)
		return take_message(&from, type, body, len);
	return type == FRAME_CONTROL && take_control(actor, body, len);
}

static void on_ended(void *ctx)
{
	/* The end of a process is what the source's process says. One that only closed its link can do no more good. */
	actor_kill(ctx);
}

const struct link_events actor_link_events = { .frame = on_frame, .ended = on_ended };
