/* SPDX-License-Identifier: MIT */
/* Lines of actors.log, written and read. */
#include "logline.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"
#include "cli.h"

static const struct {
	const char *name;
	int level;
} levels[] = {
	{ "CRITICAL", 50 }, { "ERROR", 40 }, { "WARNING", 30 }, { "INFO", 20 }, { "DEBUG", 1 },
};

const char *tds_level_name(int level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level >= levels[i].level)
			return levels[i].name;
	return "-";
}

int tds_level_find(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcasecmp(levels[i].name, name) == 0)
			return levels[i].level;
	return -1;
}

/* --- writing --- */

void tds_logline_print_word(FILE *out, const char *word)
{
	if (!word || !*word)
		word = "-";
	for (size_t n; *word; word += n + (word[n] == ' ')) {
		n = strcspn(word, " ");
		tds_text_escape(out, word, n);
		if (word[n] == ' ')
			(void)fputs("\\x20", out);
	}
	(void)fputc(' ', out);
}

void tds_logline_print(FILE *out, int64_t wall_ms, const struct tds_logline *line)
{
	char when[TDS_WHEN_MAX];

	tds_when_text(wall_ms, when);
	(void)fprintf(out, "%s ", when);
	tds_logline_print_word(out, line->group);
	tds_logline_print_word(out, line->role);
	tds_logline_print_word(out, line->address);
	tds_logline_print_word(out, tds_level_name(line->level));
	tds_text_escape(out, line->text, line->len);
	(void)fputc('\n', out);
}

/* --- reading --- */

static int digit_of(char c)
{
	static const char hex[] = "0123456789abcdef";
	const char *at = c ? strchr(hex, c) : NULL;

	return at ? (int)(at - hex) : -1;
}

/* What was escaped, as it was; in place. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		int high = from[0] == '\\' && from[1] == 'x' ? digit_of(from[2]) : -1;
		int low = high >= 0 ? digit_of(from[3]) : -1;

		*to = low >= 0 ? (char)(high << 4 | low) : *from;
		from += low >= 0 ? 4 : 1;
	}
	*to = '\0';
}

static void set(json_t *line, const char *key, char *text)
{
	if (strcmp(text, "-") == 0)
		return;
	unescape(text);
	(void)json_object_set_new(line, key, tds_cli_json_text(text));
}

json_t *tds_logline_parse(const char *text, size_t len)
{
	static const char *const keys[] = { "Group", "Role", "Address", "Level" };
	tds_autofree char *copy = strndup(text, len);
	char *rest = copy;
	const char *when = copy ? strsep(&rest, " ") : NULL;
	json_t *line = rest ? json_pack("{s:s}", "Time", when) : NULL;

	for (size_t i = 0; line && rest && i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *word = strsep(&rest, " ");

		set(line, keys[i], word);
	}
	if (line && rest) {
		unescape(rest);
		(void)json_object_set_new(line, "Text", tds_cli_json_text(rest));
		return line;
	}
	json_decref(line);
	return NULL;
}
