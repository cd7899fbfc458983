/* SPDX-License-Identifier: MIT */
/* Data folders: made, taken away, and removed by a process of its own, since that may take long. */
#include "data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/strict.h"
#include "base/mem.h"
#include "daemon/base/child.h"
#include "package/version.h"

#define FD_FOLDER 3
#define AWAY ".tds-away-" /* no group's name begins like this */
#define AWAY_MAX 40
#define REASON_MAX 512
#define NOTHING "nothing is kept of this group"

static bool is_away(const char *name)
{
	return strncmp(name, AWAY, sizeof(AWAY) - 1) == 0;
}

static int open_folder(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static const char *base_path(const struct data_place *place)
{
	return place->configured ? place->configured : place->name;
}

/* The folder that the groups' folders are in, which is there; -1 with the reason in err. */
static int open_base(const struct data_place *place, struct tds_err *err)
{
	const char *path = base_path(place);
	const struct tds_strict strict = { .owner = geteuid(), .admin = geteuid() };
	char why[TDS_STRICT_WHY_MAX];

	tds_autofd int fd = open_folder(place->rundir, path);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
		tds_err_set(err, TDS_E_UNUSABLE, "%s: is no folder, or a symbolic link", path);
		return -1;
	}
	if (fd < 0) {
		tds_err_sys(err, errno == ENOENT ? TDS_E_MISSING : TDS_E_UNUSABLE, "%s", path);
		return -1;
	}
	if (tds_strict_judge(&strict, TDS_STRICT_DATA, fd, NULL, why))
		return tds_steal_fd(&fd);
	tds_err_set(err, TDS_E_UNUSABLE, "%s: %s", path, why);
	return -1;
}

static bool is_empty(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry = NULL;

	if (!names) {
		tds_close_fd(&fd);
		return false;
	}
	while ((entry = readdir(names)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			break;
	(void)closedir(names);
	return !entry;
}

/*
 * Just made, or by one that died in between, it is still ours. One with something in it was that of actors of our own user:
 * what is in it would not be theirs.
 */
static int hand_to_actors(const struct data_owner *owner, int fd, struct tds_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be looked at");
	if (st.st_uid == owner->uid)
		return 0;
	if (st.st_uid != geteuid() || !is_empty(fd))
		return tds_err_set(err, TDS_E_UNUSABLE,
				   "belongs to uid %u, and actors run as uid %u "
				   "(chown -R %u:%u hands it over)",
				   (unsigned)st.st_uid, (unsigned)owner->uid, (unsigned)owner->uid,
				   (unsigned)owner->gid);
	return fchown(fd, owner->uid, owner->gid) == 0
		       ? 0
		       : tds_err_sys(err, TDS_E_WRITE, "cannot be given to actors");
}

static int make_folder(int base, const char *group, const struct data_owner *owner,
		       struct tds_err *err)
{
	bool is_new = mkdirat(base, group, 0700) == 0;

	if (!is_new && errno != EEXIST)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be made");
	tds_autofd int fd = open_folder(base, group);
	if (fd < 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be opened");
	int rc = hand_to_actors(owner, fd, err);
	if (rc == 0 && is_new && (fchmod(fd, 0700) != 0 || fsync(base) != 0))
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be made");
	return rc;
}

/* Where its name is from a file, the reason names that. */
int data_open(const struct data_place *place, struct tds_err *err)
{
	int fd = -1;

	if (mkdirat(place->rundir, base_path(place), 0711) != 0 && errno != EEXIST)
		tds_err_sys(err, TDS_E_WRITE, "%s", base_path(place));
	else
		fd = open_base(place, err);
	if (fd < 0 && place->configured)
		tds_err_prefix(err, "datadir.cfg");
	return fd;
}

int data_look(const struct data_place *place, struct tds_err *err)
{
	tds_autofd int base = place->configured ? data_open(place, err) : -1;

	return place->configured && base < 0 ? err->code : 0;
}

char *data_path(const struct data_place *place, const char *group)
{
	char *path = NULL;
	int n = place->configured
			? asprintf(&path, "%s/%s", place->configured, group)
			: asprintf(&path, "%s/%s/%s", place->rundir_path, place->name, group);

	return n < 0 ? NULL : path;
}

int data_folder(const struct data_place *place, const char *group, const struct data_owner *owner,
		char **path, struct tds_err *err)
{
	tds_autofd int base = data_open(place, err);

	if (base < 0)
		return err->code;
	int rc = make_folder(base, group, owner, err);
	if (rc != 0)
		return tds_err_prefix(err, "%s/%s", base_path(place), group);
	*path = data_path(place, group);
	return *path ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- its removal --- */

struct removal {
	struct data_place *place;
	struct removal *next;
	int base;    /* the folder of folders */
	int said;    /* a memory file: what could not be removed */
	char *group; /* whose it was; NULL: one that was cut off */
	char away[AWAY_MAX + 32];
	char owner[16]; /* the uid that is to have nothing any more; empty: it is others' too */
	struct child child;
	struct event *ended;
	removal_done_fn *done;
	void *ctx;
};

static void unlink_removal(struct removal *r)
{
	struct removal **p = &r->place->removals;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
}

static void removal_free(struct removal *r)
{
	unlink_removal(r);
	if (r->ended)
		event_free(r->ended);
	(void)child_end(&r->child);
	tds_close_fd(&r->base);
	tds_close_fd(&r->said);
	free(r->group);
	free(r);
}

void data_close(struct data_place *place)
{
	while (place->removals)
		removal_free(place->removals);
}

/* NULL: all is gone. */
static const char *reason_of(const struct removal *r, int status, char reason[REASON_MAX])
{
	ssize_t n = pread(r->said, reason, REASON_MAX - 1, 0);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	reason[n > 0 ? n : 0] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
	return *reason ? reason : "it could not be removed";
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct removal *r = arg;
	char reason[REASON_MAX];
	const char *error = reason_of(r, child_end(&r->child), reason);

	(void)fd;
	(void)what;
	/* What is left of it is the group's again, where it has no other by now. */
	if (error && r->group)
		(void)renameat2(r->base, r->away, r->base, r->group, RENAME_NOREPLACE);
	if (r->done)
		r->done(r->ctx, error);
	removal_free(r);
}

static bool start(struct removal *r)
{
	const struct data_place *place = r->place;
	char *argv[] = { (char *)(uintptr_t)place->remover, r->away, r->owner[0] ? r->owner : NULL,
			 NULL };
	struct child_plan plan = { .argv = argv,
				   .fds = { { r->said, STDOUT_FILENO }, { r->base, FD_FOLDER } },
				   .nfds = 2,
				   .complain_to = STDOUT_FILENO,
				   .session = true };

	if (!child_start(&plan, &r->child))
		return false;
	r->ended = event_new(place->base, r->child.pidfd, EV_READ, on_ended, r);
	return r->ended && event_add(r->ended, NULL) == 0;
}

static struct removal *removal_new(struct data_place *place, int base, removal_done_fn *done,
				   void *ctx)
{
	struct removal *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct removal){ .place = place,
			       .next = place->removals,
			       .base = fcntl(base, F_DUPFD_CLOEXEC, 3),
			       .said = tds_io_memfd("remover"),
			       .child = { .pidfd = -1 },
			       .done = done,
			       .ctx = ctx };
	place->removals = r;
	if (r->base >= 0 && r->said >= 0)
		return r;
	removal_free(r);
	return NULL;
}

/* Under another name it is nobody's. */
static int take_away(struct removal *r, const char *group, struct tds_err *err)
{
	uint64_t number = 0;

	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	(void)snprintf(r->away, sizeof(r->away), AWAY "%016jx", (uintmax_t)number);
	tds_autofd int fd = open_folder(r->base, group);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return tds_err_set(err, TDS_E_MISSING, NOTHING);
	if (renameat(r->base, group, r->base, r->away) != 0 || fsync(r->base) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", group);
	r->group = strdup(group);
	return 0;
}

int data_remove(struct data_place *place, const char *group, const uid_t *owner,
		removal_done_fn *done, void *ctx, struct tds_err *err)
{
	tds_autofd int base = open_base(place, err);

	if (base < 0 && err->code == TDS_E_MISSING)
		return tds_err_set(err, TDS_E_MISSING, NOTHING);
	if (base < 0)
		return err->code;
	struct removal *r = removal_new(place, base, done, ctx);
	if (!r)
		return tds_err_set(err, TDS_E_NOMEM, "no memory or descriptor");
	if (owner)
		(void)snprintf(r->owner, sizeof(r->owner), "%u", (unsigned)*owner);
	int rc = take_away(r, group, err);
	if (rc == 0 && start(r))
		return 0;
	if (rc == 0) {
		(void)renameat(r->base, r->away, r->base, group);
		rc = tds_err_set(err, TDS_E_WRITE, "no process could be started");
	}
	removal_free(r);
	return rc;
}

/* Remove what goes by this name, and whose it was is nobody's concern. */
static void sweep_away(struct data_place *place, int base, const char *name)
{
	struct removal *r = removal_new(place, base, NULL, NULL);

	if (!r)
		return;
	(void)snprintf(r->away, sizeof(r->away), "%.60s", name);
	if (!start(r))
		removal_free(r);
}

/* A folder of a group is taken away first, so that another may be made. */
static void clear_away(struct data_place *place, int base, const char *name)
{
	struct removal *r = removal_new(place, base, NULL, NULL);
	struct tds_err err;

	if (r && (take_away(r, name, &err) != 0 || !start(r)))
		removal_free(r);
}

static void sweep(struct data_place *place, bool all)
{
	struct tds_err err;
	int base = open_base(place, &err);
	DIR *names = base < 0 ? NULL : fdopendir(base);
	const struct dirent *entry;

	if (!names) {
		tds_close_fd(&base);
		return;
	}
	while ((entry = readdir(names))) {
		if (is_away(entry->d_name))
			sweep_away(place, base, entry->d_name);
		else if (all && tds_group_name_ok(entry->d_name))
			clear_away(place, base, entry->d_name);
	}
	(void)closedir(names);
}

void data_sweep(struct data_place *place)
{
	sweep(place, false);
}

void data_clear(struct data_place *place)
{
	sweep(place, true);
}
