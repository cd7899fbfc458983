/* SPDX-License-Identifier: MIT */
/* The daemon's side of being guarded: it learns that its guardian is dead, and then keeps the guardian's promise. */
#include "ward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "children.h"
#include "daemon/base/signals.h"
#include "successor.h"

static pid_t own_guardian;

/*
 * Wherever the daemon stands: its guardian is dead, so nobody else is there to end what runs below. Hosts would
 * die with it, but not what actors have started: that becomes the daemon's first, and dies.
 */
static void on_orphaned(int sig)
{
	(void)sig;
	if (getppid() == own_guardian)
		return;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	children_end();
	_exit(1);
}

void ward_begin(pid_t guardian)
{
	struct sigaction action = { .sa_handler = on_orphaned, .sa_flags = SA_RESTART };
	sigset_t orphaned;

	own_guardian = guardian;
	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIGNALS_ORPHANED, &action, NULL);
	/* Whoever started us may have blocked it. */
	(void)sigemptyset(&orphaned);
	(void)sigaddset(&orphaned, SIGNALS_ORPHANED);
	(void)sigprocmask(SIG_UNBLOCK, &orphaned, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGNALS_ORPHANED);
	if (getppid() != guardian)
		_exit(1);
}

/*
 * The daemon learns of its guardian's death only when that is over, some milliseconds after the kill on a busy machine;
 * what it promises until then would not hold. So it looks at what the kernel has in store for the guardian.
 */
bool ward_is_guarded(void)
{
	enum { SIGNALED = 0x400, EXITING = 0x4 }; /* PF_SIGNALED, PF_EXITING of the kernel */
	const unsigned long killed = 1UL << (SIGKILL - 1);
	unsigned long flags;
	unsigned long pending;
	char path[32];
	tds_autofree char *text = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	tds_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || tds_io_slurp_fd(fd, 4096, &text, &len, NULL) != 0)
		return fd >= 0 || errno != ENOENT;
	/* Behind the name, whatever that is: fields 3 to 31 of proc(5). */
	const char *fields = strrchr(text, ')');
	if (!fields || sscanf(fields,
			      ") %*s %*s %*s %*s %*s %*s %lu %*s %*s %*s %*s %*s %*s %*s %*s "
			      "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu",
			      &flags, &pending) != 2)
		return true;
	return !(flags & (SIGNALED | EXITING)) && !(pending & killed);
}

void ward_say(const struct ward *ward, enum ward_word word)
{
	char byte = (char)word;

	/* Where the pipe is full the guardian has enough to hear. */
	(void)tds_io_write(ward->pulse, &byte, 1);
}

bool ward_name_successor(const struct ward *ward, const char *program)
{
	char text[1 + SUCCESSOR_MAX] = { WARD_RESTART };
	size_t len = strlen(program) + 1;

	if (len > SUCCESSOR_MAX)
		return false;
	(void)memcpy(text + 1, program, len);
	return write(ward->pulse, text, 1 + len) == (ssize_t)(1 + len);
}

void ward_tell_strays(void)
{
	(void)kill(getppid(), SIGNALS_STRAYS);
}
