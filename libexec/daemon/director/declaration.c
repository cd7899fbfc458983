/* SPDX-License-Identifier: MIT */
/* A declaration's actors, read from its dictionary, which tli.c has checked. */
#include "declaration.h"

#include <stdlib.h>
#include <string.h>

#include "literal/repr.h"
#include "rules.h"

#define ON_LOAD_MAX_BYTES (500 << 10) /* as a literal: escaped, it fits into a frame */
#define HEALTH_S 5                    /* where no Timeout is given */

static const char *text_of(const struct tds_value *value, const char *key)
{
	const struct tds_value *found = tds_value_get(value, key);

	return found && found->type == TDS_VALUE_STR && found->len > 0 ? found->text : NULL;
}

static bool is_empty(const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_NONE:
		return true;
	case TDS_VALUE_STR:
	case TDS_VALUE_BYTES:
		return value->len == 0;
	case TDS_VALUE_LIST:
	case TDS_VALUE_TUPLE:
	case TDS_VALUE_SET:
	case TDS_VALUE_DICT:
		return value->n == 0;
	default:
		return false; /* 0 and False are messages */
	}
}

/* The literal text of a section's Message. False: out of memory. */
static bool read_message(const struct tds_value *actor, const char *section, char **text)
{
	const struct tds_value *message = tds_value_get(tds_value_get(actor, section), "Message");

	*text = message && !is_empty(message) ? tds_value_repr(message) : NULL;
	return *text || !message || is_empty(message);
}

static bool read_health(const struct tds_value *tli, const struct tds_value *actor,
			struct declared *declared)
{
	const struct tds_value *health = tds_value_get(actor, "Health");

	if (!health)
		health = tds_value_get(tli, "Health");
	if (!health)
		return true;
	const struct tds_value *message = tds_value_get(health, "Message");
	const struct tds_value *timeout = tds_value_get(health, "Timeout");
	declared->health_s = HEALTH_S;
	if (timeout && timeout->type == TDS_VALUE_FLOAT)
		declared->health_s = timeout->real;
	else if (timeout && timeout->type == TDS_VALUE_INT)
		declared->health_s = strtod(timeout->text, NULL);
	declared->health = message ? tds_value_repr(message) : strdup("None");
	return declared->health != NULL;
}

static bool read_actor(struct source *source, const struct tds_value *key,
		       const struct tds_value *actor, struct declared *declared)
{
	const struct tds_value *on_load = tds_value_get(actor, "OnLoad");

	*declared = (struct declared){
		.source = source,
		.key = key->text,
		.role = text_of(on_load, "Role"),
		.global_name = text_of(on_load, "GlobalName"),
	};
	return read_message(actor, "OnLoad", &declared->on_load) &&
	       read_message(actor, "OnDeactivate", &declared->on_deactivate) &&
	       read_message(actor, "OnReactivate", &declared->on_reactivate) &&
	       read_health(source->tli.value, actor, declared);
}

int declaration_read(struct source *source, struct tds_err *err)
{
	const struct tds_value *actors = tds_value_get(source->tli.value, "Actors");
	size_t n = actors && actors->type == TDS_VALUE_DICT ? actors->n : 0;
	int rc = 0;

	source->declared = calloc(n ? n : 1, sizeof(*source->declared));
	while (source->declared && source->ndeclared < n) {
		size_t i = source->ndeclared++;
		struct declared *d = &source->declared[i];

		if (!read_actor(source, actors->items[2 * i], actors->items[2 * i + 1], d))
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		if (rc == 0 && d->on_load && strlen(d->on_load) > ON_LOAD_MAX_BYTES)
			rc = tds_err_set(err, TDS_E_REFUSED,
					 "%s: its OnLoad message is longer than %d bytes", d->key,
					 ON_LOAD_MAX_BYTES);
	}
	return source->declared ? rc : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

void declaration_free(struct source *source)
{
	for (size_t i = 0; i < source->ndeclared; i++) {
		struct declared *d = &source->declared[i];

		timer_stop(&d->again);
		if (d->actor)
			d->actor->owner = NULL;
		free(d->class_name);
		free(d->on_load);
		free(d->on_deactivate);
		free(d->on_reactivate);
		free(d->health);
	}
	free(source->declared);
	source->declared = NULL;
	source->ndeclared = 0;
}

json_t *declaration_names(const struct source *source)
{
	json_t *names = json_array();

	for (size_t i = 0; i < source->ndeclared; i++)
		(void)json_array_append_new(names, json_string(source->declared[i].key));
	return names;
}

bool declaration_classes(struct source *source, const json_t *classes)
{
	for (size_t i = 0; i < source->ndeclared; i++) {
		struct declared *d = &source->declared[i];
		const char *name = json_string_value(json_object_get(classes, d->key));

		free(d->class_name);
		d->class_name = name ? strdup(name) : NULL;
		if (!d->class_name)
			return false;
	}
	return true;
}

const struct tds_value *declaration_defined(const struct source *source, const char *key)
{
	return tds_tli_said(&source->tli, key);
}

const struct tds_value *declaration_signed(const struct source *source, const char *key)
{
	return tds_tli_said(&source->signed_tli, key);
}

static void read_may(const struct tds_value *may, struct tds_rights **rights)
{
	tds_rights_free(*rights);
	(void)!tds_rights_of_value(may, rights, NULL); /* what it may hold was looked at before */
}

void declaration_read_may(struct source *source)
{
	read_may(declaration_defined(source, "May"), &source->may);
	read_may(declaration_signed(source, "May"), &source->signed_may);
}

bool declaration_is_ready_first(const struct source *source)
{
	const char *activate = text_of(source->tli.value, "Activate");

	return activate && strcmp(activate, "ready-first") == 0;
}

int declaration_keeps(const struct source *source)
{
	return tds_tli_keeps(&source->tli);
}

/* --- names --- */

bool declared_has(const struct declared *declared, const char *role, const char *global_name)
{
	const char *has = role ? declared->role : declared->global_name;
	const char *wanted = role ? role : global_name;

	return has && wanted && strcmp(has, wanted) == 0;
}

static bool source_has(const struct source *source, const struct declared *wanted)
{
	for (size_t i = 0; i < source->ndeclared; i++)
		if ((wanted->role && declared_has(&source->declared[i], wanted->role, NULL)) ||
		    (wanted->global_name &&
		     declared_has(&source->declared[i], NULL, wanted->global_name)))
			return true;
	return false;
}

/* Which of the two names it is, and whose. */
static int tell_taken(const struct declared *declared, const struct source *other,
		      struct tds_err *err)
{
	bool is_role = false;

	for (size_t i = 0; declared->role && !is_role && i < other->ndeclared; i++)
		is_role = declared_has(&other->declared[i], declared->role, NULL);
	return tds_err_set(err, TDS_E_REFUSED, "%s: its %s %s belongs to group %s", declared->key,
			   is_role ? "role" : "global name",
			   is_role ? declared->role : declared->global_name, other->group->name);
}

static int check_declared(const struct declared *declared, struct tds_err *err)
{
	const struct group *own = declared->source->group;

	for (const struct group *g = own->director->groups; g; g = g->next)
		for (const struct source *s = g == own ? NULL : g->sources; s; s = s->next)
			if (source_has(s, declared))
				return tell_taken(declared, s, err);
	return 0;
}

int declaration_check_names(const struct source *source, struct tds_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < source->ndeclared; i++) {
		const struct declared *d = &source->declared[i];

		if (d->global_name && strcmp(d->global_name, DIRECTOR_NAME) == 0)
			rc = tds_err_set(err, TDS_E_REFUSED,
					 "%s: its global name is that of the Director", d->key);
		if (rc == 0)
			rc = check_declared(d, err);
	}
	return rc;
}
