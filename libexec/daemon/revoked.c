/* SPDX-License-Identifier: MIT */
/* What is revoked, from its file to the Director. */
#include "inside.h"

/* Where it is not understood the verifier lets nothing pass, and nothing ends for it. */
static void on_revoked(void *ctx, json_t *digests, const char *why)
{
	struct daemon *d = ctx;

	if (why) {
		json_t *event = events_new(d->clock->wall_ms(d->clock), "NotUnderstood");

		events_set(event, "File", "revoked.cfg");
		events_set(event, "Message", why);
		events_add(&d->world.events, event);
	}
	director_revoke(d->director, digests);
}

void revoked_watch(struct daemon *d)
{
	d->revocations = revocations_open(d->base, &d->settings->dir, on_revoked, d);
}
