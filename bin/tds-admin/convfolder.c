/* SPDX-License-Identifier: MIT */
/* What is in the folder of a convention, as it is found. */
#include "convfolder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "director/config.h"

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

const char *conv_state_word(enum conv_state state)
{
	static const char *const words[] = {
		[CONV_THERE] = "There",
		[CONV_MADE] = "Made",
		[CONV_RENEWED] = "Renewed",
	};

	return words[state];
}

/* --- what is there --- */

/* The CA, where there is one. */
static int read_ca(struct convfolder *folder, struct tds_err *err)
{
	size_t len;
	int rc = tds_io_slurp(folder->dir.fd, TDS_CONVENTION_CA, TDS_CERT_MAX_BYTES,
			      &folder->ca.cert, &len, err);

	folder->is_new = rc == TDS_E_MISSING;
	if (folder->is_new)
		return 0;
	if (rc == 0)
		rc = tds_io_slurp(folder->dir.fd, CONV_CA_KEY, TDS_CERT_MAX_BYTES, &folder->ca.key,
				  &len, err);
	else
		return tds_dir_err(&folder->dir, TDS_CONVENTION_CA, err);
	return rc == 0 ? 0 : tds_dir_err(&folder->dir, CONV_CA_KEY, err);
}

static int read_config(const struct convfolder *folder, const char *name, struct tds_config *config,
		       struct tds_err *err)
{
	int rc = tds_config_read(&folder->dir, name, config, err);

	return rc == 0 || rc == TDS_E_MISSING ? rc : tds_dir_err(&folder->dir, name, err);
}

static int read_name(struct convfolder *folder, struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = read_config(folder, TDS_CONVNAME_CFG, &config, err);

	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0 && !(folder->name = strdup(config.value->text)))
		rc = no_memory(err);
	return rc;
}

static int read_servers(struct convfolder *folder, struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = read_config(folder, TDS_CONVBUS_CFG, &config, err);

	if (rc != 0)
		return rc == TDS_E_MISSING ? 0 : rc;
	const struct tds_value *lines = config.value;
	folder->servers = calloc(lines->n, sizeof(*folder->servers));
	if (!folder->servers)
		return no_memory(err);
	for (size_t i = 0; i < lines->n; i++)
		if (tds_bus_url_parse(lines->items[i]->text, lines->items[i]->len,
				      &folder->servers[folder->n_servers]))
			folder->n_servers++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct conv_system *)a)->name, ((const struct conv_system *)b)->name);
}

static int add_system(struct convfolder *folder, const struct conv_system *system,
		      struct tds_err *err)
{
	struct conv_system *more =
		reallocarray(folder->systems, folder->n + 1, sizeof(*folder->systems));

	if (more)
		folder->systems = more;
	char *name = more ? strdup(system->name) : NULL;
	if (!name)
		return no_memory(err);
	folder->systems[folder->n] = *system;
	folder->systems[folder->n++].name = name;
	return 0;
}

/* Is there a file of this name for the system? */
static bool has(int systems, const char *system, const char *file)
{
	tds_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", system, file) < 0)
		path = NULL;
	return path && faccessat(systems, path, F_OK, 0) == 0;
}

/* One whose making was interrupted is not there yet: it is made anew under the same name. */
static int read_system(struct convfolder *folder, int systems, const char *name,
		       struct tds_err *err)
{
	struct conv_system system = { .name = (char *)name, .state = CONV_THERE };

	if (!tds_system_name_fits(name, strlen(name)) || !has(systems, name, TDS_CONVROLE_CFG))
		return 0;
	system.is_candidate = has(systems, name, tds_convention_files(TDS_CONVENTION_STORE)->key);
	return add_system(folder, &system, err);
}

static int read_systems(struct convfolder *folder, struct tds_err *err)
{
	int fd = openat(folder->dir.fd, CONV_SYSTEMS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!names)
		return errno == ENOENT ? 0
				       : tds_err_sys(err, TDS_E_UNUSABLE, "%s/" CONV_SYSTEMS,
						     folder->dir.path);
	while (rc == 0 && (entry = readdir(names)))
		rc = read_system(folder, fd, entry->d_name, err);
	(void)closedir(names);
	if (folder->n > 1)
		qsort(folder->systems, folder->n, sizeof(*folder->systems), by_name);
	return rc;
}

/* --- the folder --- */

static int open_dir(const char *path, bool make, struct convfolder *folder, struct tds_err *err)
{
	folder->is_made = make && mkdir(path, 0700) == 0;
	if (make && !folder->is_made && errno != EEXIST)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be made");
	int rc = tds_dir_open(path, &folder->dir, err);
	if (rc == 0 && flock(folder->dir.fd, LOCK_EX | LOCK_NB) != 0)
		rc = tds_err_set(err, TDS_E_REFUSED, "another process is at work in it");
	return rc;
}

int convfolder_open(const char *path, bool make, struct convfolder *folder, struct tds_err *err)
{
	*folder = (struct convfolder){ .dir = { .fd = -1 } };
	int rc = open_dir(path, make, folder, err);

	if (rc != 0)
		return tds_err_name(err, path);
	rc = read_ca(folder, err);
	if (rc == 0)
		rc = read_name(folder, err);
	if (rc == 0)
		rc = read_servers(folder, err);
	return rc == 0 ? read_systems(folder, err) : rc;
}

void convfolder_close(struct convfolder *folder)
{
	for (size_t i = 0; i < folder->n; i++)
		free(folder->systems[i].name);
	free(folder->systems);
	free(folder->servers);
	free(folder->name);
	tds_cert_fini(&folder->ca);
	if (folder->is_made && folder->dir.path)
		(void)rmdir(folder->dir.path); /* which one with something in it outlives */
	tds_dir_close(&folder->dir);
}

struct conv_system *convfolder_find(const struct convfolder *folder, const char *name)
{
	for (size_t i = 0; i < folder->n; i++)
		if (strcmp(folder->systems[i].name, name) == 0)
			return &folder->systems[i];
	return NULL;
}

/*
 * The bus knows a user by name alone: with the name, the certificates of a system that was removed, perhaps because somebody
 * else has one, would count again.
 */
static int judge_removed(const struct convfolder *folder, const char *name, struct tds_err *err)
{
	tds_autofree char *path = NULL;

	if (asprintf(&path, CONV_REMOVED "/%s.pem", name) < 0) {
		path = NULL;
		return no_memory(err);
	}
	return faccessat(folder->dir.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0
		       ? tds_err_set(err, TDS_E_REFUSED,
				     "was removed, and the certificate that it had would count "
				     "again: choose another name (or remove %s/%s, where nobody "
				     "else has its key)",
				     folder->dir.path, path)
		       : 0;
}

int convfolder_add(struct convfolder *folder, const char *name, struct tds_err *err)
{
	struct conv_system system = { .name = (char *)name, .state = CONV_MADE };
	int rc = judge_removed(folder, name, err);

	if (rc == 0)
		rc = add_system(folder, &system, err);
	if (rc == 0)
		qsort(folder->systems, folder->n, sizeof(*folder->systems), by_name);
	return rc;
}
