/* SPDX-License-Identifier: MIT */
/*
 * What the command lines of all tools have in common: the common options, one-line messages,
 * operands from arguments or from a pipe, the exit status. It writes only to the streams in struct
 * tds_cli, never exits, and knows no tool.
 *
 * A tool's main is:  tds_cli_start(&cli, "tds-NAME", argv); parse options; work; return
 * tds_cli_finish(&cli);
 */
#ifndef TDS_CLI_H
#define TDS_CLI_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

#define TDS_DIRECTOR_DIR_DEFAULT "/opt/thespian/director"

struct tds_cli {
	const char *tool;  /* constant: "tds-verify" */
	char *const *argv; /* borrowed; for what is wrong with an option */
	const char *dir;   /* the director directory, as given; borrowed */
	FILE *out;         /* results only */
	FILE *err;         /* messages only */
	bool json;         /* -j */
	bool nul;          /* -0, where the tool has it */
	bool quiet;        /* -q: no warnings, no results that only say that all is well */
	unsigned verbose;  /* -v, how often */
	int status;        /* the highest exit status so far */
	/* with -j: */
	int unsaid;       /* the highest status of what failed and no document has told yet */
	json_t *failures; /* these failures, as documents have them; NULL: none, or no memory for them */
	bool streaming; /* a record was printed, so the next is not the first */
	/* for "did you mean"; set it after tds_cli_start */
	const struct option *options; /* the tool's own; NULL: no hints */
};

/*
 * For a tool's own tables; a tool that prints or reads paths adds '0', one with operands adds 'T'.
 */
#define TDS_CLI_SHORT \
	":C:hVqvj" /* first in the list: it begins with what getopt is to tell apart */
/* clang-format off */
#define TDS_CLI_LONG                                                \
	{ "directory", required_argument, NULL, 'C' },              \
	{ "help",      no_argument,       NULL, 'h' },              \
	{ "version",   no_argument,       NULL, 'V' },              \
	{ "quiet",     no_argument,       NULL, 'q' },              \
	{ "verbose",   no_argument,       NULL, 'v' },              \
	{ "json",      no_argument,       NULL, 'j' }
#define TDS_CLI_LONG_NUL   { "null", no_argument, NULL, '0' }
#define TDS_CLI_LONG_NAMES { "names-from", required_argument, NULL, 'T' }
/* clang-format on */

/* The lines of --help for them. */
#define TDS_CLI_HELP                                                                      \
	"  -C, --directory=DIR    the director directory (else $THESPIAN_DIRECTOR_DIR,\n" \
	"                         else " TDS_DIRECTOR_DIR_DEFAULT ")\n"                   \
	"  -j, --json             print JSON\n"                                           \
	"  -q, --quiet            print no warnings, and nothing where all is well\n"     \
	"  -v, --verbose          say more\n"                                             \
	"  -h, --help             print this help\n"                                      \
	"  -V, --version          print the version\n"
#define TDS_CLI_HELP_NUL \
	"  -0, --null             names end in NUL, read and printed, instead of a newline\n"
#define TDS_CLI_HELP_NAMES \
	"  -T, --names-from=FILE  read names from FILE too, one a line (-: standard input)\n"

/* The director directory where none is named: $THESPIAN_DIRECTOR_DIR, else TDS_DIRECTOR_DIR_DEFAULT. Borrowed. */
const char *tds_cli_default_dir(void);

/*
 * Defaults from the environment, stdout and stderr as streams, SIGPIPE ending the tool quietly, and
 * descriptors 0 to 2 taken, so that no file opened later passes for standard output.
 */
void tds_cli_start(struct tds_cli *cli, const char *tool, char *const *argv);

/*
 * Deal with one option that getopt_long returned. Returns true where it was a common one. After 'h'
 * (help is the tool's whole --help text), 'V' or an unknown option, *done is true: end with
 * tds_cli_finish. Unknown options make the status 2 and point at --help.
 */
bool tds_cli_option(struct tds_cli *cli, int opt, const char *arg, const char *help, bool *done);

/*
 * One line on stderr, "TOOL: [SUBJECT[:LINE:COLUMN]: ]REASON", escaped; raises the status. subject
 * may be NULL.
 */
void tds_cli_error(struct tds_cli *cli, const char *subject, const struct tds_err *err);

/*
 * The same without the line, which another program of ours has printed already: for the status, and the next document of
 * -j.
 */
void tds_cli_keep_failure(struct tds_cli *cli, const char *subject, const struct tds_err *err);

/* tds_cli_error for a usage error: status 2, and a hint at --help. */
void tds_cli_usage(struct tds_cli *cli, const char *fmt, ...) TDS_PRINTF(2, 3);

/* One line on stderr, "TOOL: [SUBJECT: ]warning: …"; nothing with -q. The status stays. */
void tds_cli_warn(struct tds_cli *cli, const char *subject, const char *fmt, ...) TDS_PRINTF(3, 4);

/*
 * The folder that this program was started from, where its neighbours are, whatever PATH says.
 * Caller frees; NULL: not found, or out of memory.
 */
char *tds_cli_folder(void);

/* The path of the tool of this name there. Caller frees; NULL: the same. */
char *tds_cli_neighbour(const char *name);

/* Print a path or name as it is, ended by a newline or, with -0, by NUL. */
void tds_cli_print_name(struct tds_cli *cli, const char *name);

/*
 * With -j a command prints one document, or one for each operand, or a stream of records. What tds_cli_error and
 * tds_cli_usage have said since the last one is told in the next; what is left in the end tds_cli_finish tells in one of
 * its own. So a command reports its failures as ever, and prints what it knows; it need not print where it knows nothing.
 * Keys are CapitalWords; texts and times are those of document.h.
 *
 * Each takes the reference to content, an object without Format, Success, Status; NULL is out of memory.
 */
void tds_cli_print_document(struct tds_cli *cli, json_t *content);
void tds_cli_print_record(struct tds_cli *cli,
			  json_t *content); /* Format in the first, at once on its way */

/* The document that print_document would print, for who writes it piece by piece. NULL: out of memory. */
json_t *tds_cli_document(struct tds_cli *cli, json_t *content);

/*
 * Print JSON of a form of its own (check -j), on a line of its own, keys in insertion order: what failed so far counts as
 * told in it. Takes the reference, NULL is out of memory.
 */
void tds_cli_print_json(struct tds_cli *cli, json_t *value);

/* tds_document_text. */
json_t *tds_cli_json_text(const char *text);

/*
 * With -j tell what failed and stands in no document yet; flush stdout, report a failure of it (status 5), and return the
 * status to exit with.
 */
int tds_cli_finish(struct tds_cli *cli);

/*
 * The operands: those of argv and, where from is not NULL, the names in that file ("-": standard
 * input), one a line, or ended by NUL. Empty lines are skipped; a name stays as it is otherwise.
 */
struct tds_names {
	char **v;
	size_t n;
};
#define TDS_NAMES_MAX_BYTES (64 << 20) /* of one -T FILE */

int tds_names_read(char *const *argv, int argc, const char *from, bool nul, struct tds_names *names,
		   struct tds_err *err) TDS_MUST_CHECK;
void tds_names_fini(struct tds_names *names);
#define tds_names_cleanup tds_names_fini

#endif
