/* SPDX-License-Identifier: MIT */
/* Verify packages, and list or extract what verified ones hold: options, operands and keys. */
#include "verify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cores.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/groups.h"
#include "director/strictmodes.h"
#include "director/unknown.h"

static const char help[] =
	"usage: tds-verify [options] FILE...\n"
	"Verify packages against the keys of the director directory.\n"
	"FILE is a file, a name in the director directory, a group (its newest package), or - "
	"(standard input).\n"
	"\n"
	"  -t, --list             list the members\n"
	"  -x, --extract=NAME     write the member NAME to standard output\n"
	"  -d, --extract-to=DIR   extract all members below DIR\n"
	"  -o, --output=ZIP       write the archive to ZIP (-: standard output)\n"
	"  -k, --key=KEY          use this public key file, not those of the directory "
	"(repeatable)\n"
	"  -T, --names-from=FILE  read names from FILE too, one a line (-: standard input)\n"
	"  -0, --null             these names end in NUL instead of a newline\n"
	"      --explain          print each check, where it looked, and what it found\n"
	"      --strict           refuse packages without a signed name, and keys that others may "
	"write\n"
	"      --max-entries=N    refuse archives of more than N members (100000)\n"
	"      --max-bytes=N      refuse archives that unpack to more than N bytes "
	"(1073741824)\n" TDS_CLI_HELP;

enum { OPT_EXPLAIN = 256, OPT_STRICT, OPT_MAX_ENTRIES, OPT_MAX_BYTES };

static const struct option options[] = {
	{ "list", no_argument, NULL, 't' },
	{ "extract", required_argument, NULL, 'x' },
	{ "extract-to", required_argument, NULL, 'd' },
	{ "output", required_argument, NULL, 'o' },
	{ "key", required_argument, NULL, 'k' },
	{ "explain", no_argument, NULL, OPT_EXPLAIN },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "max-entries", required_argument, NULL, OPT_MAX_ENTRIES },
	{ "max-bytes", required_argument, NULL, OPT_MAX_BYTES },
	TDS_CLI_LONG_NAMES,
	TDS_CLI_LONG_NUL,
	TDS_CLI_LONG,
	{ NULL, 0, NULL, 0 },
};

static void set_mode(struct run *run, enum mode mode, const char *target, bool *done)
{
	if (run->opts.mode != MODE_VERIFY && run->opts.mode != mode) {
		tds_cli_usage(&run->cli, "only one of -t, -x, -d and -o at a time");
		*done = true;
	}
	run->opts.mode = mode;
	run->opts.target = target;
}

static void set_limit(struct run *run, const char *name, const char *arg, uint64_t *limit,
		      bool *done)
{
	if (!tds_parse_uint(arg, strlen(arg), INT64_MAX, limit)) {
		tds_cli_usage(&run->cli, "--%s: not a number: %s", name, arg);
		*done = true;
	}
}

static void parse_option(struct run *run, int opt, bool *done)
{
	struct opts *o = &run->opts;

	switch (opt) {
	case 't':
		set_mode(run, MODE_LIST, NULL, done);
		break;
	case 'x':
		set_mode(run, MODE_MEMBER, optarg, done);
		break;
	case 'd':
		set_mode(run, MODE_FOLDER, optarg, done);
		break;
	case 'o':
		set_mode(run, MODE_ARCHIVE, optarg, done);
		break;
	case 'k':
		o->keys[o->nkeys++] = optarg;
		break;
	case 'T':
		o->names_from = optarg;
		break;
	case OPT_EXPLAIN:
		o->explain = true;
		break;
	case OPT_STRICT:
		o->strict = true;
		break;
	case OPT_MAX_ENTRIES:
		set_limit(run, "max-entries", optarg, &o->limits.entries, done);
		break;
	case OPT_MAX_BYTES:
		set_limit(run, "max-bytes", optarg, &o->limits.bytes, done);
		break;
	default:
		(void)tds_cli_option(&run->cli, opt, optarg, help, done);
		break;
	}
}

/* Returns whether there is anything to do; names are then the operands. */
static bool parse_opts(struct run *run, int argc, char **argv, struct tds_names *names)
{
	struct opts *o = &run->opts;
	struct tds_err err;
	bool done = false;
	int opt;

	*o = (struct opts){ .limits = TDS_ZIP_LIMITS_DEFAULT,
			    .keys = calloc((size_t)argc + 1, sizeof(char *)) };
	if (!o->keys) {
		tds_err_set(&err, TDS_E_NOMEM, "out of memory");
		tds_cli_error(&run->cli, NULL, &err);
		return false;
	}
	while (!done &&
	       (opt = getopt_long(argc, argv, TDS_CLI_SHORT "tx:d:o:k:T:0", options, NULL)) != -1)
		parse_option(run, opt, &done);
	if (done)
		return false;
	if (tds_names_read(argv + optind, argc - optind, o->names_from, run->cli.nul, names,
			   &err) != 0) {
		tds_cli_error(&run->cli, NULL, &err);
		return false;
	}
	if (names->n == 0 && !o->names_from)
		tds_cli_usage(&run->cli, "no FILE is named");
	else if (o->target && !*o->target)
		tds_cli_usage(&run->cli, "an empty name for the output");
	else if (o->mode == MODE_ARCHIVE && names->n > 1)
		tds_cli_usage(&run->cli, "-o takes one FILE");
	else if (run->cli.json && (o->mode == MODE_MEMBER ||
				   (o->mode == MODE_ARCHIVE && strcmp(o->target, "-") == 0)))
		tds_cli_usage(&run->cli, "bytes on standard output do not go with -j");
	else if (o->explain && !run->cli.json && o->mode != MODE_VERIFY)
		tds_cli_usage(&run->cli, "--explain goes with -t, -x, -d and -o only as -j");
	return run->cli.status == 0;
}

static int open_directory(struct run *run)
{
	struct tds_err err;

	run->dir.fd = -1;
	run->strict = (struct tds_strict){ .owner = geteuid(), .admin = geteuid() };
	int rc = tds_dir_open(run->cli.dir, &run->dir, &err);
	/* Where keys are named and packages are files, a director directory is not needed. */
	if (rc == TDS_E_MISSING && run->opts.nkeys > 0)
		return 0;
	if (rc != 0)
		tds_cli_error(&run->cli, run->cli.dir, &err);
	else if ((rc = tds_strictmodes_read(&run->dir, &run->strict, &err)) != 0 ||
		 (rc = tds_strictmodes_names(&run->dir, &run->strict, &run->strict_names, &err)) !=
			 0)
		tds_cli_error(&run->cli, NULL, &err);
	return rc;
}

/* The newest package of a declared group. *is_group: there is one of that name, whatever comes of it. */
static int open_newest(struct run *run, const char *name, struct operand *operand, bool *is_group,
		       struct tds_err *err)
{
	tds_auto(groups) struct tds_groups groups = { 0 };
	int rc = tds_groups_scan(&run->dir, &groups, err);

	if (rc != 0)
		return rc;
	const struct tds_group *group = tds_groups_find(&groups, name);
	*is_group = group != NULL;
	if (!group) {
		(void)tds_err_set(err, TDS_E_MISSING, "no such file, package in %s, or group",
				  run->dir.path);
		tds_unknown_package(&groups, name, err);
		return err->code;
	}
	if (group->n == 0)
		return tds_err_set(err, TDS_E_MISSING, "the group has no package");
	operand->path = tds_dir_join(&run->dir, group->files[0].name);
	if (!operand->path)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return tds_io_open(run->dir.fd, group->files[0].name, false, &operand->fd, NULL, err);
}

static int open_stdin(struct operand *operand, struct tds_err *err)
{
	operand->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return operand->fd < 0 ? tds_err_sys(err, TDS_E_UNUSABLE, "cannot be read") : 0;
}

/* A file as it is named; else one in the director directory; else the newest of a group. */
static int open_named(struct run *run, const char *name, struct operand *operand,
		      struct tds_err *err)
{
	struct tds_err other = { 0 };
	bool is_group = false;
	int rc = tds_io_open(AT_FDCWD, name, true, &operand->fd, NULL, err);

	if (rc == 0 || name[0] == '/' || run->dir.fd < 0)
		return rc;
	if (rc == TDS_E_MISSING &&
	    tds_io_open(run->dir.fd, name, false, &operand->fd, NULL, &other) == 0) {
		operand->path = tds_dir_join(&run->dir, name);
		return operand->path ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	if (strchr(name, '/'))
		return rc;
	/* A group may have the name of a folder here, such as that of its sources. */
	int newest = open_newest(run, name, operand, &is_group, &other);
	if (is_group || (rc == TDS_E_MISSING && newest == rc)) {
		*err = other;
		return newest;
	}
	return rc;
}

static int open_operand(struct run *run, const char *name, struct operand *operand,
			struct tds_err *err)
{
	*operand = (struct operand){ .fd = -1 };
	int rc = strcmp(name, "-") == 0 ? open_stdin(operand, err)
					: open_named(run, name, operand, err);

	if (!operand->path && !(operand->path = strdup(name)))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return rc;
}

static void warn_of_keys(struct run *run, const struct tds_keyring *ring)
{
	if (run->warned)
		return;
	run->warned = true;
	if (ring->warning)
		tds_cli_warn(&run->cli, run->dir.path, "%s", ring->warning);
	for (size_t i = 0; i < ring->n; i++) {
		if (!ring->v[i].pub)
			tds_cli_warn(&run->cli, ring->v[i].path, "not used: %s",
				     ring->v[i].fault.reason);
		else if (ring->v[i].insecure)
			tds_cli_warn(&run->cli, ring->v[i].path, "%s", ring->v[i].exposure);
	}
}

static int read_keys(struct run *run, struct tds_keyring *ring, struct tds_err *err)
{
	const struct opts *o = &run->opts;
	const char *at_fault = NULL;
	int rc = o->nkeys > 0 ? tds_keyring_named(run->dir.fd >= 0 ? &run->dir : NULL, &run->strict,
						  o->keys, o->nkeys, ring, &at_fault, err)
			      : tds_keyring_read(&run->dir, &run->strict, ring, err);

	if (at_fault)
		rc = tds_err_prefix(err, "%s", at_fault);
	if (rc == 0)
		warn_of_keys(run, ring);
	return rc;
}

/* What is named must be there: said once, not for each package. */
static bool check_named_keys(struct run *run)
{
	tds_auto(keyring) struct tds_keyring ring = { 0 };
	struct tds_err err = { 0 };

	if (run->opts.nkeys == 0 || read_keys(run, &ring, &err) == 0)
		return true;
	tds_cli_error(&run->cli, NULL, &err);
	return false;
}

/* The declared group that the file's name belongs to. Caller frees; NULL: none. */
static int find_owner(const struct run *run, const char *path, char **owner, struct tds_err *err)
{
	const char *slash = strrchr(path, '/');

	*owner = NULL;
	return run->dir.fd < 0 ? 0 : tds_dir_owner(&run->dir, slash ? slash + 1 : path, owner, err);
}

static int verify(struct run *run, const struct operand *operand, const struct tds_keyring *ring,
		  struct tds_source *source, struct tds_err *err)
{
	struct tds_package package;
	tds_autofree char *owner = NULL;
	int rc = find_owner(run, operand->path, &owner, err);
	if (rc != 0)
		return rc;
	struct tds_source_opts opts = {
		.ring = ring,
		.name = strcmp(operand->path, "-") == 0 ? NULL : operand->path,
		.owner = owner,
		.strict_names = run->strict_names,
		.strict = run->opts.strict,
		.limits = run->opts.limits,
		.tell = run->opts.explain || run->cli.verbose ? report_check : NULL,
		.ctx = run,
	};
	if (run->opts.explain && !run->checks && run->several)
		report_heading(run, operand->path);
	rc = tds_package_read(operand->fd, run->cli.json, &package, err);
	if (rc != 0 && run->opts.explain)
		report_check(run, &(struct tds_check){
					  .what = "package", .offset = -1, .detail = err->reason });
	return rc == 0 ? tds_source_verify(&package, &opts, source, err) : rc;
}

static void verify_operand(struct run *run, const char *name)
{
	tds_auto(keyring) struct tds_keyring ring = { 0 };
	tds_auto(source) struct tds_source source = { 0 };
	struct operand operand;
	struct tds_err err = { 0 };
	int rc = open_operand(run, name, &operand, &err);

	run->checks = run->opts.explain && run->cli.json ? json_array() : NULL;
	if (rc == 0)
		rc = read_keys(run, &ring, &err);
	if (rc == 0)
		rc = verify(run, &operand, &ring, &source, &err);
	/* What only looks at the members, or takes them out, may do so whatever is declared. */
	if (rc == 0 && judge_declaration(run, &source, &run->declared, &err) != 0 &&
	    run->opts.mode == MODE_VERIFY)
		rc = err.code;
	if (rc == 0 && source.key->warning[0])
		tds_cli_warn(&run->cli, source.key->path, "%s", source.key->warning);
	if (rc == 0 && tds_source_warning(&source))
		tds_cli_warn(&run->cli, operand.path, "%s", tds_source_warning(&source));
	if (rc == 0)
		rc = use_source(run, &operand, &source, &err);
	if (rc != 0 && !(rc == TDS_E_WRITE && ferror(run->cli.out)))
		tds_cli_error(&run->cli, operand.path, &err);
	if (run->cli.json && operand.path)
		report_json(run, &operand, rc == 0 ? &source : NULL);
	json_decref(run->checks);
	free(tds_steal(&run->declared));
	tds_close_fd(&operand.fd);
	free(operand.path);
}

int main(int argc, char **argv)
{
	struct run run = { .dir = { .fd = -1 } };
	tds_auto(names) struct tds_names names = { 0 };

	tds_cli_start(&run.cli, "tds-verify", argv);
	tds_cores_off();
	run.cli.options = options;
	tds_crypto_init_lean();
	bool ready = parse_opts(&run, argc, argv, &names) && open_directory(&run) == 0 &&
		     check_named_keys(&run);
	run.several = names.n > 1;
	if (ready)
		for (size_t i = 0; i < names.n; i++)
			verify_operand(&run, names.v[i]);
	tds_dir_close(&run.dir);
	free(run.opts.keys);
	return tds_cli_finish(&run.cli);
}
