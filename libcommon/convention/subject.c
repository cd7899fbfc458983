/* SPDX-License-Identifier: MIT */
/* Subjects of the bus. */
#include "subject.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "tds.m."

/* The longest one is that of two names and a channel, with a point behind each name and a NUL. */
_Static_assert(sizeof(PREFIX) - 1 + 2 * (TDS_SYSTEM_NAME_MAX + 1) + TDS_CHANNEL_NAME_MAX + 1 <=
		       TDS_SUBJECT_MAX,
	       "a subject has room");

static bool channel_fits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < 'a' || text[i] > 'z')
			return false;
	return len > 0 && len <= TDS_CHANNEL_NAME_MAX;
}

static bool name_fits(const char *name)
{
	return tds_system_name_fits(name, strlen(name));
}

bool tds_subject_make(char text[TDS_SUBJECT_MAX], const char *from, const char *to,
		      const char *channel)
{
	if (!name_fits(from) || (to && !name_fits(to)) || !channel_fits(channel, strlen(channel)))
		return false;
	(void)snprintf(text, TDS_SUBJECT_MAX, PREFIX "%s.%s.%s", from, to ? to : TDS_SUBJECT_ALL,
		       channel);
	return true;
}

static void copy(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	to[len] = '\0';
}

bool tds_subject_read(const char *text, size_t len, struct tds_subject *subject)
{
	const size_t prefix = strlen(PREFIX);

	if (len < prefix || memcmp(text, PREFIX, prefix) != 0)
		return false;
	const char *from = text + prefix;
	const char *end = text + len;
	const char *point = memchr(from, '.', (size_t)(end - from));
	const char *to = point ? point + 1 : end;
	const char *second = memchr(to, '.', (size_t)(end - to));
	if (!second)
		return false;
	size_t from_len = (size_t)(point - from);
	size_t to_len = (size_t)(second - to);
	size_t channel_len = (size_t)(end - second - 1);
	bool is_for_all =
		to_len == strlen(TDS_SUBJECT_ALL) && memcmp(to, TDS_SUBJECT_ALL, to_len) == 0;
	if (!tds_system_name_fits(from, from_len) ||
	    !(is_for_all || tds_system_name_fits(to, to_len)) ||
	    !channel_fits(second + 1, channel_len))
		return false;
	copy(subject->from, from, from_len);
	copy(subject->to, to, is_for_all ? 0 : to_len);
	copy(subject->channel, second + 1, channel_len);
	return true;
}

bool tds_subject_mine(char text[TDS_SUBJECT_MAX], const char *system)
{
	if (!name_fits(system))
		return false;
	(void)snprintf(text, TDS_SUBJECT_MAX, PREFIX "*.%s.>", system);
	return true;
}

bool tds_subject_all(char text[TDS_SUBJECT_MAX])
{
	(void)snprintf(text, TDS_SUBJECT_MAX, PREFIX "*." TDS_SUBJECT_ALL ".>");
	return true;
}
