/* SPDX-License-Identifier: MIT */
/* Where the package and its declaration go, and how they get there: complete or not at all. */
#include "gensrc.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/zipwrite.h"
#include "base/io.h"
#include "base/mem.h"
#include "director/groups.h"
#include "director/tli.h"
#include "literal/literal_env.h"
#include "package/source.h"
#include "tool/strictly.h"

static bool name_files(struct opts *o, struct place *place)
{
	const char *dash = o->version ? "-" : "";
	int n = asprintf(&place->name, "%s%s%s.tls", o->group, dash, o->version ? o->version : "");

	if (n < 0)
		place->name = NULL;
	if (asprintf(&place->tli_name, "%s.tli", o->group) < 0)
		place->tli_name = NULL;
	if (!place->name || !place->tli_name)
		return fail_nomem(o);
	return n <= NAME_MAX || misuse(o, "the package's name is longer than %d bytes", NAME_MAX);
}

/* The folder of -o, and whether the name there is the one that will be signed. */
static bool open_output(struct opts *o, struct place *place)
{
	const char *slash = strrchr(o->output, '/');
	tds_autofree char *folder =
		slash ? strndup(o->output, (size_t)(slash - o->output) + 1) : strdup(".");
	struct stat st;
	struct tds_err err;

	if (!folder)
		return fail_nomem(o);
	bool is_folder = stat(o->output, &st) == 0 && S_ISDIR(st.st_mode);
	if (!is_folder && strcmp(slash ? slash + 1 : o->output, place->name) != 0)
		return misuse(o,
			      "-o %s: the package would be refused under that name; it must be %s",
			      o->output, place->name);
	if (tds_dir_open(is_folder ? o->output : folder, &place->other, &err) != 0) {
		err.code = TDS_E_WRITE;
		return fail(o, o->output, &err);
	}
	place->path = is_folder ? tds_dir_join(&place->other, place->name) : strdup(o->output);
	return place->path || fail_nomem(o);
}

static bool open_director(struct opts *o, struct place *place)
{
	struct tds_err err;

	if (tds_dir_open(o->cli.dir, &place->director, &err) != 0) {
		if (o->output && !o->tli && err.code == TDS_E_MISSING)
			return true;
		err.code = TDS_E_WRITE;
		return fail(o, o->cli.dir, &err);
	}
	struct tds_strict strict;
	tds_strictly_warn(&o->cli, &place->director, &strict);
	if (!o->output)
		place->path = tds_dir_join(&place->director, place->name);
	return o->output || place->path || fail_nomem(o);
}

bool open_places(struct opts *o, struct place *place)
{
	o->srcfd = open(o->srcdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->srcfd < 0) {
		struct tds_err err;

		tds_err_sys(&err, TDS_E_MISSING, "cannot be opened");
		return fail(o, o->srcdir, &err);
	}
	if (!name_files(o, place) || !open_director(o, place) ||
	    (o->output && !open_output(o, place)))
		return false;
	if (place->director.fd >= 0)
		tds_io_sweep(place->director.fd);
	if (place->other.fd >= 0)
		tds_io_sweep(place->other.fd);
	return true;
}

struct tli_warner {
	struct opts *o;
	const char *shown;
};

static void warn_of_tli(void *ctx, unsigned line, unsigned column, const char *text)
{
	struct tli_warner *w = ctx;
	tds_autofree char *subject = NULL;

	if (line == 0 || asprintf(&subject, "%s:%u:%u", w->shown, line, column) < 0)
		subject = NULL;
	tds_cli_warn(&w->o->cli, subject ? subject : w->shown, "%s", text);
}

/* Read the declaration: the one that is named, else SRCDIR/GROUP.tli where it is there. *shown: where it was. */
static int find_tli(const struct opts *o, struct place *place, char **shown, struct tds_err *err)
{
	if (o->tli)
		return read_named_file(o, o->tli, TDS_LITERAL_MAX_BYTES, &place->tli,
				       &place->tli_len, shown, err);
	*shown = below_srcdir(o, place->tli_name);
	int rc = tds_io_slurp(o->srcfd, place->tli_name, TDS_LITERAL_MAX_BYTES, &place->tli,
			      &place->tli_len, err);
	return rc == TDS_E_MISSING ? 0 : rc;
}

/*
 * Does the package carry the declaration? One that asks the files of the machine could not be loaded with it, though
 * GROUP.tli may: such a package has none, as those of the Director. Errors: TDS_E_NOMEM.
 */
static int choose_packing(struct opts *o, struct place *place, const char *shown,
			  struct tds_err *failure)
{
	const struct tds_surroundings own = { 0 };
	tds_autofree char *name = tds_source_declaration_name(o->group);
	struct tds_tli tli;
	struct tds_err err = { 0 };

	if (!name)
		return tds_err_set(failure, TDS_E_NOMEM, "out of memory");
	place->packs_tli = o->format != TDS_FORMAT_VICEROY2 &&
			   tds_zip_member_name(name, &err) == 0 &&
			   tds_tli_parse_packed(place->tli, place->tli_len, &own,
						(struct tds_tli_watcher){ 0 }, &tli, &err) == 0;
	if (err.code == TDS_E_NOMEM) {
		*failure = err;
		return err.code;
	}
	if (place->packs_tli)
		tds_tli_fini(&tli);
	else if (err.code && tds_err_prefix(&err, "is not signed with the package") != 0)
		warn_of_tli(&(struct tli_warner){ .o = o, .shown = shown }, err.line, err.column,
			    err.reason);
	return 0;
}

bool read_tli(struct opts *o, struct place *place)
{
	tds_autofree char *shown = NULL;
	struct tds_tli tli;
	struct tds_err err = { 0 };
	int rc = find_tli(o, place, &shown, &err);

	if (rc == 0 && place->tli) {
		struct tli_warner warner = { .o = o, .shown = shown };
		const struct tds_tli_watcher watcher = { .warn = warn_of_tli, .ctx = &warner };

		rc = tds_tli_parse(place->tli, place->tli_len, watcher, &tli, &err);
		if (rc == 0) {
			tds_tli_fini(&tli);
			rc = choose_packing(o, place, shown, &err);
		}
	}
	/* What is written elsewhere leaves the director directory as it is, unless it is asked for. */
	place->installs_tli = place->tli && (o->tli || !o->output);
	return rc == 0 || fail(o, shown, &err);
}

static bool same_folder(const struct tds_dir *a, const struct tds_dir *b)
{
	struct stat x;
	struct stat y;

	return fstat(a->fd, &x) == 0 && fstat(b->fd, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/*
 * Find out whom the package would belong to in a folder. Without a declaration of GROUP that can be a shorter name.
 * *owned: it belongs to a group there.
 */
static bool check_owner_in(struct opts *o, const struct place *place, const struct tds_dir *dir,
			   bool declared, bool *owned)
{
	tds_autofree char *owner = NULL;
	struct tds_err err = { 0 };

	if (tds_dir_owner(dir, place->name, &owner, &err) != 0)
		return fail(o, dir->path, &err);
	*owned = declared || owner;
	if (!owner || strcmp(owner, o->group) == 0)
		return true;
	/* Both begin the same name, so the longer one has it. */
	if (strlen(owner) > strlen(o->group))
		return misuse(o, "%s would belong to the group %s, not to %s", place->name, owner,
			      o->group);
	return declared || misuse(o, "%s would belong to the group %s, because %s is not there",
				  place->name, owner, place->tli_name);
}

bool check_owner(struct opts *o, struct place *place)
{
	const struct tds_dir *director = &place->director;
	const struct tds_dir *other = &place->other;
	bool elsewhere = other->fd >= 0 && (director->fd < 0 || !same_folder(director, other));
	bool owned;

	/* Elsewhere, the declaration may come along when the package is brought to the director directory. */
	if (director->fd >= 0 &&
	    !check_owner_in(o, place, director, elsewhere || place->installs_tli, &place->declared))
		return false;
	place->declared |= elsewhere;
	return !elsewhere || check_owner_in(o, place, other, false, &owned);
}

static mode_t file_mode(void)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return 0644 & ~mask;
}

/* Report that a file of the director directory could not be written. */
static bool fail_at(struct opts *o, const struct place *place, const char *name,
		    const struct tds_err *err)
{
	tds_autofree char *path = tds_dir_join(&place->director, name);

	return fail(o, path ? path : name, err);
}

/* Write the declaration beside its place. */
static int write_tli(const struct place *place, struct tds_outfile *out, struct tds_err *err)
{
	int rc = tds_outfile_open(place->director.fd, place->tli_name, out, err);

	if (rc == 0 && tds_io_write(out->fd, place->tli, place->tli_len) != 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	return rc;
}

/*
 * The declaration gets its name first. If we are killed between the two, the old package then stands beside the new
 * declaration: a refresh finds the version that it has loaded, which keeps the definition that it was loaded with, and
 * does nothing. The other way round it would load the new package by the old declaration, without what the new one
 * declares. For a first package either is harmless: a group without a package, or a package without a group. A start
 * from nothing loads what it finds, and may fail with either.
 */
static bool commit_both(struct opts *o, const struct place *place, struct tds_outfile *package)
{
	tds_auto(outfile) struct tds_outfile tli = { .fd = -1 };
	const struct tds_outfile *failed = &tli;
	struct tds_err err = { 0 };
	int rc = write_tli(place, &tli, &err);

	if (rc == 0)
		rc = tds_outfile_commit_pair(&tli, package, file_mode(), &failed, &err);
	if (rc == 0)
		return true;
	return failed == &tli ? fail_at(o, place, place->tli_name, &err)
			      : fail(o, place->path, &err);
}

bool write_files(struct opts *o, const struct place *place, const struct archive_bytes *archive,
		 const struct signature *sig, const struct tds_pubkey *key,
		 struct verified *verified)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	struct tds_err err = { 0 };
	int dirfd = place->other.fd >= 0 ? place->other.fd : place->director.fd;
	int rc = tds_outfile_open(dirfd, place->name, &out, &err);

	if (rc == 0)
		rc = tds_package_write(out.fd, o->format, archive->zip, archive->len, archive->end,
				       sig->bytes, sig->len, &err);
	if (rc == 0)
		rc = verify_package(o, out.fd, place->name, key, verified, &err);
	if (rc == 0 && place->installs_tli)
		return commit_both(o, place, &out);
	if (rc == 0)
		rc = tds_outfile_commit(&out, file_mode(), &err);
	return rc == 0 || fail(o, place->path, &err);
}

void place_fini(struct place *place)
{
	free(place->name);
	free(place->path);
	free(place->tli);
	free(place->tli_name);
	tds_dir_close(&place->other);
	tds_dir_close(&place->director);
}
