/* SPDX-License-Identifier: MIT */
/*
 * What may stand in GROUP.tli: tables of keys, each with the check of its value. What the Director
 * takes for granted and then stumbles over (a list where a dictionary belongs) is refused here,
 * with its place.
 */
#include "tli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/mem.h"
#include "literal/pytext.h"
#include "sandbox.h"
#include "may.h"

struct work {
	struct tds_tli *tli;
	struct tds_tli_watcher watcher;
	struct tds_err *err;
};

/* A key that a dictionary may hold, and the check of its value. */
struct rule {
	const char *key;
	int (*check)(struct work *w, const struct rule *rule, const struct tds_value *value);
};

#define REFUSE(w, value, ...) \
	tds_err_at((w)->err, TDS_E_SYNTAX, (value)->line, (value)->column, __VA_ARGS__)

static int wrong_type(struct work *w, const char *key, const struct tds_value *value,
		      const char *wanted)
{
	return REFUSE(w, value, "%s is %s, not %s", key, wanted, tds_value_type_name(value));
}

static void warn(struct work *w, const struct tds_value *value, const char *fmt, ...)
	TDS_PRINTF(3, 4);

static void warn(struct work *w, const struct tds_value *value, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (!w->watcher.warn)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->watcher.warn(w->watcher.ctx, value->line, value->column, text);
}

static const struct rule *find_rule(const struct rule *rules, const struct tds_value *key)
{
	for (; key->type == TDS_VALUE_STR && rules->key; rules++)
		if (strlen(rules->key) == key->len && memcmp(rules->key, key->text, key->len) == 0)
			return rules;
	return NULL;
}

/* Check a dictionary by its rules, which end with a NULL key. name is what the message calls it. */
static int check_dict(struct work *w, const char *name, const struct tds_value *value,
		      const struct rule *rules)
{
	int rc = 0;

	if (value->type != TDS_VALUE_DICT)
		return wrong_type(w, name, value, "a dictionary");
	for (size_t i = 0; i < value->n && rc == 0; i++) {
		const struct tds_value *key = value->items[2 * i];
		const struct rule *rule = find_rule(rules, key);

		if (rule)
			rc = rule->check(w, rule, value->items[2 * i + 1]);
		else if (key->type == TDS_VALUE_STR)
			warn(w, key, "unknown key '%.60s'", key->text);
		else
			warn(w, key, "unknown key of type %s", tds_value_type_name(key));
	}
	return rc;
}

static int check_anything(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	(void)w;
	(void)rule;
	(void)value;
	return 0;
}

/* A text, or None for none. */
static int check_text(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	if (value->type == TDS_VALUE_STR || value->type == TDS_VALUE_NONE)
		return 0;
	return wrong_type(w, rule->key, value, "a str");
}

static int check_seconds(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	if (value->type != TDS_VALUE_INT && value->type != TDS_VALUE_FLOAT)
		return wrong_type(w, rule->key, value, "a number of seconds");
	double seconds = value->type == TDS_VALUE_INT ? strtod(value->text, NULL) : value->real;
	return seconds > 0 ? 0 : REFUSE(w, value, "%s is more than 0", rule->key);
}

static int check_activate(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	if (value->type == TDS_VALUE_STR && strcmp(value->text, "ready-first") == 0)
		return 0;
	return REFUSE(w, value, "%s is 'ready-first' or left out", rule->key);
}

static int check_auto_unload(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	if (value->type == TDS_VALUE_BOOL || value->type == TDS_VALUE_INT ||
	    value->type == TDS_VALUE_NONE)
		return 0;
	return wrong_type(w, rule->key, value, "True, False or a count");
}

/* The Director turns the value into an int, whatever it is, and takes what fails for no limit. */
static int check_keep_limit(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	int64_t limit = 0;

	switch (value->type) {
	case TDS_VALUE_NONE:
		break;
	case TDS_VALUE_BOOL:
		limit = value->boolean;
		break;
	case TDS_VALUE_INT:
		(void)tds_pytext_int(value->text, value->len, &limit);
		break;
	case TDS_VALUE_STR:
		if (!tds_pytext_int(value->text, value->len, &limit))
			return REFUSE(w, value, "%s is an int, and this str is none", rule->key);
		warn(w, value, "%s is an int, not a str; taken as %" PRId64, rule->key, limit);
		break;
	default:
		return wrong_type(w, rule->key, value, "an int");
	}
	w->tli->keep_limit = limit > 0 ? limit : 0;
	return 0;
}

static int check_health(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	static const struct rule rules[] = {
		{ "Message", check_anything },
		{ "Timeout", check_seconds },
		{ NULL, NULL },
	};
	int rc = check_dict(w, rule->key, value, rules);

	if (rc == 0 && !tds_value_get(value, "Message"))
		return REFUSE(w, value, "%s needs a 'Message'", rule->key);
	return rc;
}

static int check_on_load(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	static const struct rule rules[] = {
		{ "Role", check_text },
		{ "Message", check_anything },
		{ "GlobalName", check_text },
		{ NULL, NULL },
	};

	return check_dict(w, rule->key, value, rules);
}

static int check_on_change(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	static const struct rule rules[] = {
		{ "Message", check_anything },
		{ NULL, NULL },
	};

	return check_dict(w, rule->key, value, rules);
}

/*
 * Identifiers with dots between them, at least two: a module and its class. Letters beyond ASCII
 * are not judged.
 */
static bool is_import_path(const char *text, size_t len)
{
	size_t dots = 0;
	bool begins = true; /* a part begins here */

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool letter =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;

		if (c == '.' && !begins)
			dots++;
		else if (!letter && (begins || c < '0' || c > '9'))
			return false;
		begins = c == '.';
	}
	return dots > 0 && !begins;
}

static int check_actors(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	static const struct rule rules[] = {
		{ "OnLoad", check_on_load },
		{ "OnDeactivate", check_on_change },
		{ "OnReactivate", check_on_change },
		{ "Health", check_health },
		{ NULL, NULL },
	};
	int rc = 0;

	if (value->type != TDS_VALUE_DICT)
		return wrong_type(w, rule->key, value, "a dictionary");
	for (size_t i = 0; i < value->n && rc == 0; i++) {
		const struct tds_value *path = value->items[2 * i];

		if (path->type != TDS_VALUE_STR)
			return wrong_type(w, "an actor's import path", path, "a str");
		if (!is_import_path(path->text, path->len))
			return REFUSE(w, path, "'%.60s' is not an import path (module.Class)",
				      path->text);
		rc = check_dict(w, "what is declared of an actor", value->items[2 * i + 1], rules);
	}
	return rc;
}

static int check_may(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	tds_auto(rights) struct tds_rights *rights = NULL;

	(void)rule;
	return tds_rights_of_value(value, &rights, w->err);
}

static int check_sandbox(struct work *w, const struct rule *rule, const struct tds_value *value)
{
	tds_auto(sandbox) struct tds_sandbox *sandbox = NULL;

	(void)rule;
	return value->type == TDS_VALUE_NONE ? 0 : tds_sandbox_read(value, &sandbox, w->err);
}

/* Messages go to actors, and the declaration into the state, as literals. */
static int check_writable(struct work *w, const struct tds_value *value)
{
	const struct tds_value *culprit = tds_value_unwritable(value);

	return !culprit ? 0
			: REFUSE(w, culprit, "a %s cannot be written as a literal",
				 culprit->type == TDS_VALUE_FROZENSET ? "frozenset" : "nan");
}

static const struct rule declaration_rules[] = {
	{ "Actors", check_actors },
	{ "AutoUnload", check_auto_unload },
	{ "TLS_Keep_Limit", check_keep_limit },
	{ "Health", check_health },
	{ "Activate", check_activate },
	{ "May", check_may },
	{ "Sandbox", check_sandbox },
	{ NULL, NULL },
};

const char *tds_tli_key(size_t i)
{
	return i < sizeof(declaration_rules) / sizeof(declaration_rules[0])
		       ? declaration_rules[i].key
		       : NULL;
}

/* Check a declaration that was evaluated, which is taken over. */
static int take(struct tds_value *value, struct tds_tli_watcher watcher, struct tds_tli *tli,
		struct tds_err *err)
{
	struct work w = { .tli = tli, .watcher = watcher, .err = err };

	*tli = (struct tds_tli){ .value = value };
	int rc = check_writable(&w, value);
	if (rc == 0)
		rc = check_dict(&w, "a declaration", tli->value, declaration_rules);
	if (rc != 0)
		tds_tli_fini(tli);
	return rc;
}

int tds_tli_parse(const char *text, size_t len, struct tds_tli_watcher watcher, struct tds_tli *tli,
		  struct tds_err *err)
{
	struct tds_value *value;
	int rc = tds_literal_parse(text, len, true, &value, err);

	*tli = (struct tds_tli){ 0 };
	return rc == 0 ? take(value, watcher, tli, err) : rc;
}

int tds_tli_parse_packed(const char *text, size_t len, const struct tds_surroundings *around,
			 struct tds_tli_watcher watcher, struct tds_tli *tli, struct tds_err *err)
{
	struct tds_value *value;
	int rc = tds_literal_parse_packed(text, len, around, &value, err);

	*tli = (struct tds_tli){ 0 };
	return rc == 0 ? take(value, watcher, tli, err) : rc;
}

int tds_tli_parse_literal(const char *text, size_t len, struct tds_tli *tli, struct tds_err *err)
{
	struct tds_value *value;
	int rc = tds_literal_parse(text, len, false, &value, err);

	*tli = (struct tds_tli){ 0 };
	return rc == 0 ? take(value, (struct tds_tli_watcher){ 0 }, tli, err) : rc;
}

int tds_tli_read(int dirfd, const char *name, struct tds_tli_watcher watcher, struct tds_tli *tli,
		 struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;
	int rc = tds_io_slurp(dirfd, name, TDS_LITERAL_MAX_BYTES, &text, &len, err);

	*tli = (struct tds_tli){ 0 };
	return rc == 0 ? tds_tli_parse(text, len, watcher, tli, err) : rc;
}

int tds_tli_keeps(const struct tds_tli *tli)
{
	const struct tds_value *value = tds_value_get(tli->value, "AutoUnload");

	if (!value)
		return -1;
	if (value->type == TDS_VALUE_BOOL)
		return value->boolean ? 0 : -1;
	if (value->type != TDS_VALUE_INT)
		return -1;
	long n = strtol(value->text, NULL, 10);
	return n <= 0 ? 0 : n > 1000000 ? 1000000 : (int)n;
}

const struct tds_value *tds_tli_said(const struct tds_tli *tli, const char *key)
{
	const struct tds_value *value = tli->value ? tds_value_get(tli->value, key) : NULL;

	return value && value->type != TDS_VALUE_NONE ? value : NULL;
}

struct tds_tli tds_tli_steal(struct tds_tli *tli)
{
	struct tds_tli stolen = *tli;

	*tli = (struct tds_tli){ 0 };
	return stolen;
}

void tds_tli_fini(struct tds_tli *tli)
{
	tds_value_free(tli->value);
	*tli = (struct tds_tli){ 0 };
}
