/* SPDX-License-Identifier: MIT */
/*
 * The configuration of the daemon. An input is the files of a director directory, each its name, a line's end and its
 * content, with a line of "--" between them. Each is refused at a place within it or is a value of its kind; together
 * they are settings, or one of them is named as what is wrong.
 */
#include "fuzz.h"

#include "base/mem.h"
#include "daemon/base/settings.h"
#include "director/config.h"

#define FILES_MAX 16
#define NAME_MAX_LEN 32

static char folder[64];
static struct tds_dir dir = { .fd = -1, .path = folder };
static char names[FILES_MAX][NAME_MAX_LEN];
static size_t nnames;

static void remove_files(void)
{
	while (nnames > 0)
		(void)unlinkat(dir.fd, names[--nnames], 0);
}

static void remove_folder(void)
{
	remove_files();
	(void)rmdir(folder);
}

/* CR, LF and CR LF end a line. */
static size_t count_lines(struct input text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n' || text.at[i] == '\r';
	return lines;
}

static void check_config(const char *name, struct input content)
{
	struct tds_tli_watcher nobody = { NULL, NULL };
	struct tds_config config;
	struct tds_err err = { 0 };
	tds_autofree char *text = input_text(content);
	int rc = tds_config_parse(name, text, content.len, nobody, &config, &err);

	CHECK(rc == 0 || (rc == TDS_E_SYNTAX && err.code == rc && err.reason[0]));
	CHECK(rc == 0 || (err.line >= 1 && err.line <= count_lines(content) && err.column >= 1));
	if (rc != 0)
		return;
	CHECK(config.text && config.value && strlen(config.text) <= content.len);
	/* What was read without the blanks around it says the same. */
	struct tds_config again;
	CHECK(tds_config_parse(name, config.text, strlen(config.text), nobody, &again, &err) == 0);
	CHECK(strcmp(again.text, config.text) == 0 && again.value->type == config.value->type);
	tds_config_fini(&again);
	tds_config_fini(&config);
}

static void check_settings(void)
{
	struct settings s;
	struct tds_err err = { 0 };
	int rc = settings_read(&dir, &s, &err);

	CHECK(rc == 0 || (rc == TDS_E_UNUSABLE && err.code == rc && strstr(err.reason, ".cfg")));
	if (rc != 0)
		return;
	CHECK(s.max_message >= 1 && (s.users || s.nusers == 0) && (s.guests || s.nguests == 0));
	CHECK(json_is_object(s.capabilities) && json_object_get(s.capabilities, "Admin Port") &&
	      json_object_get(s.capabilities, "DirectorFmt"));
	for (size_t i = 0; i < s.nlimits; i++)
		CHECK(s.limits[i].resource >= 0);
	CHECK(s.log.level >= 0 && (!s.log.dir || s.log.dir[0] == '/'));
	settings_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input rest = { (const char *)data, size };

	if (dir.fd < 0) {
		dir.fd = make_folder(folder, "config");
		CHECK(atexit(remove_folder) == 0);
	}
	while (rest.len > 0 && nnames < FILES_MAX) {
		struct input content = input_part(&rest);
		struct input line = input_line(&content);
		tds_autofree char *name = input_text(line);

		if (line.len >= NAME_MAX_LEN || !tds_config_find(name))
			continue;
		check_config(name, content);
		(void)strcpy(names[nnames++], name);
		put_file(dir.fd, name, content);
	}
	check_settings();
	remove_files();
	return 0;
}
