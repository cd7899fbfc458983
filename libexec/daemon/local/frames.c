/* SPDX-License-Identifier: MIT */
/* Frames on their way out. */
#include "frames.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire.h"

struct frame *frame_new(enum frame_type type, size_t len, int fd)
{
	struct frame *frame = malloc(sizeof(*frame) + FRAME_HEAD + len);

	if (!frame) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	*frame = (struct frame){ .fds = { fd, -1 }, .len = FRAME_HEAD + len };
	wire_put32(frame->data, (uint32_t)len + 1);
	frame->data[4] = (unsigned char)type;
	return frame;
}

void frame_free(struct frame *frame)
{
	if (!frame)
		return;
	for (int i = 0; i < 2; i++)
		if (frame->fds[i] >= 0)
			(void)close(frame->fds[i]);
	free(frame);
}

void frame_add_fd(struct frame *frame, int fd)
{
	if (frame)
		frame->fds[frame->fds[0] < 0 ? 0 : 1] = fd;
	else
		(void)close(fd);
}

json_t *frame_bytes(const char *path)
{
	size_t len = path ? strlen(path) : 0;
	tds_autofree char *text = malloc(2 * len + 1);
	size_t n = 0;

	for (size_t i = 0; text && i < len; i++) {
		unsigned char c = (unsigned char)path[i];

		if (c >= 0x80)
			text[n++] = (char)(0xc0 | c >> 6);
		text[n++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	return path && text ? json_stringn(text, n) : json_null();
}

struct frame *frame_control(json_t *op)
{
	size_t len = op ? json_dumpb(op, NULL, 0, JSON_COMPACT) : 0;
	bool fits = len > 0 && len < FRAME_MAX; /* what goes in may come out longer, such as 1e15 */
	struct frame *frame = fits ? frame_new(FRAME_CONTROL, len, -1) : NULL;

	/* Writing it asks for memory as well: the second time there may be none. */
	if (frame && json_dumpb(op, (char *)frame_body(frame), len, JSON_COMPACT) != len) {
		frame_free(frame);
		frame = NULL;
	}
	json_decref(op);
	return frame;
}
