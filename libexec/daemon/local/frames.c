/* SPDX-License-Identifier: MIT */
/* Frames on their way out. */
#include "frames.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/wire.h"
#include "daemon/base/charge.h"

static void put_head(unsigned char *data, enum frame_type type, size_t len)
{
	wire_put32(data, (uint32_t)len + 1);
	data[4] = (unsigned char)type;
}

struct frame *frame_new(enum frame_type type, size_t len, int fd)
{
	struct frame *frame = malloc(sizeof(*frame) + FRAME_HEAD + len);

	if (!frame) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	*frame = (struct frame){ .fds = { fd, -1 }, .len = FRAME_HEAD + len, .data = frame->own };
	put_head(frame->data, type, len);
	return frame;
}

void frame_free(struct frame *frame)
{
	if (!frame)
		return;
	for (int i = 0; i < 2; i++)
		if (frame->fds[i] >= 0)
			(void)close(frame->fds[i]);
	frame_text_unref(frame->text);
	charge_unref(frame->charge);
	free(frame);
}

void frame_add_fd(struct frame *frame, int fd)
{
	if (frame)
		frame->fds[frame->fds[0] < 0 ? 0 : 1] = fd;
	else
		(void)close(fd);
}

json_t *frame_bytes(const char *bytes)
{
	size_t len = strlen(bytes);
	tds_autofree char *text = malloc(2 * len + 1);
	size_t n = 0;

	for (size_t i = 0; text && i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c >= 0x80)
			text[n++] = (char)(0xc0 | c >> 6);
		text[n++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	return text ? json_stringn(text, n) : NULL;
}

/* 0: out of memory, or it is longer than a frame may be: what goes in may come out longer, such as 1e15. */
static size_t size_of(const json_t *op)
{
	size_t len = op ? json_dumpb(op, NULL, 0, JSON_COMPACT) : 0;

	return len < FRAME_MAX ? len : 0;
}

bool frame_would_fit(const json_t *op)
{
	return !op || size_of(op) > 0;
}

/* Writing it asks for memory as well: the second time there may be none. */
static bool write_op(const json_t *op, unsigned char *to, size_t len)
{
	return json_dumpb(op, (char *)to, len, JSON_COMPACT) == len;
}

struct frame *frame_control(json_t *op)
{
	size_t len = size_of(op);
	struct frame *frame = len > 0 ? frame_new(FRAME_CONTROL, len, -1) : NULL;

	if (frame && !write_op(op, frame_body(frame), len)) {
		frame_free(frame);
		frame = NULL;
	}
	json_decref(op);
	return frame;
}

struct frame_text *frame_text_new(json_t *op)
{
	size_t len = size_of(op);
	struct frame_text *text = len > 0 ? malloc(sizeof(*text) + FRAME_HEAD + len) : NULL;

	if (text) {
		*text = (struct frame_text){ .refs = 1, .len = FRAME_HEAD + len };
		put_head(text->data, FRAME_CONTROL, len);
	}
	if (text && !write_op(op, text->data + FRAME_HEAD, len)) {
		free(text);
		text = NULL;
	}
	json_decref(op);
	return text;
}

struct frame *frame_of_text(struct frame_text *text)
{
	struct frame *frame = malloc(sizeof(*frame));

	if (!frame)
		return NULL;
	*frame = (struct frame){
		.fds = { -1, -1 }, .len = text->len, .data = text->data, .text = text
	};
	text->refs++;
	return frame;
}

void frame_text_unref(struct frame_text *text)
{
	if (text && --text->refs == 0)
		free(text);
}
