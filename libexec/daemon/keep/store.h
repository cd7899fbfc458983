/* SPDX-License-Identifier: MIT */
/*
 * What is loaded, kept in the run directory's store/: each package as SHA256.tls, and as SHA256.tli the definition that it
 * was loaded with. rundir is a descriptor of the run directory.
 */
#ifndef TDS_DAEMON_STORE_H
#define TDS_DAEMON_STORE_H

#include <jansson.h>

#include "base/err.h"
#include "base/io.h"
#include "director/tli.h"

/* A package on its way into the store; a zeroed one is none. */
struct store_entry {
	int store;               /* the folder, as long as there is a file */
	struct tds_outfile file; /* who verifies the package writes it to file.fd, and syncs it */
};

/*
 * Begin one, before its digest is known.
 * Owner:   store_commit or store_drop ends it; after a failure it is none.
 * Errors:  TDS_E_WRITE, TDS_E_NOMEM.
 */
int store_begin(int rundir, struct store_entry *entry, struct tds_err *err) TDS_MUST_CHECK;

/*
 * Give it its name, and put the definition that it is loaded with beside it, before it: a literal, in which nothing is
 * asked of the environment any more. From now on both outlast a loss of power. Where the package could not be written,
 * write_errno is why, and that is the failure.
 * Errors:  TDS_E_WRITE, the reason naming the file; TDS_E_NOMEM; TDS_E_REFUSED for a definition that is too long. The entry
 *          is then none, and nothing is left of it.
 */
int store_commit(struct store_entry *entry, const char *sha256, const struct tds_tli *tli,
		 int write_errno, struct tds_err *err) TDS_MUST_CHECK;

/* A package that is in the store is loaded with this definition from now on. Errors: as store_commit. */
int store_redefine(int rundir, const char *sha256, const struct tds_tli *tli,
		   struct tds_err *err) TDS_MUST_CHECK;

/* Nothing comes of it. Accepts none. */
void store_drop(struct store_entry *entry);

/* The package, to be read; -1 with errno: not there. Caller closes it. */
int store_open(int rundir, const char *sha256);

/* The definition. Errors: those of tds_tli_read, the reason naming the file. */
int store_definition(int rundir, const char *sha256, struct tds_tli *tli,
		     struct tds_err *err) TDS_MUST_CHECK;

/* Package and definition go. */
void store_remove(int rundir, const char *sha256);

/*
 * Remove what neither state (loaded.json; NULL: nothing is loaded) names nor desired (desired.json; NULL: nothing is wanted)
 * wants stored, and what a crash left.
 */
void store_sweep(int rundir, const json_t *state, const json_t *desired);

#endif
