/* SPDX-License-Identifier: MIT */
/* Reading what a sandbox allows, by a table of its keys, and putting it into words. */
#include "sandbox.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const char *const profiles[TDS_PROFILES] = {
	[TDS_PROFILE_STRICT] = "strict",
	[TDS_PROFILE_DEFAULT] = "default",
	[TDS_PROFILE_NET] = "net",
	[TDS_PROFILE_TRUSTED] = "trusted",
};

static const char *const lists[TDS_SANDBOX_LISTS] = {
	[TDS_SANDBOX_READ] = "Read",
	[TDS_SANDBOX_WRITE] = "Write",
	[TDS_SANDBOX_RUN] = "Run",
	[TDS_SANDBOX_ENV] = "Env",
};

static const char *const ports_names[TDS_SANDBOX_PORTS] = {
	[TDS_SANDBOX_CONNECT] = "Connect",
	[TDS_SANDBOX_LISTEN] = "Listen",
};

static const char *const limits[TDS_SANDBOX_LIMITS] = {
	[TDS_SANDBOX_MEMORY] = "Memory",
	[TDS_SANDBOX_PROCESSES] = "Processes",
	[TDS_SANDBOX_FILES] = "Files",
};

const char *tds_profile_name(enum tds_profile profile)
{
	return profiles[profile];
}

const char *tds_sandbox_list_name(enum tds_sandbox_list list)
{
	return lists[list];
}

const char *tds_sandbox_ports_name(enum tds_sandbox_ports ports)
{
	return ports_names[ports];
}

const char *tds_sandbox_limit_name(enum tds_sandbox_limit limit)
{
	return limits[limit];
}

/* Which of these names the value is; n: none of them. */
static size_t name_in(const char *const *names, size_t n, const struct tds_value *value)
{
	size_t i = 0;

	while (i < n && !(value->type == TDS_VALUE_STR && strlen(names[i]) == value->len &&
			  memcmp(names[i], value->text, value->len) == 0))
		i++;
	return i;
}

#define REFUSE(value, ...) \
	tds_err_at(err, TDS_E_SYNTAX, (value)->line, (value)->column, __VA_ARGS__)

static int no_memory(struct tds_err *err)
{
	return tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

/* --- its parts --- */

/* Is it an absolute path, written as the only one that means this place but for links? */
static bool is_path(const char *text)
{
	size_t len = strlen(text);

	if (text[0] != '/' || len >= 4096 || strstr(text, "//") || strstr(text, "/./") ||
	    strstr(text, "/../") || tds_text_has_suffix(text, "/.") ||
	    tds_text_has_suffix(text, "/.."))
		return false;
	return len == 1 || text[len - 1] != '/';
}

static bool is_variable(const char *text)
{
	return strcspn(text, "*") < 256 && tds_text_is_variable(text, strlen(text));
}

static int read_list(struct tds_sandbox *s, size_t list, const struct tds_value *value,
		     struct tds_err *err)
{
	bool names = list == TDS_SANDBOX_ENV;

	if (value->type != TDS_VALUE_LIST && value->type != TDS_VALUE_TUPLE)
		return REFUSE(value, "%s is a list, not %s", lists[list],
			      tds_value_type_name(value));
	if (value->n > TDS_SANDBOX_MAX_ITEMS)
		return REFUSE(value, "%s is longer than %d", lists[list], TDS_SANDBOX_MAX_ITEMS);
	s->lists[list] = calloc(value->n + 1, sizeof(*s->lists[list]));
	for (size_t i = 0; s->lists[list] && i < value->n; i++) {
		const struct tds_value *item = value->items[i];
		bool whole = item->type == TDS_VALUE_STR && strlen(item->text) == item->len;

		if (!whole || !(names ? is_variable(item->text) : is_path(item->text)))
			return REFUSE(item,
				      names ? "%s: not the name of a variable"
					    : "%s: not an absolute path without '.', '..' and "
					      "double slashes",
				      lists[list]);
		if (!(s->lists[list][i] = strdup(item->text)))
			return no_memory(err);
		s->nlist[list]++;
	}
	return s->lists[list] ? 0 : no_memory(err);
}

static int read_port(struct tds_ports *ports, const char *name, const struct tds_value *value,
		     struct tds_err *err)
{
	uint64_t port = 0;

	if (value->type != TDS_VALUE_INT ||
	    !tds_parse_uint(value->text, value->len, UINT16_MAX, &port) || port == 0)
		return REFUSE(value, "%s: a port is an int from 1 to %d", name, UINT16_MAX);
	ports->numbers[ports->n++] = (uint16_t)port;
	return 0;
}

/* A list of ports, or True: any. */
static int read_ports(struct tds_sandbox *s, size_t which, const struct tds_value *value,
		      struct tds_err *err)
{
	struct tds_ports *ports = &s->ports[which];
	int rc = 0;

	ports->any = value->type == TDS_VALUE_BOOL && value->boolean;
	if (value->type == TDS_VALUE_BOOL)
		return 0;
	if (value->type != TDS_VALUE_LIST && value->type != TDS_VALUE_TUPLE)
		return REFUSE(value, "%s is a list of ports or True, not %s", ports_names[which],
			      tds_value_type_name(value));
	if (value->n > TDS_SANDBOX_MAX_ITEMS)
		return REFUSE(value, "%s is longer than %d", ports_names[which],
			      TDS_SANDBOX_MAX_ITEMS);
	if (!(ports->numbers = calloc(value->n + 1, sizeof(*ports->numbers))))
		return no_memory(err);
	for (size_t i = 0; rc == 0 && i < value->n; i++)
		rc = read_port(ports, ports_names[which], value->items[i], err);
	return rc;
}

static int read_limit(struct tds_sandbox *s, size_t limit, const struct tds_value *value,
		      struct tds_err *err)
{
	if (value->type == TDS_VALUE_INT &&
	    tds_parse_uint(value->text, value->len, INT64_MAX, &s->limits[limit]) &&
	    s->limits[limit] > 0)
		return 0;
	return REFUSE(value, "%s is an int of at least 1", limits[limit]);
}

static int read_profile(struct tds_sandbox *s, const struct tds_value *value, struct tds_err *err)
{
	size_t i = name_in(profiles, TDS_PROFILES, value);

	if (i == TDS_PROFILES)
		return REFUSE(value, "a profile is 'strict', 'default', 'net' or 'trusted'");
	s->profile = (enum tds_profile)i;
	return 0;
}

/* The kinds of keys that a dictionary has. */
static const struct {
	const char *const *names;
	size_t n;
	int (*read)(struct tds_sandbox *s, size_t which, const struct tds_value *value,
		    struct tds_err *err);
} kinds[] = {
	{ lists, TDS_SANDBOX_LISTS, read_list },
	{ ports_names, TDS_SANDBOX_PORTS, read_ports },
	{ limits, TDS_SANDBOX_LIMITS, read_limit },
};

static int read_pair(struct tds_sandbox *s, const struct tds_value *key,
		     const struct tds_value *value, struct tds_err *err)
{
	static const char *const profile[] = { "Profile" };

	if (name_in(profile, 1, key) == 0)
		return read_profile(s, value, err);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		size_t i = name_in(kinds[k].names, kinds[k].n, key);

		if (i < kinds[k].n)
			return kinds[k].read(s, i, value, err);
	}
	/* Not a warning: what is meant to be kept from actors, and is misspelt, would be allowed. */
	return REFUSE(key,
		      "a sandbox has no such key (Profile, Read, Write, Run, Env, Connect, Listen, "
		      "Memory, Processes, Files)");
}

/* --- in words --- */

static void add(struct tds_buf *words, bool *ok, const char *fmt, ...) TDS_PRINTF(3, 4);

static void add(struct tds_buf *words, bool *ok, const char *fmt, ...)
{
	tds_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	*ok = *ok && text && tds_buf_add(words, text, strlen(text));
}

static void add_list(struct tds_buf *words, bool *ok, const char *name, char **items, size_t n)
{
	if (n > 0)
		add(words, ok, ", %s", name);
	for (size_t i = 0; i < n; i++)
		add(words, ok, " %s", items[i]);
}

static void add_ports(struct tds_buf *words, bool *ok, const char *name,
		      const struct tds_ports *ports)
{
	if (ports->any || ports->n > 0)
		add(words, ok, ", %s%s", name, ports->any ? " any" : "");
	for (size_t i = 0; i < ports->n; i++)
		add(words, ok, " %u", ports->numbers[i]);
}

char *tds_sandbox_words(const struct tds_sandbox *s)
{
	struct tds_buf words = { 0 };
	bool ok = true;

	add(&words, &ok, "%s", profiles[s->profile]);
	for (size_t i = 0; i < TDS_SANDBOX_LISTS; i++)
		add_list(&words, &ok, lists[i], s->lists[i], s->nlist[i]);
	for (size_t i = 0; i < TDS_SANDBOX_PORTS; i++)
		add_ports(&words, &ok, ports_names[i], &s->ports[i]);
	for (size_t i = 0; i < TDS_SANDBOX_LIMITS; i++)
		if (s->limits[i])
			add(&words, &ok, ", %s %" PRIu64, limits[i], s->limits[i]);
	if (!ok)
		tds_buf_fini(&words);
	return words.data;
}

/* --- the whole --- */

struct tds_sandbox *tds_sandbox_of(enum tds_profile profile)
{
	struct tds_sandbox *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->profile = profile;
	if ((s->words = strdup(profiles[profile])))
		return s;
	tds_sandbox_unref(s);
	return NULL;
}

int tds_sandbox_read(const struct tds_value *value, struct tds_sandbox **sandbox,
		     struct tds_err *err)
{
	tds_auto(sandbox) struct tds_sandbox *s = tds_sandbox_of(TDS_PROFILE_DEFAULT);
	bool dict = value->type == TDS_VALUE_DICT;
	int rc = 0;

	*sandbox = NULL;
	if (!s)
		return no_memory(err);
	s->line = value->line;
	s->column = value->column;
	if (!dict)
		rc = read_profile(s, value, err);
	for (size_t i = 0; dict && rc == 0 && i < value->n; i++)
		rc = read_pair(s, value->items[2 * i], value->items[2 * i + 1], err);
	if (rc != 0)
		return rc;
	free(s->words);
	if (!(s->words = tds_sandbox_words(s)))
		return no_memory(err);
	*sandbox = tds_steal(&s);
	return 0;
}

struct tds_sandbox *tds_sandbox_ref(struct tds_sandbox *sandbox)
{
	sandbox->refs++;
	return sandbox;
}

void tds_sandbox_unref(struct tds_sandbox *s)
{
	if (!s || --s->refs > 0)
		return;
	for (size_t i = 0; i < TDS_SANDBOX_LISTS; i++) {
		for (size_t k = 0; k < s->nlist[i]; k++)
			free(s->lists[i][k]);
		free(s->lists[i]);
	}
	for (size_t i = 0; i < TDS_SANDBOX_PORTS; i++)
		free(s->ports[i].numbers);
	free(s->words);
	free(s);
}
