/* SPDX-License-Identifier: MIT */
/*
 * What runs actors: the one interface between the Director's rules (director.h) and the processes. A realm is one
 * loaded source; an actor belongs to one realm. The local engine (local.c) is the one that there is.
 */
#ifndef TDS_ADMIN_ENGINE_H
#define TDS_ADMIN_ENGINE_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cgroup.h"
#include "daemon/base/settings.h"

struct engine;
struct realm;
struct actor;

#define DIRECTOR_NAME "Director" /* the global actor that the admin itself is, 0.1 */
#define DIRECTOR_ID 1
#define DIRECTOR_ADDRESS "0.1"

/* How a payload is written down. */
enum encoding {
	ENCODING_PICKLE = 'p',
	ENCODING_LITERAL = 'l', /* text of a Python literal */
	ENCODING_JSON = 'j',
	ENCODING_TAGGED = 't', /* tagged JSON, between realms */
	ENCODING_POISON = 'x', /* to the outside: a PoisonMessage, as a literal dictionary */
};

struct payload {
	enum encoding encoding;
	const void *data; /* borrowed */
	size_t len;
};

/* What an engine tells. Texts are borrowed, and as hostile as the actor that they come from. */
struct engine_events {
	/* The names asked for were imported; classes maps each to the class it means. error NULL: all well. */
	void (*imported)(void *ctx, struct realm *realm, const json_t *classes, const char *error);
	void (*realm_gone)(void *ctx, struct realm *realm);
	void (*actor_up)(void *ctx, struct actor *actor);
	/* It never came up; actor_exited follows. */
	void (*actor_failed)(void *ctx, struct actor *actor, const char *error);
	/* Its process is gone. The actor is freed after this call. */
	void (*actor_exited)(void *ctx, struct actor *actor);
	/* How a tracked message ended: error NULL, its handler returned. */
	void (*message_done)(void *ctx, struct actor *actor, uint64_t ref, const char *error);
	/* A message to an outside endpoint. False: nobody listens there. */
	bool (*answer)(void *ctx, uint64_t endpoint, const struct payload *payload);
	/* A message from an outside endpoint reached no actor: it has become a dead letter. */
	void (*undelivered)(void *ctx, uint64_t endpoint);
	/* A line that an actor (NULL: the realm's parent) printed or logged. */
	void (*output)(void *ctx, struct realm *realm, struct actor *actor, const char *text,
		       size_t len);
	/* A message to the Director; may_change: from one that may change what is loaded. */
	void (*director_asked)(void *ctx, uint64_t from, bool may_change,
			       const struct payload *payload);
	/* A record of logging, as the op log has it; its text is told as output too. */
	void (*logged)(void *ctx, struct actor *actor, const json_t *record);
	void (*shutdown_asked)(void *ctx);
	/* One of its actors, or a program that may, wants a package unloaded. */
	void (*unload_asked)(void *ctx, struct realm *realm);
	/* Does a group declare this global name? */
	bool (*declares)(void *ctx, const char *global_name);
};

/* How processes of the engine are started; borrowed for the engine's life. */
struct engine_limits {
	const struct settings *settings;
	const char *python;              /* the interpreter */
	const char *host;                /* the folder of the host's program */
	const char *dir;                 /* the director directory: the actors' working folder */
	unsigned grace_ms;               /* from an exit request to SIGKILL */
	bool transient;                  /* the system was begun by a program, for programs */
	const struct tds_cgroup *cgroup; /* for one below it to each realm; NULL: none */
};

/* The local engine. NULL: out of memory. */
struct engine *engine_new(struct event_base *base, const struct engine_limits *limits,
			  const struct engine_events *events, void *ctx);
void engine_free(struct engine *engine); /* kills what is left */

/* Does any process of it live? */
bool engine_busy(const struct engine *engine);

/* An id that no actor and no endpoint has had or will have. */
uint64_t engine_next_id(struct engine *engine);

/* A source may have to be started soon: get ready, while it is verified. */
void engine_prepare(struct engine *engine);

/*
 * Start a realm for a verified archive (a sealed memory file, taken over), and import names in it; imported() tells.
 * NULL: no process could be started. owner is the caller's.
 */
struct realm *realm_new(struct engine *engine, const char *md5, int archive_fd, json_t *names,
			void *owner);

/* Exit requests to all its actors, SIGKILL after the grace time, then the end of the parent; realm_gone() tells. */
void realm_stop(struct realm *realm);
void *realm_owner(const struct realm *realm);

/* What actors that watch sources are told of it, from when its names are imported until it stops. */
void realm_set_info(struct realm *realm, const char *info);

/*
 * Create an actor; actor_up() or actor_failed() tells, later. NULL: out of memory or descriptors, or the realm has no
 * process; no event tells of it.
 */
struct actor *actor_new(struct realm *realm, const char *class_name, void *owner);
void *actor_owner(const struct actor *actor);
void actor_set_owner(struct actor *actor, void *owner);
struct realm *actor_realm(const struct actor *actor);
const char *actor_class(const struct actor *actor);
void actor_address(const struct actor *actor, char address[32]);
pid_t actor_pid(const struct actor *actor);

/* How an actor ended, for people, as far as it is known: "exited with status 3", "killed by signal 9". Returns text. */
#define ACTOR_ENDING_MAX 64
const char *actor_ending(const struct actor *actor, char text[ACTOR_ENDING_MAX]);
bool actor_is_up(const struct actor *actor);

/* The actor that an address names, or that has a global name; NULL: none that lives. */
struct actor *engine_find(struct engine *engine, const char *address);
struct actor *engine_find_name(struct engine *engine, const char *global_name);

/* Let the global name mean this actor from now on (NULL: nobody). False: out of memory. */
bool engine_set_name(struct engine *engine, const char *global_name, struct actor *actor);

/*
 * Deliver a message from outside. endpoint: where answers go (0: the system itself). tracked: message_done() tells
 * how it ended, with ref.
 */
void actor_tell(struct actor *actor, uint64_t endpoint, const struct payload *payload);
void actor_tell_tracked(struct actor *actor, uint64_t ref, const struct payload *payload);
void actor_exit(struct actor *actor);
void actor_kill(struct actor *actor);

/*
 * Set a capability of the system to what a Python literal says, or remove it (NULL). All actors are told, and those
 * that cannot live with it exit. A set that would be too large stays as it is.
 */
json_t *engine_capabilities(const struct engine *engine); /* name -> literal; borrowed */
void engine_set_capability(struct engine *engine, const char *name, const char *literal);

/* What a Thespian_SystemStatus is made of, as the op that carries it. */
json_t *engine_status(const struct realm *by);

/* Send to an actor or a program, from an address of realm 0; nowhere, where there is none. */
void engine_send(struct engine *engine, uint64_t from, uint64_t to, const struct payload *payload);

/* Call fn for each living actor of a realm (NULL: of all). */
void engine_each(struct engine *engine, struct realm *realm,
		 void (*fn)(void *ctx, struct actor *actor), void *ctx);

#endif
