/* SPDX-License-Identifier: MIT */
/* What outlives the admin, besides the store: loaded.json and groups.json, and desired.json and floor.json through a shutdown. */
#ifndef TDS_DAEMON_STATE_H
#define TDS_DAEMON_STATE_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Write loaded.json, whole; sources is an array of objects. And groups.json, the definitions that came by DefineGroup:
 * groups maps names to texts.
 * Owner:   sources and groups are taken over; NULL: out of memory.
 * Errors:  TDS_E_WRITE, TDS_E_NOMEM, the reason naming the file, which is then as it was.
 */
int state_save(int rundir, json_t *sources, struct tds_err *err) TDS_MUST_CHECK;
int groups_save(int rundir, json_t *groups, struct tds_err *err) TDS_MUST_CHECK;

/* The same for desired.json and floor.json, by their groups. */
int desired_write(int rundir, json_t *groups, struct tds_err *err) TDS_MUST_CHECK;
int floors_write(int rundir, json_t *groups, struct tds_err *err) TDS_MUST_CHECK;

/* And uids.json, which uids_read of the library reads. */
int uids_save(int rundir, json_t *groups, struct tds_err *err) TDS_MUST_CHECK;

/* And membership.json: this start's epoch in its convention, and the highest term of a leader that it knows of. */
int membership_save(int rundir, const char *epoch, uint64_t term,
		    struct tds_err *err) TDS_MUST_CHECK;

/*
 * What they say, a new reference, checked: loaded.json with the definitions that it needs from the store. NULL with
 * err->code TDS_OK: there is none.
 * Errors:  TDS_E_UNUSABLE, the reason naming the file that is damaged.
 */
json_t *state_read(int rundir, struct tds_err *err);
json_t *groups_read(int rundir, struct tds_err *err);
json_t *desired_read(int rundir, struct tds_err *err);
json_t *floors_read(int rundir, struct tds_err *err);
json_t *membership_read(int rundir, struct tds_err *err);

#endif
