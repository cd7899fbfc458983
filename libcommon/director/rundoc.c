/* SPDX-License-Identifier: MIT */
/* Documents of the run directory, read as they are written and no otherwise. */
#include "rundoc.h"

#include "base/text.h"
#include "package/version.h"
#include "tli.h"

#define NOT_OURS "is not what tds-admin writes"

json_t *tds_rundoc_parse(const char *text, size_t len, bool (*fits)(const json_t *document),
			 struct tds_err *err)
{
	json_error_t why;
	/* Of two equal keys the parser would keep the last value alone. */
	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);

	if (!doc) {
		tds_err_at(err, TDS_E_UNUSABLE, (unsigned)why.line, (unsigned)why.column, "%s",
			   why.text);
		return NULL;
	}
	if (json_integer_value(json_object_get(doc, "Version")) == 1 && (!fits || fits(doc)))
		return doc;
	tds_err_set(err, TDS_E_UNUSABLE, NOT_OURS);
	json_decref(doc);
	return NULL;
}

static bool is_text(const json_t *source, const char *key)
{
	const char *text = json_string_value(json_object_get(source, key));

	return text && *text;
}

bool tds_rundoc_fits_loaded(const json_t *document)
{
	const json_t *sources = json_object_get(document, "Sources");
	const json_t *s;
	size_t i;

	json_array_foreach(sources, i, s)
	{
		const char *sha256 = json_string_value(json_object_get(s, "SHA256"));

		if (!is_text(s, "Group") || !is_text(s, "File") || !is_text(s, "Path") ||
		    !tds_text_is_hex(sha256, 64) || !json_is_boolean(json_object_get(s, "Active")))
			return false;
	}
	return json_is_array(sources);
}

static bool is_definition(const char *text, size_t len, struct tds_err *err)
{
	struct tds_tli tli = { 0 };

	if (!text || tds_tli_parse(text, len, (struct tds_tli_watcher){ 0 }, &tli, err) != 0)
		return false;
	tds_tli_fini(&tli);
	return true;
}

int tds_rundoc_judge_groups(const json_t *document, struct tds_err *err)
{
	json_t *groups = json_object_get(document, "Groups");
	struct tds_err why = { 0 };
	const char *name;
	json_t *text;
	int rc = 0;

	if (!json_is_object(groups))
		return tds_err_set(err, TDS_E_UNUSABLE, NOT_OURS);
	json_object_foreach(groups, name, text)
	{
		if (!tds_group_name_ok(name) ||
		    !is_definition(json_string_value(text), json_string_length(text), &why))
			rc = tds_err_set(err, TDS_E_UNUSABLE, "group %s: %s", name, why.reason);
	}
	return rc;
}

bool tds_rundoc_fits_membership(const json_t *document)
{
	const json_t *term = json_object_get(document, "Term");

	return tds_text_is_hex(json_string_value(json_object_get(document, "Epoch")),
			       TDS_MEMBERSHIP_EPOCH) &&
	       json_is_integer(term) && json_integer_value(term) >= 0;
}
