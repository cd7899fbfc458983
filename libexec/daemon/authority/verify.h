/* SPDX-License-Identifier: MIT */
/* The Source Authority: one short-lived, confined process looks at one package, and this waits for its verdict. */
#ifndef TDS_ADMIN_VERIFY_H
#define TDS_ADMIN_VERIFY_H

#include <event2/event.h>
#include <jansson.h>

#include "base/dir.h"

#define VERIFY_SECONDS 60

struct verification;

/*
 * verdict: as the verifier documents it, or {"ok":false,"status","error"} where there was none. archive and package are
 * sealed memory files, the callee's from then on; -1 without a good verdict.
 */
typedef void verify_done_fn(void *ctx, const json_t *verdict, int archive, int package);

/* Verify the open package; fd stays the caller's. NULL: no process could be started. */
struct verification *verification_start(struct event_base *base, const char *program,
					const struct tds_dir *dir, int fd, const char *name,
					const char *group, verify_done_fn *done, void *ctx);

/* Give it up; done is not called. Accepts NULL. */
void verification_cancel(struct verification *verification);

#endif
