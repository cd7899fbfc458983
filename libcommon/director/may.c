/* SPDX-License-Identifier: MIT */
/* Lists of rights: the words, and what fits a pattern. */
#include "may.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define USERS TDS_HELD_BY_USERS
#define ACTORS TDS_HELD_BY_ACTORS
#define BOTH (TDS_HELD_BY_USERS | TDS_HELD_BY_ACTORS)

static const struct tds_right_word words[] = {
	[TDS_RIGHT_NONE] = { NULL, false, 0, "nothing" },
	[TDS_RIGHT_ASK] = { "ask", false, USERS, "ask actors" },
	[TDS_RIGHT_TELL] = { "tell", false, USERS, "send to actors" },
	[TDS_RIGHT_LIST] = { "list", false, USERS, "see what is loaded" },
	[TDS_RIGHT_WATCH] = { "watch", false, USERS, "follow what happens" },
	[TDS_RIGHT_LOAD] = { "load", true, BOTH, "load and refresh packages" },
	[TDS_RIGHT_UNLOAD] = { "unload", true, BOTH, "unload packages" },
	[TDS_RIGHT_HOLD] = { "hold", true, BOTH, "hold, release and roll back" },
	[TDS_RIGHT_FORGET] = { "forget", true, BOTH, "remove what actors have kept" },
	[TDS_RIGHT_DEFINE] = { "define", true, BOTH, "declare groups" },
	[TDS_RIGHT_RELOAD] = { "reload", false, USERS, "have settings read again" },
	[TDS_RIGHT_RESTART] = { "restart", false, USERS, "restart the admin process" },
	[TDS_RIGHT_SHUTDOWN] = { "shutdown", false, BOTH, "end the admin process" },
	[TDS_RIGHT_CREATE] = { "create", true, ACTORS, "create actors of other packages" },
	[TDS_RIGHT_SOURCES] = { "sources", false, ACTORS, "bring sources of their own" },
	[TDS_RIGHT_CAPABILITIES] = { "capabilities", false, ACTORS,
				     "set capabilities of the system and of others" },
	[TDS_RIGHT_DEADLETTERS] = { "deadletters", false, ACTORS, "be sent dead letters" },
};
_Static_assert(sizeof(words) / sizeof(words[0]) == TDS_RIGHTS, "words for each right");

struct grant {
	enum tds_right right;
	char *pattern; /* owned; NULL: for all groups, or the right is about none */
};

struct tds_rights {
	bool all;
	unsigned more; /* owners besides the first */
	struct grant *v;
	size_t n;
};

static struct tds_rights everything = { .all = true };

struct tds_rights *tds_rights_all(void)
{
	return &everything;
}

const struct tds_right_word *tds_right_word(enum tds_right right)
{
	return &words[right];
}

/* --- patterns --- */

static size_t char_len(const char *text)
{
	size_t n = 1;

	while (((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* The last '*' is tried at each place behind the one before, and no star before it ever again. */
bool tds_group_pattern_fits(const char *pattern, const char *group)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*group) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = group;
		} else if (*pattern == '?') {
			pattern++;
			group += char_len(group);
		} else if (*pattern == *group) {
			pattern++;
			group++;
		} else if (star) {
			pattern = star;
			group = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* --- reading --- */

static enum tds_right right_of(const char *word, size_t len, unsigned holder)
{
	for (size_t i = 1; i < TDS_RIGHTS; i++)
		if (words[i].holders & holder && strlen(words[i].word) == len &&
		    memcmp(words[i].word, word, len) == 0)
			return (enum tds_right)i;
	return TDS_RIGHT_NONE;
}

/* Is it a right that is known, but of the other kind of holders? */
static bool is_of_others(const char *word, size_t len, unsigned holder)
{
	return right_of(word, len, BOTH & ~holder) != TDS_RIGHT_NONE;
}

static int check_pattern(const char *pattern, size_t len, struct tds_err *err)
{
	if (len == 0)
		return tds_err_set(err, TDS_E_SYNTAX, "a right has no group behind its ':'");
	if (len > TDS_RIGHT_PATTERN_MAX)
		return tds_err_set(err, TDS_E_SYNTAX, "no group has a name as long as that");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)pattern[i] < 0x20 || pattern[i] == 0x7f || pattern[i] == '/')
			return tds_err_set(err, TDS_E_SYNTAX, "no group has a name like that");
	return 0;
}

/* One right, its place for the caller to add. */
static int parse_one(const char *text, size_t len, unsigned holder, struct grant *grant,
		     struct tds_err *err)
{
	const char *colon = memchr(text, ':', len);
	size_t n = colon ? (size_t)(colon - text) : len;
	int shown = n > 60 ? 60 : (int)n;
	enum tds_right right = right_of(text, n, holder);

	if (right == TDS_RIGHT_NONE && is_of_others(text, n, holder))
		return tds_err_set(err, TDS_E_SYNTAX, "'%.*s' is not a right of %s", shown, text,
				   holder == USERS ? "users" : "actors");
	if (right == TDS_RIGHT_NONE)
		return tds_err_set(err, TDS_E_SYNTAX, "no such right: '%.*s'", shown, text);
	if (colon && !words[right].of_groups)
		return tds_err_set(err, TDS_E_SYNTAX, "the right '%s' is not about groups",
				   words[right].word);
	*grant = (struct grant){ .right = right };
	if (!colon)
		return 0;
	int rc = check_pattern(colon + 1, len - n - 1, err);
	if (rc == 0 && !(grant->pattern = strndup(colon + 1, len - n - 1)))
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	return rc;
}

/* One more of the list. Errors: as parse_one, without a place. */
static int add(struct tds_rights *rights, const char *text, size_t len, unsigned holder,
	       struct tds_err *err)
{
	if (rights->n == TDS_RIGHTS_MAX)
		return tds_err_set(err, TDS_E_SYNTAX, "more than %d rights", TDS_RIGHTS_MAX);
	struct grant *v = realloc(rights->v, (rights->n + 1) * sizeof(*v));
	if (!v)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	rights->v = v;
	int rc = parse_one(text, len, holder, &v[rights->n], err);
	rights->n += rc == 0;
	return rc;
}

static int parse_list(struct tds_rights *rights, const char *text, size_t len, unsigned holder,
		      struct tds_err *err)
{
	int rc = 0;

	if (tds_text_trimmed(text, len) == 0)
		return 0;
	for (size_t at = 0, end; rc == 0 && at <= len; at = end + 1) {
		const char *comma = at < len ? memchr(text + at, ',', len - at) : NULL;

		end = comma ? (size_t)(comma - text) : len;
		while (at < end && tds_text_is_blank(text[at]))
			at++;
		size_t n = tds_text_trimmed(text + at, end - at);
		rc = n == 0 ? tds_err_set(err, TDS_E_SYNTAX, "a right is missing")
			    : add(rights, text + at, n, holder, err);
		if (rc == TDS_E_SYNTAX) {
			err->line = 1;
			err->column = tds_text_column(text, at);
		}
	}
	return rc;
}

int tds_rights_parse(const char *text, size_t len, enum tds_right_holder holder,
		     struct tds_rights **out, struct tds_err *err)
{
	tds_auto(rights) struct tds_rights *rights = calloc(1, sizeof(*rights));
	struct tds_err own = { 0 };

	err = err ? err : &own;
	*out = NULL;
	int rc = rights ? parse_list(rights, text, len, holder, err)
			: tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0)
		*out = tds_steal(&rights);
	return rc;
}

static int add_value(struct tds_rights *rights, const struct tds_value *item, struct tds_err *err)
{
	int rc = 0;

	if (item->type != TDS_VALUE_STR)
		rc = tds_err_set(err, TDS_E_SYNTAX, "a right is a str, not %s",
				 tds_value_type_name(item));
	else if (strlen(item->text) != item->len)
		rc = tds_err_set(err, TDS_E_SYNTAX, "no group has a name like that");
	else
		rc = add(rights, item->text, item->len, ACTORS, err);
	if (rc == TDS_E_SYNTAX) {
		err->line = item->line;
		err->column = item->column;
	}
	return rc;
}

int tds_rights_of_value(const struct tds_value *value, struct tds_rights **out, struct tds_err *err)
{
	tds_auto(rights) struct tds_rights *rights = calloc(1, sizeof(*rights));
	bool none = !value || value->type == TDS_VALUE_NONE;
	struct tds_err own = { 0 };

	err = err ? err : &own;
	*out = NULL;
	int rc = rights ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0 && !none && value->type != TDS_VALUE_LIST && value->type != TDS_VALUE_TUPLE)
		rc = tds_err_at(err, TDS_E_SYNTAX, value->line, value->column,
				"May is a list of rights, not %s", tds_value_type_name(value));
	for (size_t i = 0; rc == 0 && !none && i < value->n; i++)
		rc = add_value(rights, value->items[i], err);
	if (rc == 0)
		*out = tds_steal(&rights);
	return rc;
}

struct tds_rights *tds_rights_ref(const struct tds_rights *rights)
{
	struct tds_rights *same = (struct tds_rights *)(uintptr_t)rights;

	if (same && !same->all)
		same->more++;
	return same;
}

void tds_rights_free(struct tds_rights *rights)
{
	if (!rights || rights->all)
		return;
	if (rights->more > 0) {
		rights->more--;
		return;
	}
	for (size_t i = 0; i < rights->n; i++)
		free(rights->v[i].pattern);
	free(rights->v);
	free(rights);
}

/* --- asking --- */

bool tds_rights_grant(const struct tds_rights *rights, enum tds_right right, const char *group)
{
	if (!rights || right == TDS_RIGHT_NONE)
		return false;
	for (size_t i = 0; !rights->all && i < rights->n; i++) {
		const struct grant *grant = &rights->v[i];
		const char *pattern = grant->pattern ? grant->pattern : "*";

		if (grant->right == right && (strcmp(pattern, "*") == 0 ||
					      (group && tds_group_pattern_fits(pattern, group))))
			return true;
	}
	return rights->all;
}

bool tds_rights_grant_any(const struct tds_rights *rights, enum tds_right right)
{
	for (size_t i = 0; rights && i < rights->n; i++)
		if (rights->v[i].right == right)
			return true;
	return rights && rights->all && right != TDS_RIGHT_NONE;
}

size_t tds_rights_count(const struct tds_rights *rights)
{
	return !rights ? 0 : rights->all ? 1 : rights->n;
}

const char *tds_rights_text(const struct tds_rights *rights, size_t i,
			    char text[TDS_RIGHT_TEXT_MAX])
{
	if (i >= tds_rights_count(rights))
		return NULL;
	if (rights->all)
		return "all";
	const struct grant *grant = &rights->v[i];
	(void)snprintf(text, TDS_RIGHT_TEXT_MAX, "%s%s%s", words[grant->right].word,
		       grant->pattern ? ":" : "", grant->pattern ? grant->pattern : "");
	return text;
}

json_t *tds_rights_json(const struct tds_rights *rights)
{
	json_t *list = json_array();
	char text[TDS_RIGHT_TEXT_MAX];

	for (size_t i = 0; i < tds_rights_count(rights); i++)
		(void)json_array_append_new(list, json_string(tds_rights_text(rights, i, text)));
	return list;
}
