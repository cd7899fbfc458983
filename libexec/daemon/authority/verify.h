/* SPDX-License-Identifier: MIT */
/* The Source Authority: one short-lived, confined process looks at one package, and this waits for its verdict. */
#ifndef TDS_DAEMON_VERIFY_H
#define TDS_DAEMON_VERIFY_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

#include "base/dir.h"
#include "director/tli.h"
#include "literal/literal_env.h"

#define VERIFY_SECONDS 60

struct verifier;

/* Of one package. Texts are borrowed until done returns, and as hostile as the package; digests are hexadecimal. */
struct finding {
	int status; /* 0: it holds; else the exit status that a load comes to, and the next one alone */
	const char *error; /* why it does not; NULL: it does */
	bool is_none; /* the verifier failed, or did not get to it: nothing is known of the package; status is not 0 */
	const char *version; /* signed; NULL: none is */
	const char *md5; /* of one that does not hold, too, as far as they are known; else NULL */
	const char *sha256;
	const char *key;        /* the file of the one that validated it; likewise */
	const char *key_sha256; /* of that key, and of its file; NULL: not known */
	const char *key_file_sha256;
	const json_t *warnings; /* texts; NULL: none */
	int archive;            /* a sealed memory file, the callee's from then on; -1: none */
	struct tds_tli *
		signed_tli; /* declared with the package; the callee may take what is in it; NULL: nothing is */
	int write_errno; /* why the package could not be written to store_fd; 0: it is there and synced, or none was given */
};

typedef void verify_done_fn(void *ctx, const struct finding *finding);

/* All of it is borrowed for the call. */
struct verifier_order {
	const char *program; /* lives on */
	const struct tds_dir *dir;
	int fd;            /* the open package */
	const char *name;  /* its file's */
	const char *group; /* that the name belongs to */
	int store_fd; /* an empty file for the very bytes that were verified; -1: nobody wants them */
	struct tds_surroundings
		around; /* what a declaration in the package is told; none of it is NULL */
};

/*
 * Verify the open package. Where it holds, store_fd has its bytes before done is called.
 * Errors:  NULL: no process could be started.
 */
struct verifier *verifier_start(struct event_base *base, const struct verifier_order *order,
				verify_done_fn *done, void *ctx);

/* Give it up; done is not called. Accepts NULL. */
void verifier_cancel(struct verifier *verification);

#endif
