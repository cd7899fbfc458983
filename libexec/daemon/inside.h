/* SPDX-License-Identifier: MIT */
/* What the daemon consists of, for the files that make it, end it, restart it and reload it. */
#ifndef TDS_DAEMON_INSIDE_H
#define TDS_DAEMON_INSIDE_H

#include <event2/event.h>

#include "daemon.h"
#include "daemon/base/clock.h"
#include "daemon/base/inforce.h"
#include "daemon/convention/convention.h"
#include "daemon/director/director.h"
#include "daemon/door/door.h"
#include "daemon/keep/actorlog.h"
#include "daemon/keep/arrivals.h"
#include "daemon/keep/logger.h"
#include "daemon/keep/revocations.h"
#include "daemon/local/engine_local.h"
#include "world.h"

/* Whether it ends, and to what end. One that restarts may still be told to end for good; nothing leads back. */
enum ending {
	ENDING_NOT,
	ENDING_RESTART, /* what is loaded is kept for the one that comes */
	ENDING_FOR_GOOD,
};

/* Who waits for a reload. */
struct reload_waiter {
	struct reload_waiter *next;
	void (*done)(void *ctx, json_t *answer);
	void *ctx;
};

struct reload {
	struct reload_waiter *waiting; /* for the one under way; NULL: there is none */
	struct reload_waiter *later;   /* for the next */
	json_t *refused;               /* texts: what stays as it was, and why */
	struct log_settings log_before;
	struct timer deadline;
};

/* Loads of what comes by itself. */
struct auto_refresh {
	struct arrivals *arrivals; /* NULL: nobody looks for them */
	bool missed; /* at the start: something may have come while no daemon was there */
	bool runs;   /* a refresh is under way */
	bool again;  /* something came meanwhile */
};

struct daemon {
	const struct daemon_settings *settings;
	const struct ward *ward;
	struct event_base *base;
	struct director *director;
	struct door *door;
	struct actorlog *log;
	struct logger *logger;
	struct event *terminate;
	struct event *interrupt;
	struct event *hangup;
	struct settings configured;
	struct inforce *inforce; /* what of the files configured is */
	struct reload reload;
	struct engine_config config;
	struct world world;
	struct revocations *revocations;
	struct auto_refresh auto_refresh;
	struct clock *clock;
	struct tds_convention convention_config;
	struct convention_settings convention_settings;
	struct convention *convention; /* NULL: there is none */
	struct director_settings director_settings;
	struct logger_settings logger_settings;
	struct door_settings door_settings;
	char *verifier;
	char *remover;
	char *rundir_path; /* absolute */
	char *host;
	char *logger_program;
	char *link;   /* tds-link */
	char *python; /* that runs actors */
	struct timer pulse;
	int64_t started_wall_ms; /* when it began, which both clocks tell */
	int64_t started_mono_ms;
	int ready;
	bool restored; /* what a crash took is back, or was told not to be */
	bool settled;  /* what --load-all wants was loaded or refused, or there is no such wish */
	enum ending ending;
	char *successor;      /* of ENDING_RESTART: the program that comes */
	json_t *not_restored; /* texts: what did not come back, and why */
};

/* --- pulse.c --- */

void pulse_say(const struct daemon *d); /* how it is, to its guardian */

/* --- logging.c: the logger, and what it is held to --- */

/* Where logging is configured. False: out of memory. */
bool logging_start(struct daemon *d);

/* There is one from now on, whose settings are there already. False: there is none; what is not for want of memory is reported. */
bool logging_make(struct daemon *d);
void logging_stop(struct daemon *d);

/* --- notes.c: for the event log and the audit log --- */

/* It begins; where one was before that died, how that ended, as its guardian saw it. */
void note_begin(struct daemon *d);

/* It is asked to end (Stopping, Restarting); by: the user or the signal, borrowed; NULL: an actor or a program. */
void note_stopping(struct daemon *d, const char *what, json_t *by);
void note_end(struct daemon *d, int status, const char *why); /* all has ended; status 0: well */
void note_left_out(
	struct daemon *d,
	const char *why); /* what was to be loaded is not, but for packages that come back */

/* Of the configuration, what is not so, or not all of it; and one file of it. */
void note_effects(struct daemon *d);
void note_no_effect(struct daemon *d, const char *file, const char *instead);

/* --- status.c --- */

/* Add to an answer to Status what the daemon knows; ctx: the daemon. */
void status_describe(void *ctx, json_t *status);

/* --- joining.c: the convention that this system is in --- */

/* What the configuration says of it. Errors: those of tds_convention_read. */
int joining_read(struct daemon *d, struct tds_err *err) TDS_MUST_CHECK;

/* Where there is one, be in it. False: out of memory. */
bool joining_begin(struct daemon *d) TDS_MUST_CHECK;
void joining_end(struct daemon *d); /* blocking, for a moment: all else has ended */
void joining_close(struct daemon *d);

json_t *joining_status(const struct daemon *d); /* null: there is none */
json_t *joining_members(void *daemon);          /* NULL: there is no convention, or no memory */

/* --- python.c --- */

#define PYTHON "python3"

/*
 * The first in PATH that everybody may run, where actors have uids that nobody knows before they are told their source; none: the one
 * that is found. Caller frees; NULL: out of memory.
 */
char *python_find(void);

void python_ask(struct daemon *d); /* for its version, which comes when it comes */

/* --- revoked.c --- */

void revoked_watch(struct daemon *d); /* the Director knows what is, from now on */

/* --- autorefresh.c --- */

void autorefresh_look(struct daemon *d); /* or do not, as the settings have it by now */

/* --- reload.c --- */

/*
 * Read what can be read again; done gets the answer to Reload, a reference, perhaps before this returns. False: out of memory,
 * and nothing is done.
 */
bool reload_begin(struct daemon *d, void (*done)(void *ctx, json_t *answer), void *ctx);
void reload_free(struct daemon *d);

/* --- journal.c --- */

void journal_print(const json_t *event); /* to standard error, where there is room */

/* --- restart.c --- */

/*
 * End, to be started again by the guardian, as program (NULL: the one that it is), with what is loaded; by: as for note_stopping. gone(d) is called when
 * nothing runs any more.
 * Errors:  TDS_E_REFUSED where there is nothing to come back to; TDS_E_NO_ADMIN where it is not up, or ends already;
 *          TDS_E_UNUSABLE where it would not start again, as the settings are; TDS_E_WRITE where what is loaded cannot be kept.
 */
int restart_begin(struct daemon *d, int64_t grace_ms, const char *program, json_t *by,
		  void (*gone)(void *ctx), struct tds_err *err) TDS_MUST_CHECK;

#endif
