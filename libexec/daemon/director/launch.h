/* SPDX-License-Identifier: MIT */
/*
 * Launching a source: its declared actors are brought up one after the other, each taking its OnLoad message and passing
 * its health check; and those of an active source that exit are started again.
 */
#ifndef TDS_DAEMON_LAUNCH_H
#define TDS_DAEMON_LAUNCH_H

#include "director.h"
#include "model.h"

/* What the actor at hand is at. */
enum launch_stage {
	LAUNCH_MAKING,
	LAUNCH_TAKING,   /* its OnLoad message */
	LAUNCH_CHECKING, /* its health */
};

/* A launch under way, part of a change. A zeroed one is none. */
struct launch {
	struct source *source; /* NULL: none under way */
	size_t at;
	enum launch_stage stage;
	uint64_t endpoint; /* where the answer to the health check comes to */
	struct timer timer;
};

/* All actors of the source that do not run. The end is a CHANGE_UP or CHANGE_FAILED of the change, later. */
void launch_start(struct change *change, struct source *source);
void launch_cancel(struct change *change);

/* What is not ready when a change's time is over: the actor at hand, and what it is at. */
void launch_overdue(const struct change *change, char why[TDS_ERR_REASON_MAX]);

/* What the engine tells of declared actors. */
void declared_up(struct declared *declared);
void declared_failed(struct declared *declared, const char *error);
void declared_exited(struct declared *declared);
void declared_message_done(struct declared *declared, const char *ref, const char *error);

/* An answer to an outside endpoint, from an actor of this source. */
enum answered launch_answer(struct director *director, const struct engine_source *from,
			    uint64_t endpoint, const struct payload *payload);

/* Send each actor that runs its message of this kind: offsetof(struct declared, on_...). */
void declared_tell_all(struct source *source, size_t message);

/* From now on those that exit are started again, and those that are not there are started; or not any more. */
void declared_want_all(struct source *source, bool wanted);

#endif
