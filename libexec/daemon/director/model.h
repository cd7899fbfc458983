/* SPDX-License-Identifier: MIT */
/*
 * What the Director knows: groups, the sources of each, the actors that their declarations name. No rule is here, only
 * what the rules are about.
 */
#ifndef TDS_DAEMON_MODEL_H
#define TDS_DAEMON_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/engine/engine.h"
#include "director/tli.h"

struct change;
struct director;
struct group;
struct source;

/* A declared actor. */
struct declared {
	struct source *source;
	const char *key;  /* its name in the declaration; borrowed from source->tli */
	char *class_name; /* the class that the name means; NULL: not imported yet */
	const char *role; /* NULL: none; these are borrowed too */
	const char *global_name;
	char *on_load; /* literal text of the messages; NULL: none */
	char *on_deactivate;
	char *on_reactivate;
	char *health;
	double health_s;
	struct engine_actor *actor; /* NULL: not running */
	char ref[REFERENCE_SIZE]; /* of the OnLoad message that it was asked to tell the end of; empty: none */
	bool wanted;              /* started again when it exits */
	int64_t started_wall_ms;
	int64_t started_mono_ms;
	unsigned restarts;
	char ending[ENGINE_ENDING_MAX]; /* how its actor ended last; empty: none has */
	unsigned delay_ms;              /* before the next start */
	int64_t next_wall_ms;           /* when that is, while it waits */
	struct timer again;             /* the start that waits */
};

enum source_state {
	SOURCE_LOADING, /* its first load is under way */
	SOURCE_LOADED,  /* loaded.json names it */
	SOURCE_LOST, /* its process ended, or the admin's did: it is on its way back; loaded.json names it still */
	SOURCE_UNLOADING, /* it is on its way out */
};

struct source {
	struct director *director;
	struct group *group;
	struct source *next; /* in its group, newest load first */
	enum source_state state;
	bool returns_active; /* of a lost one: it was active, and will be when it is back */
	char *file;          /* name of the package */
	char *path;          /* where it was loaded from */
	char *version;       /* "" where it has none */
	char md5[33];
	char sha256[65];
	char *key;           /* that validated it */
	char key_sha256[65]; /* of that key, and of its file; empty: not known */
	char key_file_sha256[65];
	const char *revoked; /* why nothing of it may run any more; NULL: it may */
	bool expelled;       /* it is on its way out for that */
	bool unfit;          /* it was to be active again, and no key validates it any more */
	void *vouch;         /* what the verdict rested on (means.h); NULL: to be verified again */
	unsigned losses;     /* how often its process ended under it, shortly after it was loaded */
	struct timer retry;  /* of a lost one: its next try */
	int64_t loaded_wall_ms;
	int64_t active_wall_ms;    /* since when it is active, through crashes; 0: it is not */
	bool dismissed;            /* it was unloaded by name: the store keeps nothing of it */
	struct tds_tli tli;        /* the definition that it was loaded with */
	struct tds_tli signed_tli; /* declared with its package; without a value: nothing is */
	struct tds_sandbox
		*sandbox;       /* what it was granted when it was loaded; NULL: not loaded yet */
	struct tds_rights *may; /* May of tli; NULL: none */
	struct tds_rights *signed_may; /* the same of signed_tli */
	struct engine_source *loaded;  /* in the engine; NULL: not there */
	struct declared *declared;
	size_t ndeclared;
};

struct group {
	char *name;
	struct group *next; /* by name */
	struct director *director;
	struct source *sources;
	struct source *active;
	struct change *changes; /* the first is under way, or waits for its begin */
	bool known; /* its declaration was read once: it is listed, also with nothing loaded */
	char *definition; /* text of a declaration that came by DefineGroup; NULL: none */
	json_t *held;     /* the package that it is held at, as desired.json has it; NULL: none */
	json_t *was_active; /* the packages that were active, the last one last; NULL: none. Both are never altered, but */
	/* replaced (desired.c) */
	json_t *floor; /* the highest version that was active (floor.c); NULL: none was, or it is lost */
	char *trouble; /* why its last refresh was refused, and of what; NULL: it was not */
	char undone
		[65]; /* SHA-256 of the package whose last load was undone; refresh leaves it alone */
};

/* One that has or had anything, or that its declaration was read of; NULL: none. */
struct group *group_find(const struct director *director, const char *name);

/* Made where it is missing. NULL: out of memory. */
struct group *group_get(struct director *director, const char *name);

/* A group that a request named, and of which nothing came, is forgotten. */
void group_tidy(struct group *group);

/* A source of the group that is loaded with this definition, which it takes over. Errors: TDS_E_NOMEM, TDS_E_REFUSED. */
struct source *source_new(struct group *group, const char *file, const char *path,
			  struct tds_tli *tli, struct tds_err *err);
void source_add(struct source *source);
void source_remove(
	struct source *source);          /* out of its group; what points to it there forgets it */
void source_free(struct source *source); /* accepts NULL */

/* By MD5, the name that Thespian gives a source, or by SHA-256. NULL: none. */
struct source *source_find(const struct director *director, const char *hash);

/* Of those of the group that are loaded, and may run: what it is held at, else the highest version. */
struct source *source_highest(const struct group *group);

/* What of it is revoked, in words; NULL: nothing. Digests that are not known are NULL or empty. */
const char *revoked_why(const struct director *director, const char *sha256, const char *key_sha256,
			const char *key_file_sha256);

/* Is the group held at the package of this SHA-256? */
bool group_is_held_at(const struct group *group, const char *sha256);

/* Is something of the group active, or on its way back to be it? */
bool group_has_active(const struct group *group);

/* Is one of the group's on its way back? */
bool group_has_lost(const struct group *group);

/* Of active sources; group NULL: any. NULL: nobody has it. */
struct declared *role_find(const struct director *director, const char *role, const char *group);

/* Is one of the group's on its way out? */
bool group_is_clearing(const struct group *group);

/* Is its actor on its way: starting, or about to be started at once? One that waits for its next turn is not. */
bool declared_is_starting(const struct declared *declared);

/* A document that is to be written down, whose reference it takes; NULL where it is not complete. */
json_t *whole(json_t *doc, bool complete);

/* The Sources of loaded.json: what is loaded, or on its way back. An array, a new reference. */
json_t *model_sources(const struct director *director);

/* The Groups of groups.json: definitions that came by DefineGroup. An object, a new reference. */
json_t *model_definitions(const struct director *director);

#endif
