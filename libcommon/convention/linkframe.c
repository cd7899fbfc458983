/* SPDX-License-Identifier: MIT */
/* One table of kinds, by which frames are written and read. */
#include "linkframe.h"

#include <string.h>

#include "base/wire.h"

enum way {
	DOWN,
	UP,
};

struct kind {
	char letter;
	enum way way;
	uint8_t codes;
	unsigned fields;
};

static const struct kind kinds[] = {
#define KIND_ROW(kind, letter, way, codes, fields) { letter, way, codes, fields },
	TDS_LINKFRAMES(KIND_ROW)
#undef KIND_ROW
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *kind_of(unsigned char letter)
{
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].letter == (char)letter)
			return &kinds[i];
	return NULL;
}

static unsigned char *put_numbers(unsigned char *p, const struct kind *kind,
				  const struct tds_linkframe *frame)
{
	if (kind->fields & TDS_LINKFRAME_NUMBER) {
		wire_put64(p, frame->number);
		p += 8;
	}
	if (kind->fields & TDS_LINKFRAME_REVISION) {
		wire_put64(p, frame->revision);
		p += 8;
	}
	if (kind->codes)
		*p++ = frame->code;
	return p;
}

size_t tds_linkframe_front(unsigned char *head, const struct tds_linkframe *frame)
{
	const struct kind *kind = kind_of((unsigned char)frame->kind);

	if (!kind || frame->name_len > TDS_LINKFRAME_NAME_MAX ||
	    frame->len > TDS_LINKFRAME_DATA_MAX)
		return 0;
	unsigned char *p = put_numbers(head + TDS_LINKFRAME_HEAD, kind, frame);
	if (kind->fields & TDS_LINKFRAME_NAME) {
		*p++ = (unsigned char)frame->name_len;
		if (frame->name_len)
			memcpy(p, frame->name, frame->name_len);
		p += frame->name_len;
	}
	size_t front = (size_t)(p - head);
	size_t data = kind->fields & TDS_LINKFRAME_DATA ? frame->len : 0;
	wire_put32(head, (uint32_t)(front - 4 + data));
	head[4] = (unsigned char)kind->letter;
	return front;
}

bool tds_linkframe_add(struct tds_buf *out, const struct tds_linkframe *frame)
{
	unsigned char head[TDS_LINKFRAME_FRONT_MAX];
	size_t front = tds_linkframe_front(head, frame);
	size_t before = out->len;

	if (front == 0 || !tds_buf_add(out, head, front))
		return false;
	if (wire_get32(head) + 4 == front || tds_buf_add(out, frame->data, frame->len))
		return true;
	out->len = before;
	return false;
}

/* What is left of a frame's body. */
struct rest {
	const unsigned char *at;
	size_t len;
	bool is_short; /* something was not there */
};

static const unsigned char *take(struct rest *rest, size_t len)
{
	const unsigned char *at = rest->at;

	if (rest->len < len) {
		rest->is_short = true;
		return NULL;
	}
	rest->at += len;
	rest->len -= len;
	return at;
}

static uint64_t take64(struct rest *rest)
{
	const unsigned char *p = take(rest, 8);

	return p ? wire_get64(p) : 0;
}

static uint8_t take8(struct rest *rest)
{
	const unsigned char *p = take(rest, 1);

	return p ? *p : 0;
}

/* False: the body is not one of this kind. */
static bool take_fields(struct rest *rest, const struct kind *kind, struct tds_linkframe *frame)
{
	if (kind->fields & TDS_LINKFRAME_NUMBER)
		frame->number = take64(rest);
	if (kind->fields & TDS_LINKFRAME_REVISION)
		frame->revision = take64(rest);
	if (kind->codes)
		frame->code = take8(rest);
	if (kind->fields & TDS_LINKFRAME_NAME) {
		frame->name_len = take8(rest);
		frame->name = (const char *)take(rest, frame->name_len);
	}
	if (kind->fields & TDS_LINKFRAME_DATA) {
		frame->len = rest->len;
		frame->data = take(rest, rest->len);
	}
	return !rest->is_short && rest->len == 0 && frame->len <= TDS_LINKFRAME_DATA_MAX;
}

static bool is_in_range(const struct kind *kind, const struct tds_linkframe *frame)
{
	if (kind->codes && frame->code >= kind->codes)
		return false;
	if (!(kind->fields & TDS_LINKFRAME_NUMBER))
		return true;
	bool tells_of_a_side = frame->kind == TDS_LINK_STATE || frame->kind == TDS_LINK_TROUBLE;
	return tells_of_a_side ? frame->number < TDS_LINK_SIDES : frame->number != 0;
}

long tds_linkframe_read(const void *bytes, size_t len, bool to_link, struct tds_linkframe *frame,
			struct tds_err *err)
{
	const unsigned char *p = bytes;

	if (len < 4)
		return 0;
	size_t size = wire_get32(p);
	if (size == 0 || size > TDS_LINKFRAME_MAX)
		return tds_err_set(err, TDS_E_SYNTAX, "a frame of %zu bytes", size);
	if (len < TDS_LINKFRAME_HEAD)
		return 0;
	const struct kind *kind = kind_of(p[4]);
	if (!kind || (kind->way == DOWN) != to_link)
		return tds_err_set(err, TDS_E_SYNTAX, "a frame of kind %u", p[4]);
	if (len - 4 < size)
		return 0;
	struct rest rest = { .at = p + TDS_LINKFRAME_HEAD, .len = size - 1 };
	*frame = (struct tds_linkframe){ .kind = (enum tds_link_kind)kind->letter };
	if (!take_fields(&rest, kind, frame) || !is_in_range(kind, frame))
		return tds_err_set(err, TDS_E_SYNTAX, "a wrong frame of kind %c", kind->letter);
	return (long)(4 + size);
}
