/* SPDX-License-Identifier: MIT */
/* The queue of a peer: cutting into pieces, the window, what goes again. */
#include "peerout.h"

#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "peerform.h"

#define BATCH_MAX (BUS_MESSAGE_MAX - PEER_HEAD)

_Static_assert(PEER_PIECE_MAX + PEER_PIECE_HEAD <= BATCH_MAX, "each piece fits into a batch");

void peer_parcel_free(struct peer_parcel *parcel)
{
	free(parcel);
}

void peer_out_init(struct peer_out *out)
{
	*out = (struct peer_out){ .at = 1, .next = 1 };
	out->end = &out->first;
	out->unknown_end = &out->unknown;
}

static void free_all(struct peer_parcel *parcel)
{
	for (struct peer_parcel *next; parcel; parcel = next) {
		next = parcel->next;
		peer_parcel_free(parcel);
	}
}

void peer_out_fini(struct peer_out *out)
{
	free_all(out->first);
	free_all(out->unknown);
}

bool peer_out_add(struct peer_out *out, uint64_t id, const void *data, size_t len)
{
	struct peer_parcel *parcel = malloc(sizeof(*parcel) + len);
	size_t pieces = len > 0 ? (len + PEER_PIECE_MAX - 1) / PEER_PIECE_MAX : 1;

	if (!parcel)
		return false;
	*parcel = (struct peer_parcel){
		.id = id, .first = out->next, .last = out->next + pieces - 1, .len = len
	};
	if (len > 0)
		memcpy(parcel->data, data, len);
	*out->end = parcel;
	out->end = &parcel->next;
	out->next += pieces;
	out->bytes += len + PEER_WEIGHT;
	if (!out->at_parcel)
		out->at_parcel = parcel;
	return true;
}

/* --- pieces --- */

static size_t offset_of(const struct peer_parcel *parcel, uint64_t number)
{
	return (size_t)(number - parcel->first) * PEER_PIECE_MAX;
}

static size_t piece_len(const struct peer_parcel *parcel, uint64_t number)
{
	size_t left = parcel->len - offset_of(parcel, number);

	return left < PEER_PIECE_MAX ? left : PEER_PIECE_MAX;
}

bool peer_out_batch(const struct peer_out *out, struct peer_batch *batch)
{
	const struct peer_parcel *parcel = out->at_parcel;

	*batch = (struct peer_batch){ .first = out->at,
				      .end = out->at,
				      .again = out->at <= out->sent };
	if (out->careful && out->flying > 0)
		return false;
	while (parcel) {
		size_t len = piece_len(parcel, batch->end) + PEER_PIECE_HEAD;

		if (batch->len + len > BATCH_MAX || out->flying + batch->len + len > PEER_WINDOW)
			break;
		batch->len += len;
		if (batch->end++ == parcel->last)
			parcel = parcel->next;
	}
	return batch->len > 0;
}

void peer_out_write(const struct peer_out *out, const struct peer_batch *batch, unsigned char *data)
{
	const struct peer_parcel *parcel = out->at_parcel;

	for (uint64_t number = batch->first; number < batch->end; number++) {
		size_t offset = offset_of(parcel, number);
		size_t len = piece_len(parcel, number);

		peer_piece_write(len, parcel->len - offset - len, data);
		if (len > 0)
			memcpy(data + PEER_PIECE_HEAD, parcel->data + offset, len);
		data += PEER_PIECE_HEAD + len;
		if (number == parcel->last)
			parcel = parcel->next;
	}
}

void peer_out_sent(struct peer_out *out, const struct peer_batch *batch)
{
	for (; out->at < batch->end; out->at++) {
		if (out->at != out->at_parcel->last)
			continue;
		out->at_parcel->sent = true;
		out->at_parcel = out->at_parcel->next;
	}
	out->flying += batch->len;
	if (out->sent < out->at - 1)
		out->sent = out->at - 1;
}

/* The next piece to send is this one; those before it are acknowledged, or under way. */
static void send_from(struct peer_out *out, uint64_t number)
{
	out->at = number;
	out->at_parcel = out->first;
	while (out->at_parcel && out->at_parcel->last < number)
		out->at_parcel = out->at_parcel->next;
}

void peer_out_again(struct peer_out *out, bool careful)
{
	send_from(out, out->acknowledged + 1);
	out->flying = 0;
	out->careful = careful;
}

bool peer_out_acknowledge(struct peer_out *out, uint64_t mark)
{
	const struct peer_parcel *parcel = out->first;

	if (mark <= out->acknowledged)
		return false;
	for (uint64_t number = out->acknowledged + 1; number <= mark; number++) {
		if (number < out->at)
			out->flying -= piece_len(parcel, number) + PEER_PIECE_HEAD;
		if (number == parcel->last)
			parcel = parcel->next;
	}
	/* The first piece of what waits may be one in the midst of a message: acknowledged counts pieces. */
	out->acknowledged = mark;
	if (out->at <= mark)
		send_from(out, mark + 1);
	out->careful = false;
	return true;
}

/* --- what has come to its end --- */

static struct peer_parcel *take_first(struct peer_out *out)
{
	struct peer_parcel *parcel = out->first;

	out->first = parcel->next;
	if (!out->first)
		out->end = &out->first;
	parcel->next = NULL;
	out->bytes -= parcel->len + PEER_WEIGHT;
	return parcel;
}

struct peer_parcel *peer_out_taken(struct peer_out *out)
{
	return out->first && out->first->last <= out->acknowledged ? take_first(out) : NULL;
}

struct peer_parcel *peer_out_drop(struct peer_out *out, uint64_t below)
{
	if (!out->first || out->first->first >= below)
		return NULL;
	struct peer_parcel *parcel = take_first(out);
	out->acknowledged = parcel->last;
	peer_out_again(out, false);
	return parcel;
}

void peer_out_remember(struct peer_out *out, struct peer_parcel *parcel)
{
	struct peer_parcel *small = realloc(parcel, sizeof(*parcel));

	parcel = small ? small : parcel;
	*out->unknown_end = parcel;
	out->unknown_end = &parcel->next;
}

bool peer_out_recall(struct peer_out *out, uint64_t *id, uint64_t *last)
{
	struct peer_parcel *parcel = out->unknown;

	if (!parcel)
		return false;
	*id = parcel->id;
	*last = parcel->last;
	out->unknown = parcel->next;
	if (!out->unknown)
		out->unknown_end = &out->unknown;
	peer_parcel_free(parcel);
	return true;
}
