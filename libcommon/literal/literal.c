/* SPDX-License-Identifier: MIT */
/*
 * A parser of Python literals by recursive descent. What ast.literal_eval would refuse because of
 * what it means, not how it is written (a name, a call, a sum of lists), is refused where it
 * begins.
 */
#include "literal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "literal_env.h"
#include "literal_parse.h"

static int parse_value(struct tds_parser *p, struct tds_value **value);
static int parse_sum(struct tds_parser *p, struct tds_node *node);

static int parse_number(struct tds_parser *p, struct tds_node *node)
{
	node->value = TDS_PARSE_NEW(p, TDS_VALUE_INT, node);
	if (!node->value)
		return p->err->code;
	node->number = true;
	int rc = tds_literal_number(&p->token, node->value, p->err);
	return rc == 0 ? tds_parse_advance(p) : rc;
}

/* A string, and those that follow it: they are one. */
static int parse_strings(struct tds_parser *p, struct tds_node *node)
{
	tds_auto(buf) struct tds_buf buf = { 0 };
	bool bytes = p->token.bytes;
	int rc = 0;

	node->value = TDS_PARSE_NEW(p, bytes ? TDS_VALUE_BYTES : TDS_VALUE_STR, node);
	if (!node->value)
		return p->err->code;
	while (rc == 0 && p->token.type == TDS_TOKEN_STRING) {
		if (p->token.bytes != bytes)
			return TDS_PARSE_FAIL(p, &p->token, "str and bytes cannot be joined");
		rc = tds_lex_decode(&p->lex, &p->token, &buf, p->err);
		if (rc == 0)
			rc = tds_parse_advance(p);
	}
	node->value->len = buf.len;
	node->value->text = tds_steal(&buf.data);
	return rc;
}

/* The rest of a display from its first value on, to the closing bracket. */
static int parse_items(struct tds_parser *p, struct tds_value *into, const char *close,
		       const char *where)
{
	while (!tds_parse_at(p, close)) {
		tds_auto(value) struct tds_value *item = NULL;
		int rc = parse_value(p, &item);

		if (rc != 0)
			return rc;
		if (!tds_value_add(into, item))
			return tds_parse_no_memory(p);
		item = NULL;
		if (tds_parse_at(p, close))
			break;
		rc = tds_parse_expect(p, ",", where);
		if (rc != 0)
			return rc;
	}
	return tds_parse_advance(p);
}

static int parse_list(struct tds_parser *p, struct tds_node *node)
{
	node->value = TDS_PARSE_NEW(p, TDS_VALUE_LIST, node);
	if (!node->value)
		return p->err->code;
	int rc = tds_parse_advance(p);
	return rc == 0 ? parse_items(p, node->value, "]", " in a list") : rc;
}

/*
 * An operand that must be a value: a constant of the closed list becomes one, any other name is
 * refused.
 */
static int resolve(struct tds_parser *p, struct tds_node *node)
{
	if (node->value)
		return 0;
	switch (p->environment ? tds_env_use(node->name) : TDS_ENV_NOTHING) {
	case TDS_ENV_NOTHING:
		return TDS_PARSE_FAIL(p, node, "name %s is not allowed", node->name);
	case TDS_ENV_CONSTANT:
		node->value = TDS_PARSE_NEW(p, TDS_VALUE_STR, node);
		if (!node->value)
			return p->err->code;
		return tds_env_constant(node->name, node->value) ? 0 : tds_parse_no_memory(p);
	case TDS_ENV_SUBSCRIPT:
		return TDS_PARSE_FAIL(p, node, "%s is allowed only as %s['NAME'] or %s.get('NAME')",
				      node->name, node->name, node->name);
	default:
		return TDS_PARSE_FAIL(p, node, "%s is allowed only as a call", node->name);
	}
}

/* The operand turns out to be the first of a tuple that begins at line and column. */
static int begin_tuple(struct tds_parser *p, struct tds_node *node, unsigned line, unsigned column)
{
	tds_auto(value) struct tds_value *tuple = NULL;
	int rc = resolve(p, node);

	if (rc != 0)
		return rc;
	tuple = tds_parse_new(p, TDS_VALUE_TUPLE, line, column);
	if (!tuple)
		return p->err->code;
	if (!tds_value_add(tuple, node->value))
		return tds_parse_no_memory(p);
	*node = (struct tds_node){ .value = tds_steal(&tuple), .line = line, .column = column };
	return 0;
}

/* Brackets around an operand, which stays what it is, or a tuple. */
static int parse_parentheses(struct tds_parser *p, struct tds_node *node)
{
	unsigned line = node->line;
	unsigned column = node->column;
	int rc = tds_parse_advance(p);

	if (rc != 0)
		return rc;
	if (tds_parse_at(p, ")")) {
		node->value = TDS_PARSE_NEW(p, TDS_VALUE_TUPLE, node);
		return node->value ? tds_parse_advance(p) : p->err->code;
	}
	rc = parse_sum(p, node);
	if (rc != 0)
		return rc;
	if (tds_parse_at(p, ")"))
		return tds_parse_advance(p);
	rc = begin_tuple(p, node, line, column);
	if (rc == 0)
		rc = tds_parse_expect(p, ",", " in brackets");
	return rc == 0 ? parse_items(p, node->value, ")", " in a tuple") : rc;
}

/*
 * One key of a dictionary with its value, or one value of a set: the first decides which of them it
 * is.
 */
static int parse_member(struct tds_parser *p, struct tds_value *into)
{
	tds_auto(value) struct tds_value *key = NULL;
	tds_auto(value) struct tds_value *item = NULL;
	int rc = parse_value(p, &key);

	if (rc != 0)
		return rc;
	if (into->n == 0 && !tds_parse_at(p, ":"))
		into->type = TDS_VALUE_SET;
	bool dict = into->type == TDS_VALUE_DICT;
	const struct tds_value *culprit = tds_value_unhashable(key);
	if (culprit)
		return TDS_PARSE_FAIL(p, culprit, "a %s cannot be %s", tds_value_type_name(culprit),
				      dict ? "a key of a dictionary" : "in a set");
	if (dict) {
		rc = tds_parse_expect(p, ":", " after a key of a dictionary");
		if (rc == 0)
			rc = parse_value(p, &item);
		if (rc != 0)
			return rc;
	}
	if (!(dict ? tds_value_add_pair(into, key, item) : tds_value_add(into, key)))
		return tds_parse_no_memory(p);
	key = item = NULL;
	return 0;
}

static int parse_braces(struct tds_parser *p, struct tds_node *node)
{
	struct tds_value *value = node->value = TDS_PARSE_NEW(p, TDS_VALUE_DICT, node);
	int rc = value ? tds_parse_advance(p) : p->err->code;

	while (rc == 0 && !tds_parse_at(p, "}")) {
		rc = parse_member(p, value);
		if (rc == 0 && tds_parse_at(p, "}"))
			break;
		if (rc == 0)
			rc = tds_parse_expect(p, ",",
					      value->type == TDS_VALUE_DICT ? " in a dictionary"
									    : " in a set");
	}
	if (rc == 0)
		rc = tds_value_unique(value, p->err);
	return rc == 0 ? tds_parse_advance(p) : rc;
}

/* A name, or one of the three that are values. */
static int parse_name(struct tds_parser *p, struct tds_node *node)
{
	bool is_bool = tds_parse_at_name(p, "True") || tds_parse_at_name(p, "False");

	if (is_bool || tds_parse_at_name(p, "None")) {
		node->value = TDS_PARSE_NEW(p, is_bool ? TDS_VALUE_BOOL : TDS_VALUE_NONE, node);
		if (!node->value)
			return p->err->code;
		node->value->boolean = tds_parse_at_name(p, "True");
	} else {
		(void)snprintf(node->name, TDS_PARSE_NAME_MAX, "%.*s",
			       p->token.len < TDS_PARSE_NAME_MAX ? (int)p->token.len
								 : TDS_PARSE_NAME_MAX,
			       p->token.text);
	}
	return tds_parse_advance(p);
}

static int parse_atom(struct tds_parser *p, struct tds_node *node)
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
	if (tds_parse_at(p, "("))
		return parse_parentheses(p, node);
	if (tds_parse_at(p, "["))
		return parse_list(p, node);
	if (tds_parse_at(p, "{"))
		return parse_braces(p, node);
	if (!tds_parse_at(p, "..."))
		return tds_parse_unexpected(p, ", where a value is expected");
	node->value = TDS_PARSE_NEW(p, TDS_VALUE_ELLIPSIS, node);
	return node->value ? tds_parse_advance(p) : p->err->code;
}

/* An atom and what follows it without a blank: attributes and calls, of names only. */
static int parse_primary(struct tds_parser *p, struct tds_node *node)
{
	int rc = parse_atom(p, node);

	while (rc == 0 && (tds_parse_at(p, ".") || tds_parse_at(p, "(") || tds_parse_at(p, "["))) {
		if (node->value)
			return tds_parse_unexpected(p, " after a value");
		if (tds_parse_at(p, "."))
			rc = tds_parse_attribute(p, node);
		else if (tds_parse_at(p, "("))
			rc = tds_parse_call(p, node);
		else if (p->environment && tds_env_use(node->name) == TDS_ENV_SUBSCRIPT)
			rc = tds_parse_subscript(p, node);
		else
			return TDS_PARSE_FAIL(p, node, "name %s is not allowed", node->name);
	}
	return rc;
}

static int negate(struct tds_parser *p, struct tds_value *value)
{
	value->real = -value->real;
	value->imag = -value->imag;
	if (value->type != TDS_VALUE_INT || strcmp(value->text, "0") == 0)
		return 0;
	char *text = malloc(value->len + 2);
	if (!text)
		return tds_parse_no_memory(p);
	text[0] = '-';
	memcpy(text + 1, value->text, value->len + 1);
	free(value->text);
	value->text = text;
	value->len++;
	return 0;
}

/* A number with a sign; one sign, and of a number only, as ast.literal_eval has it. */
static int parse_signed(struct tds_parser *p, struct tds_node *node)
{
	struct tds_token sign = p->token;

	if (!tds_parse_at(p, "+") && !tds_parse_at(p, "-"))
		return parse_primary(p, node);
	int rc = tds_parse_advance(p);
	if (rc == 0)
		rc = parse_primary(p, node);
	if (rc != 0)
		return rc;
	if (!node->number)
		return TDS_PARSE_FAIL(p, &sign, "'%c' is allowed only before a number", *sign.text);
	node->number = false;
	node->signed_number = true;
	node->value->line = node->line = sign.line;
	node->value->column = node->column = sign.column;
	return *sign.text == '-' ? negate(p, node->value) : 0;
}

/* FORMAT % ARGUMENT, from the % on. */
static int parse_format(struct tds_parser *p, struct tds_node *node)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	tds_auto(node) struct tds_node argument = { 0 };
	int rc = resolve(p, node);

	if (rc == 0 && (!p->environment || node->value->type != TDS_VALUE_STR))
		rc = TDS_PARSE_FAIL(p, &p->token, "'%%' is not allowed here");
	if (rc == 0)
		rc = tds_parse_advance(p);
	if (rc == 0)
		rc = parse_signed(p, &argument);
	if (rc == 0)
		rc = resolve(p, &argument);
	if (rc == 0)
		rc = tds_parse_at_node(p, node,
				       tds_env_format(node->value, argument.value,
						      TDS_LITERAL_MAX_BYTES - p->produced, &text,
						      p->err));
	return rc == 0 ? tds_parse_become_text(p, node, text.data, text.len) : rc;
}

static int parse_term(struct tds_parser *p, struct tds_node *node)
{
	int rc = parse_signed(p, node);

	while (rc == 0 && tds_parse_at(p, "%"))
		rc = parse_format(p, node);
	return rc;
}

/*
 * REAL + IMAGINARY, as Python computes it: the real one has an imaginary part of 0.0, and the other
 * way round.
 */
static int make_complex(struct tds_parser *p, struct tds_value *value,
			const struct tds_value *imaginary, bool minus)
{
	if (value->type == TDS_VALUE_INT) {
		value->real = strtod(value->text, NULL);
		if (__builtin_isinf(value->real))
			return TDS_PARSE_FAIL(p, value,
					      "the int is too large for a complex number");
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
static int parse_addend(struct tds_parser *p, struct tds_node *left)
{
	struct tds_token sign = p->token;
	tds_auto(node) struct tds_node right = { 0 };
	int rc = resolve(p, left);

	if (rc == 0)
		rc = tds_parse_advance(p);
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
		return TDS_PARSE_FAIL(p, &sign, "'%c' of %s and %s is not allowed", *sign.text,
				      tds_value_type_name(a), tds_value_type_name(b));
	return tds_value_append(a, b) ? 0 : tds_parse_no_memory(p);
}

static int parse_sum(struct tds_parser *p, struct tds_node *node)
{
	int rc = parse_term(p, node);

	while (rc == 0 && (tds_parse_at(p, "+") || tds_parse_at(p, "-")))
		rc = parse_addend(p, node);
	return rc;
}

static int parse_value(struct tds_parser *p, struct tds_value **value)
{
	tds_auto(node) struct tds_node node = { 0 };
	int rc = parse_sum(p, &node);

	if (rc == 0)
		rc = resolve(p, &node);
	if (rc == 0)
		*value = tds_steal(&node.value);
	return rc;
}

static bool at_end_of_line(const struct tds_parser *p)
{
	return p->token.type == TDS_TOKEN_NEWLINE || p->token.type == TDS_TOKEN_END;
}

/* A tuple without brackets, from its first comma on. */
static int parse_bare_tuple(struct tds_parser *p, struct tds_node *node)
{
	int rc = begin_tuple(p, node, node->line, node->column);

	while (rc == 0 && tds_parse_at(p, ",")) {
		tds_auto(value) struct tds_value *item = NULL;

		rc = tds_parse_advance(p);
		if (rc != 0 || at_end_of_line(p))
			break;
		rc = parse_value(p, &item);
		if (rc == 0 && !tds_value_add(node->value, item))
			rc = tds_parse_no_memory(p);
		else if (rc == 0)
			item = NULL;
	}
	return rc;
}

/* Nothing but empty lines may follow. */
static int parse_end(struct tds_parser *p)
{
	int rc = 0;

	while (rc == 0 && p->token.type == TDS_TOKEN_NEWLINE)
		rc = tds_parse_advance(p);
	if (rc == 0 && p->token.type != TDS_TOKEN_END)
		return tds_parse_unexpected(p, " after the value");
	return rc;
}

static int parse_text(struct tds_parser *p, struct tds_node *node)
{
	int rc = tds_parse_advance(p);

	if (rc == 0)
		rc = parse_sum(p, node);
	if (rc == 0 && tds_parse_at(p, ","))
		rc = parse_bare_tuple(p, node);
	/* How lines follow each other comes before what a name means, as in Python. */
	if (rc == 0 && at_end_of_line(p))
		rc = parse_end(p);
	if (rc == 0)
		rc = resolve(p, node);
	return rc == 0 ? parse_end(p) : rc;
}

int tds_literal_parse(const char *text, size_t len, bool environment, struct tds_value **value,
		      struct tds_err *err)
{
	struct tds_err own;
	struct tds_parser p = { .environment = environment,
				.err = err ? err : &own,
				.value = parse_value };
	tds_auto(node) struct tds_node node = { 0 };

	*value = NULL;
	int rc = tds_lex_init(&p.lex, text, len, p.err);
	if (rc == 0)
		rc = parse_text(&p, &node);
	tds_lex_fini(&p.lex);
	if (rc == 0)
		*value = tds_steal(&node.value);
	return rc;
}
