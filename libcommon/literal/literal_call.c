/* SPDX-License-Identifier: MIT */
/*
 * What may follow a name in a literal: the closed list of calls, and the subscript of os.environ.
 */
#include "literal_parse.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "literal_env.h"

/* .NAME behind a name. One that is too long for node is none that is allowed; its end is lost. */
int tds_parse_attribute(struct tds_parser *p, struct tds_node *node)
{
	size_t len = strlen(node->name);
	int rc = tds_parse_advance(p);

	if (rc != 0)
		return rc;
	if (p->token.type != TDS_TOKEN_NAME)
		return tds_parse_unexpected(p, " after a dot");
	if (len + 1 + p->token.len <= TDS_PARSE_NAME_MAX)
		(void)snprintf(node->name + len, sizeof(node->name) - len, ".%.*s",
			       (int)p->token.len, p->token.text);
	else if (len <= TDS_PARSE_NAME_MAX)
		(void)snprintf(node->name + len, sizeof(node->name) - len, "%.*s",
			       (int)(TDS_PARSE_NAME_MAX + 3 - len), "...");
	return tds_parse_advance(p);
}

/*
 * The variable called key as the operand's value; fallback, which may be NULL for None, where it is
 * not set.
 */
static int look_up(struct tds_parser *p, struct tds_node *node, const struct tds_value *key,
		   struct tds_value **fallback)
{
	const char *text;

	if (key->type != TDS_VALUE_STR)
		return TDS_PARSE_FAIL(p, key, "the name of a variable is a str, not %s",
				      tds_value_type_name(key));
	int rc = tds_parse_at_node(p, node, tds_env_get(key, &text, p->err));
	if (rc != 0)
		return rc;
	if (text)
		return tds_parse_become_text(p, node, text, strlen(text));
	node->value = *fallback ? tds_steal(fallback) : TDS_PARSE_NEW(p, TDS_VALUE_NONE, node);
	return node->value ? 0 : p->err->code;
}

/* os.environ[NAME], from its bracket on. */
int tds_parse_subscript(struct tds_parser *p, struct tds_node *node)
{
	tds_auto(value) struct tds_value *key = NULL;
	struct tds_value *none = NULL;
	int rc = tds_parse_advance(p);

	if (rc == 0)
		rc = p->value(p, &key);
	if (rc == 0)
		rc = tds_parse_expect(p, "]", " in a subscript");
	if (rc == 0)
		rc = look_up(p, node, key, &none);
	if (rc == 0 && node->value->type == TDS_VALUE_NONE)
		return TDS_PARSE_FAIL(p, key, "the environment variable %s is not set", key->text);
	return rc;
}

/* One argument of os.getenv, by its place or by its name. */
static int parse_get_argument(struct tds_parser *p, struct tds_node *node,
			      struct tds_value *arguments[2], bool *named)
{
	size_t i =
		tds_parse_at_name(p, "default") || (!tds_parse_at_name(p, "key") && arguments[0]);
	bool names = tds_parse_at_name(p, "key") || tds_parse_at_name(p, "default");
	int rc = 0;

	if (arguments[i] || (*named && !names))
		return TDS_PARSE_FAIL(p, node, "%s takes the name of a variable and a default",
				      node->name);
	*named |= names;
	if (names)
		rc = tds_parse_advance(p);
	if (rc == 0 && names)
		rc = tds_parse_expect(p, "=", " in a call");
	return rc == 0 ? p->value(p, &arguments[i]) : rc;
}

static int call_get(struct tds_parser *p, struct tds_node *node)
{
	struct tds_value *arguments[2] = { NULL, NULL };
	bool named = false;
	int rc = 0;

	while (rc == 0 && !tds_parse_at(p, ")")) {
		rc = parse_get_argument(p, node, arguments, &named);
		if (rc == 0 && !tds_parse_at(p, ")"))
			rc = tds_parse_expect(p, ",", " in a call");
	}
	if (rc == 0 && !arguments[0])
		rc = TDS_PARSE_FAIL(p, node, "%s needs the name of a variable", node->name);
	if (rc == 0)
		rc = look_up(p, node, arguments[0], &arguments[1]);
	tds_value_free(arguments[0]);
	tds_value_free(arguments[1]);
	return rc;
}

static int call_join(struct tds_parser *p, struct tds_node *node)
{
	tds_auto(buf) struct tds_buf path = { 0 };
	bool first = true;
	int rc = 0;

	for (; rc == 0 && !tds_parse_at(p, ")"); first = false) {
		tds_auto(value) struct tds_value *part = NULL;

		rc = p->value(p, &part);
		if (rc == 0 && part->type != TDS_VALUE_STR)
			rc = TDS_PARSE_FAIL(p, part, "a part of a path is a str, not %s",
					    tds_value_type_name(part));
		if (rc == 0 && !tds_env_join(&path, first, part))
			rc = tds_parse_no_memory(p);
		if (rc == 0 && !tds_parse_at(p, ")"))
			rc = tds_parse_expect(p, ",", " in a call");
	}
	if (rc == 0 && first)
		return TDS_PARSE_FAIL(p, node, "%s needs a path", node->name);
	return rc == 0 ? tds_parse_become_text(p, node, path.data, path.len) : rc;
}

static int call_getcwd(struct tds_parser *p, struct tds_node *node)
{
	tds_auto(buf) struct tds_buf path = { 0 };

	if (!tds_parse_at(p, ")"))
		return tds_parse_unexpected(p, " in a call");
	int rc = tds_parse_at_node(p, node, tds_env_getcwd(&path, p->err));
	return rc == 0 ? tds_parse_become_text(p, node, path.data, path.len) : rc;
}

/* set(), which is the only way to write an empty set. */
static int call_set(struct tds_parser *p, struct tds_node *node)
{
	if (!tds_parse_at(p, ")"))
		return TDS_PARSE_FAIL(p, node, "call to set is allowed only without a value");
	node->value = TDS_PARSE_NEW(p, TDS_VALUE_SET, node);
	return node->value ? 0 : p->err->code;
}

/*
 * A call, from its opening bracket on. What is not allowed is refused before its arguments are
 * looked at.
 */
int tds_parse_call(struct tds_parser *p, struct tds_node *node)
{
	enum tds_env_use use = p->environment ? tds_env_use(node->name) : TDS_ENV_NOTHING;
	int (*call)(struct tds_parser * p, struct tds_node * node) = NULL;

	if (strcmp(node->name, "set") == 0)
		call = call_set;
	else if (use == TDS_ENV_GET)
		call = call_get;
	else if (use == TDS_ENV_JOIN)
		call = call_join;
	else if (use == TDS_ENV_GETCWD)
		call = call_getcwd;
	if (!call)
		return TDS_PARSE_FAIL(p, node, "call to %s is not allowed", node->name);
	int rc = tds_parse_advance(p);
	if (rc == 0)
		rc = call(p, node);
	return rc == 0 ? tds_parse_expect(p, ")", " in a call") : rc;
}
