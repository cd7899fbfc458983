/* SPDX-License-Identifier: MIT */
/* Watching for packages and declarations, by inotify and by looking. */
#include "arrivals.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/base/clock.h"
#include "dirwatch.h"

#define WRITTEN IN_MODIFY
#define OVER (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM)
#define CHANGES (WRITTEN | OVER | IN_CREATE | IN_ATTRIB) /* a link is there by IN_CREATE alone */
#define QUIET_MS 300     /* so many files at once are told of once */
#define STALLED_MS 60000 /* whoever writes nothing for so long is waited for no more */
#define LOOK_S 5

struct arrivals {
	const struct tds_dir *dir;
	void (*told)(void *ctx);
	void *ctx;
	int inotify; /* -1: there is none */
	struct event *changed;
	struct event *look;
	struct event *due;    /* it is told then, if nothing comes meanwhile */
	json_t *written;      /* name -> true: files that are being written */
	int64_t last_mono_ms; /* when something came */
	uint64_t seen;        /* the sum of the files when it was told last */
	uint64_t looked;      /* the same at the last look */
};

static bool is_ours(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 4 &&
	       (strcmp(name + len - 4, ".tls") == 0 || strcmp(name + len - 4, ".tli") == 0);
}

/* --- the sum of all files: another one where any of them is another --- */

static uint64_t mix(uint64_t sum, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static uint64_t sum_of_file(int dir, const char *name)
{
	uint64_t sum = mix(UINT64_C(0xcbf29ce484222325), name, strlen(name));
	struct stat st;

	if (fstatat(dir, name, &st, 0) != 0)
		return sum;
	sum = mix(sum, &st.st_ino, sizeof(st.st_ino));
	sum = mix(sum, &st.st_size, sizeof(st.st_size));
	sum = mix(sum, &st.st_mtim, sizeof(st.st_mtim));
	return mix(sum, &st.st_ctim, sizeof(st.st_ctim));
}

/* In whatever order the directory has them. */
static uint64_t sum_of_all(const struct tds_dir *dir)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	uint64_t sum = 0;

	if (!all && fd >= 0)
		(void)close(fd);
	for (const struct dirent *entry; all && (entry = readdir(all));)
		if (is_ours(entry->d_name))
			sum += sum_of_file(dir->fd, entry->d_name);
	if (all)
		(void)closedir(all);
	return sum;
}

/* --- telling --- */

static void wait_for(struct event *event, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)event_add(event, &tv); /* where there is no memory for it, a look finds it */
}

static void tell(struct arrivals *a)
{
	a->seen = a->looked = sum_of_all(a->dir);
	(void)json_object_clear(a->written);
	a->told(a->ctx);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct arrivals *a = arg;
	int64_t left = a->last_mono_ms + STALLED_MS - clock_now_mono_ms();

	(void)fd;
	(void)what;
	if (json_object_size(a->written) > 0 && left > 0)
		wait_for(a->due, left); /* or until it is whole, which comes before */
	else
		tell(a);
}

static void take(struct arrivals *a, const struct inotify_event *event)
{
	if (!(event->mask & IN_Q_OVERFLOW) && (event->len == 0 || !is_ours(event->name)))
		return;
	a->last_mono_ms = clock_now_mono_ms();
	if (event->mask & OVER)
		(void)json_object_del(a->written, event->name);
	else if (event->mask & WRITTEN)
		(void)json_object_set_new(a->written, event->name, json_true());
	wait_for(a->due, QUIET_MS);
}

static void on_changed(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n;

	(void)what;
	while ((n = read(fd, events, sizeof(events))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(events + at);

			take(arg, event);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
}

/* What no event told of counts when it stays as it is from one look to the next. */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct arrivals *a = arg;
	uint64_t now = sum_of_all(a->dir);
	bool settled = now == a->looked;

	(void)fd;
	(void)what;
	a->looked = now;
	if (now != a->seen && settled && !event_pending(a->due, EV_TIMEOUT, NULL))
		tell(a);
}

/* --- its life --- */

static void watch(struct arrivals *a, struct event_base *base)
{
	a->inotify = dirwatch_open(a->dir, CHANGES);
	if (a->inotify >= 0)
		a->changed = event_new(base, a->inotify, EV_READ | EV_PERSIST, on_changed, a);
	if (a->changed)
		(void)event_add(a->changed, NULL);
}

struct arrivals *arrivals_open(struct event_base *base, const struct tds_dir *dir,
			       void (*told)(void *ctx), void *ctx)
{
	const struct timeval each = { .tv_sec = LOOK_S };
	struct arrivals *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	*a = (struct arrivals){
		.dir = dir, .told = told, .ctx = ctx, .inotify = -1, .written = json_object()
	};
	a->look = event_new(base, -1, EV_PERSIST, on_look, a);
	a->due = evtimer_new(base, on_due, a);
	if (!a->written || !a->look || !a->due || event_add(a->look, &each) != 0) {
		arrivals_close(a);
		return NULL;
	}
	watch(a, base);
	a->seen = a->looked = sum_of_all(dir);
	return a;
}

void arrivals_close(struct arrivals *a)
{
	if (!a)
		return;
	struct event *const events[] = { a->changed, a->look, a->due };
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i])
			event_free(events[i]);
	tds_close_fd(&a->inotify);
	json_decref(a->written);
	free(a);
}
