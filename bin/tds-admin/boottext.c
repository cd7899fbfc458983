/* SPDX-License-Identifier: MIT */
/* Templates, and how words are quoted for who reads them. */
#include "boottext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "director/config.h"
#include "director/rundir.h"

/* --- folders --- */

static void add_folder(struct boot_values *values, const char *path)
{
	size_t i = 0;

	if (!path || path[0] != '/')
		return;
	while (values->folders[i] && strcmp(values->folders[i], path) != 0)
		i++;
	if (!values->folders[i])
		values->folders[i] = strdup(path);
}

/* One that a configuration file names, if it is there. */
static int add_configured(const struct tds_dir *dir, const char *file, struct boot_values *values,
			  struct tds_err *err)
{
	tds_auto(config) struct tds_config config = { 0 };
	int rc = tds_config_read(dir, file, &config, err);

	if (rc == TDS_E_MISSING)
		return 0;
	if (rc == 0 && config.value->type == TDS_VALUE_STR)
		add_folder(values, config.value->text);
	return rc == 0 ? 0 : tds_err_prefix(err, "%s/%s", dir->path, file);
}

int boot_values_find(const struct tds_dir *dir, struct boot_values *values, struct tds_err *err)
{
	tds_autofree char *whole = realpath(dir->path, NULL);
	tds_autofree char *rundir = NULL;
	struct tds_dir at = *dir;

	if (!whole)
		return tds_err_sys(err, TDS_E_UNUSABLE, "%s", dir->path);
	at.path = whole;
	add_folder(values, whole);
	int rc = tds_rundir_path(&at, &rundir, err);
	/* What is in the director directory goes with it. */
	if (rc == 0 && strncmp(rundir, whole, strlen(whole)) != 0)
		add_folder(values, rundir);
	if (rc == 0)
		rc = add_configured(&at, "datadir.cfg", values, err);
	return rc == 0 ? add_configured(&at, "thesplogd.cfg", values, err) : rc;
}

void boot_values_fini(struct boot_values *values)
{
	for (size_t i = 0; i < sizeof(values->folders) / sizeof(values->folders[0]); i++)
		free(values->folders[i]);
}

static bool is_below(const char *path, const char *const *tops)
{
	for (; path && *tops; tops++) {
		size_t len = strlen(*tops);

		if (strncmp(path, *tops, len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

/* Is one of the folders in one of these, or what is run there? */
static bool is_any_below(const struct boot_values *values, const char *const *tops)
{
	bool found = is_below(values->bin, tops);

	for (size_t i = 0; i < sizeof(values->folders) / sizeof(values->folders[0]); i++)
		found = found || is_below(values->folders[i], tops);
	return found;
}

/* --- words --- */

/* A word in double quotes, which are the caller's. In a command line systemd would replace variables too. */
static void print_systemd(FILE *out, const char *word, bool command)
{
	for (const unsigned char *p = (const unsigned char *)word; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			(void)fprintf(out, "\\x%02x", *p);
		else if (*p == '"' || *p == '\\')
			(void)fprintf(out, "\\%c", *p);
		else if (*p == '%' || (*p == '$' && command))
			(void)fprintf(out, "%c%c", *p, *p);
		else
			(void)fputc(*p, out);
	}
}

static void print_word(FILE *out, const char *word, enum boot_quoting quoting)
{
	if (quoting == BOOT_AS_SHELL) {
		tds_text_shell(out, word);
		return;
	}
	(void)fputc('"', out);
	print_systemd(out, word, true);
	(void)fputc('"', out);
}

static void print_program(FILE *out, const char *bin, const char *tool, enum boot_quoting quoting)
{
	tds_autofree char *path = NULL;

	if (asprintf(&path, "%s/%s", bin, tool) < 0)
		path = NULL;
	print_word(out, path ? path : tool, quoting);
}

/* --- places --- */

static void print_name(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	(void)quoting;
	(void)fputs(v->name, out);
}

static void print_user(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	(void)quoting;
	(void)fputs(v->user ? v->user : "root", out);
}

static void print_admin(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	print_program(out, v->bin, "tds-admin", quoting);
}

static void print_load(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	print_program(out, v->bin, "tds-load", quoting);
}

static void print_dir(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	print_word(out, v->folders[0], quoting);
}

static void print_setdir(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	(void)quoting;
	(void)fputs("\"THESPIAN_DIRECTOR_DIR=", out);
	print_systemd(out, v->folders[0], false);
	(void)fputc('"', out);
}

/* One that is missing keeps nothing from starting. What is below /run is made anew after each boot, in its folder. */
static void print_writable(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	(void)quoting;
	for (size_t i = 0; i < 4 && v->folders[i]; i++) {
		tds_autofree char *folder = strdup(v->folders[i]);
		char *slash = folder ? strrchr(folder, '/') : NULL;

		if (slash && strncmp(folder, "/run/", 5) == 0)
			*slash = '\0';
		(void)fprintf(out, "%s\"-", i > 0 ? " " : "");
		print_systemd(out, folder ? folder : v->folders[i], false);
		(void)fputc('"', out);
	}
}

static void print_home(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	(void)quoting;
	(void)fputs(is_any_below(v, (const char *[]){ "/home", "/root", "/run/user", NULL })
			    ? "read-only"
			    : "yes",
		    out);
}

static void print_tmp(FILE *out, const struct boot_values *v, enum boot_quoting quoting)
{
	(void)quoting;
	(void)fputs(is_any_below(v, (const char *[]){ "/tmp", "/var/tmp", NULL }) ? "no" : "yes",
		    out);
}

static const struct place {
	const char *mark;
	void (*print)(FILE *out, const struct boot_values *values, enum boot_quoting quoting);
} places[] = {
	{ "@name@", print_name }, { "@user@", print_user }, { "@admin@", print_admin },
	{ "@load@", print_load }, { "@dir@", print_dir },   { "@setdir@", print_setdir },
	{ "@home@", print_home }, { "@tmp@", print_tmp },   { "@writable@", print_writable },
};

static const struct place *place_at(const char *text)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(text, places[i].mark, strlen(places[i].mark)) == 0)
			return &places[i];
	return NULL;
}

/* Behind "{root own} ", which *line begins with where it is not for all. False: the line is not for this kind. */
static bool take_kinds(const char **line, enum boot_kind kind)
{
	static const char *const words[] = {
		[BOOT_OF_ROOT] = "root", [BOOT_OF_OWN] = "own", [BOOT_OF_USER] = "user"
	};
	const char *end = **line == '{' ? strchr(*line, '}') : NULL;

	if (!end || end[1] != ' ')
		return true;
	const char *found = strstr(*line, words[kind]);
	*line = end + 2;
	return found && found < end;
}

static void print_line(FILE *out, const char *line, size_t len, enum boot_quoting quoting,
		       const struct boot_values *values)
{
	for (const char *p = line; p < line + len;) {
		const struct place *place = *p == '@' ? place_at(p) : NULL;

		if (place)
			place->print(out, values, quoting);
		else
			(void)fputc(*p, out);
		p += place ? strlen(place->mark) : 1;
	}
}

char *boot_text(const char *template, enum boot_quoting quoting, const struct boot_values *values)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (const char *line = template, *next; *line; line = next) {
		next = line + strcspn(line, "\n") + 1;
		if (take_kinds(&line, values->kind))
			print_line(out, line, (size_t)(next - line), quoting, values);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *boot_text_command(const struct boot_values *values)
{
	return boot_text("@admin@ -C @dir@ start --foreground --load-all\n", BOOT_AS_SHELL, values);
}
