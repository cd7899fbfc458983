/* SPDX-License-Identifier: MIT */
/* Inside the local engine: realms (realm.c), actors (actor.c), and the messages between them (route.c). */
#ifndef TDS_ADMIN_LOCAL_H
#define TDS_ADMIN_LOCAL_H

#include <sys/types.h>

#include "engine.h"
#include "link.h"

#define IDS_IN_A_BLOCK 64   /* that an actor may give its children before it asks for more */
#define LINE_MAX_BYTES 4096 /* of output; a longer line is cut into several */

struct output {
	int fd; /* read end; -1: none */
	struct event *readable;
	char *line; /* of LINE_MAX_BYTES, while there is an unfinished one */
	size_t len;
	struct realm *realm;
	struct actor *actor; /* NULL: the parent */
};

enum actor_state {
	ACTOR_STARTING, /* asked for; frames to it wait */
	ACTOR_UP,
	ACTOR_FAILED, /* never came up; its process may still be there */
};

struct actor {
	uint64_t id;
	struct realm *realm;
	struct actor *next; /* in its realm */
	struct actor **self;
	enum actor_state state;
	bool exiting; /* was asked to exit */
	bool never;   /* its class was never constructed: what was sent to it goes back */
	uint64_t ids[2]
		    [2];  /* that it may give its children: the block at hand, and the one before */
	uint64_t creator; /* told of its exit; 0: the admin created it */
	char *class_name;
	char *name; /* global; NULL: none */
	pid_t pid;
	int pidfd;
	struct event *exited;
	struct link link;
	struct output *output;
	void *owner;
};

struct realm {
	struct engine *engine;
	struct realm *next;
	struct realm **self;
	uint32_t number;
	char md5[33];
	pid_t pid;
	int pidfd;
	struct event *exited;
	struct event *grace;
	struct link link;
	struct output *output;
	struct actor *actors;
	bool stopping;
	bool imported;
	bool held;       /* in use up the stack: not to be freed yet */
	char *last_line; /* that the parent printed: why it could not start */
	void *owner;
};

struct engine {
	struct event_base *base;
	const struct engine_limits *limits;
	const struct engine_events *events;
	void *ctx;
	uint64_t next_id;
	uint32_t next_realm;
	struct realm *realms;
	struct realm *
		spare; /* a parent that is up and waits for a source; among realms, and stopping; NULL: none */
	void *actors_by_id; /* tsearch trees */
	void *actors_by_name;
	uint64_t dead_letters; /* the actor that gets them; 0: none */
};

/* actor.c */
struct actor *actor_by_id(struct engine *engine, uint64_t id);
struct actor *actor_create(struct realm *realm, uint64_t id, const char *class_name,
			   json_t *requirements, const char *name, uint64_t creator, void *owner);
json_t *actor_grant_ids(struct actor *actor);
bool actor_takes_id(struct actor *actor,
		    uint64_t id); /* is it one of its own, and used for the first time? */
void actor_spawned(struct actor *actor, pid_t pid, int pidfd);
void actor_fail(struct actor *actor, const char *kind, const char *error);
void actor_gone(struct actor *actor);

/* realm.c */
void realm_forget(struct realm *realm);
struct realm *realm_by_md5(struct engine *engine, const char *md5);
struct output *output_new(struct realm *realm, struct actor *actor, int fd);
void output_free(struct output *output);

/* route.c */
extern const struct link_events actor_link_events;
struct frame *message_frame(uint64_t from, uint32_t from_realm, const struct payload *payload);
void return_queue(struct actor *actor);
void tell_exit(struct engine *engine, uint64_t creator, const struct actor *actor);

#endif
