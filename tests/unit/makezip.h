/* SPDX-License-Identifier: MIT */
/*
 * Archives made by hand for unit tests, apart from the project's own writer. Each has a table of
 * where its records are, so that a test can make one field lie. Contents are stored, or given as a
 * deflated stream.
 */
#ifndef TDS_TESTS_MAKEZIP_H
#define TDS_TESTS_MAKEZIP_H

#include "unit.h"

#define MADE_MEMBERS_MAX 8
#ifndef MADE_MAX
#define MADE_MAX 8192 /* bytes */
#endif

struct member {
	const char *name;
	const char *data;   /* as it unpacks; NULL: nothing */
	const void *packed; /* a deflated stream of it; NULL: it is stored */
	size_t packed_len;
	uint32_t attributes; /* 0: those of a regular file, 0644 */
	uint16_t flags;
	uint32_t crc;      /* 0: that of data */
	size_t name_len;   /* 0: up to the NUL */
	const void *extra; /* in both headers */
	uint16_t extra_len;
	bool mark; /* of its data descriptor, where flags has 8 */
};

struct made {
	unsigned char data[MADE_MAX];
	size_t len;
	size_t local[MADE_MEMBERS_MAX];
	size_t contents[MADE_MEMBERS_MAX];
	size_t central[MADE_MEMBERS_MAX];
	size_t end;
};

static inline uint32_t crc32_of(const void *data, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (const unsigned char *p = data; len > 0; len--, p++) {
		crc ^= *p;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static inline void put_le(unsigned char *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> 8 * i);
}

static inline void add_bytes(struct made *z, const void *data, size_t len)
{
	assert_true(len <= sizeof(z->data) - z->len);
	if (len)
		memcpy(z->data + z->len, data, len);
	z->len += len;
}

static inline void add_le(struct made *z, uint64_t value, int bytes)
{
	unsigned char le[8];

	put_le(le, value, bytes);
	add_bytes(z, le, (size_t)bytes);
}

/* CRC and both sizes of a member, as they stand in three places. */
static inline void add_sizes(struct made *z, const struct member *m)
{
	size_t len = m->data ? strlen(m->data) : 0;

	add_le(z, m->crc ? m->crc : crc32_of(m->data, len), 4);
	add_le(z, m->packed ? m->packed_len : len, 4);
	add_le(z, len, 4);
}

static inline size_t name_len(const struct member *m)
{
	return m->name_len ? m->name_len : strlen(m->name);
}

/* What both headers have: flags to the length of the extra fields. */
static inline void add_common(struct made *z, const struct member *m, bool later)
{
	add_le(z, m->flags, 2);
	add_le(z, m->packed ? 8 : 0, 2);
	add_le(z, 0x58210000, 4);
	if (later)
		add_bytes(z, "\0\0\0\0\0\0\0\0\0\0\0", 12);
	else
		add_sizes(z, m);
	add_le(z, name_len(m), 2);
	add_le(z, m->extra_len, 2);
}

static inline void add_local(struct made *z, const struct member *m)
{
	add_bytes(z, "PK\3\4\24\0", 6);
	add_common(z, m, (m->flags & 8) != 0);
	add_bytes(z, m->name, name_len(m));
	add_bytes(z, m->extra, m->extra_len);
}

static inline void add_contents(struct made *z, const struct member *m)
{
	if (m->packed)
		add_bytes(z, m->packed, m->packed_len);
	else
		add_bytes(z, m->data, m->data ? strlen(m->data) : 0);
	if (m->flags & 8) {
		add_bytes(z, "PK\7\10", m->mark ? 4 : 0);
		add_sizes(z, m);
	}
}

static inline void add_central(struct made *z, const struct member *m, size_t local)
{
	add_bytes(z, "PK\1\2\24\3\24\0", 8);
	add_common(z, m, false);
	add_bytes(z, "\0\0\0\0\0\0", 6);
	add_le(z, m->attributes ? m->attributes : 0100644u << 16, 4);
	add_le(z, local, 4);
	add_bytes(z, m->name, name_len(m));
	add_bytes(z, m->extra, m->extra_len);
}

static inline void add_end(struct made *z, size_t n, size_t start, const char *comment)
{
	z->end = z->len;
	add_bytes(z, "PK\5\6\0\0\0\0", 8);
	add_le(z, n, 2);
	add_le(z, n, 2);
	add_le(z, z->end - start, 4);
	add_le(z, start, 4);
	add_le(z, strlen(comment), 2);
	add_bytes(z, comment, strlen(comment));
}

static inline void make_zip(struct made *z, const struct member *m, size_t n, const char *comment)
{
	assert_true(n <= MADE_MEMBERS_MAX);
	z->len = 0;
	for (size_t i = 0; i < n; i++) {
		z->local[i] = z->len;
		add_local(z, &m[i]);
		z->contents[i] = z->len;
		add_contents(z, &m[i]);
	}
	size_t start = z->len;
	for (size_t i = 0; i < n; i++) {
		z->central[i] = z->len;
		add_central(z, &m[i], z->local[i]);
	}
	add_end(z, n, start, comment);
}

#endif
