/* SPDX-License-Identifier: MIT */
/* A Director in a world of fakes, and what it has told. */
#ifndef TDS_TESTS_FAKE_WORLD_H
#define TDS_TESTS_FAKE_WORLD_H

#include "daemon/director/director.h"
#include "fake_clock.h"
#include "fake_engine.h"
#include "fake_means.h"

#define FAKE_ASKED_MAX 64

/* A change that was asked for, and how it ended. */
struct fake_asked {
	struct fake *world;
	unsigned answers; /* exactly one is right */
	int status;
	char error[TDS_ERR_REASON_MAX]; /* empty: none */
	unsigned source;                /* its number; 0: none */
	bool changed;
	json_t *warnings;
	unsigned number;   /* of the source that it is about; 0: not known */
	bool unloads;      /* else it loads */
	unsigned active;   /* of its group, when it was answered */
	bool still_loaded; /* the source, when it was answered */
};

struct fake {
	struct fake_clock clock;
	struct fake_means means;
	struct fake_engine *engine;
	struct fake_trace trace;
	struct director_settings settings;
	struct director *director;
	struct fake_asked asked[FAKE_ASKED_MAX];
	size_t nasked;
	uid_t uid;              /* who sends */
	uint32_t questioned;    /* the source of the actor that a question went to last */
	char not_restored[256]; /* "what: why; " for each */
	bool restored;          /* as the last director_restore() told */
	bool restores;          /* there was one */
	bool misled; /* a sender was told that nobody has a role which is on its way (fake_events.c) */
	bool gone; /* director_stop has told */
};

/* A setup and teardown of cmocka: two slots, two groups (foo, bar), three packages each (1 2 3, 4 5 6), an actor each. */
int fake_make(void **state);
int fake_remove(void **state);
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, fake_make, fake_remove)

void fake_open(struct fake *f, bool traced);
void fake_close(struct fake *f);

struct fake_asked *fake_load(struct fake *f, const char *target);
/* A request names a package by its file or its group; of which number that is, asked->number says only for files. */
struct fake_asked *fake_load_for(struct fake *f, const struct load_request *request);
struct fake_asked *fake_unload(struct fake *f, unsigned number);
struct fake_asked *fake_hold(struct fake *f, const char *group,
			     const char *version); /* NULL: none said */
struct fake_asked *fake_rollback(struct fake *f, const char *group);
struct fake_asked *fake_release(struct fake *f, const char *group);
struct fake_asked *fake_forget(struct fake *f, const char *group);
void fake_removed(struct fake *f,
		  const char *error); /* the folder that is on its way out; NULL: all of it */
struct fake_asked *fake_refresh(struct fake *f, const char *group); /* as a refresh loads it */

/* The same to the end, which is a good one; the trace begins with it. */
struct fake_asked *fake_loaded(struct fake *f, const char *target);
void fake_unloaded(struct fake *f, unsigned number);

/* One thing that is on its way happens, and goes well. False: nothing is on its way. No time passes. */
bool fake_step(struct fake *f);
void fake_run(struct fake *f);
void fake_run_ms(struct fake *f, int64_t ms); /* so long */

/* What is on its way, to be told by the test. It must be there. */
void fake_says(struct fake *f, unsigned number, int status, const char *error); /* the verifier */
void fake_imports(struct fake *f, unsigned number, const char *error);
void fake_ends(struct fake *f, unsigned number); /* the source's process, and all of its actors */

/* A load of this package, which has the number, until its actors are to be started. */
struct fake_asked *fake_begun(struct fake *f, const char *file, unsigned number);

struct fake_actor *fake_the(struct fake *f, unsigned number, const char *class_name);

/* To a role or "@NAME"; the ticket stands in the trace: "told TICKET: ERROR". */
enum delivery fake_send(struct fake *f, const char *target, const char *text, uint64_t *ticket);

/* The admin process dies, with all that it ran; another one restores what is on disk. */
void fake_crash(struct fake *f);

/* The number of the source whose actor has the role; 0: none. */
unsigned fake_role(struct fake *f, const char *role);

/* The lines of the trace with these first words were exactly these; the trace begins anew. */
void assert_trace(struct fake *f, const char *words, const char *expected);

/* What is loaded, as fake_disk() has it, in the model and on disk. */
void assert_loaded(struct fake *f, const char *expected);

/* What is wanted of a group, in the model and on disk, by number: "2: 1 3 2", it is held at 2, and 2 was active last. */
void assert_wanted(struct fake *f, const char *group, const char *expected);

/* The version of the floor of a group, in the model and on disk; "": none. */
void assert_floor(struct fake *f, const char *group, const char *version);

/* Digests of packages (their numbers), of keys and of files of keys, as revoked.cfg has them from now on; 0 ends. */
void fake_revoke(struct fake *f, const unsigned *digests);

/* The packages in the store, by number, in order: "1 2". */
void assert_stored(struct fake *f, const char *expected);

/* It was answered once, with this; error NULL: none. */
void assert_answer(const struct fake_asked *asked, int status, const char *error);
void assert_no_answer(const struct fake_asked *asked);

#endif
