/* SPDX-License-Identifier: MIT */
/* Joining pieces. The last piece of a message is taken when its receiver has the message, not before. */
#include "peerin.h"

#define KEPT_MAX (64 << 10) /* bytes of memory for the next message */

void peer_in_init(struct peer_in *in, size_t max_message)
{
	*in = (struct peer_in){ .max_message = max_message };
}

void peer_in_fini(struct peer_in *in)
{
	tds_buf_fini(&in->joined);
}

void peer_in_end(struct peer_in *in)
{
	tds_buf_fini(&in->joined);
	in->rest = 0;
	in->whole = false;
}

bool peer_in_begin(struct peer_in *in, uint64_t first)
{
	peer_in_end(in);
	in->next = first;
	return first > in->mark;
}

static void take_piece(struct peer_in *in)
{
	in->mark = in->next++;
}

/* What is left of a message goes down by each piece, so that it can be no longer than its first piece says. */
static bool fits(const struct peer_in *in, const struct peer_piece *piece)
{
	if (in->rest > 0)
		return piece->len > 0 && piece->len <= in->rest &&
		       piece->rest == in->rest - piece->len;
	return piece->len <= in->max_message && piece->rest <= in->max_message - piece->len &&
	       (piece->len > 0 || piece->rest == 0);
}

enum peer_in_verdict peer_in_piece(struct peer_in *in, uint64_t number,
				   const struct peer_piece *piece)
{
	if (number < in->next)
		return PEER_IN_DOUBLE;
	if (number > in->next)
		return PEER_IN_GAP;
	if (in->whole)
		return PEER_IN_FULL;
	if (!fits(in, piece))
		return PEER_IN_BAD;
	if (!tds_buf_add(&in->joined, piece->data, piece->len))
		return PEER_IN_GAP;
	in->rest = piece->rest;
	if (in->rest > 0) {
		take_piece(in);
		return PEER_IN_PART;
	}
	in->whole = true;
	return PEER_IN_WHOLE;
}

void peer_in_taken(struct peer_in *in)
{
	take_piece(in);
	in->whole = false;
	in->joined.len = 0;
	if (in->joined.room > KEPT_MAX)
		tds_buf_fini(&in->joined);
}
