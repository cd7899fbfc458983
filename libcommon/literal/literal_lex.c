/* SPDX-License-Identifier: MIT */
/*
 * Python's lexical rules for literals. The text is read once, from its beginning to its end; places
 * are counted along the way, so that long lines cost no more than short ones.
 */
#include "literal_lex.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"

/* Longest first: the first that fits is taken. */
static const char *const operators[] = {
	"**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=",
	"->",  ":=",  "+=",  "-=",  "*=",  "/=", "%=", "&=", "|=", "^=", "@=", "<>", "(",
	")",   "[",   "]",   "{",   "}",   ",",  ":",  ".",  "+",  "-",  "*",  "/",  "%",
	"=",   "<",   ">",   "|",   "&",   "^",  "~",  "@",  ";",  "!",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_part(char c)
{
	return is_name_start(c) || is_digit(c) || (unsigned char)c >= 0x80;
}

/* Move the counted place on to at, which is not before it. */
static void count_to(struct tds_lex *lex, const char *at)
{
	for (; lex->mark < at; lex->mark++) {
		if (*lex->mark == '\n') {
			lex->line++;
			lex->column = 1;
		} else if (((unsigned char)*lex->mark & 0xc0) != 0x80) {
			lex->column++;
		}
	}
}

/* The place of at for an error; it may lie in the middle of a token. */
#define FAIL_AT(lex, at, err, ...) \
	(count_to(lex, at), tds_err_at(err, TDS_E_SYNTAX, (lex)->line, (lex)->column, __VA_ARGS__))

/* What a character is called in a message: itself where it can be seen, and its number. */
static int bad_character(struct tds_lex *lex, const char *at, struct tds_err *err)
{
	size_t n = tds_text_utf8_len(at, strlen(at));
	uint32_t c = (unsigned char)at[0];

	if (n > 1)
		c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)at[i] & 0x3f);
	if (c > ' ' && c < 0x7f)
		return FAIL_AT(lex, at, err, "invalid character '%c'", (int)c);
	return FAIL_AT(lex, at, err, "invalid character U+%04X", (unsigned)c);
}

int tds_lex_init(struct tds_lex *lex, const char *text, size_t len, struct tds_err *err)
{
	*lex = (struct tds_lex){ .line = 1, .column = 1, .line_begins = true };
	if (len > TDS_LITERAL_MAX_BYTES)
		return tds_err_at(err, TDS_E_SYNTAX, 1, 1, "the text has more than %d bytes",
				  TDS_LITERAL_MAX_BYTES);
	char *out = lex->text = malloc(len + 1);
	if (!out)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	lex->next = lex->mark = out;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return tds_err_at(err, TDS_E_SYNTAX, 1, 1,
				  "byte order mark (U+FEFF) before the text");
	for (size_t i = 0; i < len;) {
		size_t n = tds_text_utf8_len(text + i, len - i);

		if (n == 0 || text[i] == '\0') {
			*out = '\0';
			return FAIL_AT(lex, out, err, n ? "NUL byte" : "byte that is not UTF-8");
		}
		if (text[i] == '\r') {
			*out++ = '\n';
			i += i + 1 < len && text[i + 1] == '\n' ? 2 : 1;
			continue;
		}
		for (; n > 0; n--)
			*out++ = text[i++];
	}
	*out = '\0';
	lex->next += strspn(lex->next, " \t");
	return 0;
}

void tds_lex_fini(struct tds_lex *lex)
{
	free(lex->text);
	lex->text = NULL;
}

/* A backslash at the end of a line: the next line goes on with this one. */
static int join_lines(struct tds_lex *lex, struct tds_err *err)
{
	if (lex->next[1] != '\n')
		return FAIL_AT(lex, lex->next + 1, err,
			       "unexpected character after a line continuation");
	if (lex->next[2] == '\0')
		return FAIL_AT(lex, lex->next, err,
			       "unexpected end of the text after a line continuation");
	lex->next += 2;
	return 0;
}

/*
 * Nothing but comments and empty lines may be indented. A form feed begins the count anew, as in
 * Python.
 */
static int check_indent(struct tds_lex *lex, struct tds_err *err)
{
	size_t width = 0;
	size_t first =
		0; /* before the first line continuation: that counts for all that follows it */

	lex->line_begins = false;
	for (;; lex->next++) {
		if (*lex->next == ' ' || *lex->next == '\t') {
			width++;
		} else if (*lex->next == '\f') {
			width = 0;
		} else if (*lex->next == '\\') {
			int rc = join_lines(lex, err);

			if (rc != 0)
				return rc;
			first = first ? first : width;
			lex->next--;
		} else {
			break;
		}
	}
	if ((first || width) && *lex->next != '\n' && *lex->next != '#')
		return FAIL_AT(lex, lex->next, err, "unexpected indentation");
	return 0;
}

/*
 * Go to where the next token begins. A newline outside of brackets is one, unless its line was
 * empty.
 */
static int skip_blanks(struct tds_lex *lex, struct tds_err *err)
{
	for (;;) {
		int rc = lex->line_begins ? check_indent(lex, err) : 0;

		if (rc != 0)
			return rc;
		lex->next += strspn(lex->next, " \t\f");
		if (*lex->next == '#')
			lex->next += strcspn(lex->next, "\n");
		if (*lex->next == '\\') {
			rc = join_lines(lex, err);
			if (rc != 0)
				return rc;
		} else if (*lex->next == '\n' && (lex->nesting > 0 || !lex->line_holds)) {
			lex->line_begins = lex->nesting == 0;
			lex->next++;
		} else {
			return 0;
		}
	}
}

/*
 * Digits with single underscores between them; the first is there. NULL: an underscore without a
 * digit behind it.
 */
static const char *skip_digits(const char *p, const char *digits)
{
	for (;;) {
		p += strspn(p, digits);
		if (*p != '_')
			return p;
		if (p[1] == '\0' || !strchr(digits, p[1]))
			return NULL;
		p++;
	}
}

#define DECIMAL "0123456789"

static int scan_radix(struct tds_lex *lex, const char *digits, const char *kind, const char **end,
		      struct tds_err *err)
{
	const char *p = lex->next + 2;

	if (*p == '_')
		p++;
	const char *stop = *p && strchr(digits, *p) ? skip_digits(p, digits) : NULL;
	if (!stop)
		return FAIL_AT(lex, lex->next, err, "invalid %s number", kind);
	if (is_digit(*stop))
		return FAIL_AT(lex, stop, err, "invalid digit '%c' in %s number", *stop, kind);
	*end = stop;
	return 0;
}

/* Words that may stand behind a number without a blank: "1if x else 2". Their beginnings decide, as in Python. */
static bool begins_keyword(const char *p)
{
	static const char *const words[] = { "and", "else", "for", "if", "in", "is", "or", "not" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* An int, unless a point, an exponent or a j follows: only then may it begin with zeros. */
static int scan_decimal(struct tds_lex *lex, struct tds_token *token, const char **end,
			struct tds_err *err)
{
	const char *start = lex->next;
	const char *p = is_digit(*start) ? skip_digits(start, DECIMAL) : start;

	token->type = TDS_TOKEN_INT;
	const char *whole = p;
	if (p && *p == '.') {
		token->type = TDS_TOKEN_FLOAT;
		p++;
		if (is_digit(*p))
			p = skip_digits(p, DECIMAL);
	}
	if (p && (*p == 'e' || *p == 'E') && !begins_keyword(p)) {
		const char *power = p[1] == '+' || p[1] == '-' ? p + 2 : p + 1;

		token->type = TDS_TOKEN_FLOAT;
		p = is_digit(*power) ? skip_digits(power, DECIMAL) : NULL;
	}
	if (!p)
		return FAIL_AT(lex, start, err, "invalid decimal number");
	if (*p == 'j' || *p == 'J') {
		token->type = TDS_TOKEN_IMAGINARY;
		p++;
	}
	if (token->type == TDS_TOKEN_INT && *start == '0' &&
	    strspn(start, "0_") < (size_t)(whole - start))
		return FAIL_AT(lex, start, err,
			       "a decimal int must not begin with a zero (octal is 0o)");
	*end = p;
	return 0;
}

static int scan_number(struct tds_lex *lex, struct tds_token *token, struct tds_err *err)
{
	const char *end;
	char kind = *lex->next == '0' ? lex->next[1] | 0x20 : '\0';
	int rc;

	token->type = TDS_TOKEN_INT;
	if (kind == 'x')
		rc = scan_radix(lex, "0123456789abcdefABCDEF", "hexadecimal", &end, err);
	else if (kind == 'o')
		rc = scan_radix(lex, "01234567", "octal", &end, err);
	else if (kind == 'b')
		rc = scan_radix(lex, "01", "binary", &end, err);
	else
		rc = scan_decimal(lex, token, &end, err);
	if (rc != 0)
		return rc;
	if (is_name_part(*end) && !begins_keyword(end))
		return FAIL_AT(lex, lex->next, err, "invalid number");
	token->len = (size_t)(end - lex->next);
	lex->next = end;
	return 0;
}

/* The string whose opening quote is at next. */
static int scan_string(struct tds_lex *lex, struct tds_token *token, struct tds_err *err)
{
	char quote = *lex->next;
	bool triple = lex->next[1] == quote && lex->next[2] == quote;
	const char *p = lex->next + (triple ? 3 : 1);

	token->type = TDS_TOKEN_STRING;
	token->text = p;
	for (;; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '\0' || *p == '\\' || (*p == '\n' && !triple))
			return tds_err_at(err, TDS_E_SYNTAX, token->line, token->column,
					  "string is never closed");
		else if (*p == quote && (!triple || (p[1] == quote && p[2] == quote)))
			break;
		if (token->bytes && (unsigned char)*p >= 0x80)
			return FAIL_AT(lex, p, err, "bytes can only hold ASCII characters");
	}
	token->len = (size_t)(p - token->text);
	lex->next = p + (triple ? 3 : 1);
	return 0;
}

/* Is it a string prefix? r, b, u, f, rb, br, rf, fr in any case. */
static bool is_prefix(const char *name, size_t len)
{
	char a = (char)(name[0] | 0x20);
	char b = (char)(len > 1 ? name[1] | 0x20 : 'r');

	if (len == 1)
		return strchr("rbuf", a) != NULL;
	return len == 2 &&
	       ((a == 'r' && (b == 'b' || b == 'f')) || (b == 'r' && (a == 'b' || a == 'f')));
}

static int scan_name(struct tds_lex *lex, struct tds_token *token, struct tds_err *err)
{
	const char *end = lex->next;

	while (is_name_part(*end))
		end++;
	token->type = TDS_TOKEN_NAME;
	token->len = (size_t)(end - lex->next);
	if ((*end == '\'' || *end == '"') && is_prefix(token->text, token->len)) {
		for (const char *p = token->text; p < end; p++) {
			token->formatted |= (*p | 0x20) == 'f';
			token->raw |= (*p | 0x20) == 'r';
			token->bytes |= (*p | 0x20) == 'b';
		}
		lex->next = end;
		return scan_string(lex, token, err);
	}
	lex->next = end;
	return 0;
}

static int open_bracket(struct tds_lex *lex, const struct tds_token *token, struct tds_err *err)
{
	if (lex->nesting == TDS_LITERAL_MAX_NESTING)
		return tds_err_at(err, TDS_E_SYNTAX, token->line, token->column,
				  "more than %d nested brackets", TDS_LITERAL_MAX_NESTING);
	lex->brackets[lex->nesting++] =
		(struct tds_bracket){ *token->text, token->line, token->column };
	return 0;
}

static int close_bracket(struct tds_lex *lex, const struct tds_token *token, struct tds_err *err)
{
	char close = *token->text;

	if (lex->nesting == 0)
		return tds_err_at(err, TDS_E_SYNTAX, token->line, token->column,
				  "'%c' closes nothing", close);
	const struct tds_bracket *open = &lex->brackets[--lex->nesting];
	if ((close == ')' && open->open != '(') || (close == ']' && open->open != '[') ||
	    (close == '}' && open->open != '{'))
		return tds_err_at(err, TDS_E_SYNTAX, token->line, token->column,
				  "'%c' does not match the '%c' of line %u, column %u", close,
				  open->open, open->line, open->column);
	return 0;
}

static int scan_operator(struct tds_lex *lex, struct tds_token *token, struct tds_err *err)
{
	token->type = TDS_TOKEN_OP;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		size_t n = strlen(operators[i]);

		if (strncmp(lex->next, operators[i], n) != 0)
			continue;
		token->len = n;
		lex->next += n;
		if (n == 1 && strchr("([{", *token->text))
			return open_bracket(lex, token, err);
		if (n == 1 && strchr(")]}", *token->text))
			return close_bracket(lex, token, err);
		return 0;
	}
	return bad_character(lex, lex->next, err);
}

static int scan_end(struct tds_lex *lex, struct tds_token *token, struct tds_err *err)
{
	token->type = TDS_TOKEN_END;
	if (lex->nesting == 0)
		return 0;
	const struct tds_bracket *open = &lex->brackets[lex->nesting - 1];
	return tds_err_at(err, TDS_E_SYNTAX, open->line, open->column, "'%c' is never closed",
			  open->open);
}

int tds_lex_next(struct tds_lex *lex, struct tds_token *token, struct tds_err *err)
{
	int rc = skip_blanks(lex, err);

	if (rc != 0)
		return rc;
	count_to(lex, lex->next);
	*token = (struct tds_token){
		.line = lex->line, .column = lex->column, .begin = lex->next, .text = lex->next
	};
	char c = *lex->next;
	if (c == '\0')
		return scan_end(lex, token, err);
	if (c == '\n') {
		token->type = TDS_TOKEN_NEWLINE;
		lex->next++;
		lex->line_begins = true;
		lex->line_holds = false;
		return 0;
	}
	lex->line_holds = true;
	if (is_name_start(c))
		return scan_name(lex, token, err);
	if (is_digit(c) || (c == '.' && is_digit(lex->next[1])))
		return scan_number(lex, token, err);
	if (c == '\'' || c == '"')
		return scan_string(lex, token, err);
	return scan_operator(lex, token, err);
}

void tds_lex_within(struct tds_lex *lex, const struct tds_lex *outer, const struct tds_token *token)
{
	*lex = *outer;
	lex->mark = token->begin;
	lex->line = token->line;
	lex->column = token->column;
	lex->line_begins = false;
	lex->line_holds = true;
}

int tds_lex_enter(struct tds_lex *lex, const char *at, struct tds_err *err)
{
	count_to(lex, at);
	lex->next = at + 1;
	return open_bracket(
		lex, &(struct tds_token){ .text = at, .line = lex->line, .column = lex->column },
		err);
}

int tds_lex_fail(struct tds_lex *lex, const char *at, struct tds_err *err, const char *reason)
{
	return FAIL_AT(lex, at, err, "%s", reason);
}

bool tds_token_is(const struct tds_token *token, enum tds_token_type type, const char *text)
{
	return token->type == type && token->len == strlen(text) &&
	       memcmp(token->text, text, token->len) == 0;
}
