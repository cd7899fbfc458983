/* SPDX-License-Identifier: MIT */
/*
 * An engine in memory: it does what it is asked, and tells when the test says so. It holds the Director to the contract of
 * engine.h: what is gone is not touched any more.
 */
#ifndef TDS_TESTS_FAKE_ENGINE_H
#define TDS_TESTS_FAKE_ENGINE_H

#include "daemon/base/random.h"
#include "daemon/engine/engine.h"
#include "fake_trace.h"

struct fake_source {
	struct engine_source pub;
	struct fake_source *next; /* newest first */
	char md5[33];
	json_t *names;
	bool told;     /* how the import ended */
	bool stopping; /* unload was asked for */
	bool ended;    /* its process is gone, and not all of its actors are */
};

struct fake_actor {
	struct engine_actor pub;
	struct fake_actor *next; /* oldest first */
	struct fake_source *of;
	char class_name[32];
	char name[32];            /* its global name; empty: none */
	bool failed;              /* it will not come up */
	char ref[REFERENCE_SIZE]; /* of a tracked message that it is at; empty: none */
	uint64_t endpoint;        /* whom it would answer; 0: nobody */
};

struct fake_engine {
	struct engine engine;
	const struct engine_events *events;
	void *ctx;
	struct fake_source *sources;
	struct fake_actor *actors;
	uint64_t next_id;
	uint32_t next_number; /* of a source */
	bool stopped;
	struct engine_counts counts; /* as it says */
	/* faults, and who is told of what is asked */
	bool fail_load;
	bool fail_create;
	unsigned prepared;        /* how often it was told to get ready */
	struct fake_trace *trace; /* borrowed; NULL: none */
};

/* NULL: out of memory. ops->close frees it, as with any engine. */
struct fake_engine *fake_engine_open(const struct engine_events *events, void *ctx);

/* Sources by a digit that their MD5 ends with, actors by their source's and their class; NULL: not there. */
struct fake_source *fake_source(const struct fake_engine *engine, unsigned number);
struct fake_actor *fake_actor(const struct fake_engine *engine, unsigned number,
			      const char *class_name);
unsigned fake_number(const struct fake_source *source);

/* What happens. error NULL: all well; each name means a class of the same name. */
void fake_imported(struct fake_engine *engine, struct fake_source *source, const char *error);
void fake_process_ended(struct fake_source *source); /* its actors end next */
void fake_source_gone(struct fake_engine *engine, struct fake_source *source,
		      const char *last_words); /* with all its actors */
void fake_up(struct fake_engine *engine, struct fake_actor *actor);
void fake_failed(struct fake_engine *engine, struct fake_actor *actor, const char *error);
void fake_exited(struct fake_engine *engine, struct fake_actor *actor, const char *ending);
void fake_taken(struct fake_engine *engine, struct fake_actor *actor, const char *error);
bool fake_answer(struct fake_engine *engine, struct fake_actor *actor, enum encoding encoding);
/* Another actor answers what that one was asked. */
bool fake_forge(struct fake_engine *engine, const struct fake_actor *forger,
		const struct fake_actor *asked, enum encoding encoding);

/* An actor that no declaration names, with a global name, of this source. */
struct fake_actor *fake_stranger(struct fake_engine *engine, struct fake_source *source,
				 const char *name);

#endif
