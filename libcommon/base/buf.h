/* SPDX-License-Identifier: MIT */
/*
 * A string of bytes that grows at its end; each doubling is paid for once. For libcommon's own use.
 */
#ifndef TDS_BUF_H
#define TDS_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct tds_buf {
	char *data; /* NULL: nothing was ever added; else NUL behind len bytes */
	size_t len;
	size_t room;
};

/* Add bytes to the end. false: out of memory, and the buffer is as it was. */
static inline bool tds_buf_add(struct tds_buf *buf, const void *data, size_t len)
{
	if (len >= SIZE_MAX / 4 - buf->len)
		return false;
	if (buf->len + len + 1 > buf->room) {
		size_t room = 2 * (buf->len + len) + 16;
		char *more = realloc(buf->data, room);

		if (!more)
			return false;
		buf->data = more;
		buf->room = room;
	}
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return true;
}

static inline void tds_buf_fini(struct tds_buf *buf)
{
	free(buf->data);
	*buf = (struct tds_buf){ 0 };
}
#define tds_buf_cleanup tds_buf_fini

#endif
