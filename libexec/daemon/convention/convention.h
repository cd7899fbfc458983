/* SPDX-License-Identifier: MIT */
/*
 * This system's part in its convention: tds-link, which it is reached by, its members, and who leads. What happens is told as
 * events of the event log (tds-director-dir(5)), what is so is answered.
 */
#ifndef TDS_DAEMON_CONVENTION_CONVENTION_H
#define TDS_DAEMON_CONVENTION_CONVENTION_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/dir.h"
#include "convention/conventioncfg.h"
#include "daemon/base/clock.h"
#include "member.h"

/* What is remembered from one start to the next, in the same run directory. */
struct convention_past {
	char epoch[REFERENCE_SIZE]; /* "": it is not known */
	uint64_t term;              /* 0: none */
};

/* Borrowed for the life of what is made of it. */
struct convention_settings {
	const char *program; /* tds-link */
	const struct tds_dir *dir;
	const struct tds_convention *config; /* there is one */
	enum tds_convention_role role;       /* not BY_PLACE */
	const char *version;                 /* of tds */
	struct convention_past past;
	/* What this system has (document.h), a new reference; NULL: out of memory. */
	json_t *(*describe)(void *ctx);
	uint64_t (*actors)(void *ctx); /* how many it has */
	/* This is to be known at the next start: a term that is not written may be led twice. */
	void (*remember)(void *ctx, const struct convention_past *past);
	/* Something happened, with these fields: takes the reference; NULL: out of memory. Event in CapitalWords. */
	void (*tell)(void *ctx, const char *what, json_t *fields);
	void *ctx;
};

struct convention; /* opaque */

/* Begin, from the next turn on. NULL: out of memory. */
struct convention *convention_new(struct event_base *base, struct clock *clock,
				  const struct convention_settings *settings);

/* Say to all that this system leaves: blocking, for a moment, since all else has ended. Accepts NULL. */
void convention_leave(struct convention *convention);
void convention_free(struct convention *convention); /* accepts NULL */

/* For an answer to Status, and all that is known of each system; new references. NULL: out of memory. */
json_t *convention_status(const struct convention *convention);
json_t *convention_members(const struct convention *convention);

#endif
