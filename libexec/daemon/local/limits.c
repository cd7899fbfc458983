/* SPDX-License-Identifier: MIT */
/* The cgroup of a source: what it may take there, what it takes, and whom the kernel has killed for it. */
#include <stdio.h>
#include <string.h>

#include "director/sandbox.h"
#include "local.h"

/* The lower of what the machine lets each source have, and its sandbox this one. */
static struct tds_cgroup_limits limits_of(const struct realm *realm)
{
	const struct settings *settings = realm->engine->config->settings;
	uint64_t own = realm_processes(realm);

	return (struct tds_cgroup_limits){
		.pids = own > 0 && own < settings->pids_max ? own : settings->pids_max,
		.memory = settings->memory_max,
	};
}

bool limits_hold(struct realm *realm, struct tds_err *err)
{
	const struct tds_cgroup_limits limits = limits_of(realm);

	return !realm->has_cgroup || realm_processes(realm) == 0 ||
	       tds_cgroup_limit(realm->engine->config->cgroup, realm->number, &limits, err) == 0;
}

void limits_begin(struct realm *realm)
{
	struct local *engine = realm->engine;
	const struct engine_config *config = engine->config;
	const struct tds_cgroup_limits limits = limits_of(realm);
	struct tds_err err;
	char text[sizeof(err.reason) + 64];

	if (!config->cgroup || !realm_traits[realm->kind].limited)
		return;
	realm->has_cgroup =
		tds_cgroup_add(config->cgroup, realm->number, &limits, realm->pid, &err) == 0;
	if (realm->has_cgroup || engine->unlimited)
		return;
	engine->unlimited = true;
	(void)snprintf(text, sizeof(text), "no limits of processes and memory: %s", err.reason);
	engine->events->output(engine->ctx, &realm->pub, NULL, OUTPUT_WARNING, text, strlen(text));
}

bool limits_killed(struct realm *realm)
{
	const struct tds_cgroup *cgroup = realm->engine->config->cgroup;

	if (!realm->has_cgroup || tds_cgroup_oom_kills(cgroup, realm->number) <= realm->oom_kills)
		return false;
	realm->oom_kills++;
	return true;
}

void limits_show(const struct engine *head,
		 void (*show)(void *ctx, const struct engine_limits_view *limits), void *ctx)
{
	const struct local *engine = (const struct local *)head;
	struct engine_limits_view view;

	for (const struct realm *r = engine->realms; r; r = r->next) {
		if (!r->has_cgroup || !realm_traits[r->kind].counts)
			continue;
		view.source = &r->pub;
		tds_cgroup_measure(engine->config->cgroup, r->number, &view.use);
		show(ctx, &view);
	}
}
