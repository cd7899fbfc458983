/* SPDX-License-Identifier: MIT */
/* The options of tds-gensrc, those that the Director writes as operands (version: ...) too, and its operands. */
#include "gensrc.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "package/version.h"

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
	"      --format=FMT       ThespianDirectorFMT1 (default) or ViceroyFMT2; tdsFMT1 of "
	"Ed25519 keys\n"
	"  -o, --output=FILE      write the package to FILE, or into the folder FILE\n"
	"  -T, --names-from=FILE  read SOURCEs from FILE too, one a line (-: standard input)\n"
	"  -0, --null             these SOURCEs end in NUL instead of a newline\n"
	"      --python=PROGRAM   the Python that checks sources and has the dependencies "
	"(python3)\n"
	"      --no-check         do not check the syntax of .py files\n"
	"      --passphrase-file=FILE  the passphrase of the key is the first line of "
	"FILE\n"
	"      --signer=CMD       CMD, run by the shell, signs what it reads; KEYFILE is the "
	"public "
	"key\n" TDS_CLI_HELP;

enum {
	OPT_RELEASE = 256,
	OPT_DEPS,
	OPT_TLI,
	OPT_FORMAT,
	OPT_PYTHON,
	OPT_NO_CHECK,
	OPT_PASSPHRASE_FILE,
	OPT_SIGNER
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
	{ "signer", required_argument, NULL, OPT_SIGNER },
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	TDS_CLI_LONG,
	{ NULL, 0, NULL, 0 },
};

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
	o->format_given = *value != '\0';
	if (!o->format_given) {
		o->format = TDS_FORMAT_DIRECTOR1;
		return true;
	}
	int format = tds_format_find(value);

	if (format < 0 || format == TDS_FORMAT_VICEROY1) {
		return misuse(o, "unknown format: %s", value);
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
	case OPT_SIGNER:
		o->signer = optarg;
		return true;
	default:
		return tds_cli_option(&o->cli, opt, optarg, help, done);
	}
}

int find_operand_option(const char *operand)
{
	static const char *const names[] = { "version:", "deps:", "tli:", "fmt:" };

	for (int i = 0; i < 4; i++)
		if (strncmp(operand, names[i], strlen(names[i])) == 0)
			return i;
	return -1;
}

/* Take operand as one of the Director's options. *is_one: it is. Returns false after a usage error. */
static bool parse_operand(struct opts *o, const char *operand, bool *is_one)
{
	int i = find_operand_option(operand);

	*is_one = i >= 0;
	if (!*is_one)
		return true;
	const char *value = strchr(operand, ':') + 1;
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
		return misuse(o, "SOURCE_DATE_EPOCH is not a number of seconds: %s", epoch);
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
		return misuse(o, "not a possible name of a group: \"%s\"", o->group);
	}
	for (const char *p = o->version ? o->version : ""; *p; p++)
		if (*p == '/' || is_control(p))
			return misuse(o,
				      "a version holds no slash and no control character: \"%s\"",
				      o->version);
	return true;
}

static bool check_signer(struct opts *o)
{
	if (o->signer && !*o->signer)
		return misuse(o, "--signer names no command");
	return !o->signer || !o->passphrase_file ||
	       misuse(o, "--passphrase-file and --signer at once");
}

bool parse_opts(struct opts *o, int argc, char **argv)
{
	struct tds_err err;
	bool done = false;
	bool is_one = true;
	int opt;

	o->cli.options = options;
	while (!done && (opt = getopt_long(argc, argv, TDS_CLI_SHORT "o:T:0", options, NULL)) != -1)
		if (!parse_option(o, opt, &done))
			return false;
	if (done || !read_environment(o))
		return false;
	if (argc - optind < 3) {
		return misuse(o, "GROUP, KEYFILE and SRCDIR are needed");
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
		return misuse(o, "no SOURCE is named");
	}
	if (!check_names(o) || !check_signer(o))
		return false;
	return tds_names_read(argv + optind, argc - optind, o->names_from, o->cli.nul, &o->sources,
			      &err) == 0 ||
	       fail(o, NULL, &err);
}
