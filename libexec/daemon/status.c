/* SPDX-License-Identifier: MIT */
/* What the daemon says of itself, in an answer to Status. */
#include <unistd.h>

#include "daemon/guardian/ward.h"
#include "granting.h"
#include "inside.h"
#include "tool/document.h"

/* Null where there is no limit, or none that is a number: half of what is free. */
static json_t *limit_json(uint64_t limit)
{
	return limit < BUDGET_HALF ? json_integer((json_int_t)limit) : json_null();
}

static json_t *limits_json(const struct budget_limits *limits)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "Actors", limit_json(limits->actors), "Bytes",
			 limit_json(limits->bytes), "Clients", limit_json(limits->clients),
			 "Descriptors", limit_json(limits->descriptors), "Operations",
			 limit_json(limits->operations));
}

/* Since when it runs, and for how many seconds: the wall's clock may have been set meanwhile. */
static void describe_age(const struct daemon *d, json_t *status)
{
	int64_t age_ms = d->clock->mono_ms(d->clock) - d->started_mono_ms;

	(void)json_object_set_new(status, "StartTime", tds_document_time(d->started_wall_ms));
	(void)json_object_set_new(status, "Uptime", json_real((double)age_ms / 1000));
}

/* Whom it is who asks: up, on the way up, or on the way down. */
static void describe_state(const struct daemon *d, json_t *status)
{
	bool stopping = d->ending || !ward_is_guarded();

	(void)json_object_set_new(status, "Ready", json_boolean(d->restored && !stopping));
	(void)json_object_set_new(status, "Stopping", json_boolean(stopping));
	(void)json_object_set_new(status, "Restarting", json_boolean(d->ending == ENDING_RESTART));
	(void)json_object_set(status, "NotRestored", d->not_restored);
	(void)json_object_set_new(status, "Changed", inforce_changed(d->inforce));
	(void)json_object_set_new(status, "Restarts", json_integer(d->ward->restarts));
	if (d->ward->last_end)
		(void)json_object_set_new(status, "LastEnd", tds_document_text(d->ward->last_end));
}

void status_describe(void *ctx, json_t *status)
{
	const struct daemon *d = ctx;

	describe_state(d, status);
	describe_age(d, status);
	(void)json_object_set_new(status, "Uid", json_integer(geteuid()));
	(void)json_object_set_new(status, "ActorUid",
				  d->configured.actors == ACTORS_DYNAMIC
					  ? json_null()
					  : json_integer(d->configured.actor_uid));
	(void)json_object_set_new(status, "AutoRefresh", json_boolean(d->configured.auto_refresh));
	(void)json_object_set_new(status, "Sandbox", granting_json(&d->configured.sandbox));
	(void)json_object_set_new(status, "Convention", joining_status(d));
	(void)json_object_set_new(status, "BudgetLimits", limits_json(&d->configured.budget));
}
