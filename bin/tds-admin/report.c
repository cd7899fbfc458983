/* SPDX-License-Identifier: MIT */
/* What is found in a file, as lines for people and as JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"

void report_init(struct report *report, const char *file)
{
	*report = (struct report){ .file = strdup(file) };
	if (!report->file)
		tds_err_set(&report->err, TDS_E_NOMEM, "out of memory");
}

void report_fini(struct report *report)
{
	for (size_t i = 0; i < report->n; i++)
		free(report->warnings[i].text);
	free(report->warnings);
	tds_value_free(report->value);
	free(report->file);
	*report = (struct report){ 0 };
}

void report_warn(struct report *report, unsigned line, unsigned column, const char *fmt, ...)
{
	struct warning *more = report->warnings;
	va_list ap;

	/* Grows at powers of two. */
	if ((report->n & (report->n - 1)) == 0)
		more = reallocarray(more, report->n ? 2 * report->n : 1, sizeof(*more));
	if (more)
		report->warnings = more;
	va_start(ap, fmt);
	if (!more || vasprintf(&more[report->n].text, fmt, ap) < 0) {
		tds_err_set(&report->err, TDS_E_NOMEM, "out of memory");
	} else {
		more[report->n].line = line;
		more[report->n].column = column;
		report->n++;
	}
	va_end(ap);
}

void report_refuse(struct report *report, const char *fmt, ...)
{
	char reason[TDS_ERR_REASON_MAX];
	va_list ap;

	if (report->err.code != TDS_OK)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	tds_err_set(&report->err, TDS_E_REFUSED, "%s", reason);
}

/* --strict makes an error of it, which -q does not hide. */
static void print_warning(struct admin *admin, const struct report *report,
			  const struct warning *warning)
{
	tds_autofree char *subject = NULL;
	struct tds_err err;

	if (admin->strict) {
		tds_err_at(&err, TDS_E_REFUSED, warning->line, warning->column, "%s",
			   warning->text);
		tds_cli_error(&admin->cli, report->file, &err);
	} else if (warning->line == 0) {
		tds_cli_warn(&admin->cli, report->file, "%s", warning->text);
	} else if (asprintf(&subject, "%s:%u:%u", report->file, warning->line, warning->column) >=
		   0) {
		tds_cli_warn(&admin->cli, subject, "%s", warning->text);
	} else {
		subject = NULL;
		tds_err_set(&err, TDS_E_NOMEM, "out of memory");
		tds_cli_error(&admin->cli, report->file, &err);
	}
}

/* A place, or null for none. Returns whether memory sufficed, as all that sets. */
static bool set_place(json_t *object, unsigned line, unsigned column)
{
	return json_object_set_new(object, "line", line ? json_integer(line) : json_null()) == 0 &&
	       json_object_set_new(object, "column", line ? json_integer(column) : json_null()) ==
		       0;
}

static bool set_text(json_t *object, const char *key, const char *text)
{
	return text && json_object_set_new(object, key, tds_cli_json_text(text)) == 0;
}

static bool add_warning(json_t *array, const struct warning *warning)
{
	json_t *object = json_object();
	bool whole = set_place(object, warning->line, warning->column) &&
		     set_text(object, "warning", warning->text);

	/* It takes the object, and refuses the NULL that stands for none. */
	return json_array_append_new(array, object) == 0 && whole;
}

static bool fill(json_t *object, const struct report *report)
{
	bool ok = report->err.code == TDS_OK;
	bool whole = set_text(object, "file", report->file) &&
		     json_object_set_new(object, "ok", json_boolean(ok)) == 0;

	if (ok && report->value)
		whole = whole && json_object_set_new(object, "value",
						     tds_value_typed_json(report->value)) == 0;
	if (!ok)
		whole = whole && set_place(object, report->err.line, report->err.column) &&
			set_text(object, "error", report->err.reason);
	if (report->n == 0 || !whole)
		return whole;
	json_t *warnings = json_array();
	for (size_t i = 0; i < report->n; i++)
		whole = whole && add_warning(warnings, &report->warnings[i]);
	return json_object_set_new(object, "warnings", warnings) == 0 && whole;
}

/* NULL: out of memory. Nothing of a report is left out silently. */
static json_t *report_json(const struct report *report)
{
	json_t *object = json_object();

	if (fill(object, report))
		return object;
	json_decref(object);
	return NULL;
}

void report_print(struct admin *admin, const struct report *report)
{
	bool found = report->n > 0 || report->err.code != TDS_OK;

	for (size_t i = 0; i < report->n; i++)
		print_warning(admin, report, &report->warnings[i]);
	if (report->err.code != TDS_OK)
		tds_cli_error(&admin->cli, report->file, &report->err);
	if (admin->cli.json && (found || !report->quiet))
		tds_cli_print_json(&admin->cli, report_json(report));
	else if (!admin->cli.json && !found && !report->quiet && admin->cli.verbose)
		(void)fprintf(admin->cli.err, "%s: %s: good\n", admin->cli.tool, report->file);
}

void report_print_found(struct admin *admin, struct report *report)
{
	if (report->err.code != TDS_OK && report->err.code != TDS_E_NOMEM)
		report->err.code = TDS_E_REFUSED;
	report_print(admin, report);
}
