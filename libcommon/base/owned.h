/* SPDX-License-Identifier: MIT */
/*
 * What a uid that is nobody's but ours has on this machine: its processes, and what those leave where everybody may leave
 * something. Only root can ask.
 */
#ifndef TDS_OWNED_H
#define TDS_OWNED_H

#include <sys/types.h>

#include "err.h"

/* Kill all processes of the uid, those that are just being forked too. Does nothing for root's. */
void tds_owned_kill(uid_t uid);

/* Remove the uid's shared memory, message queues and semaphores of System V. */
void tds_owned_release(uid_t uid);

/*
 * Remove the uid's files in the folders where everybody may have some: of shared memory and message queues, and
 * temporary ones. None of its processes may run.
 * Errors:  TDS_E_WRITE: something is left, the reason naming the first of it.
 */
int tds_owned_remove(uid_t uid, struct tds_err *err) TDS_MUST_CHECK;

#endif
