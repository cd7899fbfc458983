/* SPDX-License-Identifier: MIT */
/* Dead letters: messages to those that are gone, and exit requests to those that do not obey. */
#include "parcel.h"

#include <string.h>

#include "base/mem.h"
#include "base/wire.h"
#include "daemon/base/charge.h"

void message_head(unsigned char *body, uint64_t from, uint32_t from_realm, enum encoding encoding)
{
	wire_put64(body, from);
	wire_put32(body + 8, from_realm);
	body[12] = (unsigned char)encoding;
}

static struct link *send_letter(struct actor *handler, uint64_t to, uint32_t to_realm,
				uint64_t from, uint32_t from_realm, struct parcel *parcel)
{
	struct frame *frame = frame_new(parcel->in_fd ? FRAME_DEAD_FD : FRAME_DEAD,
					12 + MESSAGE_HEAD + parcel->len, parcel->fd);
	if (!frame)
		return NULL;
	wire_put64(frame_body(frame), to);
	wire_put32(frame_body(frame) + 8, to_realm);
	message_head(frame_body(frame) + 12, from, from_realm, parcel->encoding);
	memcpy(frame_body(frame) + 12 + MESSAGE_HEAD, parcel->rest, parcel->len);
	frame->lent = parcel->lent;
	frame->charge = charge_ref(parcel->charge);
	link_send(&handler->link, frame);
	return &handler->link;
}

static void refuse_letter(struct actor *handler)
{
	realm_over_budget(
		handler->realm, handler,
		"dead letters are dropped: as many bytes wait for it as budget.cfg lets it have");
}

struct link *dead_letter(struct local *engine, uint64_t to, uint32_t to_realm, uint64_t from,
			 uint32_t from_realm, struct parcel *parcel)
{
	struct actor *handler = actor_by_id(engine, engine->dead_letters);

	engine->counts.dead_letters++;
	/* From outside: who waits for an answer need not any more. */
	if (from_realm == 0 && from != 0)
		engine->events->undelivered(engine->ctx, from);
	/* Neither does one that does not read its letters keep all of them here. */
	if (handler && handler->bearer.id != to && link_is_over(&handler->link))
		refuse_letter(handler);
	else if (handler && handler->bearer.id != to)
		return send_letter(handler, to, to_realm, from, from_realm, parcel);
	tds_close_fd(&parcel->fd);
	return NULL;
}

void dead_tell(struct local *engine, uint64_t from, uint64_t to)
{
	struct bearer *program = registry_find(&engine->registry, from);

	/* An actor may say so without end of one that does not read. */
	if (program && program->kind == BEARER_PROGRAM && !link_has_much(program->link))
		link_control(program->link,
			     json_pack("{s:s, s:I}", "op", "dead", "id", (json_int_t)to));
}

/* Its host says whom it does not obey, and nothing more: so it can forge no letter but one of those. */
bool dead_op_unheeded(struct actor *actor, const json_t *op)
{
	const char *text = json_is_true(json_object_get(op, "recursive"))
				   ? "{\"~message\":[\"ActorExitRequest\",{\"_recursive\":true}]}"
				   : "{\"~message\":[\"ActorExitRequest\",{\"_recursive\":false}]}";
	struct parcel parcel = { .fd = -1,
				 .encoding = ENCODING_TAGGED,
				 .rest = (const unsigned char *)text,
				 .len = strlen(text) };
	struct local *engine = actor->realm->engine;
	const json_t *from = json_object_get(op, "from");
	const struct bearer *sender =
		registry_find(&engine->registry, (uint64_t)json_integer_value(from));
	const struct actor *handler = actor_by_id(engine, engine->dead_letters);

	if (!json_is_integer(from))
		return false;
	if (!sender)
		return true;
	/* A program that sent it is told nothing: the actor lives. Nobody waits for a handler that does not read: it was not this actor that wrote. */
	if (handler && !link_is_full(&handler->link))
		(void)dead_letter(engine, actor->bearer.id, actor->realm->number, sender->id,
				  sender->realm, &parcel);
	return true;
}
