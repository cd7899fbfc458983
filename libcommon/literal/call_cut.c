/* SPDX-License-Identifier: MIT */
/* Texts cut into pieces: at blanks, or at a separator, from either end. */
#include <string.h>

#include "base/mem.h"
#include "call.h"
#include "pytext.h"

/* The pieces found so far: of each where it begins and where it ends, in bytes. */
struct cutting {
	struct tds_eval *e;
	const struct tds_value *text;
	size_t *bounds; /* owned */
	size_t n;       /* of pieces */
	size_t room;
};

static int add_piece(struct cutting *c, size_t begin, size_t end)
{
	int rc = tds_eval_pay(c->e, 1);

	if (rc == 0 && c->n == c->room) {
		size_t room = 2 * c->n + 8;
		size_t *more = reallocarray(c->bounds, room, 2 * sizeof(size_t));

		if (!more)
			return tds_eval_no_memory(c->e);
		c->bounds = more;
		c->room = room;
	}
	if (rc != 0)
		return rc;
	c->bounds[2 * c->n] = begin;
	c->bounds[2 * c->n + 1] = end;
	c->n++;
	return 0;
}

/* All words; blanks are before, between and behind them. */
static int find_words(struct cutting *c)
{
	const char *text = c->text->text;
	size_t len = c->text->len;
	size_t begin = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < len;) {
		size_t blank = tds_pytext_blank(text + i);

		if (blank && i > begin)
			rc = add_piece(c, begin, i);
		i += blank ? blank : 1;
		begin = blank ? i : begin;
	}
	return rc == 0 && begin < len ? add_piece(c, begin, len) : rc;
}

/* The words beyond the limit stay together, with what is between them and beyond them. */
static void join_words(struct cutting *c, size_t most, bool from_right)
{
	size_t extra = c->n > most ? c->n - most : 0;

	if (extra == 0)
		return;
	if (!from_right) {
		c->bounds[2 * most + 1] = c->text->len;
		c->n = most + 1;
		return;
	}
	c->bounds[0] = 0;
	c->bounds[1] = c->bounds[2 * (extra - 1) + 1];
	memmove(c->bounds + 2, c->bounds + 2 * extra, 2 * most * sizeof(size_t));
	c->n = most + 1;
}

static int cut_forward(struct cutting *c, const struct tds_value *separator, size_t most)
{
	const char *text = c->text->text;
	const char *end = text + c->text->len;
	const char *begin = text;
	const char *found;
	int rc = 0;

	while (rc == 0 && most-- > 0 &&
	       (found = memmem(begin, (size_t)(end - begin), separator->text, separator->len))) {
		rc = add_piece(c, (size_t)(begin - text), (size_t)(found - text));
		begin = found + separator->len;
	}
	return rc == 0 ? add_piece(c, (size_t)(begin - text), c->text->len) : rc;
}

static void turn_around(struct cutting *c)
{
	for (size_t i = 0, j = c->n; i + 1 < j--; i++) {
		size_t piece[2] = { c->bounds[2 * i], c->bounds[2 * i + 1] };

		memcpy(c->bounds + 2 * i, c->bounds + 2 * j, sizeof(piece));
		memcpy(c->bounds + 2 * j, piece, sizeof(piece));
	}
}

static int cut_backward(struct cutting *c, const struct tds_value *separator, size_t most)
{
	const char *text = c->text->text;
	size_t end = c->text->len;
	size_t at = end;
	int rc = tds_eval_pay_bytes(c->e, 8 * end);

	while (rc == 0 && most > 0 && at-- > 0) {
		if (at + separator->len > end ||
		    memcmp(text + at, separator->text, separator->len) != 0)
			continue;
		rc = add_piece(c, at + separator->len, end);
		end = at;
		most--;
	}
	if (rc == 0)
		rc = add_piece(c, 0, end);
	if (rc == 0)
		turn_around(c);
	return rc;
}

static int find_pieces(struct cutting *c, const struct tds_value *separator, size_t most,
		       bool from_right)
{
	int rc = tds_eval_pay_bytes(c->e, 8 * c->text->len);

	if (rc != 0)
		return rc;
	if (!separator) {
		rc = find_words(c);
		if (rc == 0)
			join_words(c, most, from_right);
		return rc;
	}
	if (separator->len == 0)
		return TDS_EVAL_REFUSE(c->e, "the separator is empty");
	return from_right ? cut_backward(c, separator, most) : cut_forward(c, separator, most);
}

int tds_call_cut(struct tds_eval *e, const struct tds_value *text,
		 const struct tds_value *separator, long long most, bool from_right,
		 struct tds_value **list)
{
	struct cutting c = { .e = e, .text = text };
	int rc = find_pieces(&c, separator, most < 0 ? SIZE_MAX : (size_t)most, from_right);

	if (rc == 0)
		rc = tds_eval_make(e, TDS_VALUE_LIST, list);
	for (size_t i = 0; rc == 0 && i < c.n; i++) {
		struct tds_value *piece = NULL;
		size_t begin = c.bounds[2 * i];

		rc = tds_eval_make_str(e, text->text + begin, c.bounds[2 * i + 1] - begin, &piece);
		if (rc == 0)
			rc = tds_eval_append(e, *list, piece);
	}
	free(c.bounds);
	return rc;
}
