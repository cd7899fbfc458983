/* SPDX-License-Identifier: MIT */
/* What runit and s6 have left in the folder of a service. */
#include "bootsupervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/tree.h"

#define POLL_MS 50

/* Both read commands from a pipe that has a name; where it has no reader, nobody is there. */
static bool is_there(int folder)
{
	tds_autofd int fd =
		openat(folder, "supervise/control", O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0;
}

/* Neither tells when it ends, once the service itself is down. */
static bool has_ended(int folder, int wait_ms)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (int left_ms = wait_ms; is_there(folder); left_ms -= POLL_MS) {
		if (left_ms <= 0)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

int boot_supervisor_clear(const char *at, int wait_ms, struct tds_err *err)
{
	static const char *const folders[] = { "supervise", "event" };
	tds_autofd int folder = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return tds_err_sys(err, TDS_E_WRITE, "%s", at);
	if (!has_ended(folder, wait_ms))
		return tds_err_set(err, TDS_E_REFUSED,
				   "%s: a supervisor looks after it, and does not end", at);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int rc = tds_tree_remove(folder, folders[i], err);
		if (rc != 0 && rc != TDS_E_MISSING)
			return tds_err_prefix(err, "%s", at);
	}
	return 0;
}
