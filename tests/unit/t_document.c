/* SPDX-License-Identifier: MIT */
/* The form of JSON documents, and that no failure under -j is left untold. */
#include "unit.h"

#include <getopt.h>

#include "tool/cli.h"
#include "tool/document.h"

static void times(void **state)
{
	json_t *time = tds_document_time(1700000000007);
	json_t *none = tds_document_time(INT64_MAX);

	(void)state;
	assert_string_equal(json_string_value(time), "2023-11-14T22:13:20.007Z");
	assert_true(json_is_null(none));
	json_decref(time);
	json_decref(none);
}

/* A tool with -j, whose streams are memory. */
struct tool {
	struct tds_cli cli;
	char *out;
	char *err;
	size_t out_len;
	size_t err_len;
};

static void tool_start(struct tool *tool)
{
	static char word[] = "tds-test";
	static char *const argv[] = { word, NULL };

	*tool = (struct tool){ 0 };
	tds_cli_start(&tool->cli, "tds-test", argv);
	tool->cli.json = true;
	tool->cli.out = open_memstream(&tool->out, &tool->out_len);
	tool->cli.err = open_memstream(&tool->err, &tool->err_len);
	assert_true(tool->cli.out && tool->cli.err);
	optind = 1;
}

static void tool_end(struct tool *tool, int status, const char *out)
{
	assert_int_equal(tds_cli_finish(&tool->cli), status);
	assert_int_equal(fclose(tool->cli.out), 0);
	assert_int_equal(fclose(tool->cli.err), 0);
	assert_string_equal(tool->out, out);
	free(tool->out);
	free(tool->err);
}

static void fails(struct tool *tool, enum tds_code code, const char *subject, const char *reason)
{
	struct tds_err err;

	tds_err_set(&err, code, "%s", reason);
	tds_cli_error(&tool->cli, subject, &err);
}

static void fine(void **state)
{
	struct tool tool;

	(void)state;
	tool_start(&tool);
	tds_cli_print_document(&tool.cli, json_pack("{s:s}", "Path", "a"));
	tds_cli_print_document(&tool.cli, json_object());
	tool_end(&tool, 0,
		 "{\"Format\":1,\"Success\":true,\"Path\":\"a\"}\n"
		 "{\"Format\":1,\"Success\":true}\n");
}

/* What fails is told in the next document, once; its own words go before those of the content. */
static void failures(void **state)
{
	struct tool tool;
	struct tds_err err;

	(void)state;
	tool_start(&tool);
	fails(&tool, TDS_E_UNTRUSTED, "a\xff", "");
	tds_cli_print_document(&tool.cli, json_pack("{s:s, s:s}", "Message", "x", "Path", "a"));
	tds_err_at(&err, TDS_E_SYNTAX, 12, 9, "odd");
	tds_cli_error(&tool.cli, "foo.tli", &err);
	fails(&tool, TDS_E_MISSING, NULL, "gone");
	fails(&tool, TDS_E_UNUSABLE, NULL, "no more than that");
	tds_cli_print_document(&tool.cli, json_object());
	tds_cli_print_document(&tool.cli, json_object());
	tool_end(&tool, 7,
		 "{\"Format\":1,\"Success\":false,\"Status\":7,\"Message\":\"no key validates it\","
		 "\"Subject\":\"a\\\\xff\",\"Path\":\"a\"}\n"
		 "{\"Format\":1,\"Success\":false,\"Status\":4,\"Message\":\"gone\",\"Failures\":["
		 "{\"Status\":1,\"Message\":\"odd\",\"Subject\":\"foo.tli\",\"Line\":12,\"Column\":"
		 "9},"
		 "{\"Status\":4,\"Message\":\"gone\"},{\"Status\":4,\"Message\":\"no more than "
		 "that\"}]}\n"
		 "{\"Format\":1,\"Success\":true}\n");
}

/* What nobody has told is told at the end, after results too. */
static void untold(void **state)
{
	struct tool tool;

	(void)state;
	tool_start(&tool);
	tds_cli_usage(&tool.cli, "no %s", "FILE");
	tool_end(&tool, 2,
		 "{\"Format\":1,\"Success\":false,\"Status\":2,\"Message\":\"no FILE\"}\n");
	tool_start(&tool);
	tds_cli_print_document(&tool.cli, json_object());
	fails(&tool, TDS_E_WRITE, NULL, "late");
	tool_end(&tool, 5,
		 "{\"Format\":1,\"Success\":true}\n"
		 "{\"Format\":1,\"Success\":false,\"Status\":5,\"Message\":\"late\"}\n");
}

static void streams(void **state)
{
	struct tool tool;

	(void)state;
	tool_start(&tool);
	tds_cli_print_record(&tool.cli, json_pack("{s:s}", "Event", "Loaded"));
	tds_cli_print_record(&tool.cli, json_pack("{s:s}", "Event", "Lost"));
	fails(&tool, TDS_E_NO_ADMIN, NULL, "gone");
	tool_end(&tool, 8,
		 "{\"Format\":1,\"Event\":\"Loaded\"}\n{\"Event\":\"Lost\"}\n"
		 "{\"Success\":false,\"Status\":8,\"Message\":\"gone\"}\n");
}

/* JSON of a form of its own tells its failures itself. */
static void own_form(void **state)
{
	struct tool tool;

	(void)state;
	tool_start(&tool);
	fails(&tool, TDS_E_REFUSED, "a.tli", "odd");
	tds_cli_print_json(&tool.cli, json_pack("{s:b}", "ok", 0));
	tool_end(&tool, 1, "{\"ok\":false}\n");
}

/* Whoever has asked for JSON gets it, even where getopt stopped before it came to the -j. */
static void asked_later(void **state)
{
	static char words[][12] = { "tds-test", "--wrong", "-j", "--", "-j" };
	static char *const behind[] = { words[0], words[1], words[2], NULL };
	static char *const operand[] = { words[0], words[1], words[3], words[4], NULL };
	struct tool tool;

	(void)state;
	tool_start(&tool);
	tool.cli.json = false;
	tool.cli.argv = behind;
	optind = 2;
	tds_cli_usage(&tool.cli, "odd");
	tool_end(&tool, 2, "{\"Format\":1,\"Success\":false,\"Status\":2,\"Message\":\"odd\"}\n");
	tool_start(&tool);
	tool.cli.json = false;
	tool.cli.argv = operand;
	optind = 2;
	tds_cli_usage(&tool.cli, "odd");
	tool_end(&tool, 2, "");
}

/* An option that is nearly one of the tool's. */
static void meant(void **state)
{
	static char words[][12] = { "tds-test", "--lits=3" };
	static char *const argv[] = { words[0], words[1], NULL };
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
						 { "list", required_argument, NULL, 'l' },
						 { NULL, 0, NULL, 0 } };
	struct tool tool;
	bool done = false;

	(void)state;
	tool_start(&tool);
	tool.cli.argv = argv;
	tool.cli.options = options;
	optind = 2;
	optopt = 0;
	assert_true(tds_cli_option(&tool.cli, '?', NULL, "", &done) && done);
	(void)fflush(tool.cli.err);
	assert_string_equal(tool.err, "tds-test: unknown or ambiguous option: --lits=3 "
				      "(did you mean \"--list\"?); see 'tds-test --help'\n");
	tool_end(&tool, 2,
		 "{\"Format\":1,\"Success\":false,\"Status\":2,\"Message\":\"unknown or ambiguous "
		 "option: --lits=3 (did you mean \\\"--list\\\"?)\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),       cmocka_unit_test(fine),
		cmocka_unit_test(failures),    cmocka_unit_test(untold),
		cmocka_unit_test(streams),     cmocka_unit_test(own_form),
		cmocka_unit_test(asked_later), cmocka_unit_test(meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
