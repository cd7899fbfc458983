/* SPDX-License-Identifier: MIT */
/* A restart: the end in order of a daemon that another one takes over from. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "director/actoruser.h"
#include "director/handover.h"
#include "inside.h"

/* What would keep the next one from starting is found out before this one ends. */
static int look_ahead(struct daemon *d, struct tds_err *err)
{
	struct settings next;
	struct data_place place = d->world.homes.data;
	int rc = settings_read(&d->settings->dir, &next, err);

	if (rc != 0)
		return rc;
	place.configured = next.data_dir;
	rc = tds_actoruser_judge(&d->settings->dir, geteuid(), err);
	if (rc == 0)
		rc = data_look(&place, err);
	settings_fini(&next);
	if (rc != 0)
		return rc;
	rc = director_save(d->director, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "what is loaded cannot be kept");
}

static int may_restart(struct daemon *d, struct tds_err *err)
{
	if (d->settings->transient)
		return tds_err_set(err, TDS_E_REFUSED,
				   "it was started with --transient, and ends with its programs");
	if (d->ending == ENDING_FOR_GOOD)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process is on its way down");
	if (!d->restored)
		return tds_err_set(err, TDS_E_NO_ADMIN, "the admin process is not up yet");
	return look_ahead(d, err);
}

/* The program as it is named, or the one that this is, which may be another by now. */
static char *successor_path(const struct daemon *d, const char *program)
{
	char *path = NULL;

	if (program)
		return strdup(program);
	return asprintf(&path, "%s/" TDS_LIBEXEC "/" TDS_DAEMON_PROGRAM, d->settings->prefix) < 0
		       ? NULL
		       : path;
}

int restart_begin(struct daemon *d, int64_t grace_ms, const char *program, json_t *by,
		  void (*gone)(void *ctx), struct tds_err *err)
{
	if (d->ending == ENDING_RESTART)
		return 0;
	int rc = may_restart(d, err);
	if (rc != 0)
		return rc;
	d->successor = successor_path(d, program);
	if (!d->successor)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (!ward_name_successor(d->ward, d->successor)) {
		free(tds_steal(&d->successor));
		return tds_err_set(err, TDS_E_WRITE, "the guardian cannot be told");
	}
	d->ending = ENDING_RESTART;
	note_stopping(d, "Restarting", by);
	if (grace_ms >= 0)
		d->config.grace_ms = (unsigned)grace_ms;
	door_restarting(d->door);
	director_stop(d->director, gone, d);
	return 0;
}
