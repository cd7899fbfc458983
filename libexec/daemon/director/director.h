/* SPDX-License-Identifier: MIT */
/*
 * The Director: groups, the sources that are loaded, which one is active, and the actors that the declarations
 * start. Its rules are those of tds(7). Changes are jobs, one after the other; questions are answered at any time.
 */
#ifndef TDS_ADMIN_DIRECTOR_H
#define TDS_ADMIN_DIRECTOR_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/dir.h"
#include "base/err.h"
#include "daemon/authority/identity.h"
#include "daemon/authority/trust.h"
#include "daemon/engine/engine.h"
#include "director/tli.h"

struct source;
struct group;
struct director;

/* An actor that a declaration starts. */
struct run {
	struct source *source;
	const char *key;  /* its name in the declaration; borrowed from source->tli */
	char *class_name; /* the class that the name means */
	const char *role; /* NULL: none; these are borrowed too */
	const char *global_name;
	char *on_load; /* literal text of the messages; NULL: none */
	char *on_deactivate;
	char *on_reactivate;
	char *health;
	double health_s;
	struct engine_actor *actor; /* NULL: not running */
	bool wanted;                /* started again when it exits */
	int64_t started_wall_ms;
	int64_t started_mono_ms;
	unsigned restarts;
	char ending[ENGINE_ENDING_MAX]; /* how its actor ended last; empty: none has */
	unsigned delay_ms;              /* before the next restart */
	int64_t next_wall_ms;           /* when that is, while it waits */
	struct event *again;            /* the restart that waits */
};

enum source_state {
	SOURCE_LOADING,
	SOURCE_LOADED,
	SOURCE_UNLOADING,
};

struct source {
	struct director *director;
	struct group *group;
	struct source *next; /* in its group, newest load first */
	enum source_state state;
	char *file;    /* name of the package */
	char *path;    /* where it was loaded from */
	char *version; /* "" where it has none */
	char md5[33];
	char sha256[65];
	char *key;                /* that validated it */
	struct trust trust;       /* what the verdict rested on */
	struct identity identity; /* of the file that was verified */
	unsigned losses; /* how often its host ended under it, shortly after it was loaded */
	int64_t loaded_wall_ms;
	struct tds_tli tli;           /* the definition that it was loaded with */
	struct engine_source *loaded; /* in the engine; NULL: not there */
	struct run *runs;
	size_t nruns;
};

struct group {
	char *name;
	struct group *next;
	struct source *sources;
	struct source *active;
	bool known; /* its declaration was read once: it is listed, also with nothing loaded */
	char *definition; /* text of a declaration that came by DefineGroup; NULL: none */
	char undone
		[65]; /* SHA-256 of the package whose last load was undone; refresh leaves it alone */
};

/* How a job ended: told to who asked for it. */
struct outcome {
	int status;        /* the exit status that it comes to; 0: done */
	const char *error; /* borrowed; NULL: none */
	const char *group;
	const struct source *source; /* loaded or unloaded; may be NULL */
	const char *path;            /* of the package that a load was of; NULL: of none */
	bool changed;
	const json_t *warnings; /* of texts; NULL: none */
};
typedef void job_done_fn(void *ctx, const struct outcome *outcome);

struct director_settings {
	const struct tds_dir *dir;
	int rundir;            /* descriptor of the run directory */
	const char *verifier;  /* the program */
	struct logger *logger; /* gets what actors log; NULL: there is none */
};

struct director *director_new(struct event_base *base, const struct director_settings *settings,
			      void (*shutdown)(void *), void *ctx);

/* The engine that runs its actors, opened with these events and the Director as their context; taken over. */
extern const struct engine_events director_engine_events;
void director_attach(struct director *director, struct engine *engine);
void director_free(struct director *director);

/*
 * Ask for a change. done is called once, later or before the call returns; NULL: nobody waits.
 * target: a group, a package file, or a TLI file, as tds-load takes them. group: the group that the file is for, where
 * its name does not decide; NULL: it does. wait_s: the deadline of the load.
 */
void director_load(struct director *director, const char *target, const char *group,
		   unsigned wait_s, bool retry, job_done_fn *done, void *ctx);

/* Let a group be what a DefineGroup request says. Errors: TDS_E_USAGE, TDS_E_NOMEM. */
int director_define(struct director *director, const char *group, const json_t *request,
		    struct tds_err *err) TDS_MUST_CHECK;
void director_unload(struct director *director, const char *hash, job_done_fn *done, void *ctx);

/*
 * Bring back what was loaded when a crash came: state is loaded.json, groups is groups.json; NULL: none. Each source
 * that does not come back is told to failed.
 */
void director_restore(struct director *director, const json_t *state, const json_t *groups,
		      void (*failed)(void *ctx, const char *what, const char *why),
		      void (*finished)(void *ctx), void *ctx);

/* Exit requests to all, and no more restarts; gone() when nothing runs any more. */
void director_stop(struct director *director, void (*gone)(void *ctx), void *ctx);

/* Answers in the Director's vocabulary; new references. */
json_t *director_retrieve_all(struct director *director, const char *group);
json_t *director_restarted(const struct director *director); /* actors that were started again */
json_t *director_retrieve_role(struct director *director, const char *role, const char *group);

/* What became of a message. */
enum delivery {
	DELIVERY_DONE,
	DELIVERY_HELD, /* its target is on its way: the watch's delivered() tells */
	DELIVERY_NONE, /* no such target */
	DELIVERY_FULL, /* too many are held already */
};

/* Why there is no such target: why, or a constant text. */
#define ABSENCE_MAX 80
const char *director_absence(const struct director *director, const char *target, const char *group,
			     char why[ABSENCE_MAX]);

/*
 * Send to a role, @GlobalName or address; group: where the role must be, NULL: anywhere. ticket is from
 * director_ticket(), and where an answer is wanted also the endpoint that it comes to. director_forget: it need not be
 * delivered any more, where it is still held.
 */
enum delivery director_send(struct director *director, const char *target, const char *group,
			    uint64_t ticket, bool wants_answer, const struct payload *payload);
uint64_t director_ticket(struct director *director);
void director_forget(struct director *director, uint64_t ticket);

/* Programs: as the engine's join and admits. */
int director_join(struct director *director, int fd, const struct ucred *peer,
		  const json_t *request, struct tds_err *err) TDS_MUST_CHECK;
bool director_takes_guests(const struct director *director, uid_t uid);

/* The system's, name -> text of a literal; borrowed. */
json_t *director_capabilities(const struct director *director);

/* Called for each change (a JSON object, borrowed), each line of output, each answer, and what becomes of messages. */
struct director_watch {
	void (*change)(void *ctx, json_t *event);
	void (*output)(void *ctx, const char *who, const char *text, size_t len);
	bool (*answer)(void *ctx, uint64_t endpoint, const struct payload *payload);
	/* An actor or a program has sent the Director a message. */
	void (*question)(void *ctx, uint64_t from, bool may_change, const struct payload *payload);
	/* A held message was delivered (error NULL), or a message will never be handled. */
	void (*delivered)(void *ctx, uint64_t ticket, const char *error);
	void *ctx;
};
void director_watch(struct director *director, const struct director_watch *watch);

#endif
