/* SPDX-License-Identifier: MIT */
/*
 * The one table of who may ask for what: a row for each thing that can be asked, by the socket, as a message to the
 * Director, or by a link of the engine; a column for each kind of asker. The daemon decides by it, tds-admin prints it,
 * and tds(7) is made of it. Lists of rights are may.h's; where they come from, the caller's.
 */
#ifndef TDS_ASKING_H
#define TDS_ASKING_H

#include <stdbool.h>
#include <stddef.h>

#include "may.h"

enum tds_asker {
	TDS_ASKER_OWN,     /* a client of the admin's own user, or of root */
	TDS_ASKER_USER,    /* a client of a user of adminusers.cfg */
	TDS_ASKER_PROGRAM, /* a program of the admin's own user, and its actors */
	TDS_ASKER_FOREIGN, /* a program of another user, and its actors */
	TDS_ASKER_ACTOR,   /* an actor of a package */
	TDS_ASKERS
};

enum tds_asked {
	/* requests, by the socket or to the Director */
	TDS_ASKED_DEFINE,
	TDS_ASKED_LOAD,
	TDS_ASKED_UNLOAD,
	TDS_ASKED_REFRESH,
	TDS_ASKED_HOLD,
	TDS_ASKED_RELEASE,
	TDS_ASKED_ROLLBACK,
	TDS_ASKED_FORGET,
	TDS_ASKED_ALL,
	TDS_ASKED_ROLE,
	TDS_ASKED_NOTIFICATION,
	TDS_ASKED_STATUS,
	TDS_ASKED_MEMBERS,
	TDS_ASKED_TELL,
	TDS_ASKED_ASK,
	TDS_ASKED_WATCH,
	TDS_ASKED_RELOAD,
	TDS_ASKED_RESTART,
	TDS_ASKED_RESTART_AS,
	TDS_ASKED_SHUTDOWN,
	TDS_ASKED_JOIN,
	/* by a link of the engine */
	TDS_ASKED_SEND,
	TDS_ASKED_CREATE,
	TDS_ASKED_CREATE_OTHER,
	TDS_ASKED_NAME,
	TDS_ASKED_NAME_DECLARED,
	TDS_ASKED_SOURCES_TOLD,
	TDS_ASKED_SOURCES_OWN,
	TDS_ASKED_UNLOAD_SOURCE,
	TDS_ASKED_CAPABILITY,
	TDS_ASKED_CAPABILITY_OTHER,
	TDS_ASKED_DEAD_LETTERS,
	TDS_ASKED_LOG,
	TDS_ASKED_SYSTEM_STATUS,
	TDS_ASKED_SYSTEM_END,
	TDS_ASKED_EXIT,
	TDS_ASKED_EXIT_OTHER,
	TDS_ASKED
};

/* What a cell of the table says. */
enum tds_may {
	TDS_MAY_NO,
	TDS_MAY_YES,
	TDS_MAY_BY_RIGHT, /* where its lists grant the right of the row */
	TDS_MAY_AS_GUEST, /* where its user's programs may join at all (guests.cfg) */
	TDS_MAY_NOT_TRY,  /* it has no way to ask */
};

struct tds_asked_row {
	const char *name;     /* "LoadSource", "create actors" */
	bool request;         /* a DirectorOp; else an operation of a link */
	enum tds_right right; /* that a list must grant; TDS_RIGHT_NONE: there is none */
	enum tds_may may[TDS_ASKERS];
};

const struct tds_asked_row *tds_asked_row(enum tds_asked what);

/* In few words, for tables: "own program"; "yes". */
const char *tds_asker_words(enum tds_asker asker);
const char *tds_may_words(enum tds_may may);

/* Where a list of rights comes from; a right counts that each list which an asker has to have grants. */
enum tds_rights_file {
	TDS_RIGHTS_SIGNED,   /* May of the signed declaration */
	TDS_RIGHTS_DECLARED, /* May of GROUP.tli, or of DefineGroup */
	TDS_RIGHTS_MACHINE,  /* may.cfg */
	TDS_RIGHTS_USER,     /* adminusers.cfg */
	TDS_RIGHTS_FILES
};

/* Who asks. All is borrowed, but in a copy. */
struct tds_asking {
	enum tds_asker kind;
	const struct tds_rights
		*rights[TDS_RIGHTS_FILES]; /* NULL: of those that count, it grants nothing */
	const char *group;                 /* of an actor, the group of its package; else NULL */
};

/* A copy owns its lists, and outlives what they came from. tds_asking_fini() is for copies alone. False: out of memory. */
bool tds_asking_copy(const struct tds_asking *asking, struct tds_asking *copy) TDS_MUST_CHECK;
void tds_asking_fini(struct tds_asking *copy);

/*
 * May who asks have it? group: that it is about; NULL: about none, or, where the row's right is of groups, about all.
 * Who may at all, for some group, is told by tds_asking_may_any(), for those whose group is found out later.
 */
bool tds_asking_may(const struct tds_asking *asking, enum tds_asked what, const char *group);
bool tds_asking_may_any(const struct tds_asking *asking, enum tds_asked what);

/* Why not, in one line that names the file which would allow it. text: of this many bytes. */
#define TDS_ASKING_WHY_MAX 700
void tds_asking_why(const struct tds_asking *asking, enum tds_asked what, const char *group,
		    char text[TDS_ASKING_WHY_MAX]);

#endif
