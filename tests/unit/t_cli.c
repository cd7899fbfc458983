/* SPDX-License-Identifier: MIT */
/* Operands from arguments and pipes, one-line messages, the status to end with. */
#include "unit.h"

#include <sys/wait.h>

#include "tool/cli.h"

/* A tool whose two streams are memory. */
struct tool {
	struct tds_cli cli;
	char *out;
	char *err;
	size_t out_len;
	size_t err_len;
};

static void tool_start(struct tool *tool)
{
	static char words[][12] = { "tds-test", "--no-such", "-zZ", "--key" };
	static char *const argv[] = { words[0], words[1], words[2], words[3], NULL };

	*tool = (struct tool){ 0 };
	tds_cli_start(&tool->cli, "tds-test", argv);
	tool->cli.out = open_memstream(&tool->out, &tool->out_len);
	tool->cli.err = open_memstream(&tool->err, &tool->err_len);
	assert_true(tool->cli.out && tool->cli.err);
}

/* It ended with this status, and said this. */
static void tool_end(struct tool *tool, int status, const char *out, const char *err)
{
	assert_int_equal(tds_cli_finish(&tool->cli), status);
	assert_int_equal(fclose(tool->cli.out), 0);
	assert_int_equal(fclose(tool->cli.err), 0);
	assert_string_equal(tool->out, out);
	assert_string_equal(tool->err, err);
	free(tool->out);
	free(tool->err);
}

static void directory(void **state)
{
	struct tool tool;

	(void)state;
	unsetenv("THESPIAN_DIRECTOR_DIR");
	tool_start(&tool);
	assert_string_equal(tool.cli.dir, "/opt/thespian/director");
	tool_end(&tool, 0, "", "");
	setenv("THESPIAN_DIRECTOR_DIR", "/env", 1);
	tool_start(&tool);
	assert_string_equal(tool.cli.dir, "/env");
	bool done = false;
	assert_true(tds_cli_option(&tool.cli, 'C', "/opt", "", &done) && !done);
	assert_string_equal(tool.cli.dir, "/opt");
	tool_end(&tool, 0, "", "");
	setenv("THESPIAN_DIRECTOR_DIR", "", 1);
	tool_start(&tool);
	assert_string_equal(tool.cli.dir, TDS_DIRECTOR_DIR_DEFAULT);
	tool_end(&tool, 0, "", "");
}

static void common_options(void **state)
{
	struct tool tool;
	bool done = false;

	(void)state;
	tool_start(&tool);
	assert_true(tds_cli_option(&tool.cli, 'j', NULL, "", &done) &&
		    tds_cli_option(&tool.cli, 'q', NULL, "", &done) &&
		    tds_cli_option(&tool.cli, 'v', NULL, "", &done) &&
		    tds_cli_option(&tool.cli, 'v', NULL, "", &done) &&
		    tds_cli_option(&tool.cli, '0', NULL, "", &done));
	assert_true(tool.cli.json && tool.cli.quiet && tool.cli.verbose == 2 && tool.cli.nul &&
		    !done);
	assert_false(tds_cli_option(&tool.cli, 'x', NULL, "", &done));
	assert_true(tds_cli_option(&tool.cli, 'h', NULL, "usage\n", &done) && done);
	done = false;
	assert_true(tds_cli_option(&tool.cli, 'V', NULL, "", &done) && done);
	tool_end(&tool, 0, "usage\ntds-test " TDS_VERSION "\n", "");
}

/* What getopt leaves behind when it finds fault with the word before optind. */
static void wrong_options(void **state)
{
	static const struct {
		int opt;
		int word;
		int letter;
		const char *err;
	} wrong[] = {
		{ '?', 1, 0, "unknown or ambiguous option: --no-such" },
		{ '?', 1, 'n', "option takes no argument: --no-such" },
		{ '?', 2, 'Z', "unknown option: -Z" },
		{ ':', 3, 'k', "option needs an argument: --key" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char err[200];
		struct tool tool;
		bool done = false;

		tool_start(&tool);
		optind = wrong[i].word + 1;
		optopt = wrong[i].letter;
		assert_true(tds_cli_option(&tool.cli, wrong[i].opt, NULL, "", &done) && done);
		(void)snprintf(err, sizeof(err), "tds-test: %s; see 'tds-test --help'\n",
			       wrong[i].err);
		tool_end(&tool, 2, "", err);
	}
}

static void messages(void **state)
{
	struct tds_err err = { 0 };
	struct tool tool;

	(void)state;
	tool_start(&tool);
	tds_err_set(&err, TDS_E_UNTRUSTED, "bad\n\x1b[31mred");
	tds_cli_error(&tool.cli, "a\nb", &err);
	tds_err_at(&err, TDS_E_SYNTAX, 12, 9, "odd");
	tds_cli_error(&tool.cli, "foo.tli", &err); /* a lesser status does not lower it */
	tds_err_set(&err, TDS_E_USAGE, "%s", "");
	tds_cli_error(&tool.cli, NULL, &err);
	tds_cli_warn(&tool.cli, "key", "short: %d", 7);
	tds_cli_warn(&tool.cli, NULL, "plain");
	tool.cli.quiet = true;
	tds_cli_warn(&tool.cli, NULL, "unheard");
	tds_cli_usage(&tool.cli, "no %s", "FILE");
	tool_end(&tool, 7, "",
		 "tds-test: a\\x0ab: bad\\x0a\\x1b[31mred\n"
		 "tds-test: foo.tli:12:9: odd\n"
		 "tds-test: wrong usage\n"
		 "tds-test: key: warning: short: 7\n"
		 "tds-test: warning: plain\n"
		 "tds-test: no FILE; see 'tds-test --help'\n");
}

static void results(void **state)
{
	struct tool tool;

	(void)state;
	tool_start(&tool);
	tds_cli_print_name(&tool.cli, "a b");
	tds_cli_print_json(&tool.cli,
			   json_pack("{s:o, s:o, s:i}", "z", tds_cli_json_text("\xc3\xa9\n"), "a",
				     tds_cli_json_text("\xff\n"), "m", 1));
	tds_cli_print_json(&tool.cli, NULL);
	tool_end(&tool, 5, "a b\n{\"z\":\"\xc3\xa9\\n\",\"a\":\"\\\\xff\\\\x0a\",\"m\":1}\n",
		 "tds-test: out of memory\n");
	tool_start(&tool);
	tool.cli.nul = true;
	tds_cli_print_name(&tool.cli, "a\nb");
	assert_int_equal(fflush(tool.cli.out), 0);
	assert_int_equal(tool.out_len, 4);
	assert_memory_equal(tool.out, "a\nb\0", 4);
	tool_end(&tool, 0, "a\nb", "");
}

/*
 * What standard output cannot take is said once, whether the last flush shows it or an earlier one
 * did.
 */
static void full_disk(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes <= 100000; bytes *= 10) {
		struct tool tool;
		char *text = malloc(bytes + 1);

		memset(text, 'x', bytes);
		text[bytes] = '\0';
		tool_start(&tool);
		fclose(tool.cli.out);
		tool.cli.out = fopen("/dev/full", "w");
		tds_cli_print_name(&tool.cli, text);
		tds_cli_print_json(&tool.cli, json_pack("[o]", tds_cli_json_text(text)));
		tool_end(&tool, 5, "",
			 bytes < 4096 ? "tds-test: standard output: cannot be written: No space "
					"left on device\n"
				      : "tds-test: standard output: cannot be written\n");
		free(text);
	}
}

/*
 * Run names_read with this on standard input, and hold what it gives against names, a '|' behind
 * each.
 */
static void from_stdin(const char *text, size_t len, bool nul, const char *expected,
		       const char *failure)
{
	int fd = tds_io_memfd("stdin");
	int saved = dup(0);
	char *argv[] = { (char *)"first" };
	char joined[256] = "";
	struct tds_names names;
	struct tds_err err = { 0 };

	assert_true(tds_io_write(fd, text, len) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
		    dup2(fd, 0) == 0);
	int rc = tds_names_read(argv, 1, "-", nul, &names, &err);
	assert_true(dup2(saved, 0) == 0);
	close(fd);
	close(saved);
	if (failure)
		assert_failed(rc, &err, TDS_E_USAGE, failure);
	else
		assert_fine(rc, &err);
	for (size_t i = 0; i < names.n; i++)
		strcat(strcat(joined, names.v[i]), "|");
	assert_string_equal(joined, expected);
	tds_names_fini(&names);
	tds_names_fini(&names);
}

static void names(void **state)
{
	(void)state;
	from_stdin("", 0, false, "first|", NULL);
	from_stdin("a\n\n  b \nc\r\n-\nd", 14, false, "first|a|  b |c\r|-|d|", NULL);
	from_stdin("a\nb\0\0c\0d", 8, true, "first|a\nb|c|d|", NULL);
	from_stdin("a\0b\n", 4, false, "",
		   "-: a name holds a NUL byte (are they ended by NUL? see -0)");
	from_stdin("\n\n\n", 3, false, "first|", NULL);
}

static void names_from_files(void **state)
{
	const struct folder *f = *state;
	char path[64];
	char reason[128];
	struct tds_names names;
	struct tds_err err = { 0 };

	(void)snprintf(path, sizeof(path), "%s/names", f->path);
	(void)snprintf(reason, sizeof(reason), "%s: cannot be opened: No such file or directory",
		       path);
	assert_failed(tds_names_read(NULL, 0, path, false, &names, &err), &err, TDS_E_MISSING,
		      reason);
	put(f, "names", 0644, "a\n");
	assert_fine(tds_names_read(NULL, 0, path, false, &names, &err), &err);
	assert_int_equal(names.n, 1);
	tds_names_fini(&names);
	(void)snprintf(reason, sizeof(reason), "%s: is a folder", f->path);
	assert_failed(tds_names_read(NULL, 0, f->path, false, &names, &err), &err, TDS_E_UNUSABLE,
		      reason);
	/* As large as it may be, and no larger; sparse, so NUL names that are all empty. */
	int fd = openat(f->fd, "names", O_RDWR);
	assert_int_equal(ftruncate(fd, TDS_NAMES_MAX_BYTES), 0);
	assert_fine(tds_names_read(NULL, 0, path, true, &names, &err), &err);
	assert_int_equal(names.n, 1);
	tds_names_fini(&names);
	assert_int_equal(ftruncate(fd, TDS_NAMES_MAX_BYTES + 1), 0);
	(void)snprintf(reason, sizeof(reason), "%s: is larger than 67108864 bytes", path);
	assert_failed(tds_names_read(NULL, 0, path, true, &names, &err), &err, TDS_E_UNUSABLE,
		      reason);
	close(fd);
}

/* In a child without descriptors 0 to 2, no file that is opened later gets one of their numbers. */
static void closed_descriptors(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct tds_cli cli;
		char c = 'x';

		close(0);
		close(1);
		close(2);
		tds_cli_start(&cli, "tds-test", (char *[]){ NULL });
		int next = open("/dev/null", O_RDONLY);
		_exit(next > 2 && read(0, &c, 1) < 0 && write(1, &c, 1) < 0 && write(2, &c, 1) < 0
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest cli[] = {
		cmocka_unit_test(directory),
		cmocka_unit_test(common_options),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(messages),
		cmocka_unit_test(results),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(names),
		IN_FOLDER(names_from_files),
		cmocka_unit_test(closed_descriptors),
	};

	return cmocka_run_group_tests(cli, NULL, NULL);
}
