/* SPDX-License-Identifier: MIT */
/* gensrc and tlsinfo: the Director's syntax, and what it tells with "verbose". */
#include "director.h"

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
#include "base/text.h"
#include "tool/expand.h"
#include "tool/glob.h"

#define TOOL(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define KEY_SUFFIX "_tls.key"

/* --- gensrc --- */

struct packing {
	const char *group;
	const char *keyfile;
	const char *srcdir;
	const char *version; /* NULL: not given */
	const char *deps;
	const char *tli;
	const char *format;
	char **sources;
	int nsources;
};

/* What follows "NAME:" in operand, or NULL. */
static const char *option_value(const char *operand, const char *name)
{
	size_t n = strlen(name);

	return strncmp(operand, name, n) == 0 && operand[n] == ':' ? operand + n + 1 : NULL;
}

static bool take_option(struct packing *p, const char *operand)
{
	const struct {
		const char *name;
		const char **value;
	} known[] = { { "version", &p->version },
		      { "deps", &p->deps },
		      { "tli", &p->tli },
		      { "fmt", &p->format } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *value = option_value(operand, known[i].name);

		if (value) {
			*known[i].value = value;
			return true;
		}
	}
	return false;
}

static void take_operands(struct packing *p, int argc, char **argv)
{
	int i = 3;

	*p = (struct packing){ .group = argv[0], .keyfile = argv[1], .srcdir = argv[2] };
	while (i < argc && take_option(p, argv[i]))
		i++;
	p->sources = argv + i;
	p->nsources = argc - i;
}

/* The Director works in SRCDIR: from there it counts names that are relative. Caller frees; NULL: out of memory. */
static char *from_srcdir(struct director *d, const struct packing *p, const char *name)
{
	return !name[0] || strchr("~$", name[0]) ? strdup(name) : join_path(d, p->srcdir, name);
}

static const char *or_none(const char *text)
{
	return text ? text : "None";
}

/* The files that one SOURCE matches, for "verbose" alone: what is packed is tds-gensrc's own finding. */
static void tell_matches(struct director *d, const struct packing *p, int srcfd, const char *source)
{
	size_t n = strlen(p->srcdir);
	const char *own =
		strncmp(source, p->srcdir, n) == 0 && source[n] == '/' ? source + n + 1 : source;
	tds_autofree char *home = tds_expand_user(own);
	tds_autofree char *pattern = home ? tds_expand_vars(home) : NULL;
	tds_auto(matches) struct tds_matches found = { 0 };
	struct tds_err err;

	if (!pattern || pattern[0] == '/' || tds_glob(srcfd, pattern, &found, &err) != 0)
		return;
	for (size_t i = 0; i < found.n; i++)
		if (!found.v[i].folder)
			(void)fprintf(d->cli.out, "    verify import of %s\n", found.v[i].path);
}

static void tell_plan(struct director *d, const struct packing *p)
{
	tds_autofree char *base = join_path(d, d->dir, p->group);
	const char *format = p->format && *p->format ? p->format : "ThespianDirectorFMT1";
	tds_autofd int srcfd = open(p->srcdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)fprintf(d->cli.out,
		      "Package: %s\n  version: %s\n  format: %s\n  source_dir: %s\n  deps: %s\n  "
		      "signing_key: %s\n"
		      "  info_file: %s\n  source_count: %d\n  .\nWriting %s%s%s.zip\n",
		      or_none(base), or_none(p->version), format, p->srcdir, or_none(p->deps),
		      p->keyfile, or_none(p->tli), p->nsources, or_none(base),
		      p->version ? "-" : "", p->version ? p->version : "");
	for (int i = 0; srcfd >= 0 && i < p->nsources; i++)
		tell_matches(d, p, srcfd, p->sources[i]);
}

/* An option of tds-gensrc with its value. NULL where it is not given; caller frees. */
static char *long_option(struct director *d, const char *name, const char *value)
{
	char *text = NULL;

	if (value && asprintf(&text, "--%s=%s", name, value) < 0) {
		(void)fail(d, 1, "out of memory");
		text = NULL;
	}
	return text;
}

static int pack(struct director *d, const struct packing *p, struct output *output)
{
	tds_autofree char *key = from_srcdir(d, p, p->keyfile);
	tds_autofree char *deps = p->deps ? from_srcdir(d, p, p->deps) : NULL;
	tds_autofree char *tli = p->tli ? from_srcdir(d, p, p->tli) : NULL;
	char *given[] = { long_option(d, "release", p->version), long_option(d, "deps", deps),
			  long_option(d, "tli", tli), long_option(d, "format", p->format) };
	tds_autofree const char **argv = calloc((size_t)p->nsources + 16, sizeof(*argv));
	size_t n = 0;
	int status = 1;

	if (key && argv) {
		argv[n++] = "-C";
		argv[n++] = d->place;
		if (d->verbose)
			argv[n++] = "-v";
		for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
			if (given[i])
				argv[n++] = given[i];
		argv[n++] = "--";
		argv[n++] = p->group;
		argv[n++] = key;
		argv[n++] = p->srcdir;
		for (int i = 0; i < p->nsources; i++)
			argv[n++] = p->sources[i];
		status = tool_run(d, "tds-gensrc", argv, TOOL_OUT, output);
	}
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		free(given[i]);
	return status == 0 ? 0 : 1;
}

/* The Director deletes here what is beyond the group's TLS_Keep_Limit. */
static int prune(struct director *d, const char *group)
{
	tds_auto(output) struct output deleted = { 0 };
	tds_autofree char *name = NULL;

	if (asprintf(&name, "%s.tli", group) < 0) {
		name = NULL;
		return fail(d, 1, "out of memory");
	}
	tds_autofree char *tli = join_path(d, d->place, name);
	if (!tli || access(tli, F_OK) != 0)
		return tli ? 0 : 1;
	return tool_run(d, "tds-avail", TOOL("-C", d->place, "--prune", "--", group), TOOL_OUT,
			&deleted) == 0
		       ? 0
		       : 1;
}

int command_gensrc(struct director *d, int argc, char **argv)
{
	tds_auto(output) struct output output = { 0 };
	struct packing p;

	take_operands(&p, argc, argv);
	if (p.nsources == 0) {
		(void)fputs("Missing required gensrc command arguments\n", d->cli.err);
		return 3;
	}
	if (d->verbose)
		tell_plan(d, &p);
	int status = pack(d, &p, &output);
	if (d->verbose && output.out && strncmp(output.out, "Wrote ", 6) == 0)
		(void)fprintf(d->cli.out, "Signing %s", output.out + 6);
	(void)fputs(output.out ? output.out : "", d->cli.out);
	return status == 0 ? prune(d, p.group) : status;
}

/* --- tlsinfo --- */

/* FILE as it is, else in the director directory; NULL and *status: none that can be used, said already. */
static char *find_package(struct director *d, const char *name, int *status)
{
	tds_autofree char *path = strdup(name);
	struct stat st;

	*status = 1;
	if (path && stat(path, &st) != 0) {
		free(path);
		path = join_path(d, d->dir, name);
		if (path && stat(path[0] ? path : ".", &st) != 0) {
			(void)fprintf(d->cli.err, "The tls file \"%s\" does not exist\n", name);
			*status = 4;
			return NULL;
		}
	}
	if (path && S_ISDIR(st.st_mode)) {
		(void)fail(d, 1, "%s: %s", path, strerror(EISDIR));
		return NULL;
	}
	return tds_steal(&path);
}

static int is_key(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	size_t s = strlen(KEY_SUFFIX);

	return entry->d_name[0] != '.' && n >= s && strcmp(entry->d_name + n - s, KEY_SUFFIX) == 0;
}

/* What the package says it is, for "verbose" alone. */
static void tell_format(struct director *d, const char *path)
{
	static const char viceroy[] = "ViceroyFMT";
	char head[41] = { 0 };
	struct tds_err err;
	tds_autofd int fd = -1;

	if (tds_io_open(AT_FDCWD, path, false, &fd, NULL, &err) != 0 ||
	    tds_io_read(fd, head, sizeof(head) - 1) < 0)
		return;
	size_t n = strcspn(head, "-\n");
	if (head[n] != '-')
		return;
	if (strncmp(head, "ThespianDirectorFMT1", 20) == 0)
		(void)fputs("Decoding director fmt 1\n", d->cli.out);
	else if (strncmp(head, viceroy, strlen(viceroy)) == 0 && n > strlen(viceroy)) {
		(void)fputs("Decoding viceroy format ", d->cli.out);
		tds_text_escape(d->cli.out, head + strlen(viceroy), n - strlen(viceroy));
		(void)fputc('\n', d->cli.out);
	}
}

/* The keys in the order in which they are tried, up to the one that validates, which line ("... key PATH") names. */
static void tell_keys(struct director *d, const char *path, const char *line)
{
	struct dirent **keys;
	int n = scandir(d->place, &keys, is_key, alphasort);
	bool found = false;

	for (int i = 0; i < n; i++) {
		tds_autofree char *key = found ? NULL : join_path(d, d->dir, keys[i]->d_name);
		size_t len = key ? strlen(key) : 0;
		size_t all = line ? strcspn(line, "\n") : 0;

		if (key) {
			(void)fprintf(d->cli.out, "..Attempting validation with key %s\n", key);
			tell_format(d, path);
			found = all > len && strncmp(line + all - len, key, len) == 0;
		}
		free(keys[i]);
	}
	if (n >= 0)
		free(keys);
}

/* Verify; with "verbose" what the Director would tell. Any other status than 0 is said already. */
static int verify(struct director *d, const char *path, bool print)
{
	tds_auto(output) struct output output = { 0 };
	int status = tool_run(d, "tds-verify", TOOL("-C", d->place, "--", path),
			      TOOL_OUT | TOOL_ERR, &output);

	if (d->verbose)
		tell_keys(d, path, output.out);
	if (status == 0 && print)
		(void)fputs(output.out ? output.out : "", d->cli.out);
	(void)fflush(d->cli.out);
	if (status == 7)
		(void)fprintf(d->cli.err, "Could not validate signature on \"%s\"\n", path);
	else if (status != 0)
		(void)fputs(output.err ? output.err : "", d->cli.err);
	return status;
}

/* Does the archive list this folder? Its contents are nothing, and so the Director prints a newline alone. */
static bool is_folder(struct director *d, const char *path, const char *what)
{
	tds_auto(output) struct output output = { 0 };
	size_t n = strlen(what);

	if (what[n - 1] != '/' ||
	    tool_run(d, "tds-verify", TOOL("-C", d->place, "-q", "--list", "--", path), TOOL_OUT,
		     &output) != 0)
		return false;
	for (char *line = output.out; line && *line;
	     line = strchrnul(line, '\n'), line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		if (len > n + 2 && strncmp(line + len - n, what, n) == 0 &&
		    strncmp(line + len - n - 2, "  ", 2) == 0)
			return true;
	}
	return false;
}

/* A missing member ends the Director with 1. */
static int show(struct director *d, const char *path, const char *what)
{
	bool list = strcmp(what, "contents") == 0;
	tds_autofree char *option = list ? strdup("--list") : long_option(d, "extract", what);

	if (!option)
		return 1;
	if (!list && is_folder(d, path, what)) {
		(void)fputc('\n', d->cli.out);
		return 0;
	}
	int status =
		tool_run(d, "tds-verify", TOOL("-C", d->place, "-q", option, "--", path), 0, NULL);
	if (status == 0 && !list)
		(void)fputc('\n', d->cli.out);
	return status == 4 ? 1 : status;
}

int command_tlsinfo(struct director *d, int argc, char **argv)
{
	const char *what = argc > 1 && argv[1][0] ? argv[1] : NULL;
	int status;
	tds_autofree char *path = find_package(d, argv[0], &status);

	if (!path)
		return status;
	/* A name that tds-verify would take for standard input. */
	if (strcmp(path, "-") == 0) {
		free(path);
		path = strdup("./-");
	}
	status = verify(d, path, !what);
	return status == 0 && what ? show(d, path, what) : status;
}
