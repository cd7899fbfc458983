/* SPDX-License-Identifier: MIT */
/* What is loaded, kept in the run directory: the packages, and the definitions that they were loaded with. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/own.h"
#include "director/desired.h"
#include "director/rundir.h"
#include "literal/repr.h"

#define STORE TDS_STORE_NAME
#define PACKAGE ".tls"
#define DEFINITION ".tli"
#define NEW ".new"

static const char *const suffixes[] = { PACKAGE, DEFINITION };

/* -1, err, which may be NULL, naming it: TDS_E_WRITE. */
static int open_store(int rundir, struct tds_err *err)
{
	struct tds_err own;
	int fd = -1;

	err = err ? err : &own;
	if (mkdirat(rundir, STORE, 0700) != 0 && errno != EEXIST)
		tds_err_sys(err, TDS_E_WRITE, STORE);
	else if (tds_own_open(rundir, STORE, O_RDONLY | O_DIRECTORY, 0, &fd, err) != 0)
		err->code = TDS_E_WRITE;
	return fd;
}

static void store_name(const char *sha256, const char *suffix, char name[80])
{
	(void)snprintf(name, 80, "%.64s%s", sha256, suffix);
}

int store_begin(int rundir, struct store_entry *entry, struct tds_err *err)
{
	*entry = (struct store_entry){ .store = open_store(rundir, err) };
	int rc = entry->store < 0
			 ? TDS_E_WRITE
			 : tds_outfile_open(entry->store, "package" PACKAGE, &entry->file, err);

	if (rc != 0) {
		tds_close_fd(&entry->store);
		*entry = (struct store_entry){ 0 };
	}
	return rc;
}

/* It is synced already, by who wrote it. */
static int give_name(struct store_entry *entry, const char *name, struct tds_err *err)
{
	if (renameat(entry->store, entry->file.temp, entry->store, name) != 0)
		return tds_err_sys(err, TDS_E_WRITE, STORE "/%s", name);
	free(tds_steal(&entry->file.temp));
	return fsync(entry->store) == 0 ? 0 : tds_err_sys(err, TDS_E_WRITE, STORE);
}

/* No sync of the folder: give_name, which follows, has one. */
static int write_definition(int store, const char *name, const char *text, struct tds_err *err)
{
	char new[96];

	(void)snprintf(new, sizeof(new), "%s" NEW, name);
	tds_autofd int fd =
		openat(store, new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && tds_io_write(fd, text, strlen(text)) == 0 && fsync(fd) == 0 &&
	    renameat(store, new, store, name) == 0)
		return 0;
	tds_err_sys(err, TDS_E_WRITE, STORE "/%s", name);
	(void)unlinkat(store, new, 0);
	return TDS_E_WRITE;
}

static int put_definition(int store, const char *name, const struct tds_tli *tli,
			  struct tds_err *err)
{
	tds_autofree char *text = tds_value_repr(tli->value);

	if (!text)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (strlen(text) > TDS_LITERAL_MAX_BYTES)
		return tds_err_set(err, TDS_E_REFUSED, "the declaration is too long to be kept");
	return write_definition(store, name, text, err);
}

static int commit(struct store_entry *entry, const char *sha256, const struct tds_tli *tli,
		  int write_errno, struct tds_err *err)
{
	char package[80];
	char definition[80];

	store_name(sha256, PACKAGE, package);
	store_name(sha256, DEFINITION, definition);
	errno = write_errno;
	if (write_errno != 0)
		return tds_err_sys(err, TDS_E_WRITE, STORE "/%s", package);
	bool is_there = faccessat(entry->store, package, F_OK, 0) == 0;
	int rc = put_definition(entry->store, definition, tli, err);
	if (rc == 0)
		rc = give_name(entry, package, err);
	if (rc != 0 && !is_there) /* it is nobody's, for it has no package */
		(void)unlinkat(entry->store, definition, 0);
	return rc;
}

int store_commit(struct store_entry *entry, const char *sha256, const struct tds_tli *tli,
		 int write_errno, struct tds_err *err)
{
	int rc = commit(entry, sha256, tli, write_errno, err);

	store_drop(entry);
	return rc;
}

int store_redefine(int rundir, const char *sha256, const struct tds_tli *tli, struct tds_err *err)
{
	tds_autofd int store = open_store(rundir, err);
	char definition[80];

	store_name(sha256, DEFINITION, definition);
	int rc = store < 0 ? TDS_E_WRITE : put_definition(store, definition, tli, err);
	return rc != 0 || fsync(store) == 0 ? rc : tds_err_sys(err, TDS_E_WRITE, STORE);
}

void store_drop(struct store_entry *entry)
{
	if (!entry->file.name)
		return;
	tds_outfile_discard(&entry->file);
	tds_close_fd(&entry->store);
	*entry = (struct store_entry){ 0 };
}

int store_open(int rundir, const char *sha256)
{
	tds_autofd int store = open_store(rundir, NULL);
	char name[80];

	store_name(sha256, PACKAGE, name);
	return store < 0 ? -1 : openat(store, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int store_definition(int rundir, const char *sha256, struct tds_tli *tli, struct tds_err *err)
{
	tds_autofd int store = open_store(rundir, err);
	char name[80];

	store_name(sha256, DEFINITION, name);
	if (store < 0)
		return TDS_E_MISSING;
	int rc = tds_tli_read(store, name, (struct tds_tli_watcher){ 0 }, tli, err);
	if (rc == 0)
		return 0;
	return err->line ? tds_err_set(err, rc, STORE "/%s:%u:%u: %s", name, err->line, err->column,
				       err->reason)
			 : tds_err_prefix(err, STORE "/%s", name);
}

void store_remove(int rundir, const char *sha256)
{
	tds_autofd int store = open_store(rundir, NULL);
	char name[80];

	for (size_t i = 0; store >= 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		store_name(sha256, suffixes[i], name);
		(void)unlinkat(store, name, 0);
	}
}

/* Is it the name of a package that is wanted, or of its definition? */
static bool is_wanted(const json_t *desired, const char *name)
{
	char sha256[65];

	(void)snprintf(sha256, sizeof(sha256), "%.64s", name);
	return tds_desired_stores(desired, sha256);
}

static bool is_named(const json_t *state, const char *name)
{
	const json_t *source;
	char stored[80];
	size_t i;

	json_array_foreach(json_object_get(state, "Sources"), i, source)
	{
		const char *sha256 = json_string_value(json_object_get(source, "SHA256"));

		for (size_t k = 0; sha256 && k < sizeof(suffixes) / sizeof(suffixes[0]); k++) {
			store_name(sha256, suffixes[k], stored);
			if (strcmp(stored, name) == 0)
				return true;
		}
	}
	return false;
}

/* A name that this file gives, or gives while a definition is written. */
static bool is_own(const char *name)
{
	size_t digits = strspn(name, "0123456789abcdef");

	for (size_t i = 0; digits == 64 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t n = strlen(suffixes[i]);

		if (strncmp(name + digits, suffixes[i], n) == 0 &&
		    (name[digits + n] == '\0' || strcmp(name + digits + n, NEW) == 0))
			return true;
	}
	return false;
}

void store_sweep(int rundir, const json_t *state, const json_t *desired)
{
	int store = open_store(rundir, NULL);
	DIR *names = store < 0 ? NULL : fdopendir(store);
	struct dirent *entry;

	if (!names) {
		tds_close_fd(&store);
		return;
	}
	tds_io_sweep(store);
	while ((entry = readdir(names)))
		if (is_own(entry->d_name) && !is_named(state, entry->d_name) &&
		    !is_wanted(desired, entry->d_name))
			(void)unlinkat(store, entry->d_name, 0);
	(void)closedir(names);
}
