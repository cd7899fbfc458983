/* SPDX-License-Identifier: MIT */
/* The parsers of configuration files, one for each kind of value. */
#include "configkinds.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bus.h"
#include "grants.h"
#include "literal/literal.h"
#include "literal/pytext.h"
#include "logconfig.h"
#include "sandboxcfg.h"
#include "uids.h"

/* The place of text + at. */
void config_find_place(const struct config_work *w, size_t at, unsigned *line, unsigned *column)
{
	*line = w->line;
	*column = w->column;
	for (size_t i = 0; i < at; i++) {
		if (w->text[i] == '\n') {
			++*line;
			*column = 1;
		} else if (((unsigned char)w->text[i] & 0xc0) != 0x80) {
			++*column;
		}
	}
}

int config_refuse(struct config_work *w, size_t at, const char *fmt, ...)
{
	char reason[200];
	unsigned line;
	unsigned column;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	config_find_place(w, at, &line, &column);
	return tds_err_at(w->err, TDS_E_SYNTAX, line, column, "%s", reason);
}

int config_no_memory(struct config_work *w)
{
	return tds_err_set(w->err, TDS_E_NOMEM, "out of memory");
}

/* The value is this text. */
static int take_text(struct config_work *w, enum tds_value_type type, const char *text, size_t len)
{
	w->value = tds_value_new(type, w->line, w->column);
	return w->value && tds_value_set_text(w->value, text, len) ? 0 : config_no_memory(w);
}

static int take_int(struct config_work *w, int64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, number);
	return take_text(w, TDS_VALUE_INT, text, strlen(text));
}

/* One line without control characters. */
static int check_line(struct config_work *w)
{
	for (size_t i = 0; i < w->len; i++)
		if ((unsigned char)w->text[i] < 0x20 || w->text[i] == 0x7f)
			return config_refuse(w, i,
					     w->text[i] == '\n' ? "more than one line"
								: "control character");
	if (w->len > 0 && strchr("'\"", w->text[0]))
		return config_refuse(w, 0, "quotes do not belong here");
	return 0;
}

/* One line without blanks. */
static int check_word(struct config_work *w)
{
	int rc = check_line(w);
	size_t n = strcspn(w->text, " ");

	if (rc == 0 && n < w->len)
		return config_refuse(w, n, "more than one word");
	if (rc == 0 && w->len == 0)
		return config_refuse(w, 0, "nothing in it");
	return rc;
}

/* A system base. One that is not known here may be known to Thespian. */
int config_base(struct config_work *w)
{
	static const char *const known[] = {
		"tdsLocalBase",     "simpleSystemBase",   "multiprocTCPBase",
		"multiprocUDPBase", "multiprocQueueBase",
	};
	int rc = check_word(w);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], w->text) == 0)
			return take_text(w, TDS_VALUE_STR, w->text, w->len);
	if (w->watcher.warn)
		w->watcher.warn(w->watcher.ctx, w->line, w->column,
				"no system base of this name is known");
	return take_text(w, TDS_VALUE_STR, w->text, w->len);
}

/* The same; an empty file says that there is none. */
int config_old_base(struct config_work *w)
{
	return w->len ? config_base(w) : take_text(w, TDS_VALUE_STR, "", 0);
}

int config_number(struct config_work *w)
{
	const struct config_rule *rule = w->rule;
	int64_t number;

	if (!tds_pytext_int(w->text, w->len, &number))
		return config_refuse(w, 0, "not an int");
	if (number < rule->least || number > rule->most)
		return config_refuse(w, 0, "not from %" PRId64 " to %" PRId64, rule->least,
				     rule->most);
	return take_int(w, number);
}

int config_path(struct config_work *w)
{
	int rc = check_line(w);

	if (rc == 0 && w->text[0] != '/')
		return config_refuse(w, 0, "not an absolute path");
	return rc == 0 ? take_text(w, TDS_VALUE_STR, w->text, w->len) : rc;
}

/* The same; an empty file says that there is none. */
int config_optional_path(struct config_work *w)
{
	return w->len ? config_path(w) : take_text(w, TDS_VALUE_STR, "", 0);
}

/* The places in the text are those of the file but for the blanks that were cut off before it. */
static void move_place(struct config_work *w)
{
	if (w->err->line == 1)
		w->err->column += w->column - 1;
	w->err->line += w->line - 1;
}

static int parse_dict(struct config_work *w)
{
	int rc = tds_literal_parse(w->text, w->len, true, &w->value, w->err);

	if (rc == TDS_E_SYNTAX)
		move_place(w);
	if (rc == 0 && w->value->type != TDS_VALUE_DICT)
		return config_refuse(w, 0, "a dictionary is expected, not %s",
				     tds_value_type_name(w->value));
	if (rc == 0 && tds_value_unwritable(w->value))
		return config_refuse(w, 0,
				     "it holds a frozenset or a nan, which no literal writes");
	return rc;
}

/* The names of capabilities are texts. */
int config_capabilities(struct config_work *w)
{
	int rc = parse_dict(w);

	for (size_t i = 0; rc == 0 && i < w->value->n; i++) {
		const struct tds_value *key = w->value->items[2 * i];

		if (key->type == TDS_VALUE_STR)
			continue;
		rc = tds_err_at(w->err, TDS_E_SYNTAX, key->line, key->column,
				"the name of a capability is a str, not %s",
				tds_value_type_name(key));
		move_place(w);
	}
	return rc;
}

int config_logging(struct config_work *w)
{
	int rc = parse_dict(w);

	if (rc == 0 && (rc = tds_logconfig_check(w->value, w->err)) != 0)
		move_place(w);
	return rc;
}

static bool is_known(const struct tds_value *key, const char *const *known, size_t n)
{
	for (size_t i = 0; key->type == TDS_VALUE_STR && i < n; i++)
		if (strcmp(known[i], key->text) == 0)
			return true;
	return false;
}

/* {'nofile': 1024, 'as': None}: names that are known, ints that are not negative; None is no limit. No number is above most. */
static int parse_numbers(struct config_work *w, const char *const *known, size_t n, uint64_t most)
{
	int rc = parse_dict(w);

	for (size_t i = 0; rc == 0 && i < w->value->n; i++) {
		const struct tds_value *key = w->value->items[2 * i];
		const struct tds_value *limit = w->value->items[2 * i + 1];

		if (!is_known(key, known, n))
			rc = tds_err_at(w->err, TDS_E_SYNTAX, key->line, key->column,
					"no such limit");
		else if (limit->type != TDS_VALUE_NONE &&
			 (limit->type != TDS_VALUE_INT || limit->text[0] == '-'))
			rc = tds_err_at(w->err, TDS_E_SYNTAX, limit->line, limit->column,
					"a limit is an int or None");
		else if (limit->type == TDS_VALUE_INT &&
			 !tds_parse_uint(limit->text, limit->len, most, &(uint64_t){ 0 }))
			rc = tds_err_at(w->err, TDS_E_SYNTAX, limit->line, limit->column,
					"too large a limit");
		if (rc != 0)
			move_place(w);
	}
	return rc;
}

/* Names of setrlimit(2) without RLIMIT_, and those of cgroups. */
int config_limits(struct config_work *w)
{
	static const char *const known[] = {
		"as",      "core",   "cpu",      "data",   "fsize",      "locks",
		"memlock", "memory", "msgqueue", "nice",   "nofile",     "nproc",
		"pids",    "rss",    "rtprio",   "rttime", "sigpending", "stack",
	};

	return parse_numbers(w, known, sizeof(known) / sizeof(known[0]), UINT64_MAX - 1);
}

int config_budget(struct config_work *w)
{
	static const char *const known[] = { "Actors", "Bytes", "Clients", "Descriptors",
					     "Operations" };

	return parse_numbers(w, known, sizeof(known) / sizeof(known[0]), UINT32_MAX);
}

static bool is_user(const char *text, size_t len)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return len > 0 && len <= 32 && text[0] != '-' && text[0] != '.' &&
	       strspn(text, letters) >= len;
}

/* One more text of a list, which is on line and column of the file. */
static int add_line(struct config_work *w, const char *text, size_t len, unsigned line,
		    unsigned column)
{
	struct tds_value *item = tds_value_new(TDS_VALUE_STR, line, column);

	if (item && tds_value_set_text(item, text, len) && tds_value_add(w->value, item))
		return 0;
	tds_value_free(item);
	return config_no_memory(w);
}

/* Lines; blanks around them, empty ones and comments do not count. */
static int parse_lines(struct config_work *w, bool (*fits)(const char *text, size_t len),
		       const char *wanted)
{
	unsigned number = w->line;
	int rc = 0;

	w->value = tds_value_new(TDS_VALUE_LIST, w->line, w->column);
	if (!w->value)
		return config_no_memory(w);
	for (size_t at = 0; rc == 0 && at < w->len;
	     at += strcspn(w->text + at, "\n") + 1, number++) {
		size_t indent = strspn(w->text + at, " \t");
		const char *line = w->text + at + indent;
		size_t len = tds_text_trimmed(line, strcspn(line, "\n"));

		if (len == 0 || line[0] == '#')
			continue;
		if (!fits(line, len))
			return config_refuse(w, at + indent, "not %s", wanted);
		rc = add_line(w, line, len, number, (at ? 1 : w->column) + (unsigned)indent);
	}
	return rc;
}

static bool is_bus_url(const char *text, size_t len)
{
	struct tds_bus_server server;

	return tds_bus_url_parse(text, len, &server);
}

/* Servers of a bus, any of which will do. */
int config_bus(struct config_work *w)
{
	int rc = parse_lines(w, is_bus_url, "nats://HOST[:PORT] or tls://HOST[:PORT]");

	return rc == 0 && w->value->n == 0 ? config_refuse(w, 0, "names no server") : rc;
}

/* HOST or HOST:PORT; a host with several colons is an IPv6 address. Or servers of the bus. Nothing: no leader. */
int config_leader(struct config_work *w)
{
	struct tds_bus_server server;

	if (strstr(w->text, "://"))
		return config_bus(w);
	int rc = w->len ? check_word(w) : 0;
	const char *colon = memchr(w->text, ':', w->len);

	if (rc == 0 && w->len && !tds_bus_host_parse(w->text, w->len, TDS_BUS_PORT, &server))
		return config_refuse(w, colon ? (size_t)(colon - w->text) : 0,
				     "not HOST or HOST:PORT");
	return rc == 0 ? take_text(w, TDS_VALUE_STR, w->text, w->len) : rc;
}

int config_system_name(struct config_work *w)
{
	return tds_system_name_fits(w->text, w->len)
		       ? take_text(w, TDS_VALUE_STR, w->text, w->len)
		       : config_refuse(w, 0, "not " TDS_SYSTEM_NAME_RULE);
}

int config_role(struct config_work *w)
{
	static const char *const known[] = { "candidate", "leader", "member" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], w->text) == 0)
			return take_text(w, TDS_VALUE_STR, w->text, w->len);
	return config_refuse(w, 0, "not leader, candidate or member");
}

int config_users(struct config_work *w)
{
	return parse_lines(w, is_user, "the name of a user, or a uid");
}

/* NAME, or NAME: RIGHT, ...; what is wrong with a right is said at its place. */
static int check_grants(struct config_work *w, enum tds_right_holder holder)
{
	tds_auto(grants) struct tds_grants grants = { 0 };

	return tds_grants_of_value(w->value, holder, &grants, w->err);
}

static bool is_granted_user(const char *text, size_t len)
{
	const char *rights;

	tds_grant_split(text, &len, &rights);
	return is_user(text, len);
}

int config_adminusers(struct config_work *w)
{
	int rc = parse_lines(w, is_granted_user, "the name of a user, or a uid");

	return rc == 0 ? check_grants(w, TDS_HELD_BY_USERS) : rc;
}

static bool is_granted_pattern(const char *text, size_t len)
{
	const char *rights;

	tds_grant_split(text, &len, &rights);
	return len > 0 && len <= TDS_RIGHT_PATTERN_MAX && !memchr(text, '/', len);
}

int config_may(struct config_work *w)
{
	int rc = parse_lines(w, is_granted_pattern, "a pattern of group names");

	return rc == 0 ? check_grants(w, TDS_HELD_BY_ACTORS) : rc;
}

int config_variables(struct config_work *w)
{
	return parse_lines(w, tds_text_is_variable, "the name of a variable");
}

int config_uidrange(struct config_work *w)
{
	struct tds_uidrange range;

	return tds_uidrange_parse(w->text, w->len, &range)
		       ? take_text(w, TDS_VALUE_STR, w->text, w->len)
		       : config_refuse(w, 0, "not two uids with a dash, such as 65536-99999");
}

int config_user(struct config_work *w)
{
	return is_user(w->text, w->len) ? take_text(w, TDS_VALUE_STR, w->text, w->len)
					: config_refuse(w, 0, "not the name of a user, or a uid");
}

/* One user: with several, it is likely that the other file was meant. */
int config_adminuser(struct config_work *w)
{
	size_t first = strcspn(w->text, "\n");

	return first < w->len ? config_refuse(w, first, "more than one line (adminusers.cfg?)")
			      : config_user(w);
}

/* The same for the places of a value, which are told when a package asks for more. */
static void move_places(const struct config_work *w, struct tds_value *value)
{
	if (value->line == 1)
		value->column += w->column - 1;
	value->line += w->line - 1;
	for (size_t i = 0; i < tds_value_items(value); i++)
		move_places(w, value->items[i]);
}

int config_sandbox(struct config_work *w)
{
	tds_auto(sandbox_policy) struct tds_sandbox_policy policy = { 0 };
	bool word = w->len == 0 || w->text[0] != '{';
	int rc = word ? take_text(w, TDS_VALUE_STR, w->text, w->len) : parse_dict(w);

	if (rc != 0)
		return rc;
	if (!word)
		move_places(w, w->value);
	return tds_sandbox_policy_read(w->value, &policy, w->err);
}

int config_switch(struct config_work *w)
{
	bool yes = strcmp(w->text, "yes") == 0;

	if (!yes && strcmp(w->text, "no") != 0)
		return config_refuse(w, 0, "not yes or no");
	w->value = tds_value_new(TDS_VALUE_BOOL, w->line, w->column);
	if (!w->value)
		return config_no_memory(w);
	w->value->boolean = yes;
	return 0;
}

/* What limits trust is read as the key ring reads it, and by the same hands. */
static int add_digest(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	(void)err; /* it is that of w */
	return add_line(ctx, line->text, line->len, line->line, line->column);
}

static int take_bits(void *ctx, const struct tds_trust_line *line, struct tds_err *err)
{
	(void)err;
	return take_text(ctx, TDS_VALUE_INT, line->text, line->len);
}

static int read_trust(struct config_work *w, enum tds_trust_kind kind)
{
	bool bits = kind == TDS_TRUST_BITS;

	if (!bits && !(w->value = tds_value_new(TDS_VALUE_LIST, w->line, w->column)))
		return config_no_memory(w);
	return tds_trust_read(kind, w->raw, w->raw_len, bits ? take_bits : add_digest, w, w->err);
}

int config_bits(struct config_work *w)
{
	return read_trust(w, TDS_TRUST_BITS);
}

int config_digests(struct config_work *w)
{
	return read_trust(w, TDS_TRUST_DIGESTS);
}
