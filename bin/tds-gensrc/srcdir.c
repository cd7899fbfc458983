/* SPDX-License-Identifier: MIT */
/* Paths below SRCDIR, as the Director reads them, and files that are there or in the current folder. */
#include "gensrc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "tool/expand.h"

/* The length of SRCDIR without the slashes at its end; of "/" it is 0. */
static size_t srcdir_len(const struct opts *o)
{
	size_t len = strlen(o->srcdir);

	while (len > 0 && o->srcdir[len - 1] == '/')
		len--;
	return len;
}

char *below_srcdir(const struct opts *o, const char *path)
{
	char *joined = NULL;

	if (asprintf(&joined, "%.*s/%s", (int)srcdir_len(o), o->srcdir, path) < 0)
		return NULL;
	return joined;
}

/* What follows "SRCDIR/" at the beginning of path, or path. */
static const char *cut_srcdir(const struct opts *o, const char *path)
{
	size_t len = srcdir_len(o);

	if (strncmp(path, o->srcdir, len) != 0 || path[len] != '/')
		return path;
	return path + len + strspn(path + len, "/");
}

char *clean_path(const struct opts *o, const char *path)
{
	tds_autofree char *home = tds_expand_user(cut_srcdir(o, path));
	tds_autofree char *expanded = home ? tds_expand_vars(home) : NULL;

	return expanded ? strdup(cut_srcdir(o, expanded)) : NULL;
}

static int read_any_file(int dirfd, const char *name, size_t max, char **text, size_t *len,
			 struct tds_err *err)
{
	tds_autofd int fd = -1;
	int rc = tds_io_open(dirfd, name, true, &fd, NULL, err);

	return rc != 0 ? rc : tds_io_slurp_fd(fd, max, text, len, err);
}

int read_named_file(const struct opts *o, const char *name, size_t max, char **text, size_t *len,
		    char **shown, struct tds_err *err)
{
	int rc = read_any_file(AT_FDCWD, name, max, text, len, err);

	*shown = strdup(name);
	if (rc == TDS_E_MISSING) {
		tds_autofree char *path = clean_path(o, name);
		struct tds_err second;

		if (path && read_any_file(o->srcfd, path, max, text, len, &second) == 0) {
			free(*shown);
			*shown = path[0] == '/' ? tds_steal(&path) : below_srcdir(o, path);
			rc = 0;
		}
	}
	return rc;
}
