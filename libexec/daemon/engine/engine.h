/* SPDX-License-Identifier: MIT */
/*
 * What runs actors, as a table of operations and a table of events: the one thing that the Director knows of processes,
 * links and machines. A source is a package that was loaded into the engine; an actor belongs to one source.
 *
 * An operation never calls an event before it returns: it reports a failure by its result, or by an event later, never
 * both.
 */
#ifndef TDS_DAEMON_ENGINE_H
#define TDS_DAEMON_ENGINE_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/cgroup.h"
#include "base/err.h"
#include "daemon/base/home.h"
#include "director/sandbox.h"
#include "director/asking.h"

#define DIRECTOR_NAME "Director" /* the global actor that the admin itself is, 0.1 */
#define DIRECTOR_ID 1
#define DIRECTOR_ADDRESS "0.1"

#define ENGINE_ADDRESS_MAX 32
#define ENGINE_ENDING_MAX 64
#define ENGINE_NO_STATUS INT_MIN /* of an actor that never had a process, or whose end nobody saw */

/* Levels of output: those of Python's logging. */
enum {
	OUTPUT_PRINTED = 0, /* it has none */
	OUTPUT_WARNING = 30,
	OUTPUT_ERROR = 40,
};

struct charge;

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
	const void *data;      /* borrowed */
	size_t len;            /* bytes */
	struct charge *charge; /* of who sends it, borrowed; NULL: nobody is charged */
};

/* A message from outside. */
struct engine_message {
	struct payload payload;
	uint64_t endpoint; /* where answers go; 0: to the system itself, which takes none */
	const char *
		ref; /* borrowed; message_done() tells how it ended, with this; NULL: nobody asks. Else endpoint is 0. */
};

/* The public heads of what an engine makes. They are its own; of these fields only the Director's are written elsewhere. */
struct engine_source {
	unsigned grace_ms; /* of its own, for unload(); 0: as the engine has it */
	void *owner; /* the Director's; NULL: a program's realm, or of a source that a user brought */
	uint32_t
		number; /* of the package or the program that its code came from; no other one ever has it */
	struct engine_source *origin; /* the package or the programs that brought it; else itself */
	int64_t refused_mono_ms; /* the Director's: when it told of what its code may not; 0: never */
	bool of_program;         /* a user's program: it owns no name that a group declares */
	uid_t uid;               /* of_program: whose */
	const char *last_words; /* in source_gone: what its process said last; NULL: nothing */
	const char *traceback;  /* in imported, of an error: the whole of it; NULL: there is none */
};

struct engine_actor {
	void *owner; /* the Director's; NULL: no declaration names it */
	struct engine_source *source;
	int64_t refused_mono_ms; /* the Director's: as the source's, of this actor */
	bool up;                 /* constructed, and not on its way out */
	pid_t pid;               /* 0: not known yet */
	char address[ENGINE_ADDRESS_MAX];
	const char *class_name; /* as it was asked for */
	const char *traceback;  /* in actor_failed and message_done, of an error; NULL: none */
	char ending[ENGINE_ENDING_MAX]; /* in actor_exited: how it ended, for people */
	int status; /* in actor_exited: its exit status, the signal as a negative number, or ENGINE_NO_STATUS */
};

/* Who asks for something: an actor, or a program. */
struct engine_asker {
	enum tds_asker kind;
	struct engine_source *source; /* the origin of its code */
	struct engine_actor *actor;   /* NULL: a program itself */
	uint64_t id;                  /* where answers go */
	char address[ENGINE_ADDRESS_MAX];
	uid_t uid; /* of programs: their user */
};

/* What an engine tells. Texts are borrowed, and as hostile as the actor that they come from. */
struct engine_events {
	/*
	 * The names asked for were imported; classes maps each to the class it means. error NULL: all well. A process
	 * that ends before is told by source_gone() alone.
	 */
	void (*imported)(void *ctx, struct engine_source *source, const json_t *classes,
			 const char *error);
	/* No process of it is left. The source is freed after this call. */
	void (*source_gone)(void *ctx, struct engine_source *source);
	void (*actor_up)(void *ctx, struct engine_actor *actor);
	/* It never came up; actor_exited follows. */
	void (*actor_failed)(void *ctx, struct engine_actor *actor, const char *error);
	/* Its process is gone. The actor is freed after this call. */
	void (*actor_exited)(void *ctx, struct engine_actor *actor);
	/* How a tracked message ended, as that actor says, of whatever ref: error NULL, its handler returned. */
	void (*message_done)(void *ctx, struct engine_actor *actor, const char *ref,
			     const char *error);
	/* A message to an outside endpoint, from an actor of this source. False: nobody listens there. */
	bool (*answer)(void *ctx, const struct engine_source *from, uint64_t endpoint,
		       const struct payload *payload);
	/* A message from an outside endpoint reached no actor: it has become a dead letter. */
	void (*undelivered)(void *ctx, uint64_t endpoint);
	/* A text that an actor (NULL: the source's own process) printed, one line, or logged, with its level. */
	void (*output)(void *ctx, struct engine_source *source, struct engine_actor *actor,
		       int level, const char *text, size_t len);
	/* A message to the Director. */
	void (*director_asked)(void *ctx, const struct engine_asker *from,
			       const struct payload *payload);
	/* A record of logging, as the op log has it; its text is told as output too. actor as in output. */
	void (*logged)(void *ctx, struct engine_actor *actor, const json_t *record);
	/* Somebody who may wants it; NULL: the last program that it was there for has gone. */
	void (*shutdown_asked)(void *ctx, const struct engine_asker *asker);
	/* The same of a package, to be unloaded. */
	void (*unload_asked)(void *ctx, struct engine_source *source,
			     const struct engine_asker *asker);
	/* Something was refused, so many times, for want of room in the budget of a source; once a minute. actor: NULL: none. */
	void (*refused)(void *ctx, struct engine_source *source, struct engine_actor *actor,
			uint64_t times, const char *why);
	/* Processes of a source were killed since they are no actors of it; once a minute for each source. */
	void (*strangers)(void *ctx, struct engine_source *source, const char *what);
	/* Does a group declare this global name, but for that of this source? */
	bool (*declares)(void *ctx, const struct engine_source *source, const char *global_name);
	/*
	 * May it have what the table of director/asking.h does not let each of its kind have? of: the source that it is
	 * about, NULL: about none. False: it was told of already, and nothing is done.
	 */
	bool (*may)(void *ctx, const struct engine_asker *asker, enum tds_asked what,
		    const struct engine_source *of);
};

/* What an engine has done since it was opened. */
struct engine_counts {
	uint64_t messages; /* that passed it; those on direct links do not */
	uint64_t dead_letters;
	uint64_t refused; /* for want of room in the budget of a source or a user's programs */
	uint64_t directs; /* direct links between two actors, made so far */
};

/* An actor, as it is seen from outside. Borrowed for the call. */
struct engine_actor_view {
	const struct engine_actor *actor;
	const char *parent;      /* address of who created it; "": nobody who is there */
	const char *global_name; /* NULL: none */
	uint64_t received;       /* messages that passed the engine */
	uint64_t sent;
	size_t queued;  /* bytes that wait for it */
	size_t directs; /* links on which messages do not pass the engine */
};

/* What a source, with all that its code brought, or a user's programs take of their budget. Borrowed for the call. */
struct engine_budget_view {
	const struct engine_source *source;
	size_t actors;
	size_t descriptors;
	size_t bytes_in;  /* that were read from it and wait */
	size_t bytes_out; /* that wait for it */
	size_t bytes_held;
};

/* What a source takes of what its processes may have. Borrowed for the call. */
struct engine_limits_view {
	const struct engine_source *source;
	struct tds_cgroup_use use;
};

/* What is to be loaded. */
struct engine_load {
	const char *md5; /* the name that actors know the source by */
	int archive;     /* verified: a sealed memory file; the engine's own from the call on */
	json_t *names;   /* to be imported, an array of texts; the engine's own from the call on */
	const char *
		info; /* what actors that watch sources are told of it, from when it is imported until it stops */
	const struct actor_home *home; /* what its actors have of their own */
	struct tds_sandbox *sandbox;   /* what its code may do, granted; NULL: what its user may */
	void *owner;
};

struct engine;

struct engine_ops {
	/* Kills what is left, and frees the engine. */
	void (*close)(struct engine *engine);

	/* Does any process of a source or a program live? */
	bool (*busy)(const struct engine *engine);

	/* A source may have to be loaded soon: get ready, while it is verified. */
	void (*prepare)(struct engine *engine);

	/* imported() tells, and source_gone() in the end. Errors: TDS_E_REFUSED: no process could be started. */
	struct engine_source *(*load)(struct engine *engine, const struct engine_load *load,
				      struct tds_err *err);

	/* Exit requests to all its actors, SIGKILL after the grace time; source_gone() tells. Once is enough. */
	void (*unload)(struct engine *engine, struct engine_source *source);

	/*
	 * actor_up() or actor_failed() tells, and actor_exited() in the end. class_name is one that imported() gave.
	 * Errors: TDS_E_REFUSED: no process, no descriptor, or the source is on its way out; TDS_E_NOMEM.
	 */
	struct engine_actor *(*create)(struct engine *engine, struct engine_source *source,
				       const char *class_name, void *owner, struct tds_err *err);

	/* Deliver a message. Where it cannot be: undelivered(), or message_done() with the actor's end. */
	void (*send)(struct engine *engine, struct engine_actor *to,
		     const struct engine_message *message);

	/* Does so much wait for it that it is to be sent no more from outside? */
	bool (*full)(struct engine *engine, const struct engine_actor *to);

	/* To an actor or a program by its id, from an address of realm 0; nowhere, where there is none. */
	void (*post)(struct engine *engine, uint64_t from, uint64_t to,
		     const struct payload *payload);

	/* Let the global name mean this actor from now on (NULL: nobody). False: out of memory, or it is leaving. */
	bool (*bind)(struct engine *engine, const char *global_name, struct engine_actor *actor);

	/* The actor that an address names, or that has a global name; NULL: none that lives. */
	struct engine_actor *(*find)(struct engine *engine, const char *address);
	struct engine_actor *(*find_name)(struct engine *engine, const char *global_name);

	/* An id that no actor and no endpoint has had or will have. */
	uint64_t (*ticket)(struct engine *engine);

	/* The system's, name -> text of a literal; borrowed. */
	json_t *(*capabilities)(const struct engine *engine);

	void (*counts)(const struct engine *engine, struct engine_counts *counts);

	/* Show each actor, and what each budget has: for who looks, and changes nothing meanwhile. */
	void (*each_actor)(const struct engine *engine,
			   void (*show)(void *ctx, const struct engine_actor_view *actor),
			   void *ctx);
	void (*each_budget)(const struct engine *engine,
			    void (*show)(void *ctx, const struct engine_budget_view *budget),
			    void *ctx);

	/* The same of each source that has a cgroup of its own. */
	void (*each_limits)(const struct engine *engine,
			    void (*show)(void *ctx, const struct engine_limits_view *limits),
			    void *ctx);

	/* May this user's programs join? */
	bool (*admits)(const struct engine *engine, uid_t uid);

	/*
	 * Take a program's connection over, as a Join request asks: fd becomes a link, and the answer is written to it.
	 * Owner:   fd is taken over on success only.
	 * Errors:  TDS_E_USAGE: a wrong field; TDS_E_REFUSED: not allowed, or no room; TDS_E_NO_ADMIN: it is ending;
	 *          TDS_E_NOMEM. *kind is left alone, or names a failure that a program may decide by.
	 */
	int (*join)(struct engine *engine, int fd, const struct ucred *peer, const json_t *request,
		    const char **kind, struct tds_err *err);

	/* No more programs, and those that are there end, as unload() does with a source. */
	void (*stop)(struct engine *engine);
};

/* The head of each engine. */
struct engine {
	const struct engine_ops *ops;
};

#endif
