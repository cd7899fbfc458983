/* SPDX-License-Identifier: MIT */
/* Inside the local engine (engine.c): realms (realm.c), actors (actor.c), and the messages between them (route.c). */
#ifndef TDS_ADMIN_LOCAL_H
#define TDS_ADMIN_LOCAL_H

#include <event2/event.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/base/descriptors.h"
#include "daemon/engine/engine.h"
#include "engine_local.h"
#include "guest.h"
#include "link.h"

#define IDS_IN_A_BLOCK 64   /* that an actor may give its children before it asks for more */
#define LINE_MAX_BYTES 4096 /* of output; a longer line is cut into several */
#define DIRECTS_OF_ACTOR 8  /* links to other actors that it may have */
#define TALKS_OF_ACTOR 4    /* peers whose messages are counted */
#define GRAVES 4096         /* actors that are gone and remembered */

enum actor_state {
	ACTOR_STARTING, /* asked for; frames to it wait */
	ACTOR_UP,
	ACTOR_FAILED, /* never came up; its process may still be there */
};

/* Who sends: an actor, or a program. */
struct sender {
	struct local *engine;
	struct actor *actor; /* NULL: a program */
	uint64_t id;
	uint32_t realm;
	struct link *link;
};

struct waiter;

/* How much an actor has told one peer of late. */
struct talk {
	uint64_t peer;
	time_t since_s;
	unsigned count;
};

/* What is known of an actor that is gone. */
struct grave {
	uint64_t id;
	uint32_t realm;
	bool never; /* as in struct actor */
};

struct actor {
	struct engine_actor pub;
	uint64_t id;
	struct realm *realm;
	struct actor *next; /* in its realm */
	struct actor **self;
	enum actor_state state;
	bool exiting; /* was asked to exit */
	bool left;    /* has said that it ends now: its parent is told, and nothing is sent to it */
	bool never;   /* its class was never constructed: what was sent to it goes back */
	bool told;    /* the source's process has said how it ended: */
	int status;   /* its exit status, or -SIGNAL */
	uint64_t ids[2]
		    [2];  /* that it may give its children: the block at hand, and the one before */
	uint64_t creator; /* told of its exit; 0: the admin created it */
	char *class_name;
	char *name;  /* global; NULL: none */
	bool global; /* was made for a name: has the system as its parent */
	struct link link;
	struct waiter *waiters; /* programs that want to know when it is up */
	json_t *requirements;   /* while its realm is pending */
	bool watches_sources;   /* is told which come and go */
	struct talk talks[TALKS_OF_ACTOR];
	struct direct *directs[DIRECTS_OF_ACTOR];
};

struct realm {
	struct engine_source pub;
	struct local *engine;
	struct realm *next;
	struct realm **self;
	uint32_t number;
	char md5[33];
	pid_t pid;
	int pidfd; /* of the source's process; when that is gone, of the actor whose end is awaited */
	struct event *exited;
	struct event *grace;
	struct link link;
	struct output *output;
	struct actor *actors;
	bool starting; /* its process is asked for */
	bool doomed;   /* to be killed as soon as there is a process */
	bool stopping;
	bool imported;
	bool limited; /* it has a cgroup */
	int emptying; /* tells when that has changed; -1: nobody waits for its end */
	struct event *emptied;
	bool held;           /* in use up the stack: not to be freed yet */
	char *last_line;     /* that the parent printed: why it could not start */
	struct guest *guest; /* of a user's programs; NULL: a source */
	struct realm *home;  /* whose code brought this source, which so is no package; else NULL */
	unsigned nderived;   /* realms whose home this is */
	bool pending;        /* has no process that could make actors: they wait */
	int archive;         /* what a pending one is made of; -1: its source is not valid yet */
	bool retired;        /* its source was unloaded: it ends with its last actor */
	bool told;           /* to those that watch sources */
	char *info;          /* of a package: what they are told of it */
};

struct local {
	struct engine engine;
	struct event_base *base;
	const struct engine_config *config;
	const struct engine_events *events;
	void *ctx;
	uint64_t next_id;
	uint32_t next_realm;
	bool unlimited; /* a realm got no cgroup, and that was said */
	bool ending;    /* there is no loop any more that could wait */
	struct realm *realms;
	/* Among realms, and stopping; NULL: none. */
	struct realm *nursery; /* forks the parents */
	struct realm *spare;   /* a parent that waits for its source */
	void *actors_by_id;    /* tsearch trees */
	void *actors_by_name;
	uint64_t dead_letters; /* the actor that gets them; 0: none */
	size_t ndirects;
	json_t *capabilities; /* name -> text of a literal */
	struct user_source *user_sources;
	struct authority *authorities;
	bool stopping;
	bool settled;            /* the program that began the system has said how it wants it */
	bool ends_with_programs; /* when the last of them has gone */
	struct grave graves[GRAVES]; /* by id modulo GRAVES */
};

static inline struct local *to_local(struct engine *engine)
{
	return (struct local *)engine;
}

static inline struct actor *to_actor(struct engine_actor *actor)
{
	return (struct actor *)actor;
}

static inline struct realm *to_realm(struct engine_source *source)
{
	return (struct realm *)source;
}

_Static_assert(offsetof(struct local, engine) == 0, "the head comes first");
_Static_assert(offsetof(struct actor, pub) == 0, "the head comes first");
_Static_assert(offsetof(struct realm, pub) == 0, "the head comes first");

/* actor.c */
struct actor *find_name(struct local *engine, const char *global_name);
bool set_name(struct local *engine, const char *global_name, struct actor *actor);
void actor_exit(struct actor *actor);
void actor_kill(struct actor *actor);
struct actor *actor_by_id(struct local *engine, uint64_t id);
struct actor *actor_create(struct realm *realm, uint64_t id, const char *class_name,
			   json_t *requirements, const char *name, uint64_t creator, void *owner);
json_t *actor_grant_ids(struct actor *actor);
bool actor_takes_id(struct actor *actor,
		    uint64_t id);      /* is it one of its own, and used for the first time? */
bool actor_begin(struct actor *actor); /* its realm was pending, and is not any more */
void actor_spawned(struct actor *actor, pid_t pid);
void actor_fail(struct actor *actor, const char *kind, const char *error);
void actor_leave(struct actor *actor);
void actor_gone(struct actor *actor);
struct engine_actor *actor_find(struct local *engine, const char *address);
void actor_deliver(struct actor *actor, const struct engine_message *message);

/* output.c */
struct output;
bool output_open(struct realm *realm,
		 int *host_end); /* *host_end: the standard output of its process */
void output_spawned(struct output *output, pid_t pid); /* it is an actor's, or (0) nobody's */
void output_actor_gone(struct output *output, const struct actor *actor); /* all it wrote is told */
void output_free(struct output *output);

/* parent.c */
pid_t parent_start(const struct engine_config *config, int link, int out);

/* realm.c */
extern const struct link_events parent_link_events;
struct realm *realm_new(struct local *engine, const struct engine_load *load);
void realm_stop(struct realm *realm);
void prepare(struct local *engine);
struct realm *realm_alloc(struct local *engine);
void realm_greet(struct realm *realm, int archive, int log_level); /* archive -1: none */
void realm_forget(struct realm *realm);
void realm_await_actors(struct realm *realm); /* its process is gone */
void realm_kill(struct realm *realm);
void realm_children_lost(struct realm *forker); /* parents that it was asked to fork do not come */
struct realm *realm_by_md5(struct local *engine, const char *md5);

static inline struct realm *realm_origin(const struct realm *realm)
{
	return realm->home ? realm->home : (struct realm *)(uintptr_t)realm;
}

/*
 * A realm for a source that code of by brought, pending; and its process, once the archive is known (borrowed), without
 * which (false) the realm is gone.
 */
struct realm *realm_derive(struct realm *by, const char *md5);
bool realm_begin(struct realm *realm, int archive);
void realm_abandon(struct realm *realm, const char *kind, const char *error);
void realm_retire(struct realm *realm);

/* local.c */
uint64_t next_id(struct local *engine);

/* status.c: what a Thespian_SystemStatus is made of, as the op that carries it */
json_t *status_of(const struct realm *by);

/* capabilities.c */
void set_capability(struct local *engine, const char *name, const char *literal);
json_t *capabilities_new(const struct settings *settings);

/* route.c */
extern const struct link_events actor_link_events;
struct frame *message_frame(uint64_t from, uint32_t from_realm, const struct payload *payload);
void return_queue(struct actor *actor);
/* A frame with a message, from whoever. False: it breaks the grammar. */
bool take_message(const struct sender *from, enum frame_type type, const unsigned char *body,
		  size_t len);
/* Send to an actor or a program, from an address of realm 0; nowhere, where there is none. */
void post(struct local *engine, uint64_t from, uint64_t to, const struct payload *payload);
void tell_exit(struct local *engine, uint64_t creator, const struct actor *actor);
void bury(struct local *engine, uint64_t id, uint32_t realm, bool never);

/* direct.c */
struct direct;
void direct_count(struct actor *from, struct actor *to); /* one more message between the two */
bool op_linked(struct actor *actor, const json_t *op);
bool op_switched(struct actor *actor, const json_t *op);
void directs_end(struct actor *actor); /* it is gone, and all that it sent is forwarded */

/* guest.c */
bool guest_is_foreign(const struct realm *realm); /* of another user than the admin's own */
bool guest_may_name(const struct realm *realm, const char *name);
void guest_parent_ended(struct realm *realm);
bool guest_over(
	struct realm *realm); /* is no program left? Those of a realm that stops are cut off */
void guest_end_if_idle(struct realm *realm);
void guest_free(struct realm *realm);
void guest_creation_ended(struct actor *actor, const char *kind, const char *error); /* NULL: up */
void guest_target_dead(struct local *engine, uint64_t from, uint64_t to);
struct link *guest_endpoint_link(struct local *engine, uint64_t id, uint32_t *realm);

#endif
