/* SPDX-License-Identifier: MIT */
/* Lists of rights, as tds-admin may prints them. */
#include "base/text.h"
#include "may.h"
#include "tool/document.h"

json_t *may_list_json(const struct tds_rights *rights)
{
	json_t *list = json_array();
	char text[TDS_RIGHT_TEXT_MAX];

	for (size_t i = 0; i < tds_rights_count(rights); i++)
		(void)json_array_append_new(list,
					    tds_document_text(tds_rights_text(rights, i, text)));
	return list;
}

void may_list_print(FILE *out, const json_t *list)
{
	const json_t *right;
	size_t i;

	json_array_foreach(list, i, right)
	{
		(void)fputs(i ? ", " : "", out);
		tds_text_escape(out, json_string_value(right), json_string_length(right));
	}
	(void)fputs(json_array_size(list) == 0 ? "nothing\n" : "\n", out);
}
