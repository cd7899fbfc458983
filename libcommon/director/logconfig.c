/* SPDX-License-Identifier: MIT */
/* The check of a logging configuration, and its lowest level. */
#include "logconfig.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define FILTER "thespian.director.ActorAddressLogFilter"
#define LEVEL_MAX 1000000

static int refuse(const struct tds_value *value, const char *why, struct tds_err *err)
{
	return tds_err_at(err, TDS_E_SYNTAX, value->line, value->column, "%s", why);
}

static bool is_text(const struct tds_value *value, const char *text)
{
	return value && value->type == TDS_VALUE_STR && strcmp(value->text, text) == 0;
}

/*
 * A class of logging or logging.handlers, by its name, which is capitalised as that of no function or module there is. Those
 * for queues have arguments that name things themselves.
 */
static bool is_logging_class(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (strncmp(name, "logging.", 8) != 0)
		return false;
	name += 8;
	if (strncmp(name, "handlers.", 9) == 0)
		name += 9;
	return name[0] >= 'A' && name[0] <= 'Z' && name[strspn(name, letters)] == '\0' &&
	       strncmp(name, "Queue", 5) != 0;
}

static int check_pair(const struct tds_value *key, const struct tds_value *value,
		      struct tds_err *err)
{
	bool factory = is_text(key, "()");

	if (!factory && !is_text(key, "class"))
		return 0;
	if (value->type == TDS_VALUE_STR && strlen(value->text) == value->len &&
	    (is_logging_class(value->text) || (factory && strcmp(value->text, FILTER) == 0)))
		return 0;
	return refuse(value,
		      factory ? "only classes of logging and " FILTER " may be called"
			      : "not a class of logging or logging.handlers",
		      err);
}

/* Whatever is in it, however deep: the parser has bounded that. */
static int check_value(const struct tds_value *value, struct tds_err *err)
{
	bool dict = value->type == TDS_VALUE_DICT;
	size_t n = dict ? 2 * value->n : value->n;
	int rc = 0;

	if (value->type == TDS_VALUE_STR && strncmp(value->text, "ext://", 6) == 0 &&
	    !is_text(value, "ext://sys.stdout") && !is_text(value, "ext://sys.stderr"))
		return refuse(value, "of ext:// only sys.stdout and sys.stderr are allowed", err);
	if (!dict && value->type != TDS_VALUE_LIST && value->type != TDS_VALUE_TUPLE &&
	    value->type != TDS_VALUE_SET)
		return 0;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = check_value(value->items[i], err);
	for (size_t i = 0; rc == 0 && dict && i < value->n; i++)
		rc = check_pair(value->items[2 * i], value->items[2 * i + 1], err);
	return rc;
}

/* A level, by number or name. -1: it is none. */
static int level_of(const struct tds_value *level)
{
	static const struct {
		const char *name;
		int level;
	} known[] = {
		{ "NOTSET", 0 },   { "DEBUG", 10 }, { "INFO", 20 },     { "WARN", 30 },
		{ "WARNING", 30 }, { "ERROR", 40 }, { "CRITICAL", 50 }, { "FATAL", 50 },
	};
	uint64_t number;

	if (level->type == TDS_VALUE_INT &&
	    tds_parse_uint(level->text, level->len, LEVEL_MAX, &number))
		return (int)number;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (is_text(level, known[i].name))
			return known[i].level;
	return -1;
}

struct lowest {
	int level; /* -1: none yet */
	const struct tds_value *bad;
};

static void see_level(const struct tds_value *of, struct lowest *lowest)
{
	const struct tds_value *value =
		of && of->type == TDS_VALUE_DICT ? tds_value_get(of, "level") : NULL;

	if (!value || value->type == TDS_VALUE_NONE)
		return;
	int level = level_of(value);
	if (level < 0)
		lowest->bad = value;
	else if (lowest->level < 0 || level < lowest->level)
		lowest->level = level;
}

static struct lowest find_lowest(const struct tds_value *config)
{
	static const char *const sections[] = { "loggers", "handlers" };
	struct lowest lowest = { .level = -1 };

	see_level(tds_value_get(config, "root"), &lowest);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct tds_value *section = tds_value_get(config, sections[i]);

		for (size_t k = 0; section && section->type == TDS_VALUE_DICT && k < section->n;
		     k++)
			see_level(section->items[2 * k + 1], &lowest);
	}
	return lowest;
}

int tds_logconfig_check(const struct tds_value *config, struct tds_err *err)
{
	const struct tds_value *version = tds_value_get(config, "version");

	if (!version || version->type != TDS_VALUE_INT || strcmp(version->text, "1") != 0)
		return refuse(version ? version : config, "'version' is not 1", err);
	struct lowest lowest = find_lowest(config);
	if (lowest.bad)
		return refuse(lowest.bad, "not a level of logging", err);
	return check_value(config, err);
}

int tds_logconfig_level(const struct tds_value *config)
{
	struct lowest lowest = find_lowest(config);

	return lowest.level < 0 ? TDS_LOGCONFIG_LEVEL_DEFAULT : lowest.level;
}
