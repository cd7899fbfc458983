/* SPDX-License-Identifier: MIT */
/* JSON as text: measured first, so that nothing grows while it is written. */
#include "jsontext.h"

#include <stdlib.h>
#include <string.h>

char *tds_json_text(const json_t *doc, size_t flags)
{
	size_t len = doc ? json_dumpb(doc, NULL, 0, flags) : 0;
	char *text = len > 0 ? malloc(len + 1) : NULL;

	if (!text)
		return NULL;
	if (json_dumpb(doc, text, len, flags) != len) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	return text;
}

const char *tds_json_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

bool tds_json_is_text(const json_t *value)
{
	return json_is_string(value) &&
	       strlen(json_string_value(value)) == json_string_length(value);
}
