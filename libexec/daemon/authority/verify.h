/* SPDX-License-Identifier: MIT */
/* The Source Authority: one short-lived, confined process looks at one package, and this waits for its verdict. */
#ifndef TDS_DAEMON_VERIFY_H
#define TDS_DAEMON_VERIFY_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

#include "base/dir.h"

#define VERIFY_SECONDS 60

struct verifier;

/* Of one package. Texts are borrowed until done returns, and as hostile as the package; digests are hexadecimal. */
struct finding {
	int status; /* 0: it holds; else the exit status that a load comes to, and the next one alone */
	const char *error; /* why it does not; NULL: it does */
	bool is_none; /* the verifier failed, and nothing is known of the package; status is not 0 */
	const char *version; /* signed; NULL: none is */
	const char *md5; /* of one that does not hold, too, as far as they are known; else NULL */
	const char *sha256;
	const char *key;        /* the file of the one that validated it; likewise */
	const json_t *warnings; /* texts; NULL: none */
	int archive;            /* a sealed memory file, the callee's from then on; -1: none */
	int write_errno; /* why the package could not be written to store_fd; 0: it is there and synced, or none was given */
};

typedef void verify_done_fn(void *ctx, const struct finding *finding);

/*
 * Verify the open package. Where it holds, the very bytes that were verified are written to store_fd (an empty file; -1:
 * nobody wants them) before done is called.
 * Owner:   fd and store_fd stay the caller's.
 * Errors:  NULL: no process could be started.
 */
struct verifier *verifier_start(struct event_base *base, const char *program,
				const struct tds_dir *dir, int fd, const char *name,
				const char *group, int store_fd, verify_done_fn *done, void *ctx);

/* Give it up; done is not called. Accepts NULL. */
void verifier_cancel(struct verifier *verification);

#endif
