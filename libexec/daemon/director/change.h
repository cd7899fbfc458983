/* SPDX-License-Identifier: MIT */
/*
 * A change: a load, an unload or a return, from its request to its end, as a table of states and events (change.c). Each
 * group has its own queue of them; the first of a queue is under way.
 */
#ifndef TDS_DAEMON_CHANGE_H
#define TDS_DAEMON_CHANGE_H

#include "director.h"
#include "events.h"
#include "launch.h"
#include "means.h"
#include "model.h"
#include "rules.h"

enum change_kind {
	CHANGE_LOAD, /* of a package: it is verified, imported, its actors are up; or it is only made active */
	CHANGE_RETURN, /* of a source that was lost, from the store */
	CHANGE_UNLOAD,
	CHANGE_RELEASE,   /* of a group that is held */
	CHANGE_FALL_BACK, /* to the highest version that is loaded and verified, after a revocation */
};

enum change_state {
	CHANGE_WAITING, /* for its turn */
	CHANGE_VERIFYING,
	CHANGE_IMPORTING,
	CHANGE_STARTING,  /* the new source's actors are launched */
	CHANGE_STOPPING,  /* its source is on its way out */
	CHANGE_RETURNING, /* a source that is loaded is made active, the one before, say */
	CHANGE_CLEARING,  /* loaded; the sources that AutoUnload names are on their way out */
	CHANGE_ENDED,
};
#define CHANGE_STATES CHANGE_ENDED

struct change {
	/* what is asked for */
	struct director *director;
	struct group *group;
	struct change *next; /* in its group's queue */
	enum change_kind kind;
	char *target;              /* of a load: as the request has it; of an unload: a hash */
	enum load_purpose purpose; /* of a load */
	char *version;             /* that is to be held; NULL: not said */
	bool given;                /* the request named the group */
	bool retry;                /* even if its last load was undone */
	bool downgrades;           /* even below the floor, which is set to it then */
	unsigned wait_s;           /* 0: as long as it takes */
	json_t *by; /* who wants it, as the event log has it; NULL: the admin itself */
	change_done_fn *done;
	void *ctx;

	/* how far it is */
	enum change_state state;
	struct source *
		source; /* that it loads, makes active or unloads; NULL: not known yet, or not any more */
	struct source
		*before; /* that was active, and was told to rest; active again if this is undone */
	bool rested;     /* before, if any, was told */
	int keeps; /* how many other sources stay when this one is active, of rested; -1: all */
	struct candidate found;
	char wanted
		[65]; /* SHA-256 of what it must be, or of what is to be held; empty: whatever is found */
	struct source
		*incoming; /* what would be loaded, until the verdict; not in its group's list */
	struct tds_err incoming_err; /* why there is none */
	struct verification *verification;
	struct launch launch;
	struct timer deadline;

	/* how it will end */
	bool changed;    /* something has happened */
	bool is_chosen;  /* what is named is a group: which package of it was chosen here */
	char *lowered;   /* the floor, from what; NULL: it was not */
	bool left_alone; /* a refresh does not try what was undone the last time */
	int status;      /* the first reason counts */
	char *error;     /* NULL: well, so far */
	char *traceback; /* the whole of it, where there is one; NULL: there is none */
	json_t *package; /* what the verdict says of it: MD5, SHA256, Key; NULL: nothing */
	json_t *deleted; /* paths of packages that were superfluous; NULL: none */
	bool told;       /* that it failed is told already */
	json_t *warnings;

	/* the table's */
	bool stepping;
	bool posted; /* an event out of a step waits for the step's end: */
	enum change_event event;
	char *event_error;

	/* the queue's */
	struct change *next_ready;
	bool has_slot;
	struct timer slot;
};

/* The table (change.c): an event happens, unless the state knows none such. The change may be freed by then. */
void change_takes(struct change *change, enum change_event event, const struct news *news);

static inline void change_happens(struct change *change, enum change_event event,
				  const struct news *news)
{
	change->director->happens(change, event, news);
}

/* The same for what may happen within a step: it waits until that is over. error is copied; NULL: none. */
void change_post(struct change *change, enum change_event event, const char *error);

/* For who waits for it: the actor's name, and what is odd about it. */
void change_warn(struct change *change, const char *key, const char *text);

/* Is a change of the group under way, which may bring its names back or move them? */
static inline bool group_is_changing(const struct group *group)
{
	return group->changes && group->changes->state != CHANGE_WAITING;
}

/* queue.c */
struct change *change_new(struct group *group, enum change_kind kind, const char *target,
			  change_done_fn *done,
			  void *ctx);       /* NULL: out of memory; done is not called */
void change_enqueue(struct change *change); /* may begin it, and end it */
void change_free(struct change *change);
void change_release_slot(struct change *change);
void change_limit(struct change *change, int64_t in_ms); /* its DEADLINE comes then */
void queue_next(struct change *ended); /* out of its queue; the next one gets ready */
void queue_run(struct director *director);

/* A source is gone, for whatever reason: lost.c. */
void source_gone(struct source *source);

/*
 * Take a source out of everything, and forget what is stored of it; change: that it is of, NULL: of none.
 * Errors:  TDS_E_WRITE: loaded.json has it still.
 */
int source_drop(struct source *source, struct change *change, const char *what, const char *why,
		struct tds_err *err);

/* choose.c: the package that a load is of, in found and wanted, or that is active already, in source. Errors: TDS_E_MISSING. */
int choose_package(struct change *change, struct tds_err *err) TDS_MUST_CHECK;

/*
 * signed.c: what is declared with the package that would be loaded (NULL: nothing is) counts beside its group's definition,
 * or in its place: then incoming is another. Errors: TDS_E_REFUSED, TDS_E_NOMEM.
 */
int signed_apply(struct change *change, const struct tds_tli *declared,
		 struct tds_err *err) TDS_MUST_CHECK;

int choose_source(struct change *change, const struct source *source,
		  struct tds_err *err) TDS_MUST_CHECK; /* the same for one that is loaded */

/* queue.c: a change that lets the highest version be active, where nothing is; and is there one to come? */
void group_fall_back(struct group *group);
bool group_falls_back(const struct group *group);

/* fallback.c: its steps. */
enum change_state fall_back_begin(struct change *change);
enum change_state fall_back_judge(struct change *change, const struct news *news);

/* load.c, activate.c, unload.c: what the table's steps do; each returns the state that follows. */
enum change_state load_begin(struct change *change);
enum change_state load_verify(struct change *change); /* what was found */
enum change_state load_judge(struct change *change, const struct news *news);
enum change_state load_imported(struct change *change, const struct news *news);
enum change_state load_up(struct change *change, const struct news *news);
enum change_state load_failed(struct change *change, const struct news *news);
enum change_state load_revoked(struct change *change, const struct news *news);
enum change_state load_overdue(struct change *change, const struct news *news);
enum change_state load_gone(struct change *change, const struct news *news);
enum change_state load_cleared(struct change *change, const struct news *news);
enum change_state unload_begin(struct change *change);
enum change_state release_begin(struct change *change);
enum change_state returned(struct change *change, const struct news *news);
enum change_state return_lost(struct change *change, const struct news *news);
enum change_state return_overdue(struct change *change, const struct news *news);

/* Parts of steps. */
enum change_state change_refuse(struct change *change, int status, const char *error); /* at once */
enum change_state change_undo(struct change *change, int status, const char *error);
enum change_state change_give_up(struct change *change, int status, const char *error);
enum change_state change_fail(struct change *change, int status, const char *error);
enum change_state change_put_off(struct change *change, int status, const char *error);
enum change_state change_come_back(struct change *change);
void change_blame(struct change *change, int status, const char *error);
void change_trace(struct change *change, const char *traceback); /* the first counts; NULL: none */
void rest_active(struct change *change);
enum change_state return_to(struct change *change, struct source *source);
enum change_state activate(struct change *change);
enum change_state clear_others(struct change *change);
enum change_state keep_inactive(struct change *change);
enum change_state already_active(struct change *change);
void source_stop(struct source *source);

/* Does it only become loaded again, while another one is active? */
bool comes_back_inactive(const struct change *change);

/* Nothing is active, and nothing is on its way back: then the highest version is made active; else the end. */
enum change_state change_fall_back(struct change *change);

/* It has no process (why), and comes back by itself, after a while where that happens again and again. */
void source_lose(struct source *source, const char *why);

#endif
