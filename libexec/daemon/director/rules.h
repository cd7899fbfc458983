/* SPDX-License-Identifier: MIT */
/* Inside the Director: its state, its jobs (job.h), the actors of declarations (run.c), what is kept on disk (documents.c). */
#ifndef TDS_ADMIN_RULES_H
#define TDS_ADMIN_RULES_H

#include "daemon/keep/audit.h"
#include "daemon/keep/state.h"
#include "daemon/keep/store.h"
#include "director.h"
#include "listing.h"

struct job;
struct relaunch;
struct held;

/* Bringing up the actors of a source, one after the other. */
struct bringup {
	struct source *source; /* NULL: none under way */
	size_t at;
	uint64_t ref;      /* of the OnLoad message that is not taken yet; 0: none */
	uint64_t endpoint; /* of the health check; 0: none */
	struct event *timer;
	void (*finished)(struct director *director, const char *error);
};

struct director {
	struct event_base *base;
	struct engine *engine;
	const struct director_settings *settings;
	struct director_watch watch;
	struct group *groups;
	struct listing listing;
	struct relaunch *relaunches; /* loads that wait for their turn */
	struct job *jobs;            /* the first is under way */
	struct held *held;           /* messages that wait for their target (deliver.c) */
	struct bringup bringup;
	uint64_t next_ref;
	bool stopping;
	void (*gone)(void *ctx);
	void *gone_ctx;
	void (*shutdown)(void *ctx);
	void *shutdown_ctx;
	struct audit audit;
};

/* director.c */
struct group *group_get(struct director *director,
			const char *name); /* made where missing; NULL: memory */
struct source *source_find(const struct director *director, const char *hash);
void source_free(struct source *source);

/* Of active sources; group NULL: any. NULL: nobody has it. */
struct run *role_find(struct director *director, const char *role, const char *group);
void tell_change(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error);

/* job.c, load.c, unload.c, restore.c */
void job_next(struct director *director);
void jobs_free(struct director *director); /* all of them, told to nobody */
void job_warn(struct director *director, const char *key,
	      const char *text); /* for who waits for the job under way */
void job_imported(struct director *director, struct source *source, const json_t *classes,
		  const char *error);
void job_realm_gone(struct director *director, struct source *source);
void returning_add(const struct director *director,
		   json_t *sources); /* what loaded.json is to say of those not back yet */

/* documents.c: loaded.json, groups.json, the audit log; group, source, error may be NULL */
json_t *source_state(const struct group *group, const struct source *source);
int write_sources(struct director *director, struct tds_err *err) TDS_MUST_CHECK;
int write_groups(struct director *director, struct tds_err *err) TDS_MUST_CHECK;
void write_audit(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error);

/* deliver.c */
void held_release(struct director *director); /* something has come or gone: try them again */
void held_free_all(struct director *director);

/* run.c */
int runs_read(struct source *source, struct tds_err *err);
void runs_free(struct source *source);
void runs_tell(struct director *director, struct source *source,
	       size_t message); /* offsetof(struct run, on_...) */
void bringup_start(struct director *director, struct source *source,
		   void (*finished)(struct director *director, const char *error));
void bringup_cancel(struct director *director);
void run_up(struct director *director, struct run *run);
void run_failed(struct director *director, struct run *run, const char *error);
void run_exited(struct director *director, struct run *run);
void run_message_done(struct director *director, uint64_t ref, const char *error);
bool run_answer(struct director *director, uint64_t endpoint, const struct payload *payload);
void runs_want(struct source *source, bool wanted);
void runs_start_missing(struct director *director,
			struct source *source); /* that ended before it was active */
int64_t wall_ms(void);
int64_t mono_ms(void);

#endif
