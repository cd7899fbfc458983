/* SPDX-License-Identifier: MIT */
/* Methods of texts and dictionaries. */
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "call.h"
#include "eval_index.h"
#include "eval_set.h"
#include "literal.h"
#include "pytext.h"
#include "unicode.h"

#define ARGUMENT(call, i) ((call)->arguments.v[i])
#define REFUSE(call, ...) TDS_EVAL_REFUSE((call)->e, __VA_ARGS__)

static int wrong_type(const struct tds_call *call, const char *wanted,
		      const struct tds_value *value)
{
	return REFUSE(call, ".%s takes %s, not %s", call->name, wanted, tds_value_type_name(value));
}

/* An int, or else what is so where there is none (or None). */
static int take_int(const struct tds_call *call, const struct tds_value *value, long long absent,
		    long long *number)
{
	*number = absent;
	if (!value)
		return 0;
	if (!tds_eval_is_int(value))
		return wrong_type(call, "an int", value);
	(void)tds_eval_int(value, number);
	return 0;
}

static int cut(const struct tds_call *call, bool from_right, struct tds_value **result)
{
	const struct tds_value *separator = ARGUMENT(call, 0);
	long long most;
	int rc = take_int(call, ARGUMENT(call, 1), -1, &most);

	if (separator && separator->type == TDS_VALUE_NONE)
		separator = NULL;
	if (separator && separator->type != TDS_VALUE_STR)
		return wrong_type(call, "a str", separator);
	return rc == 0 ? tds_call_cut(call->e, call->self, separator, most, from_right, result)
		       : rc;
}

static int call_split(const struct tds_call *call, struct tds_value **result)
{
	return cut(call, false, result);
}

static int call_rsplit(const struct tds_call *call, struct tds_value **result)
{
	return cut(call, true, result);
}

static int call_join(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	tds_auto(value) struct tds_value *items = NULL;
	int rc = tds_index_items(call->e, ARGUMENT(call, 0), true, &items);

	for (size_t i = 0; rc == 0 && i < items->n; i++) {
		const struct tds_value *item = items->items[i];

		if (item->type != TDS_VALUE_STR)
			return wrong_type(call, "items that are a str", item);
		if (i > 0)
			rc = tds_eval_add(call->e, &text, call->self->text, call->self->len);
		if (rc == 0)
			rc = tds_eval_add(call->e, &text, item->text, item->len);
	}
	return rc == 0 ? tds_eval_make_text(call->e, TDS_VALUE_STR, &text, result) : rc;
}

/* Length of the character at p where it is to be stripped; 0: it stays. chars NULL: blanks are stripped. */
static size_t stripped(const char *p, const struct tds_value *chars)
{
	size_t len;

	if (!chars)
		return tds_pytext_blank(p);
	(void)tds_unicode_at(p, &len);
	return memmem(chars->text, chars->len, p, len) ? len : 0;
}

static int strip(const struct tds_call *call, bool left, bool right, struct tds_value **result)
{
	const struct tds_value *chars = ARGUMENT(call, 0);
	const char *begin = call->self->text;
	const char *end = begin + call->self->len;

	if (chars && chars->type == TDS_VALUE_NONE)
		chars = NULL;
	if (chars && chars->type != TDS_VALUE_STR)
		return wrong_type(call, "a str", chars);
	int rc = tds_eval_pay_bytes(call->e, call->self->len * (8 + (chars ? chars->len : 0)));
	if (rc != 0)
		return rc;
	for (size_t n; left && begin < end && (n = stripped(begin, chars)) > 0;)
		begin += n;
	const char *last = begin; /* where what stays ends */
	for (const char *p = begin; right && p < end;) {
		size_t n = stripped(p, chars);
		size_t len = n;

		if (n == 0)
			(void)tds_unicode_at(p, &len);
		p += len;
		last = n ? last : p;
	}
	return tds_eval_make_str(call->e, begin, (size_t)((right ? last : end) - begin), result);
}

static int call_strip(const struct tds_call *call, struct tds_value **result)
{
	return strip(call, true, true, result);
}

static int call_lstrip(const struct tds_call *call, struct tds_value **result)
{
	return strip(call, true, false, result);
}

static int call_rstrip(const struct tds_call *call, struct tds_value **result)
{
	return strip(call, false, true, result);
}

static int recase(const struct tds_call *call, enum tds_unicode_case to, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc = tds_eval_pay_bytes(call->e, 8 * call->self->len);

	if (rc != 0)
		return rc;
	rc = tds_unicode_recase(to, call->self->text, call->self->len, &text);
	if (rc == TDS_E_UNUSABLE)
		return REFUSE(call,
			      ".%s of such letters needs libunistring, which is not installed",
			      call->name);
	return rc == 0 ? tds_eval_make_text(call->e, TDS_VALUE_STR, &text, result)
		       : tds_eval_no_memory(call->e);
}

static int call_upper(const struct tds_call *call, struct tds_value **result)
{
	return recase(call, TDS_CASE_UPPER, result);
}

static int call_lower(const struct tds_call *call, struct tds_value **result)
{
	return recase(call, TDS_CASE_LOWER, result);
}

static int call_title(const struct tds_call *call, struct tds_value **result)
{
	return recase(call, TDS_CASE_TITLE, result);
}

/* Where old is next in a text; an empty one is before each character, and at the end. NULL: nowhere. */
static const char *next_place(const char *from, const char *end, const struct tds_value *old)
{
	return old->len ? memmem(from, (size_t)(end - from), old->text, old->len) : from;
}

/* One after the other: what is between, and the new text in place of the old. */
static int replace(const struct tds_call *call, size_t most, struct tds_buf *text)
{
	const struct tds_value *old = ARGUMENT(call, 0);
	const struct tds_value *with = ARGUMENT(call, 1);
	const char *from = call->self->text;
	const char *end = from + call->self->len;
	const char *found;
	int rc = tds_eval_pay_bytes(call->e, 8 * call->self->len);

	for (; rc == 0 && most > 0 && (found = next_place(from, end, old)); most--) {
		size_t n = (size_t)(found - from);

		rc = tds_eval_add(call->e, text, from, n);
		if (rc == 0)
			rc = tds_eval_add(call->e, text, with->text, with->len);
		from = found + old->len;
		if (from == end && old->len == 0)
			return rc;
		if (old->len == 0)
			(void)tds_unicode_at(from, &n);
		if (rc == 0 && old->len == 0)
			rc = tds_eval_add(call->e, text, from, n);
		from += old->len == 0 ? n : 0;
	}
	return rc == 0 ? tds_eval_add(call->e, text, from, (size_t)(end - from)) : rc;
}

static int call_replace(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	long long most;
	int rc = take_int(call, ARGUMENT(call, 2), -1, &most);

	for (size_t i = 0; i < 2; i++)
		if (ARGUMENT(call, i)->type != TDS_VALUE_STR)
			return wrong_type(call, "a str", ARGUMENT(call, i));
	if (rc == 0)
		rc = replace(call, most < 0 ? SIZE_MAX : (size_t)most, &text);
	return rc == 0 ? tds_eval_make_text(call->e, TDS_VALUE_STR, &text, result) : rc;
}

/* A place in the text, counted in characters, from its end where negative; it may lie beyond the end. */
static int take_place(const struct tds_call *call, const struct tds_value *value, long long absent,
		      long long *place)
{
	long long n = (long long)tds_unicode_count(call->self->text, call->self->len);

	if (value && value->type == TDS_VALUE_NONE)
		value = NULL;
	int rc = take_int(call, value, absent, place);
	if (*place < 0)
		*place = *place + n < 0 ? 0 : *place + n;
	return rc;
}

/* Does the piece of text begin, or end, with one of a tuple of texts, or with one? */
static int fits(const struct tds_call *call, const char *text, size_t len, bool at_end,
		const struct tds_value *what, bool *result)
{
	if (what->type == TDS_VALUE_STR) {
		*result = what->len <= len && memcmp(at_end ? text + len - what->len : text,
						     what->text, what->len) == 0;
		return tds_eval_pay_bytes(call->e, what->len);
	}
	if (what->type != TDS_VALUE_TUPLE)
		return wrong_type(call, "a str, or a tuple of such", what);
	int rc = tds_eval_pay(call->e, what->n);
	for (size_t i = 0; rc == 0 && !*result && i < what->n; i++) {
		if (what->items[i]->type != TDS_VALUE_STR)
			return wrong_type(call, "a str, or a tuple of such", what->items[i]);
		rc = fits(call, text, len, at_end, what->items[i], result);
	}
	return rc;
}

static int with(const struct tds_call *call, bool at_end, struct tds_value **result)
{
	const struct tds_value *self = call->self;
	bool found = false;
	long long begin = 0;
	long long end = 0;
	int rc = tds_eval_pay_bytes(call->e, 2 * self->len);

	if (rc == 0)
		rc = take_place(call, ARGUMENT(call, 1), 0, &begin);
	if (rc == 0)
		rc = take_place(call, ARGUMENT(call, 2), LLONG_MAX, &end);
	if (rc != 0)
		return rc;
	size_t n = tds_unicode_count(self->text, self->len);
	size_t from = tds_unicode_offset(self->text, self->len, (size_t)begin);
	size_t to = tds_unicode_offset(self->text, self->len, (size_t)end);
	bool empty = (size_t)begin > n || begin > end; /* not even an empty text is there */
	rc = fits(call, self->text + from, empty ? 0 : to - from, at_end, ARGUMENT(call, 0),
		  &found);
	return rc == 0 ? tds_eval_make_bool(call->e, found && !empty, result) : rc;
}

static int call_startswith(const struct tds_call *call, struct tds_value **result)
{
	return with(call, false, result);
}

static int call_endswith(const struct tds_call *call, struct tds_value **result)
{
	return with(call, true, result);
}

static int call_format(const struct tds_call *call, struct tds_value **result)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	int rc = tds_format_braces(call->e, call->self, &call->arguments, &text);

	return rc == 0 ? tds_eval_make_text(call->e, TDS_VALUE_STR, &text, result) : rc;
}

static int call_get(const struct tds_call *call, struct tds_value **result)
{
	const struct tds_value *dict = call->self;
	size_t index;
	int rc = tds_set_find_key(call->e, dict, ARGUMENT(call, 0), &index);

	if (rc != 0)
		return rc;
	if (index < dict->n)
		return tds_eval_copy(call->e, dict->items[2 * index + 1], result);
	return ARGUMENT(call, 1) ? tds_eval_copy(call->e, ARGUMENT(call, 1), result)
				 : tds_eval_make(call->e, TDS_VALUE_NONE, result);
}

const struct tds_function tds_call_texts[] = {
	{ "split", call_split, 0, 2, false, { "sep", "maxsplit" } },
	{ "rsplit", call_rsplit, 0, 2, false, { "sep", "maxsplit" } },
	{ "join", call_join, 1, 1, false, { NULL } },
	{ "strip", call_strip, 0, 1, false, { NULL } },
	{ "lstrip", call_lstrip, 0, 1, false, { NULL } },
	{ "rstrip", call_rstrip, 0, 1, false, { NULL } },
	{ "upper", call_upper, 0, 0, false, { NULL } },
	{ "lower", call_lower, 0, 0, false, { NULL } },
	{ "title", call_title, 0, 0, false, { NULL } },
	{ "replace", call_replace, 2, 3, false, { NULL } },
	{ "startswith", call_startswith, 1, 3, false, { NULL } },
	{ "endswith", call_endswith, 1, 3, false, { NULL } },
	{ "format", call_format, 0, TDS_CALL_ANY, true, { NULL } },
	{ NULL, NULL, 0, 0, false, { NULL } },
};

const struct tds_function tds_call_dicts[] = {
	{ "get", call_get, 1, 2, false, { NULL } },
	{ NULL, NULL, 0, 0, false, { NULL } },
};
