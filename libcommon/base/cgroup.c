/* SPDX-License-Identifier: MIT */
/* A delegated cgroup, and one for each source below it. */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "mem.h"
#include "text.h"

#define PROCESSES "cgroup.procs"
#define CONTROL "cgroup.subtree_control"
#define FILE_MAX_BYTES (64 << 10)
#define END_MS 1000  /* from SIGKILL to the end of a process, where nobody else has to be served */
#define DEPTH_OPEN 8 /* folders that are open at once where a tree is removed */

/* name: one below ours, "": ours; file: NULL: the folder itself. What does not fit becomes a path that is not there. */
static void place(const struct tds_cgroup *cg, const char *name, const char *file,
		  char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s%s%s%s%s", cg->path, *name ? "/" : "", name,
			 file ? "/" : "", file ? file : "");

	if (n < 0 || n >= PATH_MAX)
		path[0] = '\0';
}

static bool put(const struct tds_cgroup *cg, const char *name, const char *file, const char *text)
{
	char path[PATH_MAX];

	place(cg, name, file, path);
	tds_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && tds_io_write(fd, text, strlen(text)) == 0;
}

/* Caller frees; NULL: it cannot be read. */
static char *get(const struct tds_cgroup *cg, const char *name, const char *file)
{
	char path[PATH_MAX];
	char *text;
	size_t len;

	place(cg, name, file, path);
	return tds_io_slurp(AT_FDCWD, path, FILE_MAX_BYTES, &text, &len, NULL) == 0 ? text : NULL;
}

/* --- removing --- */

static int remove_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP)
		(void)rmdir(path);
	return 0;
}

/* Does a process live in it, or below it? */
static bool is_populated(const struct tds_cgroup *cg, const char *name)
{
	tds_autofree char *events = get(cg, name, "cgroup.events");

	return events && strstr(events, "populated 1");
}

static int watch_events(const struct tds_cgroup *cg, const char *name)
{
	char path[PATH_MAX];
	tds_autofd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	place(cg, name, "cgroup.events", path);
	return fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY) >= 0 ? tds_steal_fd(&fd) : -1;
}

/* As tds_cgroup_remove. Where the kernel has no cgroup.kill, others must kill. */
static bool remove_name(const struct tds_cgroup *cg, const char *name, int *watch)
{
	char path[PATH_MAX];
	char events[4096];

	while (*watch >= 0 && read(*watch, events, sizeof(events)) > 0)
		continue;
	(void)put(cg, name, "cgroup.kill", "1");
	if (is_populated(cg, name)) {
		if (*watch < 0)
			*watch = watch_events(cg, name);
		/* The end may have come before the watch. */
		if (*watch >= 0 && is_populated(cg, name))
			return false;
	}
	place(cg, name, NULL, path);
	(void)nftw(path, remove_folder, DEPTH_OPEN, FTW_DEPTH | FTW_PHYS);
	return true;
}

static void remove_now(const struct tds_cgroup *cg, const char *name)
{
	tds_autofd int watch = -1;

	while (!remove_name(cg, name, &watch))
		if (poll(&(struct pollfd){ .fd = watch, .events = POLLIN }, 1, END_MS) == 0)
			return;
}

static void leaf_name(const struct tds_cgroup *cg, char name[NAME_MAX])
{
	(void)snprintf(name, NAME_MAX, "%s-admin", cg->id);
}

static void source_name(const struct tds_cgroup *cg, uint32_t source, char name[NAME_MAX])
{
	(void)snprintf(name, NAME_MAX, "%s-source-%u", cg->id, source);
}

/* Everything of this id goes, but not who calls. */
static void sweep(const struct tds_cgroup *cg)
{
	size_t n = strlen(cg->id);
	char leaf[NAME_MAX];
	DIR *dir = opendir(cg->path);
	const struct dirent *entry;

	leaf_name(cg, leaf);
	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, cg->id, n) == 0 && entry->d_name[n] == '-' &&
		    !(cg->inside && strcmp(entry->d_name, leaf) == 0))
			remove_now(cg, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

/* --- ours --- */

/* The path behind "0::", which is version 2. Caller frees; NULL: there is none, or it leads out of what we see. */
static char *own_path(const char *root, const char *self)
{
	tds_autofree char *text = NULL;
	size_t len;
	char *path;

	if (tds_io_slurp(AT_FDCWD, self, FILE_MAX_BYTES, &text, &len, NULL) != 0 ||
	    strlen(text) != len)
		return NULL;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		if (strncmp(line, "0::/", 4) == 0)
			return strstr(line, "/..") || asprintf(&path, "%s%s", root, line + 3) < 0
				       ? NULL
				       : path;
	return NULL;
}

static bool has_controller(const struct tds_cgroup *cg, const char *name)
{
	tds_autofree char *controllers = get(cg, "", "cgroup.controllers");

	for (char *rest = controllers, *word; rest && (word = strsep(&rest, " \n"));)
		if (strcmp(word, name) == 0)
			return true;
	return false;
}

/* What is more than us, such as a session's shell, could not be moved, and would not be ours to move. */
static bool is_alone(const struct tds_cgroup *cg)
{
	tds_autofree char *processes = get(cg, "", PROCESSES);
	char only[32];

	(void)snprintf(only, sizeof(only), "%d\n", (int)getpid());
	return processes && strcmp(processes, only) == 0;
}

bool tds_cgroup_open(const char *root, const char *self, const char *id, struct tds_cgroup *cg)
{
	char leaf[NAME_MAX];
	char path[PATH_MAX];

	*cg = (struct tds_cgroup){ .path = own_path(root, self) };
	(void)snprintf(cg->id, sizeof(cg->id), "%s", id);
	if (!cg->path || !has_controller(cg, "pids") || !is_alone(cg)) {
		free(tds_steal(&cg->path));
		return false;
	}
	sweep(cg);
	leaf_name(cg, leaf);
	place(cg, leaf, NULL, path);
	/* Who has controllers for those below is to have no process itself. */
	cg->inside = (mkdir(path, 0755) == 0 || errno == EEXIST) && put(cg, leaf, PROCESSES, "0");
	if (!cg->inside || !put(cg, "", CONTROL, "+pids")) {
		tds_cgroup_close(cg);
		return false;
	}
	cg->has_memory = has_controller(cg, "memory") && put(cg, "", CONTROL, "+memory");
	return true;
}

void tds_cgroup_close(struct tds_cgroup *cg)
{
	if (!cg->path)
		return;
	if (cg->inside) {
		(void)put(cg, "", CONTROL, "-pids");
		if (cg->has_memory)
			(void)put(cg, "", CONTROL, "-memory");
		cg->inside = !put(cg, "", PROCESSES, "0");
	}
	sweep(cg);
	free(tds_steal(&cg->path));
}

/* --- sources --- */

/* As files of cgroups have it. */
static void limit_text(uint64_t limit, uint64_t most, char text[32])
{
	if (limit <= most)
		(void)snprintf(text, 32, "%ju", (uintmax_t)limit);
	else
		(void)strcpy(text, "max");
}

/* The file that cannot be written; NULL: all is as it is to be. */
static const char *put_limits(const struct tds_cgroup *cg, const char *name,
			      const struct tds_cgroup_limits *limits)
{
	char pids[32];
	char memory[32];

	limit_text(limits->pids, TDS_CGROUP_PIDS_MOST, pids);
	limit_text(limits->memory, TDS_CGROUP_NONE - 1, memory);
	if (!put(cg, name, "pids.max", pids))
		return "pids.max";
	if (!cg->has_memory)
		return NULL;
	if (!put(cg, name, "memory.max", memory))
		return "memory.max";
	/* Where there is no swap, or it is not counted, there is no such file. */
	if (limits->memory != TDS_CGROUP_NONE)
		(void)put(cg, name, "memory.swap.max", "0");
	return NULL;
}

int tds_cgroup_limit(const struct tds_cgroup *cg, uint32_t source,
		     const struct tds_cgroup_limits *limits, struct tds_err *err)
{
	char name[NAME_MAX];

	source_name(cg, source, name);
	const char *file = put_limits(cg, name, limits);
	return file ? tds_err_sys(err, TDS_E_WRITE, "%s/%s/%s", cg->path, name, file) : 0;
}

int tds_cgroup_add(const struct tds_cgroup *cg, uint32_t source,
		   const struct tds_cgroup_limits *limits, pid_t pid, struct tds_err *err)
{
	char name[NAME_MAX];
	char path[PATH_MAX];
	char number[32];

	source_name(cg, source, name);
	place(cg, name, NULL, path);
	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	if (mkdir(path, 0755) != 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", path);
	const char *file = put_limits(cg, name, limits);
	if (!file && !put(cg, name, PROCESSES, number))
		file = PROCESSES;
	if (!file)
		return 0;
	int rc = tds_err_sys(err, TDS_E_WRITE, "%s/%s", path, file);
	(void)rmdir(path);
	return rc;
}

/* What a file of one number, or the row of one that is called so, says. TDS_CGROUP_NONE: "max", or nothing of the kind. */
static uint64_t number_in(const struct tds_cgroup *cg, const char *name, const char *file,
			  const char *row)
{
	tds_autofree char *text = get(cg, name, file);
	size_t len = strlen(row);
	uint64_t value;

	for (char *rest = text, *line; rest && (line = strsep(&rest, "\n"));)
		if (strncmp(line, row, len) == 0 &&
		    tds_parse_uint(line + len, strlen(line + len), TDS_CGROUP_NONE - 1, &value))
			return value;
	return TDS_CGROUP_NONE;
}

void tds_cgroup_measure(const struct tds_cgroup *cg, uint32_t source, struct tds_cgroup_use *use)
{
	char name[NAME_MAX];

	source_name(cg, source, name);
	*use = (struct tds_cgroup_use){
		.pids = number_in(cg, name, "pids.current", ""),
		.memory = number_in(cg, name, "memory.current", ""),
		.most = { .pids = number_in(cg, name, "pids.max", ""),
			  .memory = number_in(cg, name, "memory.max", "") },
	};
}

uint64_t tds_cgroup_oom_kills(const struct tds_cgroup *cg, uint32_t source)
{
	char name[NAME_MAX];

	source_name(cg, source, name);
	uint64_t kills = number_in(cg, name, "memory.events", "oom_kill ");
	return kills == TDS_CGROUP_NONE ? 0 : kills;
}

bool tds_cgroup_remove(const struct tds_cgroup *cg, uint32_t source, int *watch)
{
	char name[NAME_MAX];

	source_name(cg, source, name);
	return remove_name(cg, name, watch);
}
