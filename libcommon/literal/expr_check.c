/* SPDX-License-Identifier: MIT */
/* The names of an expression against the lists of what it may use. */
#include "expr_check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "call.h"

#define NAME_MAX_SHOWN 119 /* bytes of a dotted name; a longer one is shown cut */
#define FAIL(expr, err, ...) \
	tds_err_at(err, TDS_E_SYNTAX, (expr)->line, (expr)->column, __VA_ARGS__)

static int check(struct tds_expr *expr, struct tds_err *err);

/* Refuse a name, which is cut where it is long, with words before and behind it. */
static int refuse_name(const struct tds_expr *expr, struct tds_err *err, const char *before,
		       const char *name, const char *behind)
{
	return FAIL(expr, err, "%s%.*s%s%s", before, NAME_MAX_SHOWN, name,
		    strlen(name) > NAME_MAX_SHOWN ? "..." : "", behind);
}

static const struct tds_function *find_function(const struct tds_function *list, const char *name)
{
	for (; list->name; list++)
		if (strcmp(list->name, name) == 0)
			return list;
	return NULL;
}

static const struct tds_function *find_any(const char *name)
{
	const struct tds_function *found = find_function(tds_call_types, name);

	return found ? found : find_function(tds_call_os, name);
}

static bool is_method(const char *name)
{
	return find_function(tds_call_texts, name) || find_function(tds_call_dicts, name);
}

static const struct tds_constant *find_constant(const char *name)
{
	const struct tds_constant *list = tds_call_constants;

	while (list->name && strcmp(list->name, name) != 0)
		list++;
	return list->name ? list : NULL;
}

/* The last part of a dotted name behind a constant is an attribute of that; any other name stays as it is. */
static int split_name(struct tds_expr *expr, struct tds_err *err)
{
	char *dot = strrchr(expr->value->text, '.');

	if (!dot)
		return 0;
	*dot = '\0';
	bool constant = find_constant(expr->value->text) != NULL;
	*dot = '.';
	if (!constant)
		return 0;
	tds_auto(expr) struct tds_expr *name =
		tds_expr_new(TDS_EXPR_NAME, expr->line, expr->column);
	tds_auto(value) struct tds_value *attribute =
		tds_value_new(TDS_VALUE_STR, expr->line, expr->column);
	if (!name || !attribute || !tds_value_set_text(attribute, dot + 1, strlen(dot + 1)))
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	expr->value->len = (size_t)(dot - expr->value->text);
	*dot = '\0';
	name->value = expr->value;
	expr->value = tds_steal(&attribute);
	expr->type = TDS_EXPR_ATTRIBUTE;
	return tds_expr_add(expr, tds_steal(&name), err);
}

static int check_attribute(struct tds_expr *expr, struct tds_err *err);

/* A name where a value is wanted. */
static int check_name(struct tds_expr *expr, struct tds_err *err)
{
	const char *name = expr->value->text;

	expr->row = find_constant(name);
	if (expr->row)
		return 0;
	if (strcmp(name, TDS_CALL_ENVIRON) == 0)
		return FAIL(expr, err,
			    "%s is allowed only as %s['NAME'], %s.get('NAME') or 'NAME' in %s",
			    name, name, name, name);
	if (find_any(name))
		return FAIL(expr, err, "%s is allowed only as a call", name);
	int rc = split_name(expr, err);
	if (rc != 0)
		return rc;
	return expr->type == TDS_EXPR_ATTRIBUTE
		       ? check_attribute(expr, err)
		       : refuse_name(expr, err, "name ", name, " is not allowed");
}

/* The fields that a value has by its origin; NULL: none. */
static const char *const *fields_of(const struct tds_expr *owner)
{
	if (owner->type == TDS_EXPR_NAME && owner->row)
		return ((const struct tds_constant *)owner->row)->fields;
	if (owner->type == TDS_EXPR_CALL && owner->row)
		return tds_call_fields(owner->row);
	return NULL;
}

/* An attribute that is not called: a field of what the machine says. Its row is the field's entry in the list. */
static int check_attribute(struct tds_expr *expr, struct tds_err *err)
{
	int rc = check(expr->parts[0], err);
	const char *const *field = rc == 0 ? fields_of(expr->parts[0]) : NULL;
	const char *name = expr->value->text;

	if (rc != 0)
		return rc;
	while (field && *field && strcmp(*field, name) != 0)
		field++;
	if (field && *field) {
		expr->row = field;
		return 0;
	}
	if (is_method(name))
		return FAIL(expr->value, err, ".%s is allowed only as a call", name);
	return refuse_name(expr, err, "attribute .", name, " is not allowed");
}

/* What is called: a function, or a method of a value, which a text or dictionary must have by its name. */
static int check_callee(struct tds_expr *call, struct tds_err *err)
{
	struct tds_expr *callee = call->parts[0];
	int rc = 0;

	if (callee->type == TDS_EXPR_NAME) {
		call->row = find_any(callee->value->text);
		if (call->row)
			return 0;
		rc = split_name(callee, err);
	}
	if (rc != 0)
		return rc;
	if (callee->type == TDS_EXPR_ATTRIBUTE && is_method(callee->value->text))
		return check(callee->parts[0], err);
	if (callee->type == TDS_EXPR_NAME)
		return refuse_name(callee, err, "call to ", callee->value->text, " is not allowed");
	if (callee->type != TDS_EXPR_ATTRIBUTE)
		return FAIL(call, err, "a call of a value is not allowed");
	rc = check(callee->parts[0], err);
	return rc == 0 ? refuse_name(callee, err, "call to .", callee->value->text,
				     " is not allowed")
		       : rc;
}

/* A field of an f-string shows values, never what is in them: so has str.format, where it could be anything. */
static int check_field(const struct tds_expr *expr, struct tds_err *err)
{
	bool attribute = expr->type == TDS_EXPR_ATTRIBUTE ||
			 (expr->type == TDS_EXPR_NAME && strchr(expr->value->text, '.'));
	int rc = 0;

	if (attribute || expr->type == TDS_EXPR_SUBSCRIPT)
		return FAIL(expr, err, "%s in a field of an f-string is not allowed",
			    attribute ? "an attribute" : "an item");
	for (size_t i = 0; rc == 0 && i < expr->n; i++)
		rc = expr->parts[i] ? check_field(expr->parts[i], err) : 0;
	return rc;
}

/* The parts of an expression from one on. */
static int check_parts(struct tds_expr *expr, size_t from, struct tds_err *err)
{
	int rc = 0;

	for (size_t i = from; rc == 0 && i < expr->n; i++)
		rc = expr->parts[i] ? check(expr->parts[i], err) : 0;
	return rc;
}

static int check_call(struct tds_expr *expr, struct tds_err *err)
{
	int rc = check_callee(expr, err);

	return rc == 0 ? check_parts(expr, 1, err) : rc;
}

static bool is_environ(const struct tds_expr *expr)
{
	return expr->type == TDS_EXPR_NAME && strcmp(expr->value->text, TDS_CALL_ENVIRON) == 0;
}

/* 'NAME' in os.environ, alone: os.environ stands for no value, and no other comparison knows it. */
static int check_compare(struct tds_expr *expr, struct tds_err *err)
{
	enum tds_operator_type type = expr->operators[0].type;

	if (expr->n == 2 && is_environ(expr->parts[1]) &&
	    (type == TDS_OP_IN || type == TDS_OP_NOT_IN))
		return check(expr->parts[0], err);
	return check_parts(expr, 0, err);
}

static int check_subscript(struct tds_expr *expr, struct tds_err *err)
{
	return check_parts(expr, is_environ(expr->parts[0]) ? 1 : 0, err);
}

static int check(struct tds_expr *expr, struct tds_err *err)
{
	int rc;

	switch (expr->type) {
	case TDS_EXPR_NAME:
		return check_name(expr, err);
	case TDS_EXPR_ATTRIBUTE:
		return check_attribute(expr, err);
	case TDS_EXPR_CALL:
		return check_call(expr, err);
	case TDS_EXPR_COMPARE:
		return check_compare(expr, err);
	case TDS_EXPR_SUBSCRIPT:
		return check_subscript(expr, err);
	case TDS_EXPR_FIELD:
		rc = check_field(expr, err);
		return rc == 0 ? check_parts(expr, 0, err) : rc;
	default:
		return check_parts(expr, 0, err);
	}
}

int tds_expr_check(struct tds_expr *expr, struct tds_err *err)
{
	return check(expr, err);
}

int tds_expr_check_no_files(const struct tds_expr *expr, struct tds_err *err)
{
	int rc = 0;

	if (expr->type == TDS_EXPR_CALL && expr->row && tds_call_asks_files(expr->row))
		return refuse_name(expr->parts[0], err, "call to ", expr->parts[0]->value->text,
				   " is not allowed in a package");
	for (size_t i = 0; rc == 0 && i < expr->n; i++)
		rc = expr->parts[i] ? tds_expr_check_no_files(expr->parts[i], err) : 0;
	return rc;
}
