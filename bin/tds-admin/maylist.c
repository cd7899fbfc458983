/* SPDX-License-Identifier: MIT */
/* Lists of rights, as tds-admin may prints them. */
#include "base/text.h"
#include "may.h"

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
