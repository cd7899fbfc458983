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
#include "base/text.h"
#include "children.h"
#include "daemon/base/signals.h"
#include "spoken.h"

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

	const pid_t parent = getppid();
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)parent);
	tds_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	/* One that a unit's ProtectProc=invisible hides is there as long as it is the parent. */
	if (fd < 0 || tds_io_slurp_fd(fd, 4096, &text, &len, NULL) != 0)
		return fd >= 0 || errno != ENOENT || getppid() == parent;
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

/* The pipe takes it whole or not at all; len has the NUL. */
static bool say_text(const struct ward *ward, enum ward_word word, const char *text, size_t len)
{
	char said[1 + SPOKEN_MAX] = { (char)word };

	(void)memcpy(said + 1, text, len);
	return write(ward->pulse, said, 1 + len) == (ssize_t)(1 + len);
}

bool ward_name_successor(const struct ward *ward, const char *program)
{
	size_t len = strlen(program) + 1;

	return len <= SPOKEN_MAX && say_text(ward, WARD_RESTART, program, len);
}

void ward_say_why(const struct ward *ward, const char *why)
{
	tds_autofree char *line = tds_text_escaped(why);

	if (!line)
		return;
	if (strlen(line) >= SPOKEN_MAX)
		line[SPOKEN_MAX - 1] = '\0';
	(void)say_text(ward, WARD_WHY, line, strlen(line) + 1);
}

void ward_tell_strays(void)
{
	(void)kill(getppid(), SIGNALS_STRAYS);
}
