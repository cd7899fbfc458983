/* SPDX-License-Identifier: MIT */
/*
 * Messages between actors, and what an actor asks of the admin. The payload is opaque here; the sender is the
 * link that it came by.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "daemon/base/charge.h"
#include "daemon/base/random.h"
#include "parcel.h"
#include "base/wire.h"

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

static void mark(struct frame *frame)
{
	frame_body(frame)[12] |= MESSAGE_COMMANDS;
}

/* From an address of realm 0, which every actor obeys. */
static struct frame *message_frame(uint64_t from, const struct payload *payload)
{
	struct frame *frame;

	if (payload->len <= LINK_INLINE_MAX) {
		frame = frame_new(FRAME_MESSAGE, MESSAGE_HEAD + payload->len, -1);
		if (frame)
			memcpy(frame_body(frame) + MESSAGE_HEAD, payload->data, payload->len);
	} else {
		int fd = payload_memfd(payload);

		frame = fd < 0 ? NULL : frame_new(FRAME_MESSAGE_FD, MESSAGE_HEAD + 8, fd);
		if (frame) {
			wire_put64(frame_body(frame) + MESSAGE_HEAD, payload->len);
			frame->lent = payload->len;
		}
	}
	if (frame) {
		frame->charge = charge_ref(payload->charge);
		message_head(frame_body(frame), from, 0, payload->encoding);
		mark(frame);
	}
	return frame;
}

/* Without the memory or the descriptor that a message takes it is lost, and whom it was for lives on. */
static void pass(struct link *to, struct frame *frame)
{
	if (frame)
		link_send(to, frame);
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
	pass(&from->link, frame);
	return &from->link;
}

static void ask_director(const struct sender *from, const struct payload *payload)
{
	const struct engine_asker asker = asker_of(from);

	from->engine->events->director_asked(from->engine->ctx, &asker, payload);
}

static bool to_outside(const struct sender *from, uint64_t to, const struct payload *payload)
{
	const struct local *engine = from->engine;

	if (to != DIRECTOR_ID)
		return engine->events->answer(engine->ctx, &from->of->pub, to, payload);
	ask_director(from, payload);
	return true;
}

void route_post(struct local *engine, uint64_t from, uint64_t to, const struct payload *payload)
{
	struct bearer *bearer = registry_find(&engine->registry, to);

	if (bearer && !(bearer->kind == BEARER_PROGRAM && bearer->link->ended))
		pass(bearer->link, message_frame(from, payload));
}

/* A message from outside that could not be sent on, and is to be told of when the operation has returned. */
struct unsent {
	struct local *engine;
	uint64_t actor;
	uint64_t endpoint;
	char ref[REFERENCE_SIZE]; /* empty: nobody asks */
};

static void on_unsent(evutil_socket_t fd, short what, void *arg)
{
	tds_autofree struct unsent *unsent = arg;
	const struct local *engine = unsent->engine;
	struct actor *actor = actor_by_id(engine, unsent->actor);

	(void)fd;
	(void)what;
	if (unsent->ref[0] == '\0')
		engine->events->undelivered(engine->ctx, unsent->endpoint);
	else if (actor) /* else its end has told */
		engine->events->message_done(engine->ctx, &actor->pub, unsent->ref,
					     "no memory is left for the message");
}

static void tell_unsent(const struct actor *actor, const struct engine_message *message)
{
	static const struct timeval at_once = { 0 };
	struct unsent *unsent = malloc(sizeof(*unsent));

	if (!unsent)
		return;
	*unsent = (struct unsent){ .engine = actor->realm->engine,
				   .actor = actor->bearer.id,
				   .endpoint = message->endpoint };
	if (message->ref)
		(void)snprintf(unsent->ref, sizeof(unsent->ref), "%s", message->ref);
	if (event_base_once(unsent->engine->base, -1, EV_TIMEOUT, on_unsent, unsent, &at_once) != 0)
		free(unsent);
}

void route_deliver(struct actor *actor, const struct engine_message *message)
{
	const struct payload *payload = &message->payload;
	char encoding[2] = { (char)payload->encoding, '\0' };
	struct frame *frame =
		!message->ref ? message_frame(message->endpoint, payload)
			      : frame_control(json_pack("{s:s, s:s, s:s, s:s%}", "op", "message",
							"ref", message->ref, "enc", encoding,
							"text", payload->data, payload->len));

	actor->realm->engine->counts.messages++;
	actor->received++;
	if (frame)
		link_send(&actor->link, frame);
	else
		tell_unsent(actor, message);
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

static struct link *forward(const struct sender *from, struct link *to, bool commands,
			    struct parcel *parcel)
{
	struct frame *frame = frame_new(parcel->in_fd ? FRAME_MESSAGE_FD : FRAME_MESSAGE,
					MESSAGE_HEAD + parcel->len, parcel->fd);

	if (frame) {
		message_head(frame_body(frame), from->id, from->of->number, parcel->encoding);
		memcpy(frame_body(frame) + MESSAGE_HEAD, parcel->rest, parcel->len);
		if (commands)
			mark(frame);
	}
	pass(to, frame);
	return to;
}

static struct link *to_program(const struct sender *from, struct link *program,
			       struct parcel *parcel)
{
	return link_has_much(forward(from, program, false, parcel)) ? program : NULL;
}

/* To an actor that takes nothing (any more), or is gone. */
static struct link *to_nobody(const struct sender *from, uint64_t to, uint32_t realm, bool never,
			      struct parcel *parcel)
{
	if (from->actor && never)
		return return_message(from->actor, to, parcel);
	dead_tell(from->engine, from->id, to);
	struct link *letters =
		dead_letter(from->engine, to, realm, from->id, from->of->number, parcel);
	return !from->actor && link_has_much(from->link) ? from->link : letters;
}

/* To none that is here. */
static struct link *to_elsewhere(const struct sender *from, uint64_t to, struct parcel *parcel)
{
	const struct tombstone *stone = registry_tombstone(&from->engine->registry, to);

	if (!stone && answer(from, to, parcel))
		return NULL;
	return to_nobody(from, to, stone ? stone->realm : 0, stone && stone->never, parcel);
}

/* Returns the link that it waits on, if any. */
static struct link *route(const struct sender *from, uint64_t to_id, struct bearer *bearer,
			  struct parcel *parcel)
{
	if (!bearer)
		return to_elsewhere(from, to_id, parcel);
	/* Of one that is gone, and so cannot wait, no more is kept for it than of the living. */
	if (link_is_over(bearer->link))
		return dead_letter(from->engine, to_id, bearer->realm, from->id, from->of->number,
				   parcel);
	if (bearer->kind == BEARER_PROGRAM)
		return to_program(from, bearer->link, parcel);
	struct actor *to = actor_of(bearer);
	if (!actor_listens(to))
		return to_nobody(from, to_id, bearer->realm, to->state == ACTOR_NEVER, parcel);
	to->received++;
	(void)forward(from, bearer->link, asker_commands(from->of, from->id, to), parcel);
	if (from->actor)
		direct_count(from->actor, to);
	return bearer->link;
}

/* Whom a message is for. NULL: none that is here. */
static struct bearer *find_bearer(const struct local *engine, uint64_t id)
{
	struct bearer *bearer = registry_find(&engine->registry, id);

	return bearer && bearer->kind == BEARER_PROGRAM && bearer->link->ended ? NULL : bearer;
}

/* Whoever sends to one over its budget waits before that, and a program, or who asks the Director, until it has read its answers. */
static bool has_to_wait(const struct sender *from, const struct bearer *bearer, uint64_t to)
{
	if (from->link->draining)
		return false;
	/* It would be told of each that goes to nobody, and reads nothing. */
	if (!from->actor && link_has_much(from->link)) {
		link_wait_for(from->link, from->link);
		return true;
	}
	if (bearer && link_is_over(bearer->link)) {
		link_wait_in(from->link, &bearer->link->budget->unsent);
		return true;
	}
	if (bearer || to != DIRECTOR_ID || from->link->corked || !link_is_full(from->link))
		return false;
	link_wait_for(from->link, from->link);
	return true;
}

void route_begins(const struct sender *from, enum frame_type type, const unsigned char *body)
{
	uint64_t to = wire_get64(body);
	struct bearer *bearer = find_bearer(from->engine, to);

	if (type != FRAME_MESSAGE && type != FRAME_MESSAGE_FD)
		return;
	if (!has_to_wait(from, bearer, to) && bearer && link_is_full(bearer->link))
		link_wait_for(from->link, bearer->link);
}

/* Is it a memory file of that size which nobody can change any more? */
static bool is_sealed_file(int fd, uint64_t size)
{
	struct stat st;

	return fd >= 0 && tds_io_is_sealed(fd) && fstat(fd, &st) == 0 && size > 0 &&
	       (uint64_t)st.st_size == size;
}

/* The reserve of descriptors is used up. The sender has done nothing wrong. */
static void say_lost(const struct sender *from)
{
	static const char text[] = "a large message is lost: no descriptor is left to take it";
	const struct local *engine = from->engine;

	if (from->actor)
		engine->events->output(engine->ctx, &from->actor->realm->pub, &from->actor->pub,
				       OUTPUT_WARNING, text, strlen(text));
}

/* False: it breaks the grammar. */
static bool unpack(const struct sender *from, enum frame_type type, const unsigned char *body,
		   size_t len, struct parcel *parcel)
{
	uint64_t size;

	*parcel = (struct parcel){ .in_fd = type == FRAME_MESSAGE_FD,
				   .fd = -1,
				   .encoding = (enum encoding)body[8],
				   .rest = body + 9,
				   .len = len - 9 };
	size = parcel->len;
	if (parcel->in_fd && parcel->len == 8) {
		parcel->fd = link_take_fd(from->link);
		size = wire_get64(parcel->rest);
	}
	/* What the host says of a size it may not have looked at. One behind a longer head might be no frame any more. */
	if (parcel->fd == LINK_FD_LOST ||
	    (size <= (uint64_t)from->engine->max_told &&
	     (parcel->in_fd ? is_sealed_file(parcel->fd, size) : size <= LINK_INLINE_MAX)))
		return true;
	tds_close_fd(&parcel->fd);
	return false;
}

static void count(const struct sender *from)
{
	from->engine->counts.messages++;
	if (from->actor)
		from->actor->sent++;
}

enum link_verdict route_message(const struct sender *from, enum frame_type type,
				const unsigned char *body, size_t len)
{
	struct parcel parcel;

	if (len < 9 || body[8] & MESSAGE_COMMANDS)
		return LINK_BROKEN;
	uint64_t to = wire_get64(body);
	struct bearer *bearer = find_bearer(from->engine, to);
	if (has_to_wait(from, bearer, to))
		return LINK_LATER;
	if (!unpack(from, type, body, len, &parcel))
		return LINK_BROKEN;
	if (parcel.fd == LINK_FD_LOST) {
		say_lost(from);
		return LINK_TAKEN;
	}
	count(from);
	struct link *link = route(from, to, bearer, &parcel);
	if (link && link_is_full(link))
		link_wait_for(from->link, link);
	return LINK_TAKEN;
}

/* A message that waited for an actor which is gone, by now a frame. */
static void give_back(struct actor *actor, struct frame *f, bool never)
{
	struct local *engine = actor->realm->engine;
	const unsigned char *body = frame_body(f);
	uint64_t from_id = wire_get64(body);
	struct actor *from = actor_by_id(engine, from_id);
	size_t len = f->len - (size_t)(body - f->data);
	struct parcel parcel = { .in_fd = frame_type(f) == FRAME_MESSAGE_FD,
				 .fd = f->fds[0],
				 .lent = f->lent,
				 .charge = f->charge,
				 .encoding = (enum encoding)(body[12] & ~MESSAGE_COMMANDS),
				 .rest = body + MESSAGE_HEAD,
				 .len = len - MESSAGE_HEAD };

	f->fds[0] = -1;
	if (never && from) {
		(void)return_message(from, actor->bearer.id, &parcel);
		return;
	}
	dead_tell(engine, from_id, actor->bearer.id);
	(void)dead_letter(engine, actor->bearer.id, actor->realm->number, from_id,
			  wire_get32(body + 8), &parcel);
}

/* What waited for an actor that is gone: back to its sender where it never was, else a dead letter. */
void route_undelivered(struct actor *actor)
{
	const struct tombstone *stone =
		registry_tombstone(&actor->realm->engine->registry, actor->bearer.id);
	struct frame *next;

	for (struct frame *f = link_take_queue(&actor->link); f; f = next) {
		enum frame_type type = frame_type(f);

		next = f->next;
		if ((type == FRAME_MESSAGE || type == FRAME_MESSAGE_FD) && f->sent == 0)
			give_back(actor, f, stone && stone->never);
		frame_free(f);
	}
}
