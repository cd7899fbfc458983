/* SPDX-License-Identifier: MIT */
/* Python's str.format; its fields name arguments, never what is in them. */
#include <string.h>

#include "base/mem.h"
#include "format.h"
#include "literal.h"
#include "pytext.h"

enum numbering { NOT_YET, BY_ORDER, BY_NUMBER };

struct work {
	struct tds_eval *e;
	const struct tds_arguments *arguments;
	enum numbering numbering;
	size_t next; /* by order */
	const char *p;
	const char *end;
};

#define REFUSE(w, ...) TDS_EVAL_REFUSE((w)->e, __VA_ARGS__)

static int format_text(struct work *w, bool within, struct tds_buf *buf);

static int by_name(struct work *w, const char *name, size_t len, const struct tds_value **value)
{
	const struct tds_arguments *a = w->arguments;

	for (size_t i = 0; i < a->n_names; i++) {
		if (a->names[i]->len == len && memcmp(a->names[i]->text, name, len) == 0) {
			*value = a->v[a->n - a->n_names + i];
			return tds_eval_pay(w->e, a->n_names);
		}
	}
	return REFUSE(w, "no argument is called '%.*s'", len < 100 ? (int)len : 100, name);
}

/* Is a name a number, in digits of any script? More than there can be arguments is as good as any such. */
static bool read_number(const char *name, size_t len, size_t *number)
{
	const char *end = name + len;

	for (*number = 0; name < end;) {
		int digit = tds_pytext_digit(&name, end);

		if (digit < 0)
			return false;
		if (*number <= TDS_LITERAL_MAX_STEPS)
			*number = *number * 10 + (size_t)digit;
	}
	return len > 0;
}

/* Which argument a field shows: the next, the one of a number, or the one of a name. */
static int find_argument(struct work *w, const char *name, size_t len,
			 const struct tds_value **value)
{
	size_t number;

	if (memchr(name, '.', len) || memchr(name, '[', len))
		return REFUSE(w, "a field that looks into attributes or items is not allowed");
	bool numbered = read_number(name, len, &number);
	if (len > 0 && !numbered)
		return by_name(w, name, len, value);
	enum numbering wanted = numbered ? BY_NUMBER : BY_ORDER;
	if (w->numbering != NOT_YET && w->numbering != wanted)
		return REFUSE(w, "fields with a number and without one");
	w->numbering = wanted;
	if (!numbered)
		number = w->next++;
	if (number >= w->arguments->n - w->arguments->n_names)
		return REFUSE(w, "not enough values for the format");
	*value = w->arguments->v[number];
	return 0;
}

/* Where the name of a field ends. In brackets no other sign counts; a brace has no place in a name. */
static const char *name_end(const struct work *w)
{
	const char *p = w->p;
	bool bracket = false;

	for (; p < w->end; p++) {
		if (*p == '[')
			bracket = true;
		else if (*p == ']')
			bracket = false;
		else if (*p == '{' || (!bracket && (*p == '}' || *p == ':' || *p == '!')))
			break;
	}
	return p;
}

static int take_conversion(struct work *w, char *conversion)
{
	*conversion = '\0';
	if (w->p == w->end || *w->p != '!')
		return 0;
	w->p++;
	if (w->p == w->end || !*w->p || !strchr("rsa", *w->p))
		return REFUSE(w, "a conversion is !r, !s or !a");
	*conversion = *w->p++;
	if (w->p < w->end && *w->p != ':' && *w->p != '}')
		return REFUSE(w, "a ':' is expected behind a conversion");
	return 0;
}

/* What a field says behind its name, and the text of the value. */
static int show(struct work *w, bool within, const struct tds_value *value, struct tds_buf *buf)
{
	tds_auto(buf) struct tds_buf spec = { 0 };
	tds_auto(buf) struct tds_buf text = { 0 };
	tds_auto(value) struct tds_value *converted = NULL;
	char conversion;
	int rc = take_conversion(w, &conversion);

	if (rc == 0 && w->p < w->end && *w->p == ':') {
		w->p++;
		if (within)
			return REFUSE(w, "fields are nested too deeply");
		rc = format_text(w, true, &spec);
	}
	if (rc == 0 && (w->p == w->end || *w->p != '}'))
		rc = REFUSE(w, "'{' is never closed in the format");
	if (rc != 0)
		return rc;
	w->p++;
	if (conversion) {
		rc = tds_format_text(w->e, conversion, value, &text);
		if (rc == 0)
			rc = tds_eval_make_text(w->e, TDS_VALUE_STR, &text, &converted);
	}
	return rc == 0 ? tds_format_spec(w->e, converted ? converted : value, spec.data, spec.len,
					 buf)
		       : rc;
}

/* A field, from behind its opening brace on. */
static int format_field(struct work *w, bool within, struct tds_buf *buf)
{
	const struct tds_value *value = NULL;
	const char *name = w->p;
	int rc = tds_eval_pay(w->e, 1);

	w->p = name_end(w);
	if (rc == 0 && (w->p == w->end || *w->p == '{'))
		rc = REFUSE(w, "'{' is never closed in the format");
	if (rc == 0)
		rc = find_argument(w, name, (size_t)(w->p - name), &value);
	return rc == 0 ? show(w, within, value, buf) : rc;
}

/* A format or, within a field, one up to its closing brace, which stays. */
static int format_text(struct work *w, bool within, struct tds_buf *buf)
{
	while (w->p < w->end && !(within && *w->p == '}')) {
		size_t n = 0;
		char brace;
		int rc;

		while (w->p + n < w->end && w->p[n] != '{' && w->p[n] != '}')
			n++;
		rc = tds_eval_add(w->e, buf, w->p, n);
		w->p += n;
		if (rc != 0 || w->p == w->end || (within && *w->p == '}'))
			return rc;
		brace = *w->p++;
		if (!within && w->p < w->end && *w->p == brace) {
			w->p++;
			rc = tds_eval_add(w->e, buf, &brace, 1);
		} else if (brace == '}') {
			rc = REFUSE(w, "a single '}' is not allowed in a format");
		} else {
			rc = format_field(w, within, buf);
		}
		if (rc != 0)
			return rc;
	}
	return 0;
}

int tds_format_braces(struct tds_eval *e, const struct tds_value *format,
		      const struct tds_arguments *arguments, struct tds_buf *buf)
{
	struct work w = {
		.e = e, .arguments = arguments, .p = format->text, .end = format->text + format->len
	};

	return format_text(&w, false, buf);
}
