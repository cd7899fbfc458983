/* SPDX-License-Identifier: MIT */
/* The document of a system, read field by field. */
#include "document.h"

#include <string.h>

#include "base/jsontext.h"
#include "base/text.h"
#include "director/groups.h"

#define ENTRIES_MAX 1024

static bool is_text(const json_t *value)
{
	return tds_json_is_text(value);
}

static bool is_digest(const json_t *value)
{
	return is_text(value) && tds_text_is_hex(json_string_value(value), 64);
}

static bool is_group(const json_t *value)
{
	return is_text(value) && tds_group_name_ok(json_string_value(value));
}

static bool is_truth(const json_t *value)
{
	return json_is_boolean(value);
}

/* The fields of an entry of a list, and what each has to be. */
struct field {
	const char *name;
	bool (*fits)(const json_t *value);
};

static const struct field of_source[] = { { "Group", is_group },   { "Version", is_text },
					  { "SHA256", is_digest }, { "Key", is_text },
					  { "Active", is_truth },  { 0 } };
static const struct field of_refused[] = {
	{ "Group", is_group }, { "SHA256", is_digest }, { "Reason", is_text }, { 0 }
};

/* A new object of the fields alone; NULL: they are not as they are to be, or no memory. */
static json_t *take_entry(const json_t *given, const struct field *fields)
{
	json_t *entry = json_object();

	for (; entry && fields->name; fields++) {
		json_t *value = json_object_get(given, fields->name);

		if (!fields->fits(value) || json_object_set(entry, fields->name, value) != 0) {
			json_decref(entry);
			return NULL;
		}
	}
	return entry;
}

static json_t *take_list(const json_t *given, const struct field *fields)
{
	json_t *list =
		json_is_array(given) && json_array_size(given) <= ENTRIES_MAX ? json_array() : NULL;
	const json_t *value;
	size_t i;

	json_array_foreach(given, i, value)
	{
		if (list && json_array_append_new(list, take_entry(value, fields)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *take_capabilities(json_t *given)
{
	const char *name;
	json_t *value;

	if (!json_is_object(given) || json_object_size(given) > ENTRIES_MAX)
		return NULL;
	json_object_foreach(given, name, value)
	{
		if (!tds_json_is_text(value))
			return NULL;
	}
	return json_incref(given);
}

json_t *document_read(const char *text, size_t len, struct tds_err *err)
{
	json_t *given =
		len <= DOCUMENT_MAX ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *document =
		json_pack("{s:o*, s:o*, s:o*}", "Capabilities",
			  take_capabilities(json_object_get(given, "Capabilities")), "Sources",
			  take_list(json_object_get(given, "Sources"), of_source), "Refused",
			  take_list(json_object_get(given, "Refused"), of_refused));

	json_decref(given);
	if (json_object_size(document) == 3)
		return document;
	tds_err_set(err, document ? TDS_E_SYNTAX : TDS_E_NOMEM, "not the document of a system");
	json_decref(document);
	return NULL;
}
