/* SPDX-License-Identifier: MIT */
/* The configuration files: one parser for each kind of value, one table of files. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "literal/literal.h"
#include "literal/pytext.h"
#include "logconfig.h"

struct work {
	const struct rule *rule;
	const char *text; /* without the blanks around it, with LF only */
	size_t len;
	unsigned line; /* where it begins in the file */
	unsigned column;
	struct tds_tli_watcher watcher;
	struct tds_value *value;
	struct tds_err *err;
};

/* What a file of this name holds. */
struct rule {
	const char *name;
	int (*parse)(struct work *w);
	int64_t least; /* of a number */
	int64_t most;
};

/* The place of text + at. */
static void find_place(const struct work *w, size_t at, unsigned *line, unsigned *column)
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

static int refuse(struct work *w, size_t at, const char *fmt, ...) TDS_PRINTF(3, 4);

static int refuse(struct work *w, size_t at, const char *fmt, ...)
{
	char reason[200];
	unsigned line;
	unsigned column;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	find_place(w, at, &line, &column);
	return tds_err_at(w->err, TDS_E_SYNTAX, line, column, "%s", reason);
}

static int no_memory(struct work *w)
{
	return tds_err_set(w->err, TDS_E_NOMEM, "out of memory");
}

/* The value is this text. */
static int take_text(struct work *w, enum tds_value_type type, const char *text, size_t len)
{
	w->value = tds_value_new(type, w->line, w->column);
	return w->value && tds_value_set_text(w->value, text, len) ? 0 : no_memory(w);
}

static int take_int(struct work *w, int64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRId64, number);
	return take_text(w, TDS_VALUE_INT, text, strlen(text));
}

/* One line without control characters. */
static int check_line(struct work *w)
{
	for (size_t i = 0; i < w->len; i++)
		if ((unsigned char)w->text[i] < 0x20 || w->text[i] == 0x7f)
			return refuse(w, i,
				      w->text[i] == '\n' ? "more than one line"
							 : "control character");
	if (w->len > 0 && strchr("'\"", w->text[0]))
		return refuse(w, 0, "quotes do not belong here");
	return 0;
}

/* One line without blanks. */
static int check_word(struct work *w)
{
	int rc = check_line(w);
	size_t n = strcspn(w->text, " ");

	if (rc == 0 && n < w->len)
		return refuse(w, n, "more than one word");
	if (rc == 0 && w->len == 0)
		return refuse(w, 0, "nothing in it");
	return rc;
}

/* A system base. One that is not known here may be known to Thespian. */
static int parse_base(struct work *w)
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
static int parse_old_base(struct work *w)
{
	return w->len ? parse_base(w) : take_text(w, TDS_VALUE_STR, "", 0);
}

static int parse_number(struct work *w)
{
	const struct rule *rule = w->rule;
	int64_t number;

	if (!tds_pytext_int(w->text, w->len, &number))
		return refuse(w, 0, "not an int");
	if (number < rule->least || number > rule->most)
		return refuse(w, 0, "not from %" PRId64 " to %" PRId64, rule->least, rule->most);
	return take_int(w, number);
}

/* HOST or HOST:PORT; a host with several colons is an IPv6 address. Nothing: no leader. */
static int parse_leader(struct work *w)
{
	int rc = w->len ? check_word(w) : 0;
	const char *colon = memchr(w->text, ':', w->len);
	uint64_t port;

	if (rc != 0)
		return rc;
	if (colon == w->text ||
	    (colon && !strchr(colon + 1, ':') &&
	     (!tds_parse_uint(colon + 1, strlen(colon + 1), 65535, &port) || port == 0)))
		return refuse(w, (size_t)(colon - w->text), "not HOST or HOST:PORT");
	return take_text(w, TDS_VALUE_STR, w->text, w->len);
}

static int parse_path(struct work *w)
{
	int rc = check_line(w);

	if (rc == 0 && w->text[0] != '/')
		return refuse(w, 0, "not an absolute path");
	return rc == 0 ? take_text(w, TDS_VALUE_STR, w->text, w->len) : rc;
}

/* The same; an empty file says that there is none. */
static int parse_optional_path(struct work *w)
{
	return w->len ? parse_path(w) : take_text(w, TDS_VALUE_STR, "", 0);
}

/* The places in the text are those of the file but for the blanks that were cut off before it. */
static void move_place(struct work *w)
{
	if (w->err->line == 1)
		w->err->column += w->column - 1;
	w->err->line += w->line - 1;
}

static int parse_dict(struct work *w)
{
	int rc = tds_literal_parse(w->text, w->len, true, &w->value, w->err);

	if (rc == TDS_E_SYNTAX)
		move_place(w);
	if (rc == 0 && w->value->type != TDS_VALUE_DICT)
		return refuse(w, 0, "a dictionary is expected, not %s",
			      tds_value_type_name(w->value));
	return rc;
}

/* The names of capabilities are texts. */
static int parse_capabilities(struct work *w)
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

static int parse_logging(struct work *w)
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

/* {'nofile': 1024, 'as': None}: names that are known, ints that are not negative; None is no limit. */
static int parse_numbers(struct work *w, const char *const *known, size_t n)
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
		if (rc != 0)
			move_place(w);
	}
	return rc;
}

/* Names of setrlimit(2) without RLIMIT_, and pids. */
static int parse_limits(struct work *w)
{
	static const char *const known[] = {
		"as",      "core",     "cpu",    "data",       "fsize", "locks",
		"memlock", "msgqueue", "nice",   "nofile",     "nproc", "pids",
		"rss",     "rtprio",   "rttime", "sigpending", "stack",
	};

	return parse_numbers(w, known, sizeof(known) / sizeof(known[0]));
}

static int parse_budget(struct work *w)
{
	static const char *const known[] = { "Actors", "Bytes", "Clients", "Descriptors",
					     "Operations" };

	return parse_numbers(w, known, sizeof(known) / sizeof(known[0]));
}

static bool is_user(const char *text, size_t len)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return len > 0 && len <= 32 && text[0] != '-' && text[0] != '.' &&
	       strspn(text, letters) >= len;
}

/* One more text of a list, which is on line and column of the file. */
static int add_line(struct work *w, const char *text, size_t len, unsigned line, unsigned column)
{
	struct tds_value *item = tds_value_new(TDS_VALUE_STR, line, column);

	if (item && tds_value_set_text(item, text, len) && tds_value_add(w->value, item))
		return 0;
	tds_value_free(item);
	return no_memory(w);
}

/* Lines; blanks around them, empty ones and comments do not count. */
static int parse_lines(struct work *w, bool (*fits)(const char *text, size_t len),
		       const char *wanted)
{
	unsigned number = w->line;
	int rc = 0;

	w->value = tds_value_new(TDS_VALUE_LIST, w->line, w->column);
	if (!w->value)
		return no_memory(w);
	for (size_t at = 0; rc == 0 && at < w->len;
	     at += strcspn(w->text + at, "\n") + 1, number++) {
		size_t indent = strspn(w->text + at, " \t");
		const char *line = w->text + at + indent;
		size_t len = strcspn(line, "\n");

		while (len > 0 && strchr(" \t", line[len - 1]))
			len--;
		if (len == 0 || line[0] == '#')
			continue;
		if (!fits(line, len))
			return refuse(w, at + indent, "not %s", wanted);
		rc = add_line(w, line, len, number, (at ? 1 : w->column) + (unsigned)indent);
	}
	return rc;
}

static int parse_users(struct work *w)
{
	return parse_lines(w, is_user, "the name of a user, or a uid");
}

static int parse_user(struct work *w)
{
	return is_user(w->text, w->len) ? take_text(w, TDS_VALUE_STR, w->text, w->len)
					: refuse(w, 0, "not the name of a user, or a uid");
}

/* One user: with several, it is likely that the other file was meant. */
static int parse_adminuser(struct work *w)
{
	size_t first = strcspn(w->text, "\n");

	return first < w->len ? refuse(w, first, "more than one line (adminusers.cfg?)")
			      : parse_user(w);
}

static int parse_switch(struct work *w)
{
	bool yes = strcmp(w->text, "yes") == 0;

	if (!yes && strcmp(w->text, "no") != 0)
		return refuse(w, 0, "not yes or no");
	w->value = tds_value_new(TDS_VALUE_BOOL, w->line, w->column);
	if (!w->value)
		return no_memory(w);
	w->value->boolean = yes;
	return 0;
}

static const struct rule rules[] = {
	{ "thespbase.cfg", parse_base, 0, 0 },
	{ "oldthespbase.cfg", parse_old_base, 0, 0 },
	{ "adminport.cfg", parse_number, 1, 65535 },
	{ "convleader.cfg", parse_leader, 0, 0 },
	{ "othercaps.cfg", parse_capabilities, 0, 0 },
	{ "thesplog.cfg", parse_logging, 0, 0 },
	{ "thesplogd.cfg", parse_optional_path, 0, 0 },
	{ "thesplogf.cfg", parse_path, 0, 0 },
	{ "thesplogs.cfg", parse_number, 1, INT64_C(1) << 40 },
	{ "rundir.cfg", parse_path, 0, 0 },
	{ "maxmessage.cfg", parse_number, 1, INT64_C(1) << 40 },
	{ "adminusers.cfg", parse_users, 0, 0 },
	{ "actoruser.cfg", parse_user, 0, 0 },
	{ "actorlimits.cfg", parse_limits, 0, 0 },
	{ "newprivs.cfg", parse_switch, 0, 0 },
	{ "guests.cfg", parse_users, 0, 0 },
	{ "budget.cfg", parse_budget, 0, 0 },
	{ "logsize.cfg", parse_number, 1 << 20,
	  INT64_C(1) << 40 }, /* its longest line has room then */
	{ "logkeep.cfg", parse_number, 0, 1000 },
	{ "adminuser.cfg", parse_adminuser, 0, 0 },
};

static const struct rule *find_rule(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
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

static int parse_trust(struct work *w, enum tds_trust_kind kind, const char *text, size_t len)
{
	bool bits = kind == TDS_TRUST_BITS;

	if (!bits && !(w->value = tds_value_new(TDS_VALUE_LIST, w->line, w->column)))
		return no_memory(w);
	return tds_trust_read(kind, text, len, bits ? take_bits : add_digest, w, w->err);
}

static const struct limits {
	const char *name;
	enum tds_trust_kind kind;
} limits[] = {
	{ "minkeybits.cfg", TDS_TRUST_BITS },
	{ "revoked.cfg", TDS_TRUST_DIGESTS },
};

static const struct limits *find_limits(const char *name)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (strcmp(limits[i].name, name) == 0)
			return &limits[i];
	return NULL;
}

bool tds_config_known(const char *name)
{
	return find_rule(name) || find_limits(name);
}

/* CR LF and CR become LF, as where Python reads a text file. */
static char *unify_lines(const char *text, size_t *len)
{
	char *copy = malloc(*len + 1);
	char *out = copy;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < *len; i++) {
		if (text[i] == '\n' && i > 0 && text[i - 1] == '\r')
			continue;
		*out++ = text[i] == '\r' ? '\n' : text[i];
	}
	*out = '\0';
	*len = (size_t)(out - copy);
	return copy;
}

/* All of it must be UTF-8 without NUL. */
static int check_encoding(struct work *w)
{
	for (size_t i = 0, n; i < w->len; i += n) {
		n = tds_text_utf8_len(w->text + i, w->len - i);
		if (n == 0 || w->text[i] == '\0')
			return refuse(w, i, n ? "NUL byte" : "byte that is not UTF-8");
	}
	return 0;
}

/* The file without the blanks around it. */
static int strip(struct work *w, const char *unified, struct tds_config *config)
{
	const char *begin = tds_pytext_strip(unified, &w->len);

	if (w->len > 0)
		find_place(w, (size_t)(begin - unified), &w->line, &w->column);
	w->text = config->text = strndup(begin, w->len);
	return w->text ? 0 : no_memory(w);
}

int tds_config_parse(const char *name, const char *text, size_t len, struct tds_tli_watcher watcher,
		     struct tds_config *config, struct tds_err *err)
{
	const struct limits *trust = find_limits(name);
	struct tds_err own;
	struct work w = {
		.rule = find_rule(name),
		.len = len,
		.line = 1,
		.column = 1,
		.watcher = watcher,
		.err = err ? err : &own,
	};
	tds_autofree char *unified = unify_lines(text, &w.len);

	*config = (struct tds_config){ 0 };
	if (!unified)
		return no_memory(&w);
	w.text = unified;
	int rc = trust ? parse_trust(&w, trust->kind, text, len) : check_encoding(&w);
	if (rc == 0)
		rc = strip(&w, unified, config);
	if (rc == 0 && !trust)
		rc = w.rule->parse(&w);
	config->value = w.value;
	if (rc != 0)
		tds_config_fini(config);
	return rc;
}

void tds_config_fini(struct tds_config *config)
{
	free(config->text);
	tds_value_free(config->value);
	*config = (struct tds_config){ 0 };
}
