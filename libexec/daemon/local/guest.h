/* SPDX-License-Identifier: MIT */
/*
 * Guests: actors of a user's own programs, and the programs themselves. All of one user's make one realm, whose parent
 * process is no child of the admin but came by its socket, and whose programs have addresses in it.
 */
#ifndef TDS_ADMIN_GUEST_H
#define TDS_ADMIN_GUEST_H

#include <jansson.h>
#include <sys/socket.h>

#include "base/err.h"
#include "daemon/engine/engine.h"

struct local;

#define GUEST_ENDPOINTS_MAX 4096       /* of the admin's own user */
#define GUEST_ENDPOINTS_FOREIGN_MAX 64 /* of any other */
#define ENDPOINT_QUEUE_FULL \
	(16U << 20) /* bytes that a program leaves unread before its actors wait */

/* May this user's programs join? */
bool guest_allowed(const struct local *engine, uid_t uid);

/*
 * Take a connection over, as a Join request asks: fd becomes a link, and the answer is written to it.
 * Owner:   fd is taken over on success only.
 * Errors:  TDS_E_USAGE: a wrong field; TDS_E_REFUSED: not allowed, or no room; TDS_E_NO_ADMIN: it is ending;
 *          TDS_E_NOMEM.
 */
int guest_join(struct local *engine, int fd, const struct ucred *peer, const json_t *request,
	       struct tds_err *err) TDS_MUST_CHECK;

/* Ask all guests to exit; source_gone() tells. No others may join. */
void guests_stop(struct local *engine);

#endif
