/* SPDX-License-Identifier: MIT */
/*
 * --verify: the verdicts are those of tds-verify, which runs as a process of its own. So what is hostile in a
 * package stays there, both tools say the same, and a list without --verify need not load what unpacks archives,
 * which takes longer than the list.
 */
#include "avail.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsontext.h"
#include "base/mem.h"

#define TOOL "tds-verify"

extern char **environ;

/* The paths of all items that can be read, each ended by NUL, as a file to be read from its beginning. */
static int write_paths(const struct avail *avail, const struct items *items, int *fd,
		       struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool ok = out != NULL;

	for (size_t i = 0; ok && i < items->n; i++) {
		tds_autofree char *path = tds_dir_join(&avail->dir, items->v[i].name);

		ok = path != NULL;
		if (ok && items->v[i].state == ITEM_KNOWN)
			(void)fwrite(path, 1, strlen(path) + 1, out);
	}
	if (!out || fclose(out) != 0 || !ok)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	*fd = tds_io_memfd("paths");
	if (*fd < 0 || tds_io_write(*fd, text, len) != 0 || lseek(*fd, 0, SEEK_SET) != 0)
		return tds_err_sys(err, TDS_E_NOMEM, "the list of paths cannot be written");
	return 0;
}

/* Start the tool with in as standard input and out as standard output; its messages go where ours go. */
static int start(const struct avail *avail, int in, int out, pid_t *pid, struct tds_err *err)
{
	const char *quiet = avail->opts->cli.quiet ? "-q" : "--";
	const char *argv[] = { TOOL, "-C", avail->dir.path, "-j", "-0", "-T", "-", quiet, NULL };
	posix_spawn_file_actions_t actions;
	/* The tool that was installed beside this one, never one from PATH. */
	tds_autofree char *folder = tds_cli_folder();
	tds_autofree char *path = NULL;
	int rc = 0;

	if (!folder)
		return tds_err_set(err, TDS_E_UNUSABLE, TOOL ": cannot be found");
	if (asprintf(&path, "%s/" TOOL, folder) < 0) {
		path = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	if (posix_spawn_file_actions_init(&actions) != 0)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	errno = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (errno == 0)
		errno = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (errno == 0)
		errno = posix_spawn(pid, path, &actions, NULL, (char **)(uintptr_t)argv, environ);
	if (errno != 0)
		rc = tds_err_sys(err, TDS_E_UNUSABLE, "%s: cannot be started", path);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/*
 * A verdict, whole. Where memory runs out, jansson drops characters of a string instead of failing: so what was read must
 * be what was sent, in the only way that the tool writes it.
 */
static json_t *read_verdict(const char *line)
{
	json_t *verdict = json_loads(line, 0, NULL);
	tds_autofree char *again = verdict ? tds_json_text(verdict, JSON_COMPACT) : NULL;

	if (again && json_is_boolean(json_object_get(verdict, "Success")) &&
	    strlen(again) == strcspn(line, "\n") && strncmp(again, line, strlen(again)) == 0)
		return verdict;
	json_decref(verdict);
	return NULL;
}

/* What a document says beyond the verdict, which is part of another document here, and of a package that is known. Its declaration may be long. */
static void strip_verdict(json_t *verdict)
{
	static const char *const known[] = { "Format", "File", "Subject", "Declaration" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		(void)json_object_del(verdict, known[i]);
}

/* One line for each path, in their order. */
static int read_verdicts(FILE *in, struct items *items, struct tds_err *err)
{
	tds_autofree char *line = NULL;
	size_t room = 0;

	for (size_t i = 0; i < items->n; i++) {
		struct item *item = &items->v[i];

		if (item->state != ITEM_KNOWN)
			continue;
		if (getline(&line, &room, in) > 0)
			item->verdict = read_verdict(line);
		if (!item->verdict)
			return tds_err_set(err, TDS_E_UNUSABLE, TOOL ": gives no verdict on %s",
					   item->name);
		strip_verdict(item->verdict);
	}
	return 0;
}

static int ask(const struct avail *avail, struct items *items, int paths, struct tds_err *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "no pipe");
	FILE *in = fdopen(ends[0], "r");
	int rc = in ? start(avail, paths, ends[1], &pid, err)
		    : tds_err_sys(err, TDS_E_NOMEM, "no pipe");
	(void)close(ends[1]);
	if (rc == 0) {
		rc = read_verdicts(in, items, err);
		/* Where we have stopped reading, this ends it; waiting comes after. */
		(void)fclose(in);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return rc;
	}
	if (in)
		(void)fclose(in);
	else
		(void)close(ends[0]);
	return rc;
}

int items_verify(const struct avail *avail, struct items *items, struct tds_err *err)
{
	tds_autofd int paths = -1;
	int rc = write_paths(avail, items, &paths, err);

	return rc == 0 ? ask(avail, items, paths, err) : rc;
}
