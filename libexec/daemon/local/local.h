/* SPDX-License-Identifier: MIT */
/*
 * Inside the local engine: realms, which are sources and users' programs with a process each, and their actors.
 *
 * From the bottom: wire, frames, link; registry, proc, kinds, limits, filter, confine; output, actor; strangers, realm, forkserver;
 * asker; direct, deadletter, route; capabilities,
 * usersource, view, status; actorops, sourceops, program, join; local. A file calls those before it alone. What one of them
 * has to tell those after it goes by the hooks, which local.c sets.
 */
#ifndef TDS_DAEMON_LOCAL_H
#define TDS_DAEMON_LOCAL_H

#include <event2/event.h>
#include <stddef.h>
#include <sys/types.h>

#include "daemon/base/failure.h"
#include "daemon/engine/engine.h"
#include "director/sandbox.h"
#include "engine_local.h"
#include "link.h"
#include "registry.h"

#define IDS_IN_A_BLOCK 64         /* that an actor may give its children before it asks for more */
#define NAME_MAX_BYTES 4096       /* of a class or a global name that an actor is created with */
#define ERROR_MAX_BYTES (8 << 10) /* of what others are told of what went wrong */
#define LINE_MAX_BYTES 4096       /* of output; a longer line is cut into several */
#define DIRECTS_OF_ACTOR 8        /* links to other actors that it may have */
#define RATES_OF_ACTOR 4          /* peers whose messages are counted */

/* --- actors --- */

enum actor_state {
	ACTOR_STARTING, /* asked for; frames to it wait */
	ACTOR_UP,
	ACTOR_FAILED, /* could not be constructed; its process may still be there */
	ACTOR_NEVER,  /* its class was never constructed: what was sent to it goes back */
	ACTOR_LEFT,   /* has said that it ends now: its parent is told, and nothing is sent to it */
	ACTOR_DEAD,   /* its process is gone */
};

/* How much an actor has told one peer of late. */
struct peer_rate {
	uint64_t peer;
	time_t since_s;
	unsigned count;
};

struct pending_create;

struct actor {
	struct engine_actor pub;
	struct bearer bearer;
	struct realm *realm;
	struct actor *next; /* in its realm */
	struct actor **self;
	enum actor_state state;
	uint64_t *ids
		[2]; /* that it may give its children: two blocks, the later one first, 0 for one that is used; NULL: none */
	uint64_t creator; /* told of its exit; 0: the admin created it */
	char *class_name;
	bool left_behind;      /* the process that forked it is gone; its realm may have another */
	bool global;           /* was made for a name: has the system as its parent */
	bool watches_sources;  /* is told which come and go */
	const char *ended_for; /* why its budget ended it; NULL: it did not */
	size_t held; /* bytes of the budget that its names, and what it waits with, take */
	struct link link;
	json_t *requirements;           /* while it waits for a process to be forked from */
	struct pending_create *pending; /* programs that want to know when it is up */
	unsigned npending;
	uint64_t received; /* messages that passed us */
	uint64_t sent;
	struct peer_rate rates[RATES_OF_ACTOR];
	struct direct *directs[DIRECTS_OF_ACTOR];
};

/* --- realms --- */

enum realm_kind {
	REALM_FORK_SERVER, /* the host's first process: it never has a source */
	REALM_WARM,        /* a source's process that waits for its source */
	REALM_PACKAGE,
	REALM_DERIVED,            /* a source that code of a package brought */
	REALM_DERIVED_OF_PROGRAM, /* or that a program brought */
	REALM_PROGRAM,            /* all programs of a user, and their actors */
};

/* Who makes its process. */
enum realm_maker { MADE_BY_DAEMON, MADE_BY_FORK_SERVER, MADE_BY_HOME, JOINS_BY_ITSELF };

/* What differs between kinds. */
struct realm_traits {
	enum realm_maker maker;
	bool forks;   /* may be asked to fork processes for sources */
	bool piped;   /* what it prints comes to us; else it goes where its program prints */
	bool limited; /* has a cgroup of its own */
	bool derived; /* came from the code of another realm, its home, of whose zone it is */
	bool loaded;  /* a package: imports are told, and those that watch sources hear of it */
	bool counts;  /* the Director is told of its end */
	bool link_is_process; /* the end of its link is the end of its process, as far as we can see */
};

extern const struct realm_traits realm_traits[]; /* kinds.c */

/* Where it is in its life. */
enum realm_state {
	REALM_LOADING, /* its names are not imported; of a program: nobody has joined */
	REALM_PENDING, /* derived: its source is not accepted; its actors wait */
	REALM_OPEN, /* of a derived one too whose process is asked for; its actors wait for that */
	REALM_BROKEN,   /* an import failed, which was told */
	REALM_RETIRED,  /* its source was unloaded: it ends with its last actor */
	REALM_STOPPING, /* it takes no more actors, and those it has are asked to exit, or die */
};

enum realm_process {
	PROCESS_NONE,   /* gone, or none has joined */
	PROCESS_WANTED, /* not asked for yet */
	PROCESS_ASKED,
	PROCESS_DOOMED, /* asked for, and killed when it comes */
	PROCESS_RUNS,
};

/*
 * A realm is counted by what needs it: its process (from before there is one), each actor, each realm whose home it
 * is, each program in it, and whoever goes on with it after a call that may end it. With the last of them it is freed.
 */
struct realm {
	struct engine_source pub;
	enum realm_kind kind;
	enum realm_state state;
	enum realm_process process;
	unsigned refs;
	struct local *engine;
	struct realm *next;
	struct realm **self;
	uint32_t number;
	char md5[33];
	pid_t pid;
	int pidfd; /* of the source's process; when that is gone, of the actor whose end is awaited */
	uint64_t awaited; /* that actor */
	struct event *exited;
	struct event *grace;
	struct link link;
	struct output *output;
	struct actor *actors;
	bool has_cgroup;
	bool starved;       /* its process was killed for want of memory */
	uint64_t oom_kills; /* of its processes, that were told of */
	int emptying;       /* tells when that has changed; -1: nobody waits for its end */
	struct event *emptied;
	char *last_line;         /* that its process printed: why it could not start */
	struct program *program; /* program.c; NULL: no REALM_PROGRAM */
	bool foreign;            /* a program's, of another user than the admin's own */
	struct budget budget;    /* a derived one takes of its home's */
	struct realm *home;      /* of a derived one; else NULL */
	int archive;             /* what its process is given; -1: none yet, or given */
	char *info;              /* of a package: what those that watch sources are told of it */
	struct actor_home own;   /* of a package: what its actors have */
	struct watch *watch;     /* of one that is confined, for strangers; NULL: none */
	struct tds_sandbox *sandbox; /* of a package: what its code may do; NULL: trusted */
};

/* --- the engine --- */

/* What the files below tell those above. */
struct local_hooks {
	const struct link_events *actor_link;  /* what comes from an actor */
	const struct link_events *source_link; /* what comes from a source's process */
	/* Its process is about to be asked for an actor. */
	void (*forks)(struct realm *realm);
	/* How the creation of an actor ended; error NULL: it is up. */
	void (*created)(struct actor *actor, enum failure failure, const char *error);
	/* To other actors it is over. */
	void (*left)(struct actor *actor);
	/* It is gone, and only its queue is left of it, and its tombstone. */
	void (*undelivered)(struct actor *actor);
	/* It is freed; its realm counts one less. */
	void (*actor_freed)(struct realm *realm);
	/* All of it is imported. */
	void (*opened)(struct realm *realm);
	/* It takes no more actors, from this state on. */
	void (*closed)(struct realm *realm, enum realm_state before);
	/* The processes that it was asked to fork do not come. */
	void (*forks_no_more)(struct realm *forker);
	/* Of a program's realm: its process, an actor, or a realm that it is the home of is gone. */
	void (*program_changed)(struct realm *realm);
	/* End what is a program's own of a realm that is to be killed. */
	void (*program_kill)(struct realm *realm);
	void (*program_free)(struct realm *realm);
};

struct local {
	struct engine engine;
	struct event_base *base;
	const struct engine_config *config;
	int64_t max_told; /* the largest message that any host or program may think it can send */
	const struct engine_events *events;
	void *ctx;
	const struct local_hooks *hooks;
	struct registry registry;
	uint32_t next_realm;
	bool unlimited; /* a realm got no cgroup, and that was said */
	bool ending;    /* there is no loop any more that could wait */
	struct realm *realms;
	struct realm *fork_server; /* among realms; NULL: none */
	struct realm *warm;        /* the same */
	uint64_t dead_letters;     /* the actor that gets them; 0: none */
	size_t ndirects;
	struct engine_counts counts;
	json_t *capabilities; /* name -> text of a literal */
	json_t *setters;      /* name -> the number of the realm that has set it; 0: the system */
	unsigned capabilities_version;
	struct frame_text *capabilities_text; /* the op that tells them; NULL: not made yet */
	struct event *capabilities_due;       /* who was not told yet is; NULL: nobody ever was */
	unsigned capabilities_at_once;        /* changes of this moment that were told at once */
	unsigned capabilities_rested;         /* the version after which they were let rest */
	struct user_source *user_sources;
	struct authority *authorities;
	struct event *looks; /* for strangers; NULL: no source was confined yet */
	bool stopping;
	bool settled;            /* the program that began the system has said how it wants it */
	bool ends_with_programs; /* when the last of them has gone */
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

/* output.c: what processes of a source print */
bool output_open(struct realm *realm,
		 int *host_end); /* *host_end: the standard output of its process */
void output_spawned(struct output *output, pid_t pid); /* it is an actor's, or (0) nobody's */
void output_actor_gone(struct output *output, const struct actor *actor); /* all it wrote is told */
void output_free(struct output *output);
/* A record of logging (op log) of an actor, NULL: of the source's own process. False: it breaks the grammar. */
bool output_record(struct realm *realm, struct actor *actor, const json_t *op);

/* actor.c */
struct actor *actor_of(const struct bearer *bearer); /* NULL: it is none's */
struct actor *actor_by_id(const struct local *engine, uint64_t id);
struct actor *actor_by_name(const struct local *engine, const char *global_name);
struct actor *actor_by_address(const struct local *engine, const char *address);
bool actor_bind(struct local *engine, const char *global_name, struct actor *actor);
bool actor_text_fits(const char *class_name, const char *name); /* to be remembered */
struct actor *actor_create(struct realm *realm, uint64_t id, const char *class_name,
			   json_t *requirements, const char *name, uint64_t creator, void *owner);
json_t *actor_grant_ids(struct actor *actor);
bool actor_takes_id(struct actor *actor,
		    uint64_t id);      /* is it one of its own, and used for the first time? */
bool actor_begin(struct actor *actor); /* it waited for a process, which is there now */
void actor_spawned(struct actor *actor, pid_t pid);
void actor_is_up(struct actor *actor);
void actor_fail(struct actor *actor, enum failure failure, const char *error);
void actor_leave(struct actor *actor);
void actor_reaped(struct actor *actor, int status); /* the source's process says how it ended */
void actor_gone(struct actor *actor);
void actor_exit(struct actor *actor);
void actor_kill(struct actor *actor);

/*
 * What an actor (NULL: none) asked of a realm is refused, for want of room in the budget of that: told of, now and then, since
 * nobody else notices. And the same of a new actor, with the reason why there is no room for it.
 */
void realm_over_budget(struct realm *realm, struct actor *actor, const char *why);
void realm_has_no_room(struct realm *realm, struct actor *actor);
const char *realm_lack(const struct realm *realm); /* that reason */

/* Is anything sent to it? */
static inline bool actor_listens(const struct actor *actor)
{
	return actor->state == ACTOR_STARTING || actor->state == ACTOR_UP;
}

/* hoststart.c: -1: no process could be started */
pid_t host_start(const struct engine_config *config, int link, int out, int *pidfd);

/* realm.c */
struct realm *realm_alloc(struct local *engine, enum realm_kind kind); /* NULL: out of memory */
void realm_number(struct realm *realm);                                /* once its home is known */
void realm_ref(struct realm *realm);
void realm_unref(struct realm *realm);
bool realm_watch_process(struct realm *realm, pid_t pid, int pidfd); /* takes pidfd */
void realm_process_over(struct realm *realm);
void realm_await_actors(struct realm *realm); /* its process is gone */
void realm_actor_freed(struct realm *realm);
int64_t realm_tell_max_message(
	struct local *engine); /* a reload may change it; who was told keeps to what it was told */
/*
 * Have its process become the user that it is to be, with the environment of that; then confine itself, as it was granted to
 * what it came from; both before it is greeted. False: the reason is in err; it must not be greeted.
 */
bool realm_move_in(struct realm *realm, struct tds_err *err);
bool realm_confine(struct realm *realm, struct tds_err *err);
void realm_greet(struct realm *realm, int archive, int log_level); /* archive -1: none */
void realm_stop(struct realm *realm);
void realm_kill(struct realm *realm);
void realm_abandon(struct realm *realm, enum failure failure, const char *error);
void realm_retire(struct realm *realm);
struct realm *realm_by_md5(struct local *engine, const char *md5);

static inline const struct realm_traits *traits(const struct realm *realm)
{
	return &realm_traits[realm->kind];
}

/* The package or the programs that it came from, or is. */
static inline struct realm *realm_origin(const struct realm *realm)
{
	return realm->home ? realm->home : (struct realm *)(uintptr_t)realm;
}

static inline struct budget *realm_budget(const struct realm *realm)
{
	return &realm_origin(realm)->budget;
}

/* Is it of programs of another user than the admin's own? */
static inline bool realm_is_foreign(const struct realm *realm)
{
	return realm_origin(realm)->foreign;
}

/* By what it, or what it came from, was granted? */
static inline bool realm_is_confined(const struct realm *realm)
{
	const struct tds_sandbox *sandbox = realm_origin(realm)->sandbox;

	return sandbox && sandbox->profile != TDS_PROFILE_TRUSTED;
}

/* How many processes and threads its sandbox lets it have; 0: it does not say. */
static inline uint64_t realm_processes(const struct realm *realm)
{
	const struct tds_sandbox *sandbox = realm_origin(realm)->sandbox;

	return sandbox ? sandbox->limits[TDS_SANDBOX_PROCESSES] : 0;
}

/* Does its sandbox let it have one more actor? Threads are counted too where it has a cgroup. */
static inline bool realm_may_grow(const struct realm *realm)
{
	return realm_processes(realm) == 0 || realm_budget(realm)->actors < realm_processes(realm);
}

/* Do its actors wait for a process that they can be forked from? */
static inline bool realm_actors_wait(const struct realm *realm)
{
	return traits(realm)->derived && realm->state != REALM_STOPPING &&
	       realm->process != PROCESS_RUNS;
}

/* forkserver.c */
void forkserver_prepare(struct local *engine);
struct realm *forkserver_load(struct local *engine, const struct engine_load *load,
			      struct tds_err *err); /* NULL: the reason is in err */
/*
 * A realm for a source that code of by brought, pending; and its process, once the archive is known (borrowed), without
 * which (false) the realm is gone.
 */
struct realm *forkserver_derive(struct realm *by, const char *md5);
bool forkserver_begin(struct realm *realm, int archive);
struct realm *forkserver_asked(const struct realm *forker, json_int_t ref);
void forkserver_never_started(struct realm *realm);
void forkserver_lost(struct realm *forker); /* what it was asked to fork does not come */
void forkserver_started(struct realm *realm, pid_t pid, int pidfd); /* takes pidfd */

/* direct.c: links of their own between actors */
struct direct;
void direct_count(struct actor *from, struct actor *to); /* one more message between the two */
bool direct_op_linked(struct actor *actor, const json_t *op);
bool direct_op_switched(struct actor *actor, const json_t *op);
void directs_end(struct actor *actor); /* it is gone, and all that it sent is forwarded */

/* asker.c: who may have what */

/* Who sends, or asks: an actor, or a program. */
struct sender {
	struct local *engine;
	struct actor *actor; /* NULL: a program */
	const struct realm *of;
	uint64_t id;
	struct link *link;
};

/* Who that is, as events tell it; what it points to is there during the call. */
struct engine_asker asker_of(const struct sender *from);

/* May it? of: the realm that it is about; NULL: about none. What it may not is told, and not to be done. */
bool asker_may(const struct sender *from, enum tds_asked what, const struct realm *of);

/* May who sends as id, from code of a realm, have an actor exit, and say to it what else only the system says? */
bool asker_commands(const struct realm *of, uint64_t id, const struct actor *to);

/* It wants the whole system to end: told on, where it may. */
void ask_for_end(const struct sender *from);

/* May it give an actor this global name? */
bool asker_may_name(const struct sender *from, const char *name);

static inline struct sender sender_of(struct actor *actor)
{
	return (struct sender){ .engine = actor->realm->engine,
				.actor = actor,
				.of = actor->realm,
				.id = actor->bearer.id,
				.link = &actor->link };
}

/* route.c: messages */

/* A frame with a message, from whoever; and the first 8 bytes of one, in time to wait (link_events.begins). */
enum link_verdict route_message(const struct sender *from, enum frame_type type,
				const unsigned char *body, size_t len);
void route_begins(const struct sender *from, enum frame_type type, const unsigned char *body);
/* Send to an actor or a program, from an address of realm 0; nowhere, where there is none. */
void route_post(struct local *engine, uint64_t from, uint64_t to, const struct payload *payload);
void route_deliver(struct actor *actor, const struct engine_message *message);
void route_undelivered(struct actor *actor);

/* deadletter.c: an exit request that it does not obey */
bool dead_op_unheeded(struct actor *actor, const json_t *op);

/*
 * capabilities.c: each host is told the newest soon, and in time: the process of a source before it forks an actor. One
 * that does not read is told when it has read what it was sent before.
 */
void capabilities_tell(struct local *engine, struct link *link);
void capabilities_forks(struct realm *realm); /* hook */
void capabilities_init(struct local *engine); /* those of the system, which has set them */
void capabilities_free(struct local *engine);
void set_capability(struct local *engine, const char *name,
		    const char *literal); /* as the system */
/* For who asks, where it may: nobody has set it, or its own realm, or it may set what others have. */
void ask_for_capability(const struct sender *from, const char *name, const char *literal);

/* limits.c: the cgroup of a source */
#define LIMITS_STARVED "out of memory" /* how a process ended that the kernel killed for it */
void limits_begin(
	struct realm *realm); /* its first process has forked none: all others are born there */
bool limits_hold(
	struct realm *realm,
	struct tds_err *err); /* its sandbox is known; a warm process is in its cgroup already */
/* A process of it was killed by SIGKILL, or ended unseen: was that for want of memory? Each such kill is told once. */
bool limits_killed(struct realm *realm);
void limits_show(const struct engine *engine,
		 void (*show)(void *ctx, const struct engine_limits_view *limits), void *ctx);

/* view.c: how it is seen from outside */
void view_counts(const struct engine *engine, struct engine_counts *counts);
void view_actors(const struct engine *engine,
		 void (*show)(void *ctx, const struct engine_actor_view *actor), void *ctx);
void view_budgets(const struct engine *engine,
		  void (*show)(void *ctx, const struct engine_budget_view *budget), void *ctx);

/* status.c: what a Thespian_SystemStatus is made of. False: as link_control. */
bool status_answer(struct link *link, const struct realm *by);

/* actorops.c, sourceops.c: what an actor, and the process of a source, ask for and tell */
extern const struct link_events actorops_link;
extern const struct link_events sourceops_link;

#endif
