/* SPDX-License-Identifier: MIT */
/* The state of the files that decide what is trusted. */
#include "trust.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

static void look(struct trust *trust, unsigned i, int dirfd, const char *name)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, 0) != 0)
		return;
	trust->files[i].dev = st.st_dev;
	trust->files[i].ino = st.st_ino;
	trust->files[i].mtime = st.st_mtim;
	trust->files[i].ctime = st.st_ctim;
}

struct trust trust_now(const struct tds_dir *dir, const char *key)
{
	static const char *const limits[] = { "revoked.cfg", "minkeybits.cfg", "strictnames.cfg",
					      "strictmodes.cfg", "adminuser.cfg" };
	tds_autofree char *allow = NULL;
	struct trust trust;
	size_t stem = strlen(key) - (strlen(key) > 4 ? strlen(".key") : 0);

	/* With its padding: it is compared as memory. */
	memset(&trust, 0, sizeof(trust));
	look(&trust, 0, dir->fd, "."); /* a key that came or went */
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		look(&trust, (unsigned)(1 + i), dir->fd, limits[i]);
	look(&trust, TRUST_FILES - 2, AT_FDCWD, key);
	if (asprintf(&allow, "%.*s.allow", (int)stem, key) >= 0)
		look(&trust, TRUST_FILES - 1, AT_FDCWD, allow);
	return trust;
}

bool trust_is_same(const struct trust *a, const struct trust *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
