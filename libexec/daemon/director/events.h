/* SPDX-License-Identifier: MIT */
/* What can happen to a change. */
#ifndef TDS_DAEMON_EVENTS_H
#define TDS_DAEMON_EVENTS_H

#include <jansson.h>

struct verdict;

enum change_event {
	CHANGE_BEGIN,
	CHANGE_VERDICT,
	CHANGE_IMPORTED,
	CHANGE_UP,      /* the launch has ended well */
	CHANGE_FAILED,  /* it has not */
	CHANGE_GONE,    /* no process of its source is left */
	CHANGE_CLEARED, /* no source of the group is on its way out */
	CHANGE_REVOKED, /* its source must not run any more */
	CHANGE_DEADLINE,
	CHANGE_EVENTS
};

/* What an event brings. Borrowed for the call. */
struct news {
	const char *error; /* IMPORTED, FAILED, GONE, REVOKED; NULL: all well */
	const json_t *classes;
	const struct verdict *verdict;
};

#endif
