/* SPDX-License-Identifier: MIT */
/* What a verified package is used for: its verdict, list, member, folder or archive. */
#include "verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/extract.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"

bool is_listed(const struct run *run, const struct tds_zip_entry *entry)
{
	return run->cli.verbose || !tds_zip_is_inf(entry);
}

static void list(struct run *run, const struct tds_zip *zip)
{
	for (size_t i = 0; i < zip->n; i++) {
		if (!is_listed(run, &zip->v[i]))
			continue;
		(void)fprintf(run->cli.out, " %6ju  ", (uintmax_t)zip->v[i].size);
		tds_text_escape(run->cli.out, zip->v[i].name, zip->v[i].name_len);
		(void)fputc('\n', run->cli.out);
	}
}

static bool is_wanted(void *ctx, const struct tds_zip_entry *entry)
{
	const struct run *run = ctx;

	return !entry->repeated && !entry->folder && entry->name_len == strlen(run->opts.target) &&
	       memcmp(entry->name, run->opts.target, entry->name_len) == 0;
}

/* What the stream cannot take, tds_cli_finish says. */
static int print_piece(void *ctx, const struct tds_zip_entry *entry, const void *data, size_t len,
		       struct tds_err *err)
{
	struct run *run = ctx;

	(void)entry;
	if (len > 0 && fwrite(data, 1, len, run->cli.out) != len)
		return tds_err_sys(err, TDS_E_WRITE, "standard output");
	return 0;
}

static int print_member(struct run *run, const struct tds_zip *zip, struct tds_err *err)
{
	for (size_t i = 0; i < zip->n; i++)
		if (is_wanted(run, &zip->v[i]))
			return tds_zip_unpack(zip, is_wanted, print_piece, run, err);
	return tds_err_set(err, TDS_E_MISSING, "has no member %s", run->opts.target);
}

/*
 * The file that is meant by path, links followed; caller frees. It need not be there; but a device, a folder, or the
 * very package that is read must not be replaced.
 */
static int resolve_output(const char *path, int package, char **file, struct tds_err *err)
{
	struct stat there;
	struct stat source;
	struct stat link;

	*file = NULL;
	if (stat(path, &there) != 0) {
		if (errno != ENOENT || lstat(path, &link) == 0)
			return tds_err_sys(err, TDS_E_WRITE, "%s", path);
		*file = strdup(path);
	} else if (!S_ISREG(there.st_mode)) {
		return tds_err_set(err, TDS_E_WRITE, "%s: is not a regular file", path);
	} else if (fstat(package, &source) == 0 && source.st_dev == there.st_dev &&
		   source.st_ino == there.st_ino) {
		return tds_err_set(err, TDS_E_WRITE, "%s: is the package itself", path);
	} else {
		*file = realpath(path, NULL);
	}
	return *file ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

static int write_file(const struct tds_zip *zip, const char *path, struct tds_err *err)
{
	const char *slash = strrchr(path, '/');
	tds_autofree char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	tds_autofd int dirfd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	mode_t mask = umask(0);

	(void)umask(mask);
	if (dirfd < 0)
		return tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	tds_io_sweep(dirfd);
	return tds_outfile_write(dirfd, slash ? slash + 1 : path, zip->data, zip->len, 0666 & ~mask,
				 err);
}

static int write_archive(const struct tds_zip *zip, const char *path, int package,
			 struct tds_err *err)
{
	tds_autofree char *file = NULL;
	int rc = resolve_output(path, package, &file, err);

	if (rc != 0)
		return rc;
	rc = write_file(zip, file, err);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s", path);
}

static void print_verdict(FILE *out, const char *file, const char *key)
{
	(void)fputs("Validated \"", out);
	tds_text_print(out, file);
	(void)fputs("\" loadable with key ", out);
	tds_text_print(out, key);
	(void)fputc('\n', out);
}

int use_source(struct run *run, const struct operand *operand, const struct tds_source *source,
	       struct tds_err *err)
{
	const struct opts *o = &run->opts;

	switch (o->mode) {
	case MODE_VERIFY:
		if (!run->cli.json && !run->cli.quiet)
			print_verdict(run->cli.out, operand->path, source->key->path);
		return 0;
	case MODE_LIST:
		if (!run->cli.json)
			list(run, &source->zip);
		return 0;
	case MODE_MEMBER:
		return print_member(run, &source->zip, err);
	case MODE_FOLDER:
		return tds_extract(&source->zip, o->target, err);
	case MODE_ARCHIVE:
		if (strcmp(o->target, "-") != 0)
			return write_archive(&source->zip, o->target, operand->fd, err);
		return print_piece(run, NULL, source->zip.data, source->zip.len, err);
	}
	return 0;
}
