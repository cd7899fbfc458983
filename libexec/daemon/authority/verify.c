/* SPDX-License-Identifier: MIT */
/* Starting the verifier, and its verdict. */
#include "verify.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/base/descriptors.h"
#include "daemon/base/signals.h"

#define VERDICT_MAX 4096

struct verification {
	pid_t pid;
	int fd;
	struct event *readable;
	struct event *deadline;
	verify_done_fn *done;
	void *ctx;
};

void verification_cancel(struct verification *v)
{
	if (!v)
		return;
	if (v->pid > 0) {
		(void)kill(v->pid, SIGKILL);
		(void)waitpid(v->pid, NULL, 0);
	}
	if (v->readable)
		event_free(v->readable);
	if (v->deadline)
		event_free(v->deadline);
	tds_close_fd(&v->fd);
	free(v);
}

static void finish(struct verification *v, json_t *verdict, int archive, int package)
{
	verify_done_fn *done = v->done;
	void *ctx = v->ctx;

	verification_cancel(v);
	done(ctx, verdict, archive, package);
	json_decref(verdict);
}

static json_t *no_verdict(const char *why, int status)
{
	return json_pack("{s:b, s:i, s:s}", "ok", 0, "status", status, "error", why);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, no_verdict("the verifier took too long", 9), -1, -1);
}

/* The two descriptors of a good verdict. */
static void take_fds(struct msghdr *msg, int fds[2])
{
	fds[0] = fds[1] = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	char text[VERDICT_MAX];
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.space) };
	int fds[2] = { -1, -1 };
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);

	(void)what;
	if (n > 0)
		take_fds(&msg, fds);
	json_t *verdict = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
	bool good = json_is_true(json_object_get(verdict, "ok")) && fds[0] >= 0 && fds[1] >= 0;
	if (!good) {
		tds_close_fd(&fds[0]);
		tds_close_fd(&fds[1]);
		fds[0] = fds[1] = -1;
		if (!verdict || json_is_true(json_object_get(verdict, "ok"))) {
			json_decref(verdict);
			verdict = no_verdict("the verifier ended without a verdict", 7);
		}
	}
	finish(arg, verdict, fds[0], fds[1]);
}

static void become_verifier(const char *program, const struct tds_dir *dir, int fd, int verdict,
			    const char *name, const char *group)
{
	char *argv[] = { (char *)(uintptr_t)program, dir->path, (char *)(uintptr_t)name,
			 (char *)(uintptr_t)group, NULL };
	char *envp[] = { NULL };
	/* Signals stay blocked: nobody but the daemon, by SIGKILL, ends a verification, and faults do. */
	signals_set_defaults();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	descriptors_restore();
	/* First out of the way of the numbers that they are to have. */
	fd = fcntl(fd, F_DUPFD, 10);
	verdict = fcntl(verdict, F_DUPFD, 10);
	int dirfd = fcntl(dir->fd, F_DUPFD, 10);
	int null = open("/dev/null", O_RDWR);
	if (fd >= 0 && verdict >= 0 && dirfd >= 0 && null >= 0 && dup2(fd, 0) == 0 &&
	    dup2(null, 1) == 1 && dup2(null, 2) == 2 && dup2(verdict, 3) == 3 &&
	    dup2(dirfd, 4) == 4 && syscall(SYS_close_range, 5, ~0U, 0) == 0)
		(void)execve(program, argv, envp);
	_exit(127);
}

struct verification *verification_start(struct event_base *base, const char *program,
					const struct tds_dir *dir, int fd, const char *name,
					const char *group, verify_done_fn *done, void *ctx)
{
	struct verification *v = calloc(1, sizeof(*v));
	const struct timeval deadline = { .tv_sec = VERIFY_SECONDS };
	int ends[2];

	if (!v)
		return NULL;
	*v = (struct verification){ .fd = -1, .done = done, .ctx = ctx };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		goto fail;
	v->fd = ends[0];
	v->pid = signals_fork();
	if (v->pid == 0)
		become_verifier(program, dir, fd, ends[1], name, group);
	(void)close(ends[1]);
	v->readable = event_new(base, v->fd, EV_READ, on_readable, v);
	v->deadline = evtimer_new(base, on_deadline, v);
	if (v->pid > 0 && v->readable && v->deadline && event_add(v->readable, NULL) == 0 &&
	    evtimer_add(v->deadline, &deadline) == 0)
		return v;
fail:
	verification_cancel(v);
	return NULL;
}
