/* SPDX-License-Identifier: MIT */
/* The archive of the members, and the package that it is signed into. */
#include "gensrc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "archive/zipwrite.h"
#include "base/io.h"
#include "base/mem.h"
#include "package/source.h"

#define DIRECTOR_MAX_END \
	9999999 /* Director 4.0.1 reads 40 bytes of header: no offset of more digits */

#define FIRST_TIME 315532800 /* 1980-01-01 UTC: the first time that an archive can name */

bool ends_in_py(const char *name)
{
	size_t len = strlen(name);

	return len >= 3 && strcmp(name + len - 3, ".py") == 0;
}

static bool any_python(const struct members *members)
{
	for (size_t i = 0; i < members->n; i++)
		if (ends_in_py(members->v[i].name))
			return true;
	return false;
}

/* Read a member, have it checked, and pack the same bytes. */
static int pack_member(const struct opts *o, const struct members *members, size_t i,
		       struct checker *checker, struct tds_zip_writer *writer, struct tds_err *err)
{
	const struct member *m = &members->v[i];
	const struct tds_zip_limits limits = TDS_ZIP_LIMITS_DEFAULT;
	tds_autofd int fd = -1;
	tds_autofree char *text = NULL;
	size_t len = 0;
	struct stat st;
	int rc = tds_io_open(o->srcfd, m->path, false, &fd, &st, err);

	if (rc == 0)
		rc = tds_io_slurp_fd(fd, limits.bytes, &text, &len, err);
	/* Python first: it compiles while we compress. */
	if (rc == 0 && checker->pid && ends_in_py(m->name))
		rc = checker_feed(checker, i, text, len, err);
	if (rc == 0 && checker->nfaults == 0)
		rc = tds_zip_writer_add(writer, m->name, (st.st_mode & S_IXUSR) != 0,
					st.st_mtime > o->newest ? o->newest : st.st_mtime, text,
					len, err);
	return rc;
}

/* What a failure of the checker is about: the source it died over, or the program. */
static const char *checker_subject(const struct opts *o, const struct checker *c,
				   const struct members *members)
{
	return c->ready && c->nanswered < c->nasked ? members->v[c->asked[c->nanswered]].shown
						    : o->python;
}

static void report_faults(struct opts *o, const struct checker *c, const struct members *members)
{
	for (size_t i = 0; i < c->nfaults; i++) {
		const struct fault *f = &c->faults[i];
		struct tds_err err;

		tds_err_at(&err, TDS_E_SYNTAX, f->line, f->column, "%s", f->text);
		(void)fail(o, members->v[f->member].shown, &err);
	}
}

/* A line about how far it has come: on a terminal only, past the first second, then each tenth of one. */
struct progress {
	bool wanted;
	bool shown;
	int64_t next_mono_ms;
};

static int64_t mono_ms(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct progress progress_start(const struct opts *o)
{
	return (struct progress){
		.wanted = !o->cli.quiet && isatty(fileno(o->cli.err)) == 1,
		.next_mono_ms = mono_ms() + 1000,
	};
}

static void progress_show(const struct opts *o, struct progress *p, size_t done, size_t all)
{
	int64_t now = p->wanted ? mono_ms() : 0;

	if (!p->wanted || now < p->next_mono_ms)
		return;
	(void)fprintf(o->cli.err, "\r%s: packing file %zu of %zu", o->cli.tool, done + 1, all);
	(void)fflush(o->cli.err);
	p->shown = true;
	p->next_mono_ms = now + 100;
}

static void progress_clear(const struct opts *o, const struct progress *p)
{
	if (p->shown)
		(void)fputs("\r\033[K", o->cli.err);
}

/* All members into writer. Reports its failures. */
static bool feed_members(struct opts *o, const struct members *members, struct checker *checker,
			 struct tds_zip_writer *writer)
{
	struct progress progress = progress_start(o);
	struct tds_err err = { 0 };
	bool asked = checker->pid != 0;
	size_t i = 0;
	int rc = 0;

	for (; i < members->n && rc == 0; i++) {
		progress_show(o, &progress, i, members->n);
		rc = pack_member(o, members, i, checker, writer, &err);
	}
	if (rc == 0 && asked)
		rc = checker_finish(checker, &err);
	progress_clear(o, &progress);
	if (rc != 0 && asked && !checker->pid)
		(void)fail(o, checker_subject(o, checker, members), &err);
	else if (rc != 0)
		(void)fail(o, members->v[i - 1].shown, &err);
	report_faults(o, checker, members);
	return rc == 0 && checker->nfaults == 0;
}

/*
 * The declaration, which the package's signature then covers. It has no time of its own: the same text gives the same
 * bytes, wherever it was found.
 */
static int pack_declaration(const struct opts *o, const struct place *place,
			    struct tds_zip_writer *writer, struct tds_err *err)
{
	tds_autofree char *name = tds_source_declaration_name(o->group);

	if (!name)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return tds_zip_writer_add(writer, name, false, FIRST_TIME, place->tli, place->tli_len, err);
}

static int finish_archive(const struct opts *o, struct tds_zip_writer *writer,
			  struct archive_bytes *archive, struct tds_err *err)
{
	tds_autofree char *comment = tds_source_comment(o->group, o->version);

	if (!comment)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return tds_zip_writer_finish(writer, comment, &archive->zip, &archive->len, &archive->end,
				     err);
}

/* What Director 4.0.1 cannot read, though it is right. */
static void warn_of_director(struct opts *o, const struct archive_bytes *archive)
{
	static const char mark[] = { 'P', 'K', 5, 6 };

	if (o->format != TDS_FORMAT_DIRECTOR1)
		return;
	if (archive->end > DIRECTOR_MAX_END)
		tds_cli_warn(&o->cli, NULL,
			     "the archive is too large for Director 4.0.1, which cannot load it "
			     "(10 MB)");
	if (memmem(archive->zip, archive->len, mark, sizeof(mark)) != archive->zip + archive->end)
		tds_cli_warn(&o->cli, NULL,
			     "the archive holds the mark PK\\5\\6 twice, so Director 4.0.1 cannot "
			     "load it"
			     " (it can with fmt:ViceroyFMT2)");
}

bool pack_members(struct opts *o, const struct members *members, const struct place *place,
		  struct archive_bytes *archive)
{
	tds_auto(zip_writer) struct tds_zip_writer *writer = NULL;
	struct checker checker = CHECKER_NONE;
	struct tds_err err = { 0 };
	int rc = 0;

	if (o->check && any_python(members))
		rc = checker_start(o, &checker, &err);
	if (rc != 0)
		return fail(o, o->python, &err);
	rc = tds_zip_writer_new(&writer, &err);
	bool ok = rc == 0 && feed_members(o, members, &checker, writer);
	checker_fini(&checker);
	if (ok && place->packs_tli)
		rc = pack_declaration(o, place, writer, &err);
	if (ok && rc == 0)
		rc = finish_archive(o, writer, archive, &err);
	if (rc != 0)
		(void)fail(o, NULL, &err);
	ok = ok && rc == 0;
	if (ok)
		warn_of_director(o, archive);
	return ok;
}

int verify_package(const struct opts *o, int fd, const char *name, const struct tds_pubkey *key,
		   struct verified *verified, struct tds_err *err)
{
	struct tds_key one = { .path = (char *)(uintptr_t)o->keyfile,
			       .pub = (struct tds_pubkey *)(uintptr_t)key };
	const struct tds_keyring ring = { .v = &one, .n = 1 };
	const struct tds_source_opts opts = {
		.ring = &ring,
		.name = name,
		.owner = o->group,
		.strict = true,
		.limits = TDS_ZIP_LIMITS_DEFAULT,
	};
	struct tds_package package = { 0 };
	struct tds_source source;
	int rc = lseek(fd, 0, SEEK_SET) == 0 ? 0
					     : tds_err_sys(err, TDS_E_WRITE, "cannot be read back");

	if (rc == 0)
		rc = tds_package_read(fd, true, &package, err);
	if (rc == 0) {
		verified->size = package.size;
		memcpy(verified->md5, package.md5, sizeof(verified->md5));
		memcpy(verified->sha256, package.sha256, sizeof(verified->sha256));
		rc = tds_source_verify(&package, &opts, &source, err);
	}
	if (rc == 0)
		tds_source_close(&source);
	else
		tds_err_prefix(
			err,
			"not written, because it does not verify with the public half of the key");
	return rc;
}
