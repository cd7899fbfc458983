/* SPDX-License-Identifier: MIT */
/* tds-admin config: what the configuration files say, in the Director's layout, and what of them cannot be read. */
#include "director/config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/text.h"
#include "director/handover.h"
#include "judge.h"
#include "literal/literal.h"
#include "literal/pytext.h"
#include "literal/value.h"

#define BASE_DEFAULT "tdsLocalBase"
#define PORT_DEFAULT 1900

const char admin_config_help[] = "usage: tds-admin [options] config [--python-path]\n"
				 "Print the configuration of the director directory. A file that "
				 "cannot be read is named with the line:\n"
				 "status 1, or 4 where it cannot be opened.\n"
				 "With -v it also says of each file when it counts.\n"
				 "With --python-path it prints only the folder that belongs on\n"
				 "PYTHONPATH of a program that imports thespian.\n";

/* The files in the order of the answer. Those with a title are printed as text too. */
enum item { BASE, OLD_BASE, PORT, LOG_DIR, LEADER, CAPABILITIES, LOG, LOG_FILE, LOG_SIZE, ITEMS };

static const char *const names[ITEMS] = {
	[BASE] = "thespbase.cfg",     [OLD_BASE] = "oldthespbase.cfg",
	[PORT] = "adminport.cfg",     [LOG_DIR] = "thesplogd.cfg",
	[LEADER] = "convleader.cfg",  [CAPABILITIES] = "othercaps.cfg",
	[LOG] = "thesplog.cfg",       [LOG_FILE] = "thesplogf.cfg",
	[LOG_SIZE] = "thesplogs.cfg",
};

struct view {
	struct admin *admin;
	int dirfd; /* -1: there is no such folder */
	char *text
		[ITEMS]; /* as the Director reads it; NULL: no such file, or none that it can read */
	struct tds_config value[ITEMS]; /* as it is understood; zeroed where it is not */
};

static void view_fini(struct view *view)
{
	for (int i = 0; i < ITEMS; i++) {
		free(view->text[i]);
		tds_config_fini(&view->value[i]);
	}
	tds_close_fd(&view->dirfd);
}
#define tds_view_cleanup view_fini

/* DIR/NAME as it is shown; an empty DIR is the current folder. Caller frees. */
static char *path_of(const struct view *view, const char *name)
{
	const struct tds_dir dir = { .fd = view->dirfd, .path = (char *)view->admin->cli.dir };

	return dir.path[0] ? tds_dir_join(&dir, name) : strdup(name);
}

static void complain(struct view *view, const char *name, const struct tds_err *err)
{
	tds_autofree char *path = path_of(view, name);

	tds_cli_error(&view->admin->cli, path ? path : name, err);
}

/* What Python's open(…).read().strip() gives: line ends made one, blanks cut. NULL: out of memory. */
static char *strip(char *text, size_t len)
{
	char *out = text;
	bool after_cr = false;

	for (const char *p = text; p < text + len; p++) {
		bool cr = *p == '\r';

		if (*p != '\n' || !after_cr)
			*out++ = cr ? '\n' : *p;
		after_cr = cr;
	}
	*out = '\0';
	len = (size_t)(out - text);
	const char *begin = tds_pytext_strip(text, &len);
	return strndup(begin, len);
}

static void read_item(struct view *view, enum item i)
{
	const struct tds_tli_watcher nobody = { 0 };
	tds_autofree char *data = NULL;
	struct tds_err err = { 0 };
	size_t len;
	int rc = tds_io_slurp(view->dirfd, names[i], TDS_CONFIG_MAX_BYTES, &data, &len, &err);

	if (rc == TDS_E_MISSING)
		return;
	if (rc == 0)
		rc = tds_config_parse(names[i], data, len, nobody, &view->value[i], &err);
	if (rc != 0)
		complain(view, names[i], &err);
	if (data && tds_text_is_utf8(data, len) && !memchr(data, '\0', len))
		view->text[i] = strip(data, len);
}

/* Where there is no such folder, all is as by default. */
static void read_all(struct view *view)
{
	const char *dir = view->admin->cli.dir;

	view->dirfd = open(dir[0] ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; view->dirfd >= 0 && i < ITEMS; i++)
		read_item(view, (enum item)i);
}

/* --- what follows from it --- */

static const char *or_default(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

/* The Director takes what int() takes, and 1900 instead of anything else. */
static int64_t port_of(const struct view *view)
{
	const char *text = view->text[PORT];
	int64_t port;

	return text && tds_pytext_int(text, strlen(text), &port) ? port : PORT_DEFAULT;
}

/*
 * What the Director would say, in whose layout this is: where nothing names the folder of logs, the first of these that can be
 * written.
 */
static const char *log_folder(const struct view *view, char *here, size_t size)
{
	if (!getcwd(here, size))
		here[0] = '\0';
	const char *const tried[] = { "/var/log/", here, "/var/tmp", "/tmp" };

	if (view->text[LOG_DIR] && view->text[LOG_DIR][0])
		return view->text[LOG_DIR];
	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		struct stat st;

		if (stat(tried[i], &st) == 0 && S_ISDIR(st.st_mode) && access(tried[i], W_OK) == 0)
			return tried[i];
	}
	return here;
}

/* --- as text --- */

/* Text of several lines as it is, but for what a terminal would act on. */
static void print_value(FILE *out, const char *text, const char *indent)
{
	for (;;) {
		size_t n = strcspn(text, "\n");

		tds_text_escape(out, text, n);
		(void)fputc('\n', out);
		if (!text[n])
			return;
		text += n + 1;
		(void)fputs(indent, out);
	}
}

static void print_line(FILE *out, const char *title, const char *text, const char *indent)
{
	(void)fprintf(out, "%19s: ", title);
	print_value(out, text, indent);
}

static void print_text(const struct view *view, const char *logs)
{
	FILE *out = view->admin->cli.out;
	char port[32];

	(void)snprintf(port, sizeof(port), "%" PRId64, port_of(view));
	print_line(out, "Sources location", view->admin->cli.dir, "");
	print_line(out, "System Base", or_default(view->text[BASE], BASE_DEFAULT), "");
	if (view->text[OLD_BASE] && view->text[OLD_BASE][0])
		print_line(out, "OLD System Base", view->text[OLD_BASE], "");
	print_line(out, "Admin Port", port, "");
	print_line(out, "Logging directory", logs, "");
	if (view->text[LEADER] && view->text[LEADER][0])
		print_line(out, "Convention Leader", view->text[LEADER], "");
	print_line(out, "Other Capabilities", or_default(view->text[CAPABILITIES], "{}"),
		   "                     ");
	if (view->admin->cli.verbose)
		counts_print(out, view->dirfd);
}

/* --- as JSON --- */

static json_t *text_json(const char *text)
{
	return text && *text ? tds_cli_json_text(text) : json_null();
}

/* What othercaps.cfg and thesplog.cfg say, as the typed values of tds-admin check. */
static json_t *value_json(const struct view *view, enum item i)
{
	return view->value[i].value ? tds_value_typed_json(view->value[i].value) : json_null();
}

static void print_json(const struct view *view)
{
	tds_cli_print_document(
		&view->admin->cli,
		json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "Directory", tds_cli_json_text(view->admin->cli.dir), "Base",
			  tds_cli_json_text(or_default(view->text[BASE], BASE_DEFAULT)), "OldBase",
			  text_json(view->text[OLD_BASE]), "AdminPort", (json_int_t)port_of(view),
			  "LogDirectory", text_json(view->text[LOG_DIR]), "ConventionLeader",
			  text_json(view->text[LEADER]), "OtherCapabilities",
			  tds_cli_json_text(or_default(view->text[CAPABILITIES], "{}")),
			  "Capabilities", value_json(view, CAPABILITIES), "Log",
			  value_json(view, LOG), "LogFile", text_json(view->text[LOG_FILE]),
			  "LogSize", text_json(view->text[LOG_SIZE]), "Files",
			  counts_json(view->dirfd)));
}

static void print_python_path(struct admin *admin)
{
	tds_autofree char *path = admin_installed(TDS_HOST);
	struct tds_err err = { 0 };

	if (!path) {
		tds_err_set(&err, TDS_E_NOMEM, "out of memory");
		tds_cli_error(&admin->cli, NULL, &err);
	} else if (admin->cli.json) {
		tds_cli_print_document(&admin->cli,
				       json_pack("{s:o?}", "PythonPath", tds_cli_json_text(path)));
	} else {
		(void)fprintf(admin->cli.out, "%s\n", path);
	}
}

void admin_config(struct admin *admin, int argc, char **argv)
{
	tds_auto(view) struct view view = { .admin = admin, .dirfd = -1 };
	char here[PATH_MAX];

	(void)argv;
	if (argc > 0) {
		tds_cli_usage(&admin->cli, "config takes no operand");
		return;
	}
	if (admin->python_path) {
		print_python_path(admin);
		return;
	}
	read_all(&view);
	judge_configured(admin);
	judge_modes(admin);
	if (admin->cli.json)
		print_json(&view);
	else
		print_text(&view, log_folder(&view, here, sizeof(here)));
}
