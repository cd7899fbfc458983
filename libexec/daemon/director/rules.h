/* SPDX-License-Identifier: MIT */
/* Inside the Director: what its files share. */
#ifndef TDS_DAEMON_RULES_H
#define TDS_DAEMON_RULES_H

#include "director.h"
#include "events.h"
#include "means.h"
#include "model.h"

/* What a refresh says of a package that it leaves alone. */
#define TDS_UNDONE "its last load was undone; name it, or use --retry"

/* How a load ended. */
enum load_result {
	LOAD_LOADED,    /* something has changed */
	LOAD_UNCHANGED, /* it was so already */
	LOAD_UNDONE,    /* what it had begun was taken back */
	LOAD_UNTRUSTED, /* by its keys or its archive */
	LOAD_REFUSED,   /* for any other reason, before anything was begun */
	LOAD_RESULTS
};

/* Since the admin process came. */
struct director_counts {
	uint64_t loads[LOAD_RESULTS];
	uint64_t restarts;    /* of actors that had exited */
	uint64_t not_allowed; /* who asked had no right to it */
};

struct parked;
struct forgetting;
struct refresh;
/* What a crash left, on its way back. */
struct restore {
	size_t left; /* sources that are, and one for the beginning itself; 0: it is over */
	void (*failed)(void *ctx, const char *what, const char *why);
	void (*finished)(void *ctx);
	void *ctx;
};

/* Of whose programs it was told that they may not have something, and when the last time; 0: of nobody's. */
struct told_user {
	uid_t uid;
	int64_t refused_mono_ms;
};
#define TOLD_USERS \
	16 /* one that is told of when there are more displaces the one before all others */

struct director {
	struct engine *engine;
	struct clock *clock;
	const struct means *means;
	const struct director_settings *settings;
	struct director_watch watch;
	struct group *groups; /* by name */
	struct change *ready; /* first of their queues, and waiting for a place; longest first */
	unsigned slots_used;
	bool running;         /* queue_run is */
	bool knows_desired;   /* desired.json was read (desired.c) */
	bool desired_unsaved; /* what is wanted is not on disk */
	bool knows_floors;    /* floor.json was read (floor.c) */
	bool floors_unsaved;
	bool upgrades; /* desired.json is of a version that kept no floors (floor.c) */
	json_t *revoked; /* digests of packages and keys, hexadecimal, as an object has them; NULL: none */
	/* The table of changes, handed down: what is below it lets events happen without knowing it. */
	void (*happens)(struct change *change, enum change_event event, const struct news *news);
	struct restore restore;
	struct refresh *refreshes;      /* under way (refresh.c) */
	struct forgetting *forgettings; /* (forget.c) */
	struct parked *parked;          /* messages that wait for their target (deliver.c) */
	uint64_t strays;                /* answers that were not from who was asked */
	struct director_counts counts;
	struct told_user told_users[TOLD_USERS];
	bool stopping;
	void (*gone)(void *ctx);
	void *gone_ctx;
};

/* Something that has happened, or is about to. All is borrowed, and all but what may be NULL. */
struct happening {
	const char *what; /* the name of the event */
	const struct group *group;
	const struct source *source;
	const struct change *change;     /* that it is of, or that it is the end of */
	const struct declared *declared; /* the actor that it is about */
	const struct engine_actor *actor;
	json_t *by;         /* who wants it, where no change says so */
	const char *target; /* that was asked for, where no package is known */
	json_t *files;      /* paths; NULL: none */
	uint64_t times;     /* that it happened since it was told last; 0: it is told each time */
	int status;         /* the exit status that it comes to, where no change says so; 0: none */
	const char *error;
	const char *traceback; /* where no change has it */
};

/* tell.c */
void tell(struct director *director, const struct happening *happening);
void tell_change(struct director *director, const char *what, const struct group *group,
		 const struct source *source, const char *error); /* the same, in short */

/* Of an event, or of who is the cause of one: a text that is neither NULL nor empty. */
void set_text(json_t *event, const char *key, const char *text);

/* Before something is done that is not done where that cannot be audited. Errors: TDS_E_WRITE, TDS_E_NOMEM. */
int audit(struct director *director, const struct happening *happening,
	  struct tds_err *err) TDS_MUST_CHECK;
/* Of what is done in any case. */
void audit_and_tell(struct director *director, const struct happening *happening);
int model_save(struct director *director, struct tds_err *err) TDS_MUST_CHECK;

/* The change has happened; that it could not be written down is said, and the next change writes it again. */
void save_state(struct director *director, const struct group *group);

/* may.c: what the engine asks */
bool director_engine_may(void *ctx, const struct engine_asker *asker, enum tds_asked what,
			 const struct engine_source *of);
bool director_engine_declares(void *ctx, const struct engine_source *source,
			      const char *global_name);

/* counts.c: a load has ended with this exit status */
void counts_load(struct director *director, int status, bool changed, bool undone);

/* answers.c: an actor's address, as the protocol has it; empty: of none */
json_t *address_json(const char *address);

/* refresh.c: those that are under way are not told any more how they end */
void refresh_free_all(struct director *director);

/* forget.c: the same */
void forgetting_free_all(struct director *director);

/* deliver.c: something has come or gone: what is parked is tried again */
void parked_release(struct director *director);
void parked_free_all(struct director *director);

#endif
