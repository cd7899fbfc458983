/* SPDX-License-Identifier: MIT */
/* Values as JSON: typed, which says all, and plain, for those that JSON can hold. */
#include "value.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static json_t *hex_json(const struct tds_value *value)
{
	static const char digits[] = "0123456789abcdef";
	tds_autofree char *hex = malloc(2 * value->len + 1);

	if (!hex)
		return NULL;
	for (size_t i = 0; i < value->len; i++) {
		hex[2 * i] = digits[(unsigned char)value->text[i] >> 4];
		hex[2 * i + 1] = digits[(unsigned char)value->text[i] & 15];
	}
	return json_stringn_nocheck(hex, 2 * value->len);
}

/* The array of a container's items; pairs are arrays of two. */
static json_t *items_json(const struct tds_value *value)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < value->n; i++) {
		json_t *item;

		if (value->type == TDS_VALUE_DICT)
			item = json_pack("[o,o]", tds_value_typed_json(value->items[2 * i]),
					 tds_value_typed_json(value->items[2 * i + 1]));
		else
			item = tds_value_typed_json(value->items[i]);
		if (json_array_append_new(array, item) != 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *contents_json(const struct tds_value *value)
{
	char number[TDS_COMPLEX_TEXT_MAX];

	switch (value->type) {
	case TDS_VALUE_NONE:
	case TDS_VALUE_ELLIPSIS:
		return json_null();
	case TDS_VALUE_BOOL:
		return json_boolean(value->boolean);
	case TDS_VALUE_FLOAT:
		tds_float_text(value->real, number);
		return json_string_nocheck(number);
	case TDS_VALUE_COMPLEX:
		tds_complex_text(value->real, value->imag, number);
		return json_string_nocheck(number);
	case TDS_VALUE_INT:
	case TDS_VALUE_STR:
		return json_stringn_nocheck(value->text, value->len);
	case TDS_VALUE_BYTES:
		return hex_json(value);
	default:
		return items_json(value);
	}
}

json_t *tds_value_typed_json(const struct tds_value *value)
{
	const char *type = value->type == TDS_VALUE_NONE ? "none" : tds_value_type_name(value);
	json_t *object = json_pack("{s:s}", "t", type);

	if (!object || value->type == TDS_VALUE_NONE || value->type == TDS_VALUE_ELLIPSIS)
		return object;
	const char *name = value->type == TDS_VALUE_BYTES ? "hex" : "v";
	if (json_object_set_new(object, name, contents_json(value)) != 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}

/* The integers that every reader of JSON takes as they are. */
static bool fits_json(const struct tds_value *value)
{
	long long number = value->len <= 17 ? strtoll(value->text, NULL, 10) : LLONG_MAX;

	return number >= -(1LL << 53) && number <= 1LL << 53;
}

/* JSON could hold a NUL in a key, but jansson cannot. */
static bool is_plain_key(const struct tds_value *key)
{
	return key->type == TDS_VALUE_STR && !memchr(key->text, '\0', key->len);
}

bool tds_value_is_plain(const struct tds_value *value)
{
	size_t step = value->type == TDS_VALUE_DICT ? 2 : 1;

	switch (value->type) {
	case TDS_VALUE_NONE:
	case TDS_VALUE_BOOL:
	case TDS_VALUE_STR:
		return true;
	case TDS_VALUE_INT:
		return fits_json(value);
	case TDS_VALUE_FLOAT:
		return isfinite(value->real);
	case TDS_VALUE_LIST:
	case TDS_VALUE_DICT:
		for (size_t i = 0; i < step * value->n; i++)
			if (!tds_value_is_plain(value->items[i]) ||
			    (step == 2 && i % 2 == 0 && !is_plain_key(value->items[i])))
				return false;
		return true;
	default:
		return false;
	}
}

static json_t *plain_int(const struct tds_value *value)
{
	return fits_json(value) ? json_integer(strtoll(value->text, NULL, 10)) : NULL;
}

static json_t *plain_list(const struct tds_value *value)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < value->n; i++) {
		if (json_array_append_new(array, tds_value_plain_json(value->items[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *plain_dict(const struct tds_value *value)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < value->n; i++) {
		const struct tds_value *key = value->items[2 * i];

		if (!is_plain_key(key) ||
		    json_object_set_new_nocheck(object, key->text,
						tds_value_plain_json(value->items[2 * i + 1])) !=
			    0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *tds_value_plain_json(const struct tds_value *value)
{
	switch (value->type) {
	case TDS_VALUE_NONE:
		return json_null();
	case TDS_VALUE_BOOL:
		return json_boolean(value->boolean);
	case TDS_VALUE_INT:
		return plain_int(value);
	case TDS_VALUE_FLOAT:
		return isfinite(value->real) ? json_real(value->real) : NULL;
	case TDS_VALUE_STR:
		return json_stringn_nocheck(value->text, value->len);
	case TDS_VALUE_LIST:
		return plain_list(value);
	case TDS_VALUE_DICT:
		return plain_dict(value);
	default:
		return NULL;
	}
}
