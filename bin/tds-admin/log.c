/* SPDX-License-Identifier: MIT */
/* tds-admin log and history: what actors print and log and what has happened, from several files in one order. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "admin.h"
#include "audit.h"
#include "base/jsontext.h"
#include "base/mem.h"
#include "base/when.h"
#include "director/rundir.h"
#include "series.h"
#include "tool/eventtext.h"
#include "tool/logline.h"

#define FOLLOW_LINES 10 /* that --follow begins with, where nothing else is said */

const char admin_log_help[] =
	"usage: tds-admin [options] log [-f] [-n N] [--since=TIME] [--group=GROUP] [--level=LEVEL] "
	"[ROLE]\n"
	"       tds-admin [options] log --audit\n"
	"Print what actors print and log, and what has happened, in the order of time; with "
	"--audit "
	"check\n"
	"the chain of the audit log, and print its head.\n";
const char admin_history_help[] =
	"usage: tds-admin [options] history [-n N] [--since=TIME] [GROUP]\n"
	"Print which version was active when, by whom, and what failed, whole.\n";

/* Where records come from. */
static const struct origin {
	const char *name;
	bool is_events;
} origins[] = {
	{ TDS_EVENTS_NAME, true },
	{ TDS_ACTORLOG_NAME, false },
	{ TDS_ACTORLOG_MORE, false },
};
#define ORIGINS (sizeof(origins) / sizeof(origins[0]))

/* One of them, with the record that comes next. */
struct stream {
	struct series series;
	bool is_events;
	json_t *next; /* NULL: there is none now */
	int64_t wall_ms;
};

struct view {
	struct admin *admin;
	struct tds_dir rundir;
	bool is_history;
	const char *role; /* NULL: all, as group */
	const char *group;
	int level;             /* 0: all */
	int64_t since_wall_ms; /* INT64_MIN: from the beginning */
	uint64_t last;         /* records; UINT64_MAX: all */
	bool is_group_met;     /* there is a record of it */
	struct stream streams[ORIGINS];
	/* The last ones, while there may be more; a ring. */
	json_t **ring;
	uint64_t seen;
};

/* --- records --- */

static bool is_event(const json_t *record)
{
	return json_object_get(record, "Event") != NULL;
}

static int level_of(const json_t *record)
{
	return is_event(record) ? tds_event_level(record)
				: tds_level_find(tds_json_string(record, "Level"));
}

/* Of the admin process itself: when it ran says when anything was active. */
static bool is_of_admin(const json_t *record)
{
	return !json_object_get(record, "Group") && !json_object_get(record, "Target");
}

static bool is_wanted(const struct view *view, const json_t *record, int64_t wall_ms)
{
	if (wall_ms < view->since_wall_ms)
		return false;
	if (view->is_history && !tds_event_is_history(record))
		return false;
	if (view->role && strcmp(tds_json_string(record, "Role"), view->role) != 0)
		return false;
	if (view->group && strcmp(tds_json_string(record, "Group"), view->group) != 0 &&
	    !(view->is_history && is_of_admin(record)))
		return false;
	return view->level == 0 || level_of(record) >= view->level;
}

/* The next record of a stream that is one; lines that are none are passed over. */
static void fetch(struct stream *stream)
{
	const char *line;
	size_t len;

	stream->next = NULL;
	while (!stream->next && (line = series_next(&stream->series, &len))) {
		json_t *record = stream->is_events ? json_loadb(line, len, 0, NULL)
						   : tds_logline_parse(line, len);

		if (tds_when_parse(tds_json_string(record, "Time"), 0, &stream->wall_ms))
			stream->next = record;
		else
			json_decref(record);
	}
}

/* The earliest of what comes next; NULL: nothing does, for now. */
static struct stream *earliest(struct view *view)
{
	struct stream *first = NULL;

	for (size_t i = 0; i < ORIGINS; i++) {
		struct stream *stream = &view->streams[i];

		if (!stream->next && stream->series.name)
			fetch(stream);
		if (stream->next && (!first || stream->wall_ms < first->wall_ms))
			first = stream;
	}
	return first;
}

/* --- printing --- */

static const char *user_name(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? user->pw_name : NULL;
}

/* An event has the address of the Director, which no actor has. */
static void print_text(const struct view *view, const json_t *record)
{
	FILE *out = view->admin->cli.out;
	bool event = is_event(record);

	tds_logline_print_word(out, tds_json_string(record, "Time"));
	tds_logline_print_word(out, tds_json_string(record, "Group"));
	if (!view->is_history) {
		tds_logline_print_word(out, event ? "" : tds_json_string(record, "Role"));
		tds_logline_print_word(out, event ? "0.1" : tds_json_string(record, "Address"));
		tds_logline_print_word(out, event ? tds_level_name(tds_event_level(record))
						  : tds_json_string(record, "Level"));
	}
	if (event)
		tds_event_print(out, record, user_name);
	else
		tds_event_print_lines(out, tds_json_string(record, "Text"));
}

/* Takes the reference. */
static void print(struct view *view, json_t *record)
{
	if (!view->admin->cli.json) {
		print_text(view, record);
		json_decref(record);
		return;
	}
	(void)json_object_del(record, "Format"); /* that of its file */
	tds_cli_print_record(&view->admin->cli, record);
}

/* Takes the reference. */
static void take(struct view *view, json_t *record)
{
	if (!view->ring) {
		print(view, record);
		return;
	}
	json_t **slot = &view->ring[view->seen++ % view->last];
	json_decref(*slot);
	*slot = record;
}

/* What is there now, and from now on all that comes. */
static void end_ring(struct view *view)
{
	for (uint64_t i = 0; view->ring && i < view->last; i++) {
		json_t *record = view->ring[(view->seen + i) % view->last];

		if (record)
			print(view, record);
	}
	free(view->ring);
	view->ring = NULL;
}

static void show_present(struct view *view)
{
	struct stream *stream;

	while ((stream = earliest(view)) && !ferror(view->admin->cli.out)) {
		json_t *record = tds_steal(&stream->next);

		if (view->group && strcmp(tds_json_string(record, "Group"), view->group) == 0)
			view->is_group_met = true;
		if (is_wanted(view, record, stream->wall_ms))
			take(view, record);
		else
			json_decref(record);
	}
	end_ring(view);
	(void)fflush(view->admin->cli.out);
}

/* Whatever happens in the run directory may be a new line, or a new file in place of the old one. */
static void follow(struct view *view)
{
	char events[4096];
	tds_autofd int watch = inotify_init1(IN_CLOEXEC);

	if (watch < 0 ||
	    inotify_add_watch(watch, view->rundir.path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		struct tds_err err;

		tds_err_sys(&err, TDS_E_UNUSABLE, "%s", view->rundir.path);
		tds_cli_error(&view->admin->cli, NULL, &err);
		return;
	}
	do
		show_present(view);
	while (!ferror(view->admin->cli.out) &&
	       (read(watch, events, sizeof(events)) > 0 || errno == EINTR));
}

/* --- the commands --- */

static int open_rundir(struct admin *admin, struct tds_dir *rundir, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir dir = { .fd = -1 };
	int rc = admin_open_dir(admin, &dir, err);

	return rc == 0 ? tds_rundir_open(&dir, rundir, err) : rc;
}

/* Is the log there, and for this user to read? errno says why not. */
static bool is_there(const struct view *view, const char *name)
{
	tds_autofd int fd = openat(view->rundir.fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0;
}

/* One that is not there yet has nothing to show; all are missing where no admin process ever ran. */
static int open_streams(struct view *view, struct tds_err *err)
{
	bool any = false;

	for (size_t i = 0; i < ORIGINS; i++) {
		struct stream *stream = &view->streams[i];

		if (view->is_history && !origins[i].is_events)
			continue;
		bool there = is_there(view, origins[i].name);
		if (!there && errno != ENOENT)
			return tds_err_sys(err, TDS_E_UNUSABLE, "%s/%s", view->rundir.path,
					   origins[i].name);
		any = any || there;
		stream->is_events = origins[i].is_events;
		series_open(&stream->series, view->rundir.fd, origins[i].name, view->since_wall_ms);
	}
	errno = ENOENT;
	return any ? 0
		   : tds_err_sys(err, TDS_E_MISSING, "%s/%s", view->rundir.path, origins[0].name);
}

static void close_view(struct view *view)
{
	for (size_t i = 0; i < ORIGINS; i++) {
		json_decref(view->streams[i].next);
		series_close(&view->streams[i].series);
	}
	free(view->ring);
	tds_dir_close(&view->rundir);
}

static void show(struct view *view)
{
	struct admin *admin = view->admin;
	struct tds_err err;
	int rc = open_rundir(admin, &view->rundir, &err);

	if (rc == 0)
		rc = open_streams(view, &err);
	if (rc == 0 && view->last != UINT64_MAX &&
	    !(view->ring = calloc(view->last + 1, sizeof(*view->ring))))
		rc = tds_err_set(&err, TDS_E_NOMEM, "out of memory");
	if (rc != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	else if (admin->follow)
		follow(view);
	else
		show_present(view);
	if (rc == 0 && view->group && !view->is_group_met &&
	    admin_find_group(admin, view->group, &err) != 0)
		tds_cli_error(&admin->cli, view->group, &err);
	close_view(view);
}

static void show_audit(struct admin *admin)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct tds_err err;

	if (open_rundir(admin, &rundir, &err) != 0)
		tds_cli_error(&admin->cli, NULL, &err);
	else
		audit_show(admin, &rundir);
}

/* What both commands can be told. */
static struct view view_of(struct admin *admin)
{
	bool bounded = admin->lines != UINT64_MAX || admin->since_wall_ms != INT64_MIN;

	return (struct view){ .admin = admin,
			      .rundir = { .fd = -1 },
			      .group = admin->group,
			      .level = admin->level,
			      .since_wall_ms = admin->since_wall_ms,
			      .last = admin->follow && !bounded ? FOLLOW_LINES : admin->lines };
}

void admin_log(struct admin *admin, int argc, char **argv)
{
	struct view view = view_of(admin);

	view.role = argc > 0 ? argv[0] : admin->role;
	if (argc > (admin->audit || admin->role ? 0 : 1))
		tds_cli_usage(&admin->cli, "log: wrong number of operands");
	else if (admin->audit)
		show_audit(admin);
	else
		show(&view);
}

void admin_history(struct admin *admin, int argc, char **argv)
{
	struct view view = view_of(admin);

	view.is_history = true;
	view.group = argc > 0 ? argv[0] : admin->group;
	if (argc > 1)
		tds_cli_usage(&admin->cli, "history: wrong number of operands");
	else
		show(&view);
}
