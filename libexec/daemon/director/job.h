/* SPDX-License-Identifier: MIT */
/* Inside the jobs: a load or an unload under way, and the steps that it goes through. */
#ifndef TDS_ADMIN_JOB_H
#define TDS_ADMIN_JOB_H

#include "daemon/authority/verify.h"
#include "rules.h"

enum job_kind { JOB_LOAD, JOB_UNLOAD };

enum job_step {
	STEP_WAITING,
	STEP_VERIFYING,
	STEP_IMPORTING,
	STEP_STARTING,  /* actors are created, one after the other */
	STEP_STOPPING,  /* the realm is on its way out */
	STEP_RETURNING, /* the source before is being brought back */
	STEP_CLEARING,  /* loaded; the sources that AutoUnload names are on their way out */
};

struct job {
	struct job *next;
	enum job_kind kind;
	enum job_step step;
	char *target;
	unsigned wait_s;
	bool retry;
	bool inactive; /* restored as it was: loaded, but not active */
	json_t *stored; /* what loaded.json says of it: it comes back from the store; NULL: it is new */
	char *error; /* why it is being undone, or what it could not write down */
	int status;
	struct group *given; /* that the request named; NULL: the file's name decides */
	struct group *group;
	char *file;
	char *path;
	int fd;
	struct tds_tli tli;
	bool ready_first;
	bool deactivated; /* the source before has had its OnDeactivate messages */
	struct source *source;
	struct source *before; /* that was active */
	struct verification *verification;
	struct store_entry entry; /* where the verified bytes go */
	struct identity identity; /* of the file that they come from */
	json_t *warnings;         /* texts; NULL: none */
	unsigned losses;          /* of the source that is loaded again */
	struct event *deadline;
	job_done_fn *done;
	void *ctx;
};

/* job.c: the queue */
void job_free(struct job *job);

/* A job that is not in the queue yet. NULL: out of memory, which done is told. */
struct job *job_make(enum job_kind kind, const char *target, job_done_fn *done, void *ctx);
void job_enqueue(struct director *director, struct job *job);
struct job *job_new(struct director *director, enum job_kind kind, const char *target,
		    job_done_fn *done, void *ctx); /* made and enqueued */
void job_end(struct director *director, struct job *job, int status, const char *error,
	     const struct source *source, bool changed);

/* resolve.c: the package file, its group, and the declaration that defines it */
int job_resolve(struct director *director, struct job *job, struct tds_err *err) TDS_MUST_CHECK;
int job_resolve_stored(struct director *director, struct job *job,
		       struct tds_err *err) TDS_MUST_CHECK;
int job_read_declaration(struct director *director, struct job *job,
			 struct tds_err *err) TDS_MUST_CHECK;

/* load.c */
void load_begin(struct director *director, struct job *job);
void undo_err(struct director *director, struct job *job, const struct tds_err *err);

/* activate.c */
void load_activate(struct director *director, struct job *job);
void load_keep(struct director *director, struct job *job);
struct source *source_highest(const struct group *group); /* of those that are loaded */
void return_to(struct director *director, struct job *job, struct source *source);
void save_state(struct director *director, const struct group *group);

/* The same of what a job has done to a source; the job fails where it cannot be written down. what: "active", ... */
void save_change(struct director *director, struct job *job, const char *file, const char *what);
void load_cleared(struct director *director); /* a source has gone: goes on in STEP_CLEARING */

/* unload.c */
void unload_begin(struct director *director, struct job *job);
void source_stop(struct director *director, struct source *source); /* job_realm_gone follows */

/* restore.c */
void load_again(struct director *director, const struct source *source, bool active);

/* Unload what is lost and waits to be loaded again: then it is not. False: nothing such is known. */
bool relaunch_drop(struct director *director, struct job *job);
void relaunches_free(struct director *director);

/* Does a source of the group wait to be loaded again, by another job than this one? */
bool is_returning(const struct director *director, const struct group *group,
		  const struct job *job);

#endif
