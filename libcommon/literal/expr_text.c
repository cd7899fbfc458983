/* SPDX-License-Identifier: MIT */
/*
 * Strings, and f-strings: their text is cut into what stands for itself and fields, whose expressions are read where
 * they stand in the text, so that each fault has its place.
 */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "expr_read.h"

/* An f-string being read. */
struct formatted {
	struct tds_reader *r;
	struct tds_token token; /* the whole string */
	const char *at;         /* what is next */
	const char *end;
	struct tds_lex lex; /* reads the fields, one after the other */
};

static int no_memory(struct tds_reader *r)
{
	return tds_err_set(r->err, TDS_E_NOMEM, "out of memory");
}

/* Where the text that stands for itself ends: at a brace, but those of \N{...}. */
static const char *find_brace(const struct formatted *f)
{
	const char *p = f->at;

	for (; p < f->end && *p != '{' && *p != '}'; p++) {
		if (*p != '\\' || f->token.raw || p + 1 == f->end)
			continue;
		if (p[1] == 'N' && p + 2 < f->end && p[2] == '{')
			while (p < f->end - 1 && *p != '}')
				p++;
		else if (p[1] != '{' && p[1] != '}')
			p++;
	}
	return p;
}

/* What is read so far of a text without fields becomes the next part of it. */
static int add_constant(struct tds_reader *r, struct tds_expr *text, struct tds_buf *buf)
{
	struct tds_expr *part = NULL;
	int rc;

	if (buf->len == 0)
		return 0;
	rc = tds_read_constant(r, TDS_VALUE_STR, text->line, text->column, &part);
	if (rc == 0 && !tds_value_set_text(part->value, buf->data, buf->len))
		rc = no_memory(r);
	buf->len = 0;
	if (rc == 0)
		return tds_expr_add(text, part, r->err);
	tds_expr_free(part);
	return rc;
}

static int decode(struct formatted *f, const char *to, struct tds_buf *buf)
{
	struct tds_token piece = f->token;

	piece.text = f->at;
	piece.len = (size_t)(to - f->at);
	f->at = to;
	return tds_lex_decode(&f->r->lex, &piece, buf, f->r->err);
}

static int read_text(struct formatted *f, bool within, struct tds_expr *text, struct tds_buf *buf);

/* NAME=: the text of the expression itself stands before its value. */
static int take_source(struct formatted *f, const char *begin, struct tds_buf *buf, bool *source)
{
	*source = tds_read_at(f->r, "=");
	if (!*source)
		return 0;
	int rc = tds_read_advance(f->r);
	if (rc == 0 && !tds_buf_add(buf, begin, (size_t)(f->r->token.begin - begin)))
		rc = no_memory(f->r);
	return rc;
}

static int take_conversion(struct formatted *f, struct tds_expr *field)
{
	const struct tds_token *token = &f->r->token;
	const char *begin = token->begin + 1;

	if (!tds_read_at(f->r, "!"))
		return 0;
	int rc = tds_read_advance(f->r);
	if (rc != 0)
		return rc;
	if (token->begin != begin || token->len != 1 || !strchr("rsa", *begin))
		return TDS_READ_FAIL(f->r, token, "a conversion is !r, !s or !a");
	field->conversion = *token->text;
	return tds_read_advance(f->r);
}

/* How the field is shown, from behind its colon to its closing brace. */
static int take_spec(struct formatted *f, bool within, struct tds_expr *field)
{
	struct tds_expr *spec = NULL;
	tds_auto(buf) struct tds_buf buf = { 0 };
	int rc;

	f->at = f->r->token.begin + 1; /* ":=" is a colon too, here */
	if (within)
		return tds_lex_fail(&f->lex, f->at, f->r->err, "fields are nested too deeply");
	rc = tds_read_new(f->r, TDS_EXPR_TEXT, field->line, field->column, &spec);
	if (rc != 0)
		return rc;
	f->lex = f->r->lex;
	rc = tds_expr_add(field, spec, f->r->err);
	return rc == 0 ? read_text(f, true, spec, &buf) : rc;
}

/* What stands between the braces of a field, with the fields' own lexer. */
static int read_inside(struct formatted *f, bool within, struct tds_expr *field,
		       struct tds_buf *buf)
{
	const char *begin = f->at + 1;
	bool source = false;
	int rc = tds_lex_enter(&f->r->lex, f->at, f->r->err);

	field->line = f->r->lex.line;
	field->column = f->r->lex.column;
	if (rc == 0)
		rc = tds_read_advance(f->r);
	if (rc == 0)
		rc = tds_read_part(f->r, TDS_READ_TUPLE, field);
	if (rc == 0)
		rc = take_source(f, begin, buf, &source);
	if (rc == 0)
		rc = take_conversion(f, field);
	if (rc != 0)
		return rc;
	if (tds_read_at(f->r, ":") || tds_read_at(f->r, ":="))
		return take_spec(f, within, field);
	if (source && !field->conversion)
		field->conversion = 'r';
	if (!tds_read_at(f->r, "}"))
		return tds_read_unexpected(f->r, " in a field of an f-string");
	f->at = f->r->token.begin + 1;
	f->lex = f->r->lex;
	return 0;
}

/* A field, from its opening brace on. */
static int read_field(struct formatted *f, bool within, struct tds_expr *text, struct tds_buf *buf)
{
	tds_auto(expr) struct tds_expr *field = NULL;
	struct tds_lex outer = f->r->lex;
	struct tds_token token = f->r->token;
	int rc = tds_read_new(f->r, TDS_EXPR_FIELD, text->line, text->column, &field);

	if (rc != 0)
		return rc;
	f->r->lex = f->lex;
	rc = read_inside(f, within, field, buf);
	f->r->lex = outer;
	f->r->token = token;
	if (rc == 0)
		rc = add_constant(f->r, text, buf);
	return rc == 0 ? tds_expr_add(text, tds_steal(&field), f->r->err) : rc;
}

/* What a brace begins: a field, a doubled one that stands for itself, or the end of a text within. */
static int read_brace(struct formatted *f, bool within, struct tds_expr *text, struct tds_buf *buf)
{
	char brace = *f->at;
	bool doubled = !within && f->at + 1 < f->end && f->at[1] == brace;

	if (brace == '{' && !doubled)
		return read_field(f, within, text, buf);
	if (!doubled)
		return tds_lex_fail(&f->lex, f->at, f->r->err,
				    "a single '}' is not allowed in an f-string");
	f->at += 2;
	return tds_buf_add(buf, &brace, 1) ? 0 : no_memory(f->r);
}

/* To the end of the f-string or, within a field, to its closing brace. buf has what is not yet a part. */
static int read_text(struct formatted *f, bool within, struct tds_expr *text, struct tds_buf *buf)
{
	int rc = 0;

	while (rc == 0 && f->at < f->end) {
		rc = decode(f, find_brace(f), buf);
		if (rc != 0 || f->at == f->end)
			break;
		if (within && *f->at == '}') {
			f->at++;
			f->lex.nesting--;
			return add_constant(f->r, text, buf);
		}
		rc = read_brace(f, within, text, buf);
	}
	if (rc == 0 && within)
		return tds_err_at(f->r->err, TDS_E_SYNTAX, text->line, text->column,
				  "'{' is never closed");
	return rc;
}

/* The f-string at hand; its last constant part may still be in buf, for what follows it. */
static int read_formatted(struct tds_reader *r, struct tds_expr *text, struct tds_buf *buf)
{
	struct formatted f = { .r = r, .token = r->token, .at = r->token.text };
	char *end = r->lex.text + (r->token.text - r->lex.text) + r->token.len;
	char quote = *end;

	f.end = end;
	tds_lex_within(&f.lex, &r->lex, &r->token);
	*end = '\0'; /* nothing in a field goes beyond its string */
	int rc = read_text(&f, false, text, buf);
	*end = quote;
	return rc;
}

static int read_one(struct tds_reader *r, struct tds_expr *text, bool *fields, struct tds_buf *buf)
{
	int rc;

	if (r->token.formatted) {
		*fields = true;
		rc = read_formatted(r, text, buf);
	} else {
		rc = tds_lex_decode(&r->lex, &r->token, buf, r->err);
	}
	return rc == 0 ? tds_read_advance(r) : rc;
}

/* A text without fields: no f-string was among its strings. */
static int make_constant(struct tds_reader *r, bool bytes, struct tds_buf *buf,
			 struct tds_expr *expr)
{
	expr->type = TDS_EXPR_CONSTANT;
	expr->value =
		tds_value_new(bytes ? TDS_VALUE_BYTES : TDS_VALUE_STR, expr->line, expr->column);
	if (!expr->value)
		return no_memory(r);
	expr->value->len = buf->len;
	expr->value->text = tds_steal(&buf->data);
	return 0;
}

int tds_read_strings(struct tds_reader *r, struct tds_expr **expr)
{
	tds_auto(buf) struct tds_buf buf = { 0 };
	bool bytes = r->token.bytes;
	bool fields = false;
	int rc = tds_read_enter(r);

	if (rc == 0)
		rc = tds_read_new(r, TDS_EXPR_TEXT, r->token.line, r->token.column, expr);
	while (rc == 0 && r->token.type == TDS_TOKEN_STRING) {
		if (r->token.bytes != bytes)
			return TDS_READ_FAIL(r, &r->token, "str and bytes cannot be joined");
		rc = read_one(r, *expr, &fields, &buf);
	}
	if (rc != 0)
		return rc;
	tds_read_leave(r);
	return fields ? add_constant(r, *expr, &buf) : make_constant(r, bytes, &buf, *expr);
}
