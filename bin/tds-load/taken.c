/* SPDX-License-Identifier: MIT */
#include "taken.h"

#include <string.h>

static const struct {
	const char *key; /* in a declaration, and in the answer */
	const char *word;
} kinds[] = { { "Role", "role" }, { "GlobalName", "global name" } };

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void give(json_t *taken, size_t kind, const char *name, const char *group)
{
	if (name)
		(void)json_object_set_new(json_object_get(taken, kinds[kind].key), name,
					  json_string(group));
}

static void give_running(json_t *taken, const char *group, const json_t *actor)
{
	for (size_t k = 0; k < KINDS; k++)
		give(taken, k, json_string_value(json_object_get(actor, kinds[k].key)), group);
}

json_t *taken_by(const json_t *answer)
{
	json_t *taken = json_pack("{s:{}, s:{}}", kinds[0].key, kinds[1].key);
	const char *group, *hash;
	json_t *listed, *actors, *actor;
	size_t i;

	json_object_foreach(json_object_get(answer, "Groups"), group, listed)
		json_object_foreach(json_object_get(listed, "Running"), hash, actors)
			json_array_foreach(actors, i, actor) give_running(taken, group, actor);
	return taken;
}

/* The name of the actor by its declaration; NULL: none. */
static const char *name_of(const struct tds_value *actor, size_t kind)
{
	const struct tds_value *name =
		tds_value_get(tds_value_get(actor, "OnLoad"), kinds[kind].key);

	return name && name->type == TDS_VALUE_STR && name->len > 0 ? name->text : NULL;
}

static int check(const json_t *taken, const char *group, const char *key,
		 const struct tds_value *actor, struct tds_err *err)
{
	for (size_t k = 0; k < KINDS; k++) {
		const char *name = name_of(actor, k);
		const json_t *owners = json_object_get(taken, kinds[k].key);
		const char *owner = name ? json_string_value(json_object_get(owners, name)) : NULL;

		if (owner && strcmp(owner, group) != 0)
			return tds_err_set(err, TDS_E_REFUSED, "%s: its %s %s belongs to group %s",
					   key, kinds[k].word, name, owner);
	}
	return 0;
}

int take(json_t *taken, const char *group, const struct tds_tli *tli, struct tds_err *err)
{
	const struct tds_value *actors = tds_value_get(tli->value, "Actors");
	size_t n = actors && actors->type == TDS_VALUE_DICT ? actors->n : 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = check(taken, group, actors->items[2 * i]->text, actors->items[2 * i + 1], err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		for (size_t k = 0; k < KINDS; k++)
			give(taken, k, name_of(actors->items[2 * i + 1], k), group);
	return rc;
}
