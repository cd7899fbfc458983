/* SPDX-License-Identifier: MIT */
/*
 * The Director: groups, the sources that are loaded, which one is active, and the actors that the declarations
 * start. Its rules are those of tds(7). It is pure: it reaches processes, time and files through the tables that it is
 * handed. Changes of one group go one after the other; questions are answered at any time.
 */
#ifndef TDS_DAEMON_DIRECTOR_H
#define TDS_DAEMON_DIRECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/base/clock.h"
#include "daemon/engine/engine.h"
#include "means.h"

struct director;

struct director_settings {
	unsigned slots; /* how many packages may be verified and imported at a time; at least 1 */
	bool signed_tli_alone; /* signedtli.cfg: a source is defined by what is signed with its package, and no other way */
};

/* NULL: out of memory. All is borrowed for its life. */
struct director *director_new(struct clock *clock, const struct means *means,
			      const struct director_settings *settings);

/* The engine that runs its actors, opened with these events and the Director as their context; taken over. */
extern const struct engine_events director_engine_events;
void director_attach(struct director *director, struct engine *engine);
void director_free(struct director *director);

/* How a change ended: told to who asked for it. All is borrowed. */
struct outcome {
	int status;        /* the exit status that it comes to; 0: done */
	const char *error; /* NULL: none */
	const char *group;
	const struct source *source; /* that is loaded or active now; NULL: none */
	const char *path;            /* of the package that a load was of; NULL: of none */
	bool changed;
	const json_t *warnings; /* of texts; NULL: none */
	bool left_alone;        /* a refresh did not try what was undone the last time */
	bool again;             /* a refresh came to the same refusal as the one before */
	json_t *deleted;        /* paths of packages beyond TLS_Keep_Limit; NULL: none */
};
typedef void change_done_fn(void *ctx, const struct outcome *outcome);

/* Who asks. All is borrowed for the call. */
struct requester {
	json_t *by; /* as the event log and the audit log are to have it; NULL: out of memory */
	const struct tds_asking *asking; /* what it may */
	struct engine_actor *actor;      /* NULL: it is none, or is gone by now */
	int64_t *
		refused_mono_ms; /* of a user: when it was told of last that it may not; NULL: it is not to be */
};

/* When it was told of last that programs of this user may not have something: for refused_mono_ms. */
int64_t *director_told_of_user(struct director *director, uid_t uid);

enum load_purpose {
	LOAD_NAMED,    /* what is named: where its group is held, nothing else than that */
	LOAD_REFRESH,  /* the newest of a group, or what that is held at */
	LOAD_HOLD,     /* a version of a group, which is held there then */
	LOAD_ROLLBACK, /* the version before, where the group is held then */
};

struct load_request {
	enum load_purpose purpose; /* LOAD_HOLD, LOAD_ROLLBACK: target is a group */
	const char *
		version; /* LOAD_HOLD; NULL: that which is active, else what it is held at, else the newest */
	const char *target; /* a group, a package file, or a TLI file, as tds-load takes them */
	const char *group; /* that the file is for, where its name does not decide; NULL: it does */
	unsigned wait_s;   /* from now until it is undone; 0: as long as it takes */
	bool retry;        /* even if its last load was undone */
	bool allow_downgrade;       /* even below the floor of its group, which is set to it then */
	const struct requester *by; /* NULL: the admin itself */
};

/* Ask for a change. done is called once, later or before the call returns; NULL: nobody waits. */
void director_load(struct director *director, const struct load_request *request,
		   change_done_fn *done, void *ctx);
void director_unload(struct director *director, const char *hash, const struct requester *by,
		     change_done_fn *done, void *ctx);

/*
 * Remove what the actors of a group have kept, and what is remembered of it, where nothing of it is loaded. It stays held
 * where it is held.
 */
void director_forget_group(struct director *director, const char *group, const struct requester *by,
			   change_done_fn *done, void *ctx);

/* Let a group not be held any more; what is active stays so. */
void director_release(struct director *director, const char *group, const struct requester *by,
		      change_done_fn *done, void *ctx);

/*
 * The newest package of every group that who asks may load, one group's failure stopping no other. results: an array with an object for each
 * group, the callee's; status: the highest of them.
 */
typedef void refresh_done_fn(void *ctx, json_t *results, int status);
void director_refresh(struct director *director, unsigned wait_s, bool retry,
		      const struct requester *by, refresh_done_fn *done, void *ctx);

/*
 * Let a group be what a DefineGroup request says; by as above. Errors: TDS_E_USAGE, TDS_E_NOMEM, TDS_E_WRITE;
 * TDS_E_REFUSED: it may not.
 */
int director_define(struct director *director, const char *group, const json_t *request,
		    const struct requester *by, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Bring back what was loaded when a crash came: state is loaded.json, groups is groups.json; NULL: none. Each source
 * that does not come back is told to failed.
 */
void director_restore(struct director *director, const json_t *state, const json_t *groups,
		      void (*failed)(void *ctx, const char *what, const char *why),
		      void (*finished)(void *ctx), void *ctx);

/*
 * From now on these digests are revoked: SHA-256 of packages, of keys and of files of keys, in hexadecimal, an object's keys.
 * What runs of them is unloaded. Takes the reference; NULL: nothing is revoked.
 */
void director_revoke(struct director *director, json_t *digests);

/* Exit requests to all, and no more restarts; gone() when nothing runs any more. */
void director_stop(struct director *director, void (*gone)(void *ctx), void *ctx);

/* Write loaded.json as it is to be, though nothing has changed. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int director_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/* Who it is, for the event log. New references; NULL: out of memory. */
json_t *director_asker_json(const struct director *director, const struct engine_asker *asker);
json_t *director_user_json(const struct director *director, uid_t uid);

/* What it may; borrowed from what is loaded now. */
void director_asking(const struct director *director, const struct engine_asker *asker,
		     struct tds_asking *asking);

/*
 * May it have that, about this group (NULL: none, or all)? Who may not is told of, once a minute. Errors: TDS_E_REFUSED: it
 * may not, and why.
 */
int director_check(struct director *director, const struct requester *by, enum tds_asked what,
		   const char *group, struct tds_err *err) TDS_MUST_CHECK;

/* An actor that asked a while ago; NULL: it is gone by now, or was a program. */
struct engine_actor *director_actor(struct director *director, const char *address);

/* Answers in the Director's vocabulary; new references. */
json_t *director_retrieve_all(struct director *director, const char *group);
json_t *director_restarted(const struct director *director); /* actors that were started again */
json_t *director_sandboxes(const struct director *director); /* what each source was granted */
json_t *director_actors(const struct director *director);    /* all, of programs too */
json_t *director_budgets(const struct director *director);
json_t *director_limits(const struct director *director);   /* of sources that have a cgroup */
json_t *director_counters(const struct director *director); /* since it began */
json_t *director_retrieve_role(struct director *director, const char *role, const char *group);
json_t *outcome_json(const char *response, const struct outcome *outcome);

/* What became of a message. */
enum delivery {
	DELIVERY_DONE,
	DELIVERY_PARKED, /* its target is on its way: the watch's delivered() tells */
	DELIVERY_NONE,   /* no such target */
	DELIVERY_FULL,   /* too many are parked already */
	DELIVERY_UNREAD, /* its target leaves too much unread */
};

/* Why there is no such target: why, or a constant text. */
#define ABSENCE_MAX 80
const char *director_absence(const struct director *director, const char *target, const char *group,
			     char why[ABSENCE_MAX]);

/*
 * Send to a role, @GlobalName or address; group: where the role must be, NULL: anywhere; uid: for whom. ticket is from
 * director_ticket(), and where an answer is wanted also the endpoint that it comes to. director_forget: it need not be
 * delivered any more, where it is still parked.
 */
enum delivery director_send(struct director *director, const char *target, const char *group,
			    uid_t uid, uint64_t ticket, bool wants_answer,
			    const struct payload *payload);
uint64_t director_ticket(struct director *director);
void director_forget(struct director *director, uint64_t ticket);

/* What an actor, or the process of a source, printed or logged. Borrowed, and as hostile as it. */
struct line {
	const char *group;   /* NULL: of a program */
	const char *role;    /* NULL: none */
	const char *address; /* NULL: the source's process itself */
	int level;           /* as engine.h has it */
	const char *text;
	size_t len;
};

/* What becomes of an answer. */
enum answered {
	ANSWER_TO_NOBODY, /* nobody waits there */
	ANSWER_TAKEN,
	ANSWER_STRAY, /* it is from another source than was asked: counted and dropped */
};

/* Called for each line of output, each answer, and what becomes of messages. */
struct director_watch {
	void (*output)(void *ctx, const struct line *line);
	/* The question with this ticket goes to an actor of this source, of which alone an answer counts. */
	void (*asked)(void *ctx, uint64_t ticket, uint32_t source);
	enum answered (*answer)(void *ctx, uint32_t source, uint64_t endpoint,
				const struct payload *payload);
	/* An actor or a program has sent the Director a message. */
	void (*question)(void *ctx, const struct engine_asker *from, const struct payload *payload);
	/* A parked message was delivered (error NULL), or a message will never be handled. */
	void (*delivered)(void *ctx, uint64_t ticket, const char *error);
	/* An actor or a program wants the whole system to end; by: who, NULL: the last program has gone. */
	void (*shutdown_asked)(void *ctx, json_t *by);
	void *ctx;
};
void director_watch(struct director *director, const struct director_watch *watch);

/* A user was not let in: it is counted with what is not allowed. */
void director_turned_away(struct director *director);

/* How many answers, and ends of OnLoad messages, were not from who was asked. */
uint64_t director_strays(const struct director *director);

#endif
