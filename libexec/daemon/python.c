/* SPDX-License-Identifier: MIT */
/*
 * Which Python runs the actors; and what a declaration may ask it for, which is asked at the daemon's start, so that the loop does not
 * wait for it later.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "inside.h"
#include "literal/literal_env.h"

static void on_answer(evutil_socket_t fd, short what, void *ctx)
{
	struct tds_env_version version;

	(void)what;
	(void)ctx;
	/* One that does not tell is asked again by the declaration that wants to know, whose failure that is. */
	int rc = tds_env_python_version(&version, NULL);
	(void)rc;
	(void)close(fd);
}

void python_ask(struct daemon *d)
{
	int fd = tds_env_python_ask();

	if (fd >= 0 && event_base_once(d->base, fd, EV_READ, on_answer, NULL, NULL) != 0)
		(void)close(fd);
}

/* May everybody run it? Of its real path each folder is to let everybody through. */
static bool is_for_everybody(char *path)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || !(st.st_mode & S_IXOTH))
		return false;
	for (char *slash = strrchr(path, '/'); slash && slash != path; slash = strrchr(path, '/')) {
		*slash = '\0';
		if (stat(path, &st) != 0 || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

char *python_find(void)
{
	const char *path = getenv("PATH");
	tds_autofree char *list = strdup(path ? path : "/usr/bin:/bin");

	for (char *rest = list, *folder; rest && (folder = strsep(&rest, ":"));) {
		char *found = NULL;

		if (folder[0] != '/' || asprintf(&found, "%s/" PYTHON, folder) < 0)
			continue;
		tds_autofree char *real = realpath(found, NULL);
		if (real && is_for_everybody(real))
			return found;
		free(found);
	}
	return strdup(PYTHON);
}
