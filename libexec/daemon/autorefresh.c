/* SPDX-License-Identifier: MIT */
/*
 * autorefresh.cfg: what comes into the director directory is loaded, as a refresh does it. What comes while one is under way
 * is for the next one.
 */
#include "base/mem.h"
#include "inside.h"

#define WAIT_S 60 /* as tds-load --wait */

static void refresh(struct daemon *d);

/* What became of each is in the event log. */
static void on_refreshed(void *ctx, json_t *results, int status)
{
	struct daemon *d = ctx;
	bool again = d->auto_refresh.again;

	(void)status;
	json_decref(results);
	d->auto_refresh = (struct auto_refresh){ .arrivals = d->auto_refresh.arrivals };
	if (again)
		refresh(d);
}

static void refresh(struct daemon *d)
{
	d->auto_refresh.runs = true;
	director_refresh(d->director, WAIT_S, false, NULL, on_refreshed, d);
}

static void on_arrived(void *ctx)
{
	struct daemon *d = ctx;

	if (d->ending || !d->restored || !d->configured.auto_refresh)
		return;
	if (d->auto_refresh.runs)
		d->auto_refresh.again = true;
	else
		refresh(d);
}

void autorefresh_look(struct daemon *d)
{
	struct auto_refresh *a = &d->auto_refresh;

	if (!d->configured.auto_refresh)
		arrivals_close(tds_steal(&a->arrivals));
	else if (!a->arrivals)
		a->arrivals = arrivals_open(d->base, &d->settings->dir, on_arrived, d);
	if (a->missed)
		on_arrived(d);
	a->missed = false;
}
