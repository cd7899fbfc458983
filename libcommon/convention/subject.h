/* SPDX-License-Identifier: MIT */
/*
 * Subjects of the bus: tds.m.FROM.TO.CHANNEL, made and taken apart here alone. FROM is vouched for by the bus's permissions,
 * since a system may publish on its own subjects only; all else of a subject that comes is hostile.
 */
#ifndef TDS_SUBJECT_H
#define TDS_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "director/bus.h"

#define TDS_SUBJECT_ALL "all"   /* to whom it may concern; no system has this name */
#define TDS_CHANNEL_NAME_MAX 16 /* bytes */
#define TDS_SUBJECT_MAX 192     /* bytes, with the NUL */

struct tds_subject {
	char from[TDS_SYSTEM_NAME_MAX + 1];
	char to[TDS_SYSTEM_NAME_MAX + 1]; /* "": all */
	char channel[TDS_CHANNEL_NAME_MAX + 1];
};

/* Make one; to NULL: all. False: a name is none, or the channel is not 1 to 16 letters of a to z. */
bool tds_subject_make(char text[TDS_SUBJECT_MAX], const char *from, const char *to,
		      const char *channel);

/* Take len bytes apart, which hold what make makes and nothing else. False: they do not; subject is undefined. */
bool tds_subject_read(const char *text, size_t len, struct tds_subject *subject);

/* What a system subscribes to: what is for it, and for all. False: it is no name. */
bool tds_subject_mine(char text[TDS_SUBJECT_MAX], const char *system);
bool tds_subject_all(char text[TDS_SUBJECT_MAX]);

#endif
