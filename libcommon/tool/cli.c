/* SPDX-License-Identifier: MIT */
/* Common options, messages, operands and the exit status of the tools. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/release.h"
#include "base/text.h"
#include "document.h"

/*
 * A closed descriptor 0, 1 or 2 gets a file on which its use fails: reads where output belongs, and
 * the reverse.
 */
static void take_standard_descriptors(void)
{
	static const int mode[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", mode[fd]);
}

const char *tds_cli_default_dir(void)
{
	const char *dir = getenv("THESPIAN_DIRECTOR_DIR");

	return dir && *dir ? dir : TDS_DIRECTOR_DIR_DEFAULT;
}

void tds_cli_start(struct tds_cli *cli, const char *tool, char *const *argv)
{
	take_standard_descriptors();
	(void)signal(SIGPIPE, SIG_DFL);
	opterr = 0; /* tell_option does it, in one line, and in the tool's name */
	*cli = (struct tds_cli){
		.tool = tool,
		.argv = argv,
		.dir = tds_cli_default_dir(),
		.out = stdout,
		.err = stderr,
	};
}

static void raise_status(struct tds_cli *cli, int status)
{
	if (status > cli->status)
		cli->status = status;
}

/* The long option that is nearly the one at word, as a hint. */
static const char *option_hint(const struct tds_cli *cli, const char *word,
			       char hint[TDS_NEAREST_HINT_MAX])
{
	tds_autofree char *name = strndup(word + 2, strcspn(word + 2, "="));
	struct tds_nearest nearest = { .word = name ? name : "" };

	for (const struct option *o = cli->options; o && o->name; o++)
		tds_nearest_offer(&nearest, o->name);
	tds_autofree char *whole = NULL;
	if (nearest.found && asprintf(&whole, "--%s", nearest.found) < 0)
		whole = NULL;
	nearest.found = whole;
	return tds_nearest_hint(&nearest, hint);
}

/* What getopt found wrong with an option: ':' is a missing argument. */
static void tell_option(struct tds_cli *cli, int opt)
{
	const char *word = cli->argv[optind - 1];
	bool is_long = strncmp(word, "--", 2) == 0;
	char hint[TDS_NEAREST_HINT_MAX];

	if (opt == ':')
		tds_cli_usage(cli, "option needs an argument: %s", word);
	else if (is_long && optopt != 0)
		tds_cli_usage(cli, "option takes no argument: %s", word);
	else if (is_long)
		tds_cli_usage(cli, "unknown or ambiguous option: %s%s", word,
			      option_hint(cli, word, hint));
	else
		tds_cli_usage(cli, "unknown option: -%c", optopt);
}

bool tds_cli_option(struct tds_cli *cli, int opt, const char *arg, const char *help, bool *done)
{
	switch (opt) {
	case 'C':
		cli->dir = arg;
		return true;
	case 'q':
		cli->quiet = true;
		return true;
	case 'v':
		cli->verbose++;
		return true;
	case 'j':
		cli->json = true;
		return true;
	case '0':
		cli->nul = true;
		return true;
	case 'h':
		(void)fputs(help, cli->out);
		*done = true;
		return true;
	case 'V':
		(void)fprintf(cli->out, "%s %s\n", cli->tool, tds_release_version);
		*done = true;
		return true;
	case ':':
	case '?':
		tell_option(cli, opt);
		*done = true;
		return true;
	default:
		return false;
	}
}

static void print_subject(struct tds_cli *cli, const char *subject)
{
	(void)fprintf(cli->err, "%s: ", cli->tool);
	if (subject)
		tds_text_print(cli->err, subject);
}

static void print_reason(struct tds_cli *cli, const char *reason)
{
	tds_text_print(cli->err, reason);
	(void)fputc('\n', cli->err);
}

/* Where memory is short only the status is kept. */
void tds_cli_keep_failure(struct tds_cli *cli, const char *subject, const struct tds_err *err)
{
	int status = tds_code_status(err->code);

	raise_status(cli, status);
	if (!cli->json)
		return;
	if (status > cli->unsaid)
		cli->unsaid = status;
	if (!cli->failures)
		cli->failures = json_array();
	(void)json_array_append_new(cli->failures, tds_document_failure(subject, err));
}

static void forget_failures(struct tds_cli *cli)
{
	cli->unsaid = 0;
	json_decref(cli->failures);
	cli->failures = NULL;
}

void tds_cli_error(struct tds_cli *cli, const char *subject, const struct tds_err *err)
{
	tds_cli_keep_failure(cli, subject, err);
	print_subject(cli, subject);
	if (err->line)
		(void)fprintf(cli->err, ":%u:%u", err->line, err->column);
	if (subject)
		(void)fputs(": ", cli->err);
	print_reason(cli, err->reason[0] ? err->reason : tds_code_words(err->code));
}

/* Is there a -j among the words that getopt has not come to? Who asked for JSON gets it here too. */
static bool is_json_to_come(const struct tds_cli *cli)
{
	for (char *const *word = cli->argv + optind; *word && strcmp(*word, "--") != 0; word++)
		if (strcmp(*word, "-j") == 0 || strcmp(*word, "--json") == 0)
			return true;
	return false;
}

void tds_cli_usage(struct tds_cli *cli, const char *fmt, ...)
{
	struct tds_err err = { .code = TDS_E_USAGE };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(err.reason, sizeof(err.reason), fmt, ap);
	va_end(ap);
	cli->json = cli->json || is_json_to_come(cli);
	tds_cli_keep_failure(cli, NULL, &err);
	print_subject(cli, NULL);
	tds_text_print(cli->err, err.reason);
	(void)fprintf(cli->err, "; see '%s --help'\n", cli->tool);
}

void tds_cli_warn(struct tds_cli *cli, const char *subject, const char *fmt, ...)
{
	char reason[TDS_ERR_REASON_MAX];
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	print_subject(cli, subject);
	(void)fputs(subject ? ": warning: " : "warning: ", cli->err);
	print_reason(cli, reason);
}

char *tds_cli_folder(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	return slash ? strndup(self, (size_t)(slash - self)) : NULL;
}

char *tds_cli_neighbour(const char *name)
{
	tds_autofree char *folder = tds_cli_folder();
	char *path = NULL;

	return !folder || asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

void tds_cli_print_name(struct tds_cli *cli, const char *name)
{
	(void)fputs(name, cli->out);
	(void)fputc(cli->nul ? '\0' : '\n', cli->out);
}

/* One line of JSON; takes the reference, NULL is out of memory. */
static void print_line(struct tds_cli *cli, json_t *value)
{
	if (!value || json_dumpf(value, cli->out, JSON_COMPACT) != 0) {
		struct tds_err err;

		/* What the stream could not take, tds_cli_finish says. */
		tds_err_set(&err, TDS_E_NOMEM, "out of memory");
		if (!ferror(cli->out))
			tds_cli_error(cli, NULL, &err);
	} else {
		(void)fputc('\n', cli->out);
	}
	json_decref(value);
}

json_t *tds_cli_document(struct tds_cli *cli, json_t *content)
{
	json_t *document = tds_document_new(cli->unsaid, cli->failures, content);

	forget_failures(cli);
	return document;
}

void tds_cli_print_document(struct tds_cli *cli, json_t *content)
{
	print_line(cli, tds_cli_document(cli, content));
}

void tds_cli_print_record(struct tds_cli *cli, json_t *content)
{
	json_t *record = tds_document_record(!cli->streaming, cli->unsaid, cli->failures, content);

	cli->streaming = true;
	forget_failures(cli);
	print_line(cli, record);
	(void)fflush(cli->out);
}

void tds_cli_print_json(struct tds_cli *cli, json_t *value)
{
	forget_failures(cli);
	print_line(cli, value);
}

json_t *tds_cli_json_text(const char *text)
{
	return tds_document_text(text);
}

/* What no document has told so far. */
static void print_unsaid(struct tds_cli *cli)
{
	if (cli->unsaid != 0 && cli->streaming)
		tds_cli_print_record(cli, json_object());
	else if (cli->unsaid != 0)
		tds_cli_print_document(cli, json_object());
	forget_failures(cli);
}

int tds_cli_finish(struct tds_cli *cli)
{
	print_unsaid(cli);
	bool failed = ferror(cli->out) != 0;

	errno = 0;
	if (fflush(cli->out) != 0 || failed) {
		struct tds_err err;

		/* Of an earlier failure the number is gone. */
		if (errno != 0)
			tds_err_sys(&err, TDS_E_WRITE, "cannot be written");
		else
			tds_err_set(&err, TDS_E_WRITE, "cannot be written");
		tds_cli_error(cli, "standard output", &err);
		forget_failures(cli);
	}
	return cli->status;
}

static int add_name(struct tds_names *names, char *name, struct tds_err *err)
{
	/* Grows at powers of two. */
	if ((names->n & (names->n - 1)) == 0) {
		char **more = reallocarray(names->v, names->n ? 2 * names->n : 1, sizeof(*more));

		if (!more) {
			free(name);
			return tds_err_set(err, TDS_E_NOMEM, "out of memory");
		}
		names->v = more;
	}
	if (!name)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	names->v[names->n++] = name;
	return 0;
}

static int add_names_of(const char *text, size_t len, char end, struct tds_names *names,
			struct tds_err *err)
{
	for (size_t at = 0; at < len;) {
		const char *stop = memchr(text + at, end, len - at);
		size_t n = stop ? (size_t)(stop - text) - at : len - at;

		if (end == '\n' && memchr(text + at, '\0', n))
			return tds_err_set(
				err, TDS_E_USAGE,
				"a name holds a NUL byte (are they ended by NUL? see -0)");
		int rc = n ? add_name(names, strndup(text + at, n), err) : 0;
		if (rc != 0)
			return rc;
		at += n + 1;
	}
	return 0;
}

int tds_names_read(char *const *argv, int argc, const char *from, bool nul, struct tds_names *names,
		   struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len = 0;
	int rc = 0;

	*names = (struct tds_names){ 0 };
	for (int i = 0; i < argc && rc == 0; i++)
		rc = add_name(names, strdup(argv[i]), err);
	if (rc == 0 && from) {
		tds_autofd int fd = -1;

		if (strcmp(from, "-") != 0)
			rc = tds_io_open(AT_FDCWD, from, true, &fd, NULL, err);
		if (rc == 0)
			rc = tds_io_slurp_fd(fd < 0 ? STDIN_FILENO : fd, TDS_NAMES_MAX_BYTES, &text,
					     &len, err);
		if (rc == 0)
			rc = add_names_of(text, len, nul ? '\0' : '\n', names, err);
		if (rc != 0)
			tds_err_prefix(err, "%s", from);
	}
	if (rc != 0)
		tds_names_fini(names);
	return rc;
}

void tds_names_fini(struct tds_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct tds_names){ 0 };
}
