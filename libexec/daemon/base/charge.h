/* SPDX-License-Identifier: MIT */
/*
 * What the messages of one asker take while they are under way, in whatever room they wait. Each has a charge, which goes with
 * it and counts until the last one that has a reference lets go: the message was taken, or dropped.
 */
#ifndef TDS_DAEMON_CHARGE_H
#define TDS_DAEMON_CHARGE_H

#include <stddef.h>

#define CHARGE_WEIGHT 256 /* bytes that a message counts for besides its own */

/* Of one asker. It is there as long as he or a charge of his is. */
struct account {
	size_t refs;
	size_t bytes; /* under way */
};

struct charge {
	size_t refs;
	size_t bytes;
	struct account *account;
};

/* NULL: out of memory. Each gives the caller a reference, and accepts NULL where it takes one. */
struct account *account_new(void);
void account_unref(struct account *account);
struct charge *charge_new(struct account *account, size_t bytes);
struct charge *charge_ref(struct charge *charge);
void charge_unref(struct charge *charge);

static inline void tds_charge_cleanup(struct charge **charge)
{
	charge_unref(*charge);
}

#endif
