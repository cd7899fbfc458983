/* SPDX-License-Identifier: MIT */
/*
 * Confining the process of a source: rules for files and ports, and filters of system calls, made here and put on by the
 * process itself, before it has read a byte of the package.
 */
#ifndef TDS_DAEMON_CONFINE_H
#define TDS_DAEMON_CONFINE_H

#include <jansson.h>

#include "base/err.h"
#include "daemon/base/home.h"
#include "director/sandbox.h"

/* What goes to the process. A zeroed one with -1 is none. */
struct confinement {
	json_t *op; /* of its link; NULL: it is not confined */
	int rules;  /* go with it; -1: none */
	int filters;
};

#define CONFINEMENT_NONE                   \
	{                                  \
		.rules = -1, .filters = -1 \
	}

/*
 * Source:  sandbox was granted; NULL: trusted. home: what the actors have of their own; with a uid of it, no other process but
 *          those of the group is of that user.
 * Owner:   the caller ends it with confinement_fini, whatever was taken of it.
 * Errors:  TDS_E_REFUSED: a path is not as it was granted any more; TDS_E_WRITE; TDS_E_NOMEM.
 */
int confinement_make(const struct tds_sandbox *sandbox, const struct actor_home *home,
		     struct confinement *confinement, struct tds_err *err) TDS_MUST_CHECK;
void confinement_fini(struct confinement *confinement);
#define tds_confinement_cleanup confinement_fini

#endif
