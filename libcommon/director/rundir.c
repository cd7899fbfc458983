/* SPDX-License-Identifier: MIT */
/*
 * Finding the run directory, and reading loaded.json with one question: what must not be deleted. Each doubt
 * is an error, for a package that is kept costs nothing.
 */
#include "rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "adminuser.h"

/* Is there nothing of that name, not even a link that leads nowhere? */
static bool absent(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

/* Cut blanks and line ends off both ends. */
static char *trim(char *text)
{
	static const char blanks[] = " \t\r\n";
	char *begin = text + strspn(text, blanks);
	size_t len = strlen(begin);

	while (len > 0 && strchr(blanks, begin[len - 1]))
		begin[--len] = '\0';
	return begin;
}

static bool is_path(const char *path, size_t len)
{
	if (path[0] != '/' || len >= PATH_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			return false;
	return true;
}

/* What rundir.cfg says. */
static int configured(const struct tds_dir *dir, char **name, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len = 0;
	int rc = tds_io_slurp(dir->fd, TDS_RUNDIR_CFG, 2 * PATH_MAX, &text, &len, err);

	if (rc != 0)
		return rc;
	bool whole = !memchr(text, '\0', len);
	const char *value = trim(text);
	if (!whole || !is_path(value, strlen(value)))
		return tds_err_set(err, TDS_E_UNUSABLE, "is not one absolute path");
	*name = strdup(value);
	return *name ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* The run directory's name: absolute, or relative to the director directory. */
static int locate(const struct tds_dir *dir, char **name, struct tds_err *err)
{
	struct tds_err why;

	if (absent(dir->fd, TDS_RUNDIR_CFG)) {
		*name = strdup(TDS_RUNDIR_NAME);
		return *name ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	int rc = configured(dir, name, &why);
	if (rc == 0)
		return 0;
	return tds_err_set(err, rc == TDS_E_NOMEM ? rc : TDS_E_UNUSABLE, "%s/%s: %s", dir->path,
			   TDS_RUNDIR_CFG, why.reason);
}

int tds_rundir_path(const struct tds_dir *dir, char **path, struct tds_err *err)
{
	tds_autofree char *name = NULL;
	int rc = locate(dir, &name, err);

	if (rc != 0)
		return rc;
	*path = name[0] == '/' ? tds_steal(&name) : tds_dir_join(dir, name);
	return *path ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

const char *tds_rundir_network(uint64_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} known[] = {
		{ 0x6969, "NFS" },        { 0x517b, "SMB" },        { 0xff534d42, "CIFS" },
		{ 0xfe534d42, "SMB" },    { 0x01021997, "9p" },     { 0x5346414f, "AFS" },
		{ 0x6b414653, "AFS" },    { 0x73757245, "Coda" },   { 0x00c36400, "Ceph" },
		{ 0x0bd00bd0, "Lustre" }, { 0x19830326, "BeeGFS" }, { 0x47504653, "GPFS" },
		{ 0x01161970, "GFS2" },   { 0x7461636f, "OCFS2" },
	};

	/* Some kernels give the 32 bits of the number with its sign. */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == (uint32_t)type)
			return known[i].name;
	return NULL;
}

/* Is it the user that adminuser.cfg names? */
static int check_adminuser(const struct tds_dir *dir, uid_t uid, struct tds_err *err)
{
	tds_auto(adminuser) struct tds_adminuser adminuser;
	int rc = tds_adminuser_read(dir, &adminuser, err);

	if (rc != 0)
		return tds_err_prefix(err, "%s/" TDS_ADMINUSER_CFG, dir->path);
	if (!(adminuser.is_named && adminuser.user.uid == uid))
		return tds_err_set(err, TDS_E_NO_ADMIN,
				   "belongs to another user (uid %ju), whom " TDS_ADMINUSER_CFG
				   " does not name",
				   (uintmax_t)uid);
	return 0;
}

/*
 * Who may run the admin process of this directory, and so write its run directory: root, the caller, the director
 * directory's owner, whom adminuser.cfg names, and nobody beside them.
 */
static int check_owner(const struct tds_dir *dir, int fd, struct tds_err *err)
{
	struct stat st;
	struct stat home;

	if (fstat(fd, &st) != 0 || fstat(dir->fd, &home) != 0)
		return tds_err_sys(err, TDS_E_NO_ADMIN, "cannot be read");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return tds_err_set(err, TDS_E_NO_ADMIN, "others may write it");
	if (st.st_uid == 0 || st.st_uid == geteuid() || st.st_uid == home.st_uid)
		return 0;
	return check_adminuser(dir, st.st_uid, err);
}

/* Errors: TDS_E_MISSING where there is nothing of the name, not even a link that leads nowhere. */
static int open_checked(const struct tds_dir *dir, int dirfd, const char *name, int flags, int *fd,
			struct tds_err *err)
{
	tds_autofd int opened = openat(dirfd, name, flags | O_CLOEXEC | O_NOFOLLOW);

	if (opened < 0 && (errno == ENOTDIR || errno == ELOOP))
		return tds_err_set(err, TDS_E_NO_ADMIN, "is %s",
				   flags & O_DIRECTORY ? "no folder, or a symbolic link"
						       : "a symbolic link");
	if (opened < 0)
		return tds_err_sys(err, errno == ENOENT ? TDS_E_MISSING : TDS_E_NO_ADMIN,
				   "cannot be opened");
	int rc = check_owner(dir, opened, err);
	if (rc == 0)
		*fd = tds_steal_fd(&opened);
	return rc;
}

int tds_rundir_open(const struct tds_dir *dir, struct tds_dir *rundir, struct tds_err *err)
{
	tds_autofree char *path = NULL;
	struct tds_err why;

	*rundir = (struct tds_dir){ .fd = -1 };
	int rc = tds_rundir_path(dir, &path, err);
	if (rc != 0)
		return rc;
	rc = open_checked(dir, AT_FDCWD, path, O_PATH | O_DIRECTORY, &rundir->fd, &why);
	if (rc == TDS_E_UNUSABLE) /* adminuser.cfg, which names itself */
		return tds_err_set(err, rc, "%s", why.reason);
	if (rc != 0)
		return tds_err_set(err, rc, "%s: %s", path, why.reason);
	rundir->path = tds_steal(&path);
	return 0;
}

static bool add_name(struct tds_loaded *loaded, const char *text)
{
	const char *slash = strrchr(text, '/');

	if (loaded->n == loaded->room) {
		size_t room = loaded->room ? 2 * loaded->room : 64;
		const char **more = reallocarray(loaded->names, room, sizeof(*more));

		if (!more)
			return false;
		loaded->names = more;
		loaded->room = room;
	}
	loaded->names[loaded->n++] = slash ? slash + 1 : text;
	return true;
}

/* Every string in value, keys too. The parser has bounded the depth. */
static bool add_names(struct tds_loaded *loaded, json_t *value)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value))
		return add_name(loaded, json_string_value(value));
	if (json_is_array(value)) {
		json_array_foreach(value, i, item) if (!add_names(loaded, item)) return false;
	} else if (json_is_object(value)) {
		json_object_foreach(value, key, item) if (!add_name(loaded, key) ||
							  !add_names(loaded, item)) return false;
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A JSON document of the run directory; *document stays NULL where there is no such file. */
static int read_json(const struct tds_dir *dir, const struct tds_dir *rundir, const char *name,
		     json_t **document, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	tds_autofd int fd = -1;
	struct stat st;
	size_t len = 0;
	json_error_t where;
	int rc = open_checked(dir, rundir->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd, err);

	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)))
		rc = tds_err_set(err, TDS_E_WRITE, "is not a regular file");
	if (rc == 0)
		rc = tds_io_slurp_fd(fd, TDS_LOADED_MAX_BYTES, &text, &len, err);
	/* Of two equal keys the parser would keep the last value alone, and the first would not count. */
	if (rc == 0 && !(*document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where)))
		rc = tds_err_set(err, TDS_E_WRITE, "is not JSON: line %d: %s", where.line,
				 where.text);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s/%s", rundir->path, name);
}

static int read_both(const struct tds_dir *dir, const struct tds_dir *rundir,
		     struct tds_loaded *loaded, struct tds_err *err)
{
	int rc = read_json(dir, rundir, TDS_LOADED_NAME, &loaded->document, err);

	if (rc == 0)
		rc = read_json(dir, rundir, TDS_DESIRED_NAME, &loaded->desired, err);
	if (rc == 0 && !(add_names(loaded, loaded->document) && add_names(loaded, loaded->desired)))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0 && loaded->n > 0)
		qsort(loaded->names, loaded->n, sizeof(*loaded->names), by_text);
	return rc;
}

/* How reading out of the run directory went: one that is not there holds nothing, and any other fault is that of reading. */
static int outcome(int rc, const struct tds_err *why, struct tds_err *err)
{
	if (rc == 0 || rc == TDS_E_MISSING)
		return 0;
	return tds_err_set(err, rc == TDS_E_NOMEM ? rc : TDS_E_WRITE, "%s", why->reason);
}

int tds_loaded_read(const struct tds_dir *dir, struct tds_loaded *loaded, struct tds_err *err)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct tds_err why;
	int rc = tds_rundir_open(dir, &rundir, &why);

	*loaded = (struct tds_loaded){ 0 };
	if (rc == 0)
		rc = read_both(dir, &rundir, loaded, &why);
	if (rc != 0)
		tds_loaded_fini(loaded);
	return outcome(rc, &why, err);
}

int tds_rundir_json(const struct tds_dir *dir, const char *name, json_t **document,
		    struct tds_err *err)
{
	tds_auto(dir) struct tds_dir rundir = { .fd = -1 };
	struct tds_err why;
	int rc = tds_rundir_open(dir, &rundir, &why);

	*document = NULL;
	if (rc == 0)
		rc = read_json(dir, &rundir, name, document, &why);
	return outcome(rc, &why, err);
}

void tds_loaded_fini(struct tds_loaded *loaded)
{
	json_decref(loaded->document);
	json_decref(loaded->desired);
	free(loaded->names);
	*loaded = (struct tds_loaded){ 0 };
}

static bool has(const struct tds_loaded *loaded, const char *name)
{
	return bsearch(&name, loaded->names, loaded->n, sizeof(*loaded->names), by_text) != NULL;
}

bool tds_loaded_has(const struct tds_loaded *loaded, const char *file)
{
	if (loaded->n == 0)
		return false;
	if (has(loaded, file))
		return true;
	tds_autofree char *escaped = tds_text_escaped(file);
	return !escaped || has(loaded, escaped); /* in doubt it stays */
}
