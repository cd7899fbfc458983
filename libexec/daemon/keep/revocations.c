/* SPDX-License-Identifier: MIT */
/* Watching revoked.cfg, by inotify and by looking. */
#include "revocations.h"

#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "dirwatch.h"
#include "director/config.h"
#include "director/strictmodes.h"

#define FILE_NAME "revoked.cfg"
#define CHANGES (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_ATTRIB)
#define LOOK_US 500000

/* Of the file, links followed; all zero: it is not there. */
struct look {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	struct timespec ctime; /* of another owner or mode, too */
};

struct revocations {
	const struct tds_dir *dir;
	revoked_fn *told;
	void *ctx;
	struct look seen;
	int inotify; /* -1: there is none, and it is looked at alone */
	struct event *changed;
	struct event *look;
};

static struct look look_at(const struct tds_dir *dir)
{
	struct look look;
	struct stat st;

	/* With its padding: it is compared as memory. */
	memset(&look, 0, sizeof(look));
	if (fstatat(dir->fd, FILE_NAME, &st, 0) != 0)
		return look;
	look.dev = st.st_dev;
	look.ino = st.st_ino;
	look.size = st.st_size;
	look.mtime = st.st_mtim;
	look.ctime = st.st_ctim;
	return look;
}

/* A list of lines, as the configuration has it, as an object's keys. NULL: out of memory. */
static json_t *digests_of(const struct tds_value *lines)
{
	json_t *digests = json_object();

	for (size_t i = 0; digests && lines && i < lines->n; i++) {
		tds_autofree char *hex = strdup(lines->items[i]->text);

		for (char *c = hex; c && *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'F' ? *c + 'a' - 'A' : *c);
		if (!hex || json_object_set_new(digests, hex, json_true()) != 0) {
			json_decref(digests);
			return NULL;
		}
	}
	return digests;
}

static int read_file(const struct revocations *r, json_t **digests, struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	struct tds_strict strict;
	int rc = tds_strictmodes_read(r->dir, &strict, err);

	if (rc == 0)
		rc = tds_strictmodes_demand_file(r->dir, &strict, TDS_STRICT_CONFIG, FILE_NAME,
						 (struct tds_strict_watcher){ 0 }, err);
	if (rc != 0)
		return rc;
	rc = tds_config_read(r->dir, FILE_NAME, &config, err);
	if (rc != 0 && rc != TDS_E_MISSING)
		return tds_err_name(err, FILE_NAME);
	*digests = digests_of(config.value);
	return *digests ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static void tell(struct revocations *r)
{
	json_t *digests = NULL;
	struct tds_err err = { 0 };

	r->seen = look_at(r->dir);
	int rc = read_file(r, &digests, &err);
	r->told(r->ctx, digests, rc == 0 ? NULL : err.reason);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct revocations *r = arg;
	struct look now = look_at(r->dir);

	(void)fd;
	(void)what;
	if (memcmp(&now, &r->seen, sizeof(now)) != 0)
		tell(r);
}

/* Which file it was does not matter: a change of this one shows. One that is being written is read when that is done. */
static void on_changed(evutil_socket_t fd, short what, void *arg)
{
	char events[4096];

	while (read(fd, events, sizeof(events)) > 0)
		;
	on_look(fd, what, arg);
}

static void watch(struct revocations *r, struct event_base *base)
{
	r->inotify = dirwatch_open(r->dir, CHANGES);
	if (r->inotify >= 0)
		r->changed = event_new(base, r->inotify, EV_READ | EV_PERSIST, on_changed, r);
	if (r->changed)
		(void)event_add(r->changed, NULL);
}

struct revocations *revocations_open(struct event_base *base, const struct tds_dir *dir,
				     revoked_fn *told, void *ctx)
{
	const struct timeval each = { .tv_usec = LOOK_US };
	struct revocations *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct revocations){ .dir = dir, .told = told, .ctx = ctx, .inotify = -1 };
	r->look = event_new(base, -1, EV_PERSIST, on_look, r);
	if (!r->look || event_add(r->look, &each) != 0) {
		revocations_close(r);
		return NULL;
	}
	watch(r, base);
	tell(r);
	return r;
}

void revocations_close(struct revocations *r)
{
	if (!r)
		return;
	if (r->changed)
		event_free(r->changed);
	if (r->look)
		event_free(r->look);
	tds_close_fd(&r->inotify);
	free(r);
}
