/* SPDX-License-Identifier: MIT */
/* Who may have what: the rights of packages, whose names are whose, and what is told of those who may not. */
#include <string.h>

#include "daemon/base/budget.h"
#include "declaration.h"
#include "rules.h"
#include "tool/cli.h"

void director_asking(const struct director *director, const struct engine_asker *asker,
		     struct tds_asking *asking)
{
	const struct means *means = director->means;
	const struct source *source = asker->source->owner;

	*asking = (struct tds_asking){ .kind = asker->kind };
	if (asker->kind != TDS_ASKER_ACTOR || !source)
		return;
	asking->group = source->group->name;
	asking->rights[TDS_RIGHTS_SIGNED] = source->signed_may;
	asking->rights[TDS_RIGHTS_DECLARED] = source->may;
	asking->rights[TDS_RIGHTS_MACHINE] = means->narrowed(means->ctx, asking->group);
}

struct engine_actor *director_actor(struct director *director, const char *address)
{
	return director->engine->ops->find(director->engine, address);
}

/* --- who asks, for the logs --- */

json_t *director_user_json(const struct director *director, uid_t uid)
{
	const struct means *means = director->means;
	const char *name = means->user_name(means->ctx, uid);

	return json_pack("{s:I, s:o*}", "Uid", (json_int_t)uid, "User",
			 name ? tds_cli_json_text(name) : NULL);
}

json_t *director_asker_json(const struct director *director, const struct engine_asker *asker)
{
	const struct source *source = asker->source->owner;
	const struct declared *declared = asker->actor ? asker->actor->owner : NULL;
	json_t *by = source ? json_pack("{s:o?}", "Group", tds_cli_json_text(source->group->name))
			    : director_user_json(director, asker->uid);

	if (!by)
		return NULL;
	set_text(by, "Role", declared ? declared->role : NULL);
	set_text(by, "Class", asker->actor ? asker->actor->class_name : NULL);
	set_text(by, "Actor", asker->address);
	return by;
}

/* --- who may not --- */

static bool may_tell(const struct director *director, int64_t *refused_mono_ms)
{
	return budget_may_tell(refused_mono_ms, director->clock->mono_ms(director->clock));
}

/* In the actors' log, beside what it prints itself. */
static void warn_actor(const struct director *director, const struct engine_actor *actor,
		       const char *why)
{
	const struct source *source = actor->source->origin->owner;
	const struct declared *declared = actor->owner;

	if (director->watch.output)
		director->watch.output(director->watch.ctx,
				       &(struct line){ .group = source ? source->group->name : NULL,
						       .role = declared ? declared->role : NULL,
						       .address = actor->address,
						       .level = OUTPUT_WARNING,
						       .text = why,
						       .len = strlen(why) });
}

static struct happening not_allowed(enum tds_asked what, const struct group *group, json_t *by,
				    const char *why)
{
	return (struct happening){ .what = "NotAllowed",
				   .group = group,
				   .target = tds_asked_row(what)->name,
				   .by = by,
				   .status = 1,
				   .error = why };
}

/* Programs come and go, each with actors of its own: they are told of together. */
int64_t *director_told_of_user(struct director *director, uid_t uid)
{
	struct told_user *oldest = director->told_users;

	for (size_t i = 0; i < TOLD_USERS; i++) {
		struct told_user *user = &director->told_users[i];

		if (user->refused_mono_ms != 0 && user->uid == uid)
			return &user->refused_mono_ms;
		if (user->refused_mono_ms < oldest->refused_mono_ms)
			oldest = user;
	}
	*oldest = (struct told_user){ .uid = uid };
	return &oldest->refused_mono_ms;
}

/* Each actor of a package once a minute; to write the audit log takes longer, so there it is once for all of a package. */
static void tell_of_actor(struct director *director, struct engine_actor *actor,
			  enum tds_asked what, json_t *by, const char *why)
{
	struct engine_source *origin = actor->source->origin;
	const struct source *source = origin->owner;
	const struct happening h = not_allowed(what, source ? source->group : NULL, by, why);

	if (may_tell(director, &origin->refused_mono_ms))
		audit_and_tell(director, &h);
	else
		tell(director, &h);
	warn_actor(director, actor, why);
}

int director_check(struct director *director, const struct requester *by, enum tds_asked what,
		   const char *group, struct tds_err *err)
{
	char why[TDS_ASKING_WHY_MAX];

	if (!by || tds_asking_may(by->asking, what, group))
		return 0;
	director->counts.not_allowed++;
	tds_asking_why(by->asking, what, group, why);
	bool is_of_package = by->actor && by->asking->kind == TDS_ASKER_ACTOR;
	int64_t *told = is_of_package ? &by->actor->refused_mono_ms : by->refused_mono_ms;
	const struct happening h = not_allowed(what, NULL, by->by, why);
	bool is_due = told && may_tell(director, told);
	if (is_due && is_of_package)
		tell_of_actor(director, by->actor, what, by->by, why);
	else if (is_due)
		audit_and_tell(director, &h);
	if (is_due && by->actor && !is_of_package)
		warn_actor(director, by->actor, why);
	return tds_err_set(err, TDS_E_REFUSED, "%s", why);
}

/* --- what the engine asks --- */

/* A capability that another source of its group has set is its group's. */
static bool is_own(const struct engine_asker *asker, enum tds_asked what,
		   const struct engine_source *of)
{
	const struct source *own = asker->source->owner;
	const struct source *other = of ? of->owner : NULL;

	return what == TDS_ASKED_CAPABILITY_OTHER && own && other && own->group == other->group;
}

bool director_engine_may(void *ctx, const struct engine_asker *asker, enum tds_asked what,
			 const struct engine_source *of)
{
	struct director *director = ctx;
	const struct source *source = of ? of->owner : NULL;
	const char *group = source ? source->group->name : NULL;
	struct tds_asking asking;
	struct tds_err err;

	director_asking(director, asker, &asking);
	if (tds_asking_may(&asking, what, group) || is_own(asker, what, of))
		return true;
	struct requester by = { .asking = &asking,
				.actor = asker->actor,
				.refused_mono_ms =
					asker->kind == TDS_ASKER_ACTOR
						? &asker->source->refused_mono_ms
						: director_told_of_user(director, asker->uid) };
	by.by = director_asker_json(director, asker);
	bool may = director_check(director, &by, what, group, &err) == 0;
	json_decref(by.by);
	return may;
}

bool director_engine_declares(void *ctx, const struct engine_source *source,
			      const char *global_name)
{
	const struct director *director = ctx;
	const struct source *own = source->owner;

	for (const struct group *g = director->groups; g; g = g->next)
		for (const struct source *s = own && own->group == g ? NULL : g->sources; s;
		     s = s->next)
			for (size_t i = 0; i < s->ndeclared; i++)
				if (declared_has(&s->declared[i], NULL, global_name))
					return true;
	return false;
}
