/* SPDX-License-Identifier: MIT */
/* What a declaration says of a source's actors, and of how it is loaded; and whose names they are. */
#ifndef TDS_DAEMON_DECLARATION_H
#define TDS_DAEMON_DECLARATION_H

#include "model.h"

/* Read the actors of source->tli. Errors: TDS_E_NOMEM; TDS_E_REFUSED for an OnLoad message that is too long. */
int declaration_read(struct source *source, struct tds_err *err) TDS_MUST_CHECK;
void declaration_free(struct source *source);

/* The import paths that the engine is to look up. A new reference. */
json_t *declaration_names(const struct source *source);

/* Take the classes that were found for them. False: one is missing. */
bool declaration_classes(struct source *source, const json_t *classes);

/*
 * What the source asks for (May, Sandbox) counts at most as both of these have it: the definition that it was loaded
 * with, and the one that is signed with its package. NULL: not said there; a package without a declaration says nothing.
 */
const struct tds_value *declaration_defined(const struct source *source, const char *key);
const struct tds_value *declaration_signed(const struct source *source, const char *key);

/* Its rights, by what is declared now. Where no memory is left it has none. */
void declaration_read_may(struct source *source);

/* 'Activate': 'ready-first'? */
bool declaration_is_ready_first(const struct source *source);

/* How many other sources of the group stay loaded when this one is replaced; -1: all. */
int declaration_keeps(const struct source *source);

/*
 * A role or global name that another group declares belongs to that group; one that an actor was given, and that nobody
 * declares, to whoever declares it first. Errors: TDS_E_REFUSED.
 */
int declaration_check_names(const struct source *source, struct tds_err *err) TDS_MUST_CHECK;

/* Does the declared actor have this role or (role NULL) this global name? */
bool declared_has(const struct declared *declared, const char *role, const char *global_name);

#endif
