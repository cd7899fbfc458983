/* SPDX-License-Identifier: MIT */
/*
 * Why an actor could not be created. Daemon and host name the kinds to each other in control ops; the host's names, in
 * tdshost/wire/failure.py, are written from this list, and tests/unit/t_failure.c holds the two equal.
 */
#ifndef TDS_DAEMON_FAILURE_H
#define TDS_DAEMON_FAILURE_H

#include <stdbool.h>

/*
 * Each kind: its name, whether what was sent to the actor before goes back to the senders (it can never be constructed, and
 * not only this time), and the exception that a program gets which asked for the actor; empty: none, it gets an address.
 */
#define FAILURES(X)                                                                       \
	X(IMPORT, "import", true, "ImportError")             /* of its module */          \
	X(CLASS, "class", true, "InvalidActorSpecification") /* there is none */          \
	X(CAPABILITY, "capability", true, "NoCompatibleSystemForActor")                   \
	X(SOURCE, "source", true, "InvalidActorSourceHash")  /* that was brought */       \
	X(HASH, "hash", false, "InvalidActorSourceHash")     /* of no source */           \
	X(NAME, "name", false, "InvalidActorSpecification")  /* a group's */              \
	X(PARENT, "parent", false, "ActorSystemFailure")     /* the program has none */   \
	X(PROCESS, "process", false, "ActorSystemFailure")   /* none can be had */        \
	X(SHUTDOWN, "shutdown", false, "ActorSystemFailure") /* of the system */          \
	X(INIT, "init", false, "")                           /* its constructor raised */ \
	X(EXIT, "exit", false, "") /* it ended before it was constructed */

enum failure {
#define FAILURE_ENUM(id, name, returns, raises) FAILURE_##id,
	FAILURES(FAILURE_ENUM)
#undef FAILURE_ENUM
		FAILURE_COUNT,
};

const char *failure_name(enum failure failure);

/* The kind of this name; the other one where there is none such, or name is NULL: it comes from a host. */
enum failure failure_parse(const char *name, enum failure otherwise);

/* Does what was sent to the actor before go back to its senders? */
bool failure_returns(enum failure failure);

/* The name of the exception that a program gets; NULL: none, it gets an address. */
const char *failure_raises(enum failure failure);

#endif
