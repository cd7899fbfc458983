/* SPDX-License-Identifier: MIT */
/*
 * The Python that is asked where modules are and whether sources compile. It is started once for each question, with
 * one end of a socket pair as its descriptor 0, and is given sources as bytes: neither names nor paths, so there is
 * nothing in it that a hostile name could upset.
 */
#include "gensrc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"

#define PATH_MAX_BYTES (4 << 20)    /* of a whole search path */
#define ANSWER_MAX_BYTES (16 << 10) /* of the answer about one source */

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int spawn_with(const struct opts *o, int fd, const char *const argv[], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	rc = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
						      O_WRONLY, 0);
	if (rc == 0 && !o->cli.verbose)
		rc = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
						      O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
				  environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return rc;
}

/* Start the script. isolated: with nothing of the environment or of the user's own packages. */
static int start(const struct opts *o, const char *question, bool isolated, pid_t *pid, int *fd,
		 struct tds_err *err)
{
	const char *const plain[] = { o->python, "-B", "-c", python_script, question, NULL };
	const char *const apart[] = { o->python, "-I", "-S",          "-B",     "-W",
				      "ignore",  "-c", python_script, question, NULL };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be started");
	int rc = spawn_with(o, pair[1], isolated ? apart : plain, pid);
	(void)close(pair[1]);
	if (rc != 0) {
		(void)close(pair[0]);
		*pid = 0;
		errno = rc;
		return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be started");
	}
	*fd = pair[0];
	return 0;
}

/* Wait for it to end. Errors: code, with how it ended, where that was not well. */
static int reap(pid_t *pid, enum tds_code code, const char *doing, struct tds_err *err)
{
	int status = 0;

	while (waitpid(*pid, &status, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
	if (WIFSIGNALED(status))
		return tds_err_set(err, code, "was killed by signal %d (%s) as it %s",
				   WTERMSIG(status), strsignal(WTERMSIG(status)), doing);
	if (WEXITSTATUS(status) != 0)
		return tds_err_set(err, code, "ended with status %d as it %s", WEXITSTATUS(status),
				   doing);
	return 0;
}

/* Cut a text that ends in NUL out of what is left of it. */
static char *next_text(struct tds_buf *text, size_t *at)
{
	char *start = text->data + *at;
	size_t n = strnlen(start, text->len - *at);

	if (*at + n >= text->len)
		return NULL;
	*at += n + 1;
	return start;
}

static int add_text(struct tds_names *names, char *text, struct tds_err *err)
{
	void *more = reallocarray(names->v, names->n + 1, sizeof(char *));

	if (!more)
		return no_memory(err);
	names->v = more;
	names->v[names->n++] = text;
	return 0;
}

static int add_dist(struct search_path *path, const char *folder, struct tds_err *err)
{
	void *more = reallocarray(path->dist, path->ndist + 1, sizeof(*path->dist));

	if (!more)
		return no_memory(err);
	path->dist = more;
	path->dist[path->ndist++] = (struct dist){ .folder = folder };
	return 0;
}

/* What is told of distributions, piece by piece: a letter says what it is. */
static int take_dist(struct search_path *path, char *text, struct tds_err *err)
{
	struct dist *dist = path->ndist ? &path->dist[path->ndist - 1] : NULL;

	if (*text == 'D')
		return add_dist(path, text + 1, err);
	if (dist && *text == 'C')
		return add_text(&dist->called, text + 1, err);
	if (dist && *text == 'M')
		return add_text(&dist->module, text + 1, err);
	if (dist && *text == 'F')
		return add_text(&dist->file, text + 1, err);
	return tds_err_set(err, TDS_E_UNUSABLE, "does not answer as a Python 3");
}

/* The parts of the answer, with an empty text between them. */
static int take_path(struct search_path *path, struct tds_err *err)
{
	struct tds_names *const parts[] = { &path->suffix, &path->folder };
	size_t part = 0;
	size_t at = 0;
	int rc = 0;
	char *text;

	while (rc == 0 && (text = next_text(&path->text, &at))) {
		if (part < 2 && *text == '\0')
			part++;
		else
			rc = part < 2 ? add_text(parts[part], text, err)
				      : take_dist(path, text, err);
	}
	if (rc == 0 && path->folder.n == 0)
		rc = tds_err_set(err, TDS_E_UNUSABLE, "does not say where it looks for modules");
	return rc;
}

int python_ask_path(const struct opts *o, const struct tds_buf *names, struct search_path *path,
		    struct tds_err *err)
{
	tds_autofd int fd = -1;
	pid_t pid = 0;
	int rc = start(o, "path", false, &pid, &fd, err);

	if (rc != 0)
		return rc;
	/* What is no Python may not read them; then it does not answer either. */
	(void)!send(fd, names->data, names->len, MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	rc = tds_io_slurp_fd(fd, PATH_MAX_BYTES, &path->text.data, &path->text.len, err);
	if (rc != 0)
		(void)kill(pid, SIGKILL);
	int ended = reap(&pid, TDS_E_UNUSABLE, "told its search path", rc == 0 ? err : NULL);
	if (rc == 0 && ended == 0)
		rc = take_path(path, err);
	return rc != 0 ? rc : ended;
}

void search_path_fini(struct search_path *path)
{
	for (size_t i = 0; i < path->ndist; i++) {
		free(path->dist[i].called.v);
		free(path->dist[i].module.v);
		free(path->dist[i].file.v);
	}
	free(path->dist);
	free(path->suffix.v);
	free(path->folder.v);
	tds_buf_fini(&path->text);
	*path = (struct search_path){ 0 };
}

int checker_start(const struct opts *o, struct checker *c, struct tds_err *err)
{
	*c = CHECKER_NONE;
	c->program = o->python;
	return start(o, "compile", true, &c->pid, &c->fd, err);
}

/* It has closed its end of the socket. */
static int lost(struct checker *c, struct tds_err *err)
{
	enum tds_code code = c->ready ? TDS_E_REFUSED : TDS_E_UNUSABLE;
	const char *doing = c->ready ? "compiled this" : "was started";

	tds_close_fd(&c->fd);
	if (reap(&c->pid, code, doing, err) == 0)
		tds_err_set(err, code, c->ready ? "ended as it compiled this" : "is no Python 3");
	return err->code;
}

/* It says what the script never says, so it is something else. */
static int disown(struct checker *c, struct tds_err *err)
{
	(void)kill(c->pid, SIGKILL);
	(void)reap(&c->pid, TDS_E_UNUSABLE, "", NULL);
	return tds_err_set(err, TDS_E_UNUSABLE, "does not answer as a Python 3");
}

static int add_fault(struct checker *c, unsigned line, unsigned column, const char *text,
		     struct tds_err *err)
{
	void *more = reallocarray(c->faults, c->nfaults + 1, sizeof(*c->faults));
	char *copy = strdup(text);

	if (more)
		c->faults = more;
	if (!more || !copy) {
		free(copy);
		return no_memory(err);
	}
	c->faults[c->nfaults++] = (struct fault){
		.member = c->asked[c->nanswered],
		.line = line,
		.column = column,
		.text = copy,
	};
	return 0;
}

/* Understand one line that it has sent; *understood: it could be. */
static int take_answer(struct checker *c, char *answer, bool *understood, struct tds_err *err)
{
	char *rest = answer;
	const char *line_text = strsep(&rest, " ");
	const char *column_text = rest ? strsep(&rest, " ") : NULL;
	uint64_t line;
	uint64_t column;
	int rc = 0;

	if (!c->ready) {
		*understood = c->ready = strcmp(line_text, "ready") == 0;
		return 0;
	}
	*understood = c->nanswered < c->nasked &&
		      (*line_text == '\0' ||
		       (rest && tds_parse_uint(line_text, strlen(line_text), UINT32_MAX, &line) &&
			tds_parse_uint(column_text, strlen(column_text), UINT32_MAX, &column)));
	if (!*understood)
		return 0;
	if (*line_text)
		rc = add_fault(c, (unsigned)line, (unsigned)column, rest, err);
	c->nanswered++;
	return rc;
}

/* Take what has come, line by line. */
static int take_answers(struct checker *c, struct tds_err *err)
{
	char piece[4096];
	ssize_t n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT);
	bool understood = true;
	char *end;
	int rc = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return lost(c, err);
	if (!tds_buf_add(&c->answers, piece, (size_t)n))
		return no_memory(err);
	char *line = c->answers.data;
	while (rc == 0 && understood &&
	       (end = memchr(line, '\n', c->answers.len - (size_t)(line - c->answers.data)))) {
		*end = '\0';
		rc = take_answer(c, line, &understood, err);
		line = end + 1;
	}
	c->answers.len -= (size_t)(line - c->answers.data);
	memmove(c->answers.data, line, c->answers.len);
	if (rc == 0 && (!understood || c->answers.len > ANSWER_MAX_BYTES))
		rc = disown(c, err);
	return rc;
}

/* Send all of data, taking answers meanwhile: else each could wait for the other for ever. */
static int send_all(struct checker *c, const void *data, size_t len, struct tds_err *err)
{
	for (size_t done = 0; done < len;) {
		struct pollfd poller = { .fd = c->fd, .events = POLLIN | POLLOUT };

		if (poll(&poller, 1, -1) < 0 && errno != EINTR)
			return tds_err_sys(err, TDS_E_UNUSABLE, "cannot be waited for");
		if (poller.revents & (POLLIN | POLLHUP | POLLERR)) {
			int rc = take_answers(c, err);

			if (rc != 0)
				return rc;
		}
		if (!(poller.revents & POLLOUT))
			continue;
		ssize_t n = send(c->fd, (const char *)data + done, len - done,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			return lost(c, err);
	}
	return 0;
}

int checker_feed(struct checker *c, size_t member, const void *source, size_t len,
		 struct tds_err *err)
{
	unsigned char head[8];

	if (c->nasked == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		void *more = reallocarray(c->asked, room, sizeof(*c->asked));

		if (!more)
			return no_memory(err);
		c->asked = more;
		c->room = room;
	}
	c->asked[c->nasked++] = member;
	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
	int rc = send_all(c, head, sizeof(head), err);
	return rc != 0 ? rc : send_all(c, source, len, err);
}

int checker_finish(struct checker *c, struct tds_err *err)
{
	int rc = 0;

	(void)shutdown(c->fd, SHUT_WR);
	while (rc == 0 && c->nanswered < c->nasked) {
		struct pollfd poller = { .fd = c->fd, .events = POLLIN };

		if (poll(&poller, 1, -1) >= 0)
			rc = take_answers(c, err);
		else if (errno != EINTR)
			rc = tds_err_sys(err, TDS_E_UNUSABLE, "cannot be waited for");
	}
	return rc;
}

void checker_fini(struct checker *c)
{
	tds_close_fd(&c->fd);
	if (c->pid > 0) {
		/* All its answers are here, or none are wanted any more. */
		(void)kill(c->pid, SIGKILL);
		(void)reap(&c->pid, TDS_E_REFUSED, "", NULL);
	}
	for (size_t i = 0; i < c->nfaults; i++)
		free(c->faults[i].text);
	free(c->faults);
	free(c->asked);
	tds_buf_fini(&c->answers);
	*c = CHECKER_NONE;
}
