/* SPDX-License-Identifier: MIT */
/* The line by which a system says that it is there, as tds-protocol(7) has it. Each byte is hostile. */
#ifndef TDS_DAEMON_CONVENTION_BEAT_H
#define TDS_DAEMON_CONVENTION_BEAT_H

#include <stdbool.h>
#include <stddef.h>

#include "member.h"

struct beat {
	uint64_t protocol;
	char epoch[REFERENCE_SIZE];
	char after[REFERENCE_SIZE]; /* "": not known */
	uint64_t count;             /* of the beats of this epoch, from 1 */
	int64_t wall_ms;            /* when it was sent */
	int64_t started_wall_ms;
	enum member_role role;
	uint64_t term;
	uint64_t number; /* of the document; 0: none yet */
	uint64_t actors;
	uint64_t load;
	char version[MEMBERS_VERSION_MAX];
	bool leaves; /* it is the last one */
};

/* Returns the length. */
size_t beat_write(const struct beat *beat, char text[MEMBERS_BEAT_MAX]);

/* False: it is none. Of another protocol only protocol is read. Nothing is allocated. */
bool beat_read(const char *text, size_t len, struct beat *beat);

#endif
