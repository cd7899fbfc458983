/* SPDX-License-Identifier: MIT */
/* Frames, as tds-protocol(7) has them, and nothing of what they mean. */
#ifndef TDS_DAEMON_FRAMES_H
#define TDS_DAEMON_FRAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct charge;

#define FRAME_HEAD 5        /* length and type */
#define FRAME_MAX (1 << 20) /* bytes of a frame behind its length */

/* In the byte of an encoding, on the way to a host, and set by the admin alone: the sender may command the receiver. */
#define MESSAGE_COMMANDS 0x80

enum frame_type {
	FRAME_CONTROL = 'C',
	FRAME_MESSAGE = 'M',
	FRAME_MESSAGE_FD = 'F',
	FRAME_DEAD = 'D',
	FRAME_DEAD_FD = 'E',
	FRAME_RETURNED = 'R',
	FRAME_RETURNED_FD = 'S',
};

/* The bytes of a frame, which wait on several links at once: counted by who keeps them. */
struct frame_text {
	size_t refs;
	size_t len;
	unsigned char data[];
};

/* A frame on its way out, owned by the link that it waits on. */
struct frame {
	struct frame *next;
	int fds[2]; /* go with the first byte; -1: none */
	size_t lent; /* bytes of memory files of ours among them, which who made them for us does not pay for */
	struct charge *charge; /* of who pays, if only for the frame; NULL: nobody */
	size_t len;            /* of data, length field included */
	size_t sent;
	unsigned char *data;     /* own, or the text's */
	struct frame_text *text; /* NULL: none */
	unsigned char own[];
};

/* Make a frame with room for len bytes of body; its body is frame_body(). NULL: out of memory. Takes fd in any case (-1: none). */
struct frame *frame_new(enum frame_type type, size_t len, int fd);

/* Let a second descriptor go with it; takes it. */
void frame_add_fd(struct frame *frame, int fd);
void frame_free(struct frame *frame);
static inline unsigned char *frame_body(struct frame *frame)
{
	return frame->data + 5;
}
static inline enum frame_type frame_type(const struct frame *frame)
{
	return (enum frame_type)frame->data[4];
}

/* Bytes that need be no text, such as a path: characters from U+0000 to U+00FF stand for them. NULL: out of memory. */
json_t *frame_bytes(const char *bytes);

/* A control frame; takes the reference. NULL: out of memory, or it is longer than a frame may be. */
struct frame *frame_control(json_t *op);

/* Whether that is why there is none; borrows op, which is none where memory ran out before. */
bool frame_would_fit(const json_t *op);

/* The same for many links: the text, which the caller keeps (NULL: as above), and a frame of it (NULL: out of memory). */
struct frame_text *frame_text_new(json_t *op);
struct frame *frame_of_text(struct frame_text *text);
void frame_text_unref(struct frame_text *text); /* accepts NULL */

#endif
