/* SPDX-License-Identifier: MIT */
/* Pack sources and sign them: options, and the order in which things are done. */
#include "gensrc.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"
#include "io.h"
#include "mem.h"
#include "text.h"
#include "tli.h"

static const char help[] =
	"usage: tds-gensrc [options] GROUP KEYFILE SRCDIR [version:V] [deps:FILE] [tli:FILE] "
	"[fmt:FMT] SOURCE...\n"
	"Pack the files below SRCDIR that match the SOURCEs, sign them with the private key in "
	"KEYFILE, and write\n"
	"GROUP-V.tls to the director directory. A SOURCE is a pattern as Python's glob has them: * "
	"? [...] **\n"
	"\n"
	"      --release=V        the version, as version:V; \"date\" is the time, YYYYMMDDHHMM\n"
	"      --deps=FILE        pack the Python packages and modules that FILE names, one a "
	"line\n"
	"      --tli=FILE         install FILE as GROUP.tli (else SRCDIR/GROUP.tli, where it is "
	"there)\n"
	"      --format=FMT       ThespianDirectorFMT1 (default) or ViceroyFMT2\n"
	"  -o, --output=FILE      write the package to FILE, or into the folder FILE\n"
	"  -T, --names-from=FILE  read SOURCEs from FILE too, one a line (-: standard input)\n"
	"  -0, --null             these SOURCEs end in NUL instead of a newline\n"
	"      --python=PROGRAM   the Python that checks sources and has the dependencies "
	"(python3)\n"
	"      --no-check         do not check the syntax of .py files\n"
	"      --passphrase-file=FILE  the passphrase of the key is the first line of "
	"FILE\n" TDS_CLI_HELP;

enum {
	OPT_RELEASE = 256,
	OPT_DEPS,
	OPT_TLI,
	OPT_FORMAT,
	OPT_PYTHON,
	OPT_NO_CHECK,
	OPT_PASSPHRASE_FILE
};

static const struct option options[] = {
	{ "release", required_argument, NULL, OPT_RELEASE },
	{ "deps", required_argument, NULL, OPT_DEPS },
	{ "tli", required_argument, NULL, OPT_TLI },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "output", required_argument, NULL, 'o' },
	{ "python", required_argument, NULL, OPT_PYTHON },
	{ "no-check", no_argument, NULL, OPT_NO_CHECK },
	{ "passphrase-file", required_argument, NULL, OPT_PASSPHRASE_FILE },
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	TDS_CLI_LONG,
	{ NULL, 0, NULL, 0 },
};

/* Where the package goes, and what is beside it. */
struct place {
	struct tds_dir director; /* fd -1: it is not there, and not needed */
	struct tds_dir other;    /* the folder of -o; fd -1: none */
	char *name;              /* GROUP-VERSION.tls */
	char *path;              /* the same, as it is printed */
	char *tli;               /* the text to install as GROUP.tli; NULL: none */
	size_t tli_len;
};

static bool fail(struct opts *o, const char *subject, const struct tds_err *err)
{
	tds_cli_error(&o->cli, subject, err);
	return false;
}

static bool no_memory(struct opts *o)
{
	return fail(o, NULL, &(struct tds_err){ .code = TDS_E_NOMEM });
}

static void set_version(struct opts *o, const char *value)
{
	time_t now = time(NULL);
	struct tm tm;

	o->version = value;
	if (strcmp(value, "date") == 0 && localtime_r(&now, &tm) &&
	    strftime(o->date, sizeof(o->date), "%Y%m%d%H%M", &tm))
		o->version = o->date;
}

static bool set_format(struct opts *o, const char *value)
{
	int format = *value ? tds_format_find(value) : TDS_FORMAT_DIRECTOR1;

	if (format < 0 || format == TDS_FORMAT_VICEROY1) {
		tds_cli_usage(&o->cli, "unknown format: %s", value);
		return false;
	}
	o->format = (enum tds_format)format;
	return true;
}

/* An empty file name is none, as with the Director. */
static const char *or_none(const char *value)
{
	return *value ? value : NULL;
}

static bool parse_option(struct opts *o, int opt, bool *done)
{
	switch (opt) {
	case OPT_RELEASE:
		set_version(o, optarg);
		return true;
	case OPT_DEPS:
		o->deps = or_none(optarg);
		return true;
	case OPT_TLI:
		o->tli = or_none(optarg);
		return true;
	case OPT_FORMAT:
		return set_format(o, optarg);
	case 'o':
		o->output = optarg;
		return true;
	case 'T':
		o->names_from = optarg;
		return true;
	case OPT_PYTHON:
		o->python = optarg;
		return true;
	case OPT_NO_CHECK:
		o->check = false;
		return true;
	case OPT_PASSPHRASE_FILE:
		o->passphrase_file = optarg;
		return true;
	default:
		return tds_cli_option(&o->cli, opt, optarg, help, done);
	}
}

/* Take operand as one of the Director's options. *is_one: it is. Returns false after a usage error. */
static bool parse_operand(struct opts *o, const char *operand, bool *is_one)
{
	static const char *const names[] = { "version:", "deps:", "tli:", "fmt:" };
	size_t i = 0;

	while (i < 4 && strncmp(operand, names[i], strlen(names[i])) != 0)
		i++;
	*is_one = i < 4;
	if (!*is_one)
		return true;
	const char *value = operand + strlen(names[i]);
	if (i == 0)
		set_version(o, value);
	else if (i == 1)
		o->deps = or_none(value);
	else if (i == 2)
		o->tli = or_none(value);
	else
		return set_format(o, value);
	return true;
}

/* No member is to be younger than SOURCE_DATE_EPOCH. */
static bool read_environment(struct opts *o)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds = INT64_MAX;

	if (epoch && *epoch && !tds_parse_uint(epoch, strlen(epoch), INT64_MAX, &seconds)) {
		tds_cli_usage(&o->cli, "SOURCE_DATE_EPOCH is not a number of seconds: %s", epoch);
		return false;
	}
	o->newest = (time_t)seconds;
	return true;
}

static bool is_control(const char *text)
{
	unsigned char c = (unsigned char)text[0];
	unsigned char next = c ? (unsigned char)text[1] : 0;

	return c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next <= 0x9f);
}

static bool check_names(struct opts *o)
{
	if (!tds_group_name_ok(o->group)) {
		tds_cli_usage(&o->cli, "not a possible name of a group: \"%s\"", o->group);
		return false;
	}
	for (const char *p = o->version ? o->version : ""; *p; p++) {
		if (*p == '/' || is_control(p)) {
			tds_cli_usage(&o->cli,
				      "a version holds no slash and no control character: \"%s\"",
				      o->version);
			return false;
		}
	}
	return true;
}

/* Returns whether there is something to do. */
static bool parse_opts(struct opts *o, int argc, char **argv)
{
	struct tds_err err;
	bool done = false;
	bool is_one = true;
	int opt;

	if (!read_environment(o))
		return false;
	while (!done && (opt = getopt_long(argc, argv, TDS_CLI_SHORT "o:T:0", options, NULL)) != -1)
		if (!parse_option(o, opt, &done))
			return false;
	if (done)
		return false;
	if (argc - optind < 3) {
		tds_cli_usage(&o->cli, "GROUP, KEYFILE and SRCDIR are needed");
		return false;
	}
	o->group = argv[optind++];
	o->keyfile = argv[optind++];
	o->srcdir = argv[optind++];
	while (optind < argc && is_one) {
		if (!parse_operand(o, argv[optind], &is_one))
			return false;
		optind += is_one;
	}
	if (optind == argc && !o->names_from) {
		tds_cli_usage(&o->cli, "no SOURCE is named");
		return false;
	}
	if (!check_names(o))
		return false;
	return tds_names_read(argv + optind, argc - optind, o->names_from, o->cli.nul, &o->sources,
			      &err) == 0 ||
	       fail(o, NULL, &err);
}

static bool name_package(struct opts *o, struct place *place)
{
	int n = o->version ? asprintf(&place->name, "%s-%s.tls", o->group, o->version)
			   : asprintf(&place->name, "%s.tls", o->group);

	if (n < 0) {
		place->name = NULL;
		return no_memory(o);
	}
	if (n > NAME_MAX)
		tds_cli_usage(&o->cli, "the package's name is longer than %d bytes", NAME_MAX);
	return n <= NAME_MAX;
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
		return no_memory(o);
	bool is_folder = stat(o->output, &st) == 0 && S_ISDIR(st.st_mode);
	if (!is_folder && strcmp(slash ? slash + 1 : o->output, place->name) != 0) {
		tds_cli_usage(&o->cli,
			      "-o %s: the package would be refused under that name; it must be %s",
			      o->output, place->name);
		return false;
	}
	if (tds_dir_open(is_folder ? o->output : folder, &place->other, &err) != 0) {
		err.code = TDS_E_WRITE;
		return fail(o, o->output, &err);
	}
	place->path = is_folder ? tds_dir_join(&place->other, place->name) : strdup(o->output);
	return place->path || no_memory(o);
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
	if (!o->output)
		place->path = tds_dir_join(&place->director, place->name);
	return o->output || place->path || no_memory(o);
}

/* With GROUP itself declared, the package must not be taken for another group's. */
static bool check_owner(struct opts *o, const struct place *place)
{
	tds_auto(groups) struct tds_groups groups = { 0 };
	struct tds_err err;

	if (place->director.fd < 0)
		return true;
	if (tds_groups_scan(&place->director, &groups, &err) != 0)
		return fail(o, o->cli.dir, &err);
	const struct tds_group *owner = tds_groups_owner(&groups, place->name);
	if (!owner || strlen(owner->name) <= strlen(o->group))
		return true;
	tds_cli_usage(&o->cli, "%s would belong to the group %s, not to %s", place->name,
		      owner->name, o->group);
	return false;
}

/* Open SRCDIR, the director directory and the folder of -o, and clear away what a crash has left there. */
static bool open_places(struct opts *o, struct place *place)
{
	o->srcfd = open(o->srcdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->srcfd < 0) {
		struct tds_err err;

		tds_err_sys(&err, TDS_E_MISSING, "cannot be opened");
		return fail(o, o->srcdir, &err);
	}
	if (!name_package(o, place) || !open_director(o, place) ||
	    (o->output && !open_output(o, place)) || !check_owner(o, place))
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

	tds_cli_warn(&w->o->cli, w->shown, "line %u, column %u: %s", line, column, text);
}

/* Read and check the declaration: the one that is named, else SRCDIR/GROUP.tli where it is there. */
static bool read_tli(struct opts *o, struct place *place)
{
	tds_autofree char *own = NULL;
	tds_autofree char *shown = NULL;
	struct tds_tli tli;
	struct tds_err err = { 0 };
	int rc;

	if (o->tli) {
		rc = read_named_file(o, o->tli, TDS_LITERAL_MAX_BYTES, &place->tli, &place->tli_len,
				     &shown, &err);
	} else {
		if (o->output)
			return true;
		if (asprintf(&own, "%s.tli", o->group) < 0)
			own = NULL;
		shown = own ? below_srcdir(o, own) : NULL;
		if (!shown)
			return no_memory(o);
		rc = tds_io_slurp(o->srcfd, own, TDS_LITERAL_MAX_BYTES, &place->tli,
				  &place->tli_len, &err);
		if (rc == TDS_E_MISSING)
			return true;
	}
	if (rc == 0) {
		struct tli_warner warner = { .o = o, .shown = shown };

		rc = tds_tli_parse(place->tli, place->tli_len,
				   (struct tds_tli_watcher){ .warn = warn_of_tli, .ctx = &warner },
				   &tli, &err);
	}
	if (rc != 0)
		return fail(o, shown ? shown : o->tli, &err);
	tds_tli_fini(&tli);
	return true;
}

static mode_t file_mode(void)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return 0644 & ~mask;
}

/* Install GROUP.tli, where there is one. */
static int install_tli(const struct opts *o, const struct place *place, struct tds_err *err)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	tds_autofree char *name = NULL;

	if (!place->tli)
		return 0;
	if (asprintf(&name, "%s.tli", o->group) < 0) {
		name = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	int rc = tds_outfile_open(place->director.fd, name, &out, err);
	if (rc == 0 && tds_io_write(out.fd, place->tli, place->tli_len) != 0)
		rc = tds_err_sys(err, TDS_E_WRITE, "cannot be written");
	if (rc == 0)
		rc = tds_outfile_commit(&out, file_mode(), err);
	return rc != 0 ? tds_err_prefix(err, "%s", name) : 0;
}

/*
 * Write the package beside its place and verify it there; then install the declaration, and last the package. So
 * what can fail has mostly failed before either changes.
 */
static bool write_files(struct opts *o, const struct place *place,
			const struct archive_bytes *archive, const struct tds_privkey *key,
			struct verified *verified)
{
	tds_auto(outfile) struct tds_outfile out = { .fd = -1 };
	struct tds_err err = { 0 };
	int dirfd = place->other.fd >= 0 ? place->other.fd : place->director.fd;
	int rc = tds_outfile_open(dirfd, place->name, &out, &err);

	if (rc == 0)
		rc = write_package(o, out.fd, archive, key, &err);
	if (rc == 0)
		rc = verify_package(o, out.fd, place->name, key, verified, &err);
	if (rc == 0)
		rc = install_tli(o, place, &err);
	if (rc == 0)
		rc = tds_outfile_commit(&out, file_mode(), &err);
	return rc == 0 || fail(o, place->path, &err);
}

static void report(struct opts *o, const struct place *place, size_t members,
		   const struct verified *verified)
{
	char md5[TDS_DIGEST_HEX_MAX];
	char sha256[TDS_DIGEST_HEX_MAX];

	if (!o->cli.json) {
		if (!o->cli.quiet)
			(void)fprintf(o->cli.out, "Wrote %s\n", place->path);
		return;
	}
	tds_digest_hex(verified->md5, sizeof(verified->md5), md5);
	tds_digest_hex(verified->sha256, sizeof(verified->sha256), sha256);
	tds_cli_print_json(
		&o->cli,
		json_pack("{s:o, s:o, s:o, s:I, s:I, s:s, s:s, s:o}", "path",
			  tds_cli_json_text(place->path), "group", tds_cli_json_text(o->group),
			  "version", o->version ? tds_cli_json_text(o->version) : json_null(),
			  "members", (json_int_t)members, "size", (json_int_t)verified->size, "md5",
			  md5, "sha256", sha256, "key", tds_cli_json_text(o->keyfile)));
}

/* libarchive writes times in the local zone, and the same sources are to give the same bytes everywhere. */
static void use_utc(void)
{
	(void)setenv("TZ", "UTC0", 1);
	tzset();
}

/*
 * libarchive allocates its compressor anew for each member. Given back to the system and fetched again each time,
 * that would cost as much as a third of the compressing.
 */
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

static void make_package(struct opts *o)
{
	struct place place = { .director = { .fd = -1 }, .other = { .fd = -1 } };
	struct members members = { 0 };
	struct archive_bytes archive = { 0 };
	struct tds_privkey *key = NULL;
	struct verified verified = { 0 };

	use_utc();
	keep_memory();
	if (open_places(o, &place) && read_tli(o, &place) && read_key(o, &key) &&
	    collect_members(o, &members) && pack_members(o, &members, &archive) &&
	    write_files(o, &place, &archive, key, &verified))
		report(o, &place, members.n, &verified);
	tds_privkey_free(key);
	free(archive.zip);
	members_fini(&members);
	free(place.tli);
	free(place.name);
	free(place.path);
	tds_dir_close(&place.other);
	tds_dir_close(&place.director);
}

int main(int argc, char **argv)
{
	struct opts o = {
		.python = "python3", .check = true, .format = TDS_FORMAT_DIRECTOR1, .srcfd = -1
	};

	tds_cli_start(&o.cli, "tds-gensrc");
	if (parse_opts(&o, argc, argv))
		make_package(&o);
	tds_close_fd(&o.srcfd);
	tds_names_fini(&o.sources);
	return tds_cli_finish(&o.cli);
}
