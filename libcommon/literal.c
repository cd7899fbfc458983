/* SPDX-License-Identifier: MIT */
/*
 * A parser of Python literals by recursive descent. What ast.literal_eval would refuse because of what it means, not how
 * it is written (a name, a call, a sum of lists), is refused where it begins.
 */
#include "literal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "literal_env.h"
#include "literal_lex.h"
#include "mem.h"

#define NAME_MAX_LEN 120 /* of a dotted name; a longer one is shown cut */

struct parser {
	struct tds_lex lex;
	struct tds_token token; /* the next one, not yet taken */
	bool environment;
	size_t values;          /* made so far */
	size_t produced;        /* bytes that are not in the text */
	struct tds_err *err;
};

/* An operand before it is known to be a value: 'os', '.', 'getenv' is only one with the call behind it. */
struct node {
	struct tds_value *value; /* NULL: it is a name */
	bool number;             /* a number as it is written, so a sign may stand before it */
	bool signed_number;      /* with a sign: not another one */
	char name[NAME_MAX_LEN + 4];
	unsigned line;
	unsigned column;
};

static void tds_node_cleanup(struct node *node)
{
	tds_value_free(node->value);
}

static int parse_value(struct parser *p, struct tds_value **value);
static int parse_sum(struct parser *p, struct node *node);

#define FAIL_NODE(p, node, ...) tds_err_at((p)->err, TDS_E_SYNTAX, (node)->line, (node)->column, __VA_ARGS__)

static int no_memory(struct parser *p)
{
	return tds_err_set(p->err, TDS_E_NOMEM, "out of memory");
}

static int advance(struct parser *p)
{
	return tds_lex_next(&p->lex, &p->token, p->err);
}

static bool at_op(const struct parser *p, const char *op)
{
	return tds_token_is(&p->token, TDS_TOKEN_OP, op);
}

static bool at_name(const struct parser *p, const char *name)
{
	return tds_token_is(&p->token, TDS_TOKEN_NAME, name);
}

/* The next token cannot stand where it does. */
static int unexpected(struct parser *p, const char *where)
{
	const struct tds_token *token = &p->token;
	int len = token->len < 40 ? (int)token->len : 40;

	switch (token->type) {
	case TDS_TOKEN_END:
		return FAIL_NODE(p, token, "unexpected end of the text%s", where);
	case TDS_TOKEN_NEWLINE:
		return FAIL_NODE(p, token, "unexpected end of the line%s", where);
	case TDS_TOKEN_STRING:
		return FAIL_NODE(p, token, "unexpected string%s", where);
	case TDS_TOKEN_OP:
	case TDS_TOKEN_NAME:
		return FAIL_NODE(p, token, "unexpected '%.*s'%s", len, token->text, where);
	default:
		return FAIL_NODE(p, token, "unexpected number%s", where);
	}
}

static int expect_op(struct parser *p, const char *op, const char *where)
{
	return at_op(p, op) ? advance(p) : unexpected(p, where);
}

/* A new value that begins at place, a token or node. */
static struct tds_value *new_value(struct parser *p, enum tds_value_type type, unsigned line, unsigned column)
{
	struct tds_value *value = NULL;

	if (++p->values > TDS_LITERAL_MAX_VALUES)
		(void)tds_err_at(p->err, TDS_E_SYNTAX, line, column, "more than %d values", TDS_LITERAL_MAX_VALUES);
	else if (!(value = tds_value_new(type, line, column)))
		(void)no_memory(p);
	return value;
}
#define NEW_VALUE(p, type, place) new_value(p, type, (place)->line, (place)->column)

/* A number's text without its underscores; caller frees. */
static char *plain_digits(const struct tds_token *token)
{
	char *text = malloc(token->len + 1);
	char *out = text;

	for (size_t i = 0; text && i < token->len; i++)
		if (token->text[i] != '_')
			*out++ = token->text[i];
	if (text)
		*out = '\0';
	return text;
}

#define LIMBS (TDS_LITERAL_MAX_DIGITS / 9 + 2)

/* The decimal text of hexadecimal, octal or binary digits; "" where it would be much longer than allowed. */
static void radix_to_decimal(const char *digits, unsigned radix, char *text, size_t size)
{
	uint32_t limbs[LIMBS] = { 0 }; /* base 10^9, lowest first */
	size_t n = 1;

	*text = '\0';
	for (; *digits; digits++) {
		uint64_t carry = (uint64_t)(*digits <= '9' ? *digits - '0' : (*digits | 0x20) - 'a' + 10);

		for (size_t i = 0; i < n; i++) {
			carry += (uint64_t)limbs[i] * radix;
			limbs[i] = (uint32_t)(carry % 1000000000);
			carry /= 1000000000;
		}
		if (carry)
			limbs[n++] = (uint32_t)carry;
		if (n == LIMBS)
			return;
	}
	size_t len = (size_t)snprintf(text, size, "%u", limbs[n - 1]);
	for (size_t i = n - 1; i-- > 0;)
		len += (size_t)snprintf(text + len, size - len, "%09u", limbs[i]);
}

static unsigned radix_of(const char *text)
{
	switch (text[0] == '0' ? text[1] | 0x20 : '\0') {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 10;
	}
}

static int parse_int(struct parser *p, struct tds_value *value, const char *text)
{
	char decimal[9 * LIMBS + 1];
	unsigned radix = radix_of(text);

	if (radix != 10)
		text += 2;
	text += strspn(text, "0");
	if (*text == '\0') {
		text = "0";
	} else if (radix != 10) {
		radix_to_decimal(text, radix, decimal, sizeof(decimal));
		text = decimal;
	}
	if (*text == '\0' || strlen(text) > TDS_LITERAL_MAX_DIGITS)
		return FAIL_NODE(p, value, "int of more than %d digits", TDS_LITERAL_MAX_DIGITS);
	return tds_value_set_text(value, text, strlen(text)) ? 0 : no_memory(p);
}

static int parse_number(struct parser *p, struct node *node)
{
	tds_autofree char *text = plain_digits(&p->token);
	struct tds_value *value = node->value = NEW_VALUE(p, TDS_VALUE_INT, node);
	int rc = 0;

	if (!value)
		return p->err->code;
	if (!text)
		return no_memory(p);
	node->number = true;
	if (p->token.type == TDS_TOKEN_INT) {
		rc = parse_int(p, value, text);
	} else if (p->token.type == TDS_TOKEN_FLOAT) {
		value->type = TDS_VALUE_FLOAT;
		value->real = strtod(text, NULL);
	} else {
		value->type = TDS_VALUE_COMPLEX;
		value->imag = strtod(text, NULL);
	}
	return rc == 0 ? advance(p) : rc;
}

/* A string, and those that follow it: they are one. */
static int parse_strings(struct parser *p, struct node *node)
{
	tds_auto(buf) struct tds_buf buf = { 0 };
	bool bytes = p->token.bytes;
	int rc = 0;

	node->value = NEW_VALUE(p, bytes ? TDS_VALUE_BYTES : TDS_VALUE_STR, node);
	if (!node->value)
		return p->err->code;
	while (rc == 0 && p->token.type == TDS_TOKEN_STRING) {
		if (p->token.bytes != bytes)
			return FAIL_NODE(p, &p->token, "str and bytes cannot be joined");
		rc = tds_lex_decode(&p->lex, &p->token, &buf, p->err);
		if (rc == 0)
			rc = advance(p);
	}
	node->value->len = buf.len;
	node->value->text = tds_steal(&buf.data);
	return rc;
}

/* The rest of a display from its first value on, to the closing bracket. */
static int parse_items(struct parser *p, struct tds_value *into, const char *close, const char *where)
{
	while (!at_op(p, close)) {
		tds_auto(value) struct tds_value *item = NULL;
		int rc = parse_value(p, &item);

		if (rc != 0)
			return rc;
		if (!tds_value_add(into, item))
			return no_memory(p);
		item = NULL;
		if (at_op(p, close))
			break;
		rc = expect_op(p, ",", where);
		if (rc != 0)
			return rc;
	}
	return advance(p);
}

static int parse_list(struct parser *p, struct node *node)
{
	node->value = NEW_VALUE(p, TDS_VALUE_LIST, node);
	if (!node->value)
		return p->err->code;
	int rc = advance(p);
	return rc == 0 ? parse_items(p, node->value, "]", " in a list") : rc;
}

/* An operand that must be a value: a constant of the closed list becomes one, any other name is refused. */
static int resolve(struct parser *p, struct node *node)
{
	if (node->value)
		return 0;
	switch (p->environment ? tds_env_use(node->name) : TDS_ENV_NOTHING) {
	case TDS_ENV_NOTHING:
		return FAIL_NODE(p, node, "name %s is not allowed", node->name);
	case TDS_ENV_CONSTANT:
		node->value = NEW_VALUE(p, TDS_VALUE_STR, node);
		if (!node->value)
			return p->err->code;
		return tds_env_constant(node->name, node->value) ? 0 : no_memory(p);
	case TDS_ENV_SUBSCRIPT:
		return FAIL_NODE(p, node, "%s is allowed only as %s['NAME'] or %s.get('NAME')", node->name, node->name,
				 node->name);
	default:
		return FAIL_NODE(p, node, "%s is allowed only as a call", node->name);
	}
}

/* The operand turns out to be the first of a tuple that begins at line and column. */
static int begin_tuple(struct parser *p, struct node *node, unsigned line, unsigned column)
{
	tds_auto(value) struct tds_value *tuple = NULL;
	int rc = resolve(p, node);

	if (rc != 0)
		return rc;
	tuple = new_value(p, TDS_VALUE_TUPLE, line, column);
	if (!tuple)
		return p->err->code;
	if (!tds_value_add(tuple, node->value))
		return no_memory(p);
	*node = (struct node){ .value = tds_steal(&tuple), .line = line, .column = column };
	return 0;
}

/* Brackets around an operand, which stays what it is, or a tuple. */
static int parse_parentheses(struct parser *p, struct node *node)
{
	unsigned line = node->line;
	unsigned column = node->column;
	int rc = advance(p);

	if (rc != 0)
		return rc;
	if (at_op(p, ")")) {
		node->value = NEW_VALUE(p, TDS_VALUE_TUPLE, node);
		return node->value ? advance(p) : p->err->code;
	}
	rc = parse_sum(p, node);
	if (rc != 0)
		return rc;
	if (at_op(p, ")"))
		return advance(p);
	rc = begin_tuple(p, node, line, column);
	if (rc == 0)
		rc = expect_op(p, ",", " in brackets");
	return rc == 0 ? parse_items(p, node->value, ")", " in a tuple") : rc;
}

/* One key of a dictionary with its value, or one value of a set: the first decides which of them it is. */
static int parse_member(struct parser *p, struct tds_value *into)
{
	tds_auto(value) struct tds_value *key = NULL;
	tds_auto(value) struct tds_value *item = NULL;
	int rc = parse_value(p, &key);

	if (rc != 0)
		return rc;
	if (into->n == 0 && !at_op(p, ":"))
		into->type = TDS_VALUE_SET;
	bool dict = into->type == TDS_VALUE_DICT;
	const struct tds_value *culprit = tds_value_unhashable(key);
	if (culprit)
		return FAIL_NODE(p, culprit, "a %s cannot be %s", tds_value_type_name(culprit),
				 dict ? "a key of a dictionary" : "in a set");
	if (dict) {
		rc = expect_op(p, ":", " after a key of a dictionary");
		if (rc == 0)
			rc = parse_value(p, &item);
		if (rc != 0)
			return rc;
	}
	if (!(dict ? tds_value_add_pair(into, key, item) : tds_value_add(into, key)))
		return no_memory(p);
	key = item = NULL;
	return 0;
}

static int parse_braces(struct parser *p, struct node *node)
{
	struct tds_value *value = node->value = NEW_VALUE(p, TDS_VALUE_DICT, node);
	int rc = value ? advance(p) : p->err->code;

	while (rc == 0 && !at_op(p, "}")) {
		rc = parse_member(p, value);
		if (rc == 0 && at_op(p, "}"))
			break;
		if (rc == 0)
			rc = expect_op(p, ",", value->type == TDS_VALUE_DICT ? " in a dictionary" : " in a set");
	}
	if (rc == 0)
		rc = tds_value_unique(value, p->err);
	return rc == 0 ? advance(p) : rc;
}

/* A name, or one of the three that are values. */
static int parse_name(struct parser *p, struct node *node)
{
	bool is_bool = at_name(p, "True") || at_name(p, "False");

	if (is_bool || at_name(p, "None")) {
		node->value = NEW_VALUE(p, is_bool ? TDS_VALUE_BOOL : TDS_VALUE_NONE, node);
		if (!node->value)
			return p->err->code;
		node->value->boolean = at_name(p, "True");
	} else {
		(void)snprintf(node->name, NAME_MAX_LEN, "%.*s", p->token.len < NAME_MAX_LEN ? (int)p->token.len : NAME_MAX_LEN,
			       p->token.text);
	}
	return advance(p);
}

static int parse_atom(struct parser *p, struct node *node)
{
	node->line = p->token.line;
	node->column = p->token.column;
	switch (p->token.type) {
	case TDS_TOKEN_NAME:
		return parse_name(p, node);
	case TDS_TOKEN_INT:
	case TDS_TOKEN_FLOAT:
	case TDS_TOKEN_IMAGINARY:
		return parse_number(p, node);
	case TDS_TOKEN_STRING:
		return parse_strings(p, node);
	default:
		break;
	}
	if (at_op(p, "("))
		return parse_parentheses(p, node);
	if (at_op(p, "["))
		return parse_list(p, node);
	if (at_op(p, "{"))
		return parse_braces(p, node);
	if (!at_op(p, "..."))
		return unexpected(p, ", where a value is expected");
	node->value = NEW_VALUE(p, TDS_VALUE_ELLIPSIS, node);
	return node->value ? advance(p) : p->err->code;
}

/* .NAME behind a name. One that is too long for node is none that is allowed; its end is lost. */
static int parse_attribute(struct parser *p, struct node *node)
{
	size_t len = strlen(node->name);
	int rc = advance(p);

	if (rc != 0)
		return rc;
	if (p->token.type != TDS_TOKEN_NAME)
		return unexpected(p, " after a dot");
	if (len + 1 + p->token.len <= NAME_MAX_LEN)
		(void)snprintf(node->name + len, sizeof(node->name) - len, ".%.*s", (int)p->token.len, p->token.text);
	else if (len <= NAME_MAX_LEN)
		(void)snprintf(node->name + len, sizeof(node->name) - len, "%.*s", (int)(NAME_MAX_LEN + 3 - len), "...");
	return advance(p);
}

/* Text that was not in the source: it is not to be made without end. */
static int count_produced(struct parser *p, const struct node *node, size_t len)
{
	p->produced += len;
	if (p->produced > TDS_LITERAL_MAX_BYTES)
		return FAIL_NODE(p, node, "more than %d bytes from the environment and formatting", TDS_LITERAL_MAX_BYTES);
	return 0;
}

/* The operand becomes a text. */
static int become_text(struct parser *p, struct node *node, const char *text, size_t len)
{
	int rc = count_produced(p, node, len);

	if (rc != 0)
		return rc;
	tds_value_free(node->value);
	node->value = NEW_VALUE(p, TDS_VALUE_STR, node);
	if (!node->value)
		return p->err->code;
	return tds_value_set_text(node->value, text, len) ? 0 : no_memory(p);
}

/* Errors of the environment know no place: it is the operand's. */
static int at_node(struct parser *p, const struct node *node, int rc)
{
	if (rc == TDS_E_SYNTAX) {
		p->err->line = node->line;
		p->err->column = node->column;
	}
	return rc;
}

/* The variable called key as the operand's value; fallback, which may be NULL for None, where it is not set. */
static int look_up(struct parser *p, struct node *node, const struct tds_value *key, struct tds_value **fallback)
{
	const char *text;

	if (key->type != TDS_VALUE_STR)
		return FAIL_NODE(p, key, "the name of a variable is a str, not %s", tds_value_type_name(key));
	int rc = at_node(p, node, tds_env_get(key, &text, p->err));
	if (rc != 0)
		return rc;
	if (text)
		return become_text(p, node, text, strlen(text));
	node->value = *fallback ? tds_steal(fallback) : NEW_VALUE(p, TDS_VALUE_NONE, node);
	return node->value ? 0 : p->err->code;
}

/* os.environ[NAME], from its bracket on. */
static int parse_subscript(struct parser *p, struct node *node)
{
	tds_auto(value) struct tds_value *key = NULL;
	struct tds_value *none = NULL;
	int rc = advance(p);

	if (rc == 0)
		rc = parse_value(p, &key);
	if (rc == 0)
		rc = expect_op(p, "]", " in a subscript");
	if (rc == 0)
		rc = look_up(p, node, key, &none);
	if (rc == 0 && node->value->type == TDS_VALUE_NONE)
		return FAIL_NODE(p, key, "the environment variable %s is not set", key->text);
	return rc;
}

/* One argument of os.getenv, by its place or by its name. */
static int parse_get_argument(struct parser *p, struct node *node, struct tds_value *arguments[2], bool *named)
{
	size_t i = at_name(p, "default") || (!at_name(p, "key") && arguments[0]);
	bool names = at_name(p, "key") || at_name(p, "default");
	int rc = 0;

	if (arguments[i] || (*named && !names))
		return FAIL_NODE(p, node, "%s takes the name of a variable and a default", node->name);
	*named |= names;
	if (names)
		rc = advance(p);
	if (rc == 0 && names)
		rc = expect_op(p, "=", " in a call");
	return rc == 0 ? parse_value(p, &arguments[i]) : rc;
}

static int call_get(struct parser *p, struct node *node)
{
	struct tds_value *arguments[2] = { NULL, NULL };
	bool named = false;
	int rc = 0;

	while (rc == 0 && !at_op(p, ")")) {
		rc = parse_get_argument(p, node, arguments, &named);
		if (rc == 0 && !at_op(p, ")"))
			rc = expect_op(p, ",", " in a call");
	}
	if (rc == 0 && !arguments[0])
		rc = FAIL_NODE(p, node, "%s needs the name of a variable", node->name);
	if (rc == 0)
		rc = look_up(p, node, arguments[0], &arguments[1]);
	tds_value_free(arguments[0]);
	tds_value_free(arguments[1]);
	return rc;
}

static int call_join(struct parser *p, struct node *node)
{
	tds_auto(buf) struct tds_buf path = { 0 };
	bool first = true;
	int rc = 0;

	for (; rc == 0 && !at_op(p, ")"); first = false) {
		tds_auto(value) struct tds_value *part = NULL;

		rc = parse_value(p, &part);
		if (rc == 0 && part->type != TDS_VALUE_STR)
			rc = FAIL_NODE(p, part, "a part of a path is a str, not %s", tds_value_type_name(part));
		if (rc == 0 && !tds_env_join(&path, first, part))
			rc = no_memory(p);
		if (rc == 0 && !at_op(p, ")"))
			rc = expect_op(p, ",", " in a call");
	}
	if (rc == 0 && first)
		return FAIL_NODE(p, node, "%s needs a path", node->name);
	return rc == 0 ? become_text(p, node, path.data, path.len) : rc;
}

static int call_getcwd(struct parser *p, struct node *node)
{
	tds_auto(buf) struct tds_buf path = { 0 };

	if (!at_op(p, ")"))
		return unexpected(p, " in a call");
	int rc = at_node(p, node, tds_env_getcwd(&path, p->err));
	return rc == 0 ? become_text(p, node, path.data, path.len) : rc;
}

/* set(), which is the only way to write an empty set. */
static int call_set(struct parser *p, struct node *node)
{
	if (!at_op(p, ")"))
		return FAIL_NODE(p, node, "call to set is allowed only without a value");
	node->value = NEW_VALUE(p, TDS_VALUE_SET, node);
	return node->value ? 0 : p->err->code;
}

/* A call, from its opening bracket on. What is not allowed is refused before its arguments are looked at. */
static int parse_call(struct parser *p, struct node *node)
{
	enum tds_env_use use = p->environment ? tds_env_use(node->name) : TDS_ENV_NOTHING;
	int (*call)(struct parser *p, struct node *node) = NULL;

	if (strcmp(node->name, "set") == 0)
		call = call_set;
	else if (use == TDS_ENV_GET)
		call = call_get;
	else if (use == TDS_ENV_JOIN)
		call = call_join;
	else if (use == TDS_ENV_GETCWD)
		call = call_getcwd;
	if (!call)
		return FAIL_NODE(p, node, "call to %s is not allowed", node->name);
	int rc = advance(p);
	if (rc == 0)
		rc = call(p, node);
	return rc == 0 ? expect_op(p, ")", " in a call") : rc;
}

/* An atom and what follows it without a blank: attributes and calls, of names only. */
static int parse_primary(struct parser *p, struct node *node)
{
	int rc = parse_atom(p, node);

	while (rc == 0 && (at_op(p, ".") || at_op(p, "(") || at_op(p, "["))) {
		if (node->value)
			return unexpected(p, " after a value");
		if (at_op(p, "."))
			rc = parse_attribute(p, node);
		else if (at_op(p, "("))
			rc = parse_call(p, node);
		else if (p->environment && tds_env_use(node->name) == TDS_ENV_SUBSCRIPT)
			rc = parse_subscript(p, node);
		else
			return FAIL_NODE(p, node, "name %s is not allowed", node->name);
	}
	return rc;
}

static int negate(struct parser *p, struct tds_value *value)
{
	value->real = -value->real;
	value->imag = -value->imag;
	if (value->type != TDS_VALUE_INT || strcmp(value->text, "0") == 0)
		return 0;
	char *text = malloc(value->len + 2);
	if (!text)
		return no_memory(p);
	text[0] = '-';
	memcpy(text + 1, value->text, value->len + 1);
	free(value->text);
	value->text = text;
	value->len++;
	return 0;
}

/* A number with a sign; one sign, and of a number only, as ast.literal_eval has it. */
static int parse_signed(struct parser *p, struct node *node)
{
	struct tds_token sign = p->token;

	if (!at_op(p, "+") && !at_op(p, "-"))
		return parse_primary(p, node);
	int rc = advance(p);
	if (rc == 0)
		rc = parse_primary(p, node);
	if (rc != 0)
		return rc;
	if (!node->number)
		return FAIL_NODE(p, &sign, "'%c' is allowed only before a number", *sign.text);
	node->number = false;
	node->signed_number = true;
	node->value->line = node->line = sign.line;
	node->value->column = node->column = sign.column;
	return *sign.text == '-' ? negate(p, node->value) : 0;
}

/* FORMAT % ARGUMENT, from the % on. */
static int parse_format(struct parser *p, struct node *node)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	tds_auto(node) struct node argument = { 0 };
	int rc = resolve(p, node);

	if (rc == 0 && (!p->environment || node->value->type != TDS_VALUE_STR))
		rc = FAIL_NODE(p, &p->token, "'%%' is not allowed here");
	if (rc == 0)
		rc = advance(p);
	if (rc == 0)
		rc = parse_signed(p, &argument);
	if (rc == 0)
		rc = resolve(p, &argument);
	if (rc == 0)
		rc = at_node(p, node, tds_env_format(node->value, argument.value, TDS_LITERAL_MAX_BYTES - p->produced, &text,
						     p->err));
	return rc == 0 ? become_text(p, node, text.data, text.len) : rc;
}

static int parse_term(struct parser *p, struct node *node)
{
	int rc = parse_signed(p, node);

	while (rc == 0 && at_op(p, "%"))
		rc = parse_format(p, node);
	return rc;
}

/* REAL + IMAGINARY, as Python computes it: the real one has an imaginary part of 0.0, and the other way round. */
static int make_complex(struct parser *p, struct tds_value *value, const struct tds_value *imaginary, bool minus)
{
	if (value->type == TDS_VALUE_INT) {
		value->real = strtod(value->text, NULL);
		if (__builtin_isinf(value->real))
			return FAIL_NODE(p, value, "the int is too large for a complex number");
		free(value->text);
		value->text = NULL;
		value->len = 0;
	}
	value->type = TDS_VALUE_COMPLEX;
	value->real = minus ? value->real - imaginary->real : value->real + imaginary->real;
	value->imag = minus ? 0.0 - imaginary->imag : 0.0 + imaginary->imag;
	return 0;
}

/* LEFT + RIGHT or LEFT - RIGHT, from the sign on. */
static int parse_addend(struct parser *p, struct node *left)
{
	struct tds_token sign = p->token;
	tds_auto(node) struct node right = { 0 };
	int rc = resolve(p, left);

	if (rc == 0)
		rc = advance(p);
	if (rc == 0)
		rc = parse_term(p, &right);
	if (rc == 0)
		rc = resolve(p, &right);
	if (rc != 0)
		return rc;
	struct tds_value *a = left->value;
	struct tds_value *b = right.value;
	if ((left->number || left->signed_number) && a->type != TDS_VALUE_COMPLEX && right.number &&
	    b->type == TDS_VALUE_COMPLEX) {
		left->number = left->signed_number = false;
		return make_complex(p, a, b, *sign.text == '-');
	}
	if (*sign.text == '-' || !p->environment || a->type != b->type ||
	    (a->type != TDS_VALUE_STR && a->type != TDS_VALUE_BYTES && a->type != TDS_VALUE_LIST &&
	     a->type != TDS_VALUE_TUPLE))
		return FAIL_NODE(p, &sign, "'%c' of %s and %s is not allowed", *sign.text, tds_value_type_name(a),
				 tds_value_type_name(b));
	return tds_value_append(a, b) ? 0 : no_memory(p);
}

static int parse_sum(struct parser *p, struct node *node)
{
	int rc = parse_term(p, node);

	while (rc == 0 && (at_op(p, "+") || at_op(p, "-")))
		rc = parse_addend(p, node);
	return rc;
}

static int parse_value(struct parser *p, struct tds_value **value)
{
	tds_auto(node) struct node node = { 0 };
	int rc = parse_sum(p, &node);

	if (rc == 0)
		rc = resolve(p, &node);
	if (rc == 0)
		*value = tds_steal(&node.value);
	return rc;
}

static bool at_end_of_line(const struct parser *p)
{
	return p->token.type == TDS_TOKEN_NEWLINE || p->token.type == TDS_TOKEN_END;
}

/* A tuple without brackets, from its first comma on. */
static int parse_bare_tuple(struct parser *p, struct node *node)
{
	int rc = begin_tuple(p, node, node->line, node->column);

	while (rc == 0 && at_op(p, ",")) {
		tds_auto(value) struct tds_value *item = NULL;

		rc = advance(p);
		if (rc != 0 || at_end_of_line(p))
			break;
		rc = parse_value(p, &item);
		if (rc == 0 && !tds_value_add(node->value, item))
			rc = no_memory(p);
		else if (rc == 0)
			item = NULL;
	}
	return rc;
}

/* Nothing but empty lines may follow. */
static int parse_end(struct parser *p)
{
	int rc = 0;

	while (rc == 0 && p->token.type == TDS_TOKEN_NEWLINE)
		rc = advance(p);
	if (rc == 0 && p->token.type != TDS_TOKEN_END)
		return unexpected(p, " after the value");
	return rc;
}

static int parse_text(struct parser *p, struct node *node)
{
	int rc = advance(p);

	if (rc == 0)
		rc = parse_sum(p, node);
	if (rc == 0 && at_op(p, ","))
		rc = parse_bare_tuple(p, node);
	/* How lines follow each other comes before what a name means, as in Python. */
	if (rc == 0 && at_end_of_line(p))
		rc = parse_end(p);
	if (rc == 0)
		rc = resolve(p, node);
	return rc == 0 ? parse_end(p) : rc;
}

int tds_literal_parse(const char *text, size_t len, bool environment, struct tds_value **value, struct tds_err *err)
{
	struct tds_err own;
	struct parser p = { .environment = environment, .err = err ? err : &own };
	tds_auto(node) struct node node = { 0 };

	*value = NULL;
	int rc = tds_lex_init(&p.lex, text, len, p.err);
	if (rc == 0)
		rc = parse_text(&p, &node);
	tds_lex_fini(&p.lex);
	if (rc == 0)
		*value = tds_steal(&node.value);
	return rc;
}
