/* SPDX-License-Identifier: MIT */
/* JSON documents, built and not printed. */
#include "document.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/when.h"

json_t *tds_document_text(const char *text)
{
	if (tds_text_is_utf8(text, strlen(text)))
		return json_string_nocheck(text);
	tds_autofree char *escaped = tds_text_escaped(text);
	return escaped ? json_string_nocheck(escaped) : NULL;
}

json_t *tds_document_time(int64_t wall_ms)
{
	char text[TDS_WHEN_MAX];

	tds_when_text(wall_ms, text);
	return text[0] == '-' ? json_null() : json_string_nocheck(text);
}

json_t *tds_document_failure(const char *subject, const struct tds_err *err)
{
	const char *reason = err->reason[0] ? err->reason : tds_code_words(err->code);
	json_t *failure = json_pack("{s:i, s:o}", "Status", tds_code_status(err->code), "Message",
				    tds_document_text(reason));
	int rc = failure ? 0 : -1;

	if (subject)
		rc += json_object_set_new(failure, "Subject", tds_document_text(subject));
	if (err->line)
		rc += json_object_set_new(failure, "Line", json_integer(err->line)) +
		      json_object_set_new(failure, "Column", json_integer(err->column));
	if (rc == 0)
		return failure;
	json_decref(failure);
	return NULL;
}

static bool comes_to(const json_t *failure, int status)
{
	return json_integer_value(json_object_get(failure, "Status")) == status;
}

/* What went wrong, into doc. Where memory was too short for words, only that can be said. */
static int add_failures(json_t *doc, int status, const json_t *failures)
{
	size_t n = json_array_size(failures);
	size_t i = 0;

	while (i < n && !comes_to(json_array_get(failures, i), status))
		i++;
	if (i == n)
		return json_object_set_new(doc, "Status", json_integer(status)) +
		       json_object_set_new(doc, "Message",
					   json_string(tds_code_words(TDS_E_NOMEM)));
	int rc = json_object_update(doc, json_array_get(failures, i));
	return n == 1 ? rc : rc + json_object_set(doc, "Failures", (json_t *)(uintptr_t)failures);
}

/* json_object_update_missing says nothing of what there was no memory for. */
static int add_missing(json_t *doc, json_t *content)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach(content, key, value)
	{
		if (!json_object_get(doc, key))
			rc += json_object_set_nocheck(doc, key, value);
	}
	return rc;
}

static json_t *fill(json_t *doc, int status, const json_t *failures, json_t *content)
{
	int rc = doc && content ? 0 : -1;

	if (rc == 0 && status != 0)
		rc = add_failures(doc, status, failures);
	if (rc == 0)
		rc = add_missing(doc, content);
	json_decref(content);
	if (rc == 0)
		return doc;
	json_decref(doc);
	return NULL;
}

json_t *tds_document_new(int status, const json_t *failures, json_t *content)
{
	return fill(json_pack("{s:i, s:b}", "Format", TDS_DOCUMENT_FORMAT, "Success", status == 0),
		    status, failures, content);
}

json_t *tds_document_record(bool first, int status, const json_t *failures, json_t *content)
{
	json_t *record = json_object();
	int rc = record ? 0 : -1;

	if (first)
		rc += json_object_set_new(record, "Format", json_integer(TDS_DOCUMENT_FORMAT));
	if (status != 0)
		rc += json_object_set_new(record, "Success", json_false());
	if (rc == 0)
		return fill(record, status, failures, content);
	json_decref(record);
	json_decref(content);
	return NULL;
}
