/* SPDX-License-Identifier: MIT */
/* Packets, written and read. Numbers have their most significant byte first. */
#include "peerform.h"

#include <string.h>

#include "base/text.h"

#define EPOCH_LEN (REFERENCE_SIZE - 1)
#define NUMBER_MAX ((uint64_t)1 << 62)

static unsigned char *put(unsigned char *to, uint64_t value, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		to[i] = (unsigned char)value;
	return to + bytes;
}

static uint64_t get(const unsigned char **from, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | *(*from)++;
	return value;
}

void peer_head_write(const struct peer_head *head, unsigned char data[PEER_HEAD])
{
	*data++ = PEER_FORM;
	*data++ = (unsigned char)(head->kind == PEER_OPEN ? head->flags | 0x80 : head->flags);
	memcpy(data, head->from, EPOCH_LEN);
	memcpy(data + EPOCH_LEN, head->to, EPOCH_LEN);
	data = put(data + 2 * EPOCH_LEN, head->session, 8);
	data = put(data, head->first, 8);
	data = put(data, head->heard_session, 8);
	(void)put(data, head->mark, 8);
}

static bool read_epoch(const unsigned char **from, char epoch[REFERENCE_SIZE])
{
	memcpy(epoch, *from, EPOCH_LEN);
	epoch[EPOCH_LEN] = '\0';
	*from += EPOCH_LEN;
	return tds_text_is_hex(epoch, EPOCH_LEN);
}

bool peer_head_read(const void *data, size_t len, struct peer_head *head)
{
	const unsigned char *at = data;

	if (len < PEER_HEAD || *at++ != PEER_FORM)
		return false;
	head->kind = *at & 0x80 ? PEER_OPEN : PEER_DATA;
	head->flags = *at++ & 0x7fu;
	if (!read_epoch(&at, head->from) || !read_epoch(&at, head->to))
		return false;
	head->session = get(&at, 8);
	head->first = get(&at, 8);
	head->heard_session = get(&at, 8);
	head->mark = get(&at, 8);
	return head->flags <= PEER_FLAGS && head->session >= 1 && head->session <= NUMBER_MAX &&
	       head->first >= 1 && head->first <= NUMBER_MAX &&
	       (head->kind == PEER_DATA || len == PEER_HEAD);
}

void peer_piece_write(size_t len, size_t rest, unsigned char data[PEER_PIECE_HEAD])
{
	(void)put(put(data, len, 4), rest, 4);
}

bool peer_piece_read(const unsigned char *data, size_t len, size_t *at, struct peer_piece *piece)
{
	const unsigned char *head = data + *at;

	if (len - *at < PEER_PIECE_HEAD)
		return false;
	piece->len = (size_t)get(&head, 4);
	piece->rest = (size_t)get(&head, 4);
	*at += PEER_PIECE_HEAD;
	if (piece->len > len - *at)
		return false;
	piece->data = data + *at;
	*at += piece->len;
	return true;
}
