/* SPDX-License-Identifier: MIT */
/* str, repr and ascii of values. */
#include "format.h"

#include "base/mem.h"
#include "repr.h"
#include "unicode.h"

static bool has_order(const struct tds_value *value)
{
	if ((value->type == TDS_VALUE_SET || value->type == TDS_VALUE_FROZENSET) && value->n > 1)
		return false;
	for (size_t i = 0; i < tds_value_items(value); i++)
		if (!has_order(value->items[i]))
			return false;
	return true;
}

int tds_format_text(struct tds_eval *e, char how, const struct tds_value *value,
		    struct tds_buf *buf)
{
	tds_auto(buf) struct tds_buf text = { 0 };

	if (how == 's' && value->type == TDS_VALUE_STR)
		return tds_eval_add(e, buf, value->text, value->len);
	if (!has_order(value))
		return TDS_EVAL_REFUSE(e, "a set as text: it has no order");
	int rc = tds_eval_pay_value(e, value);
	if (rc == 0 && !tds_repr_add(&text, value, how == 'a' ? TDS_REPR_ASCII : TDS_REPR_REPR))
		rc = tds_eval_no_memory(e);
	return rc == 0 ? tds_eval_add(e, buf, text.data, text.len) : rc;
}

int tds_format_character(struct tds_eval *e, const struct tds_value *number, struct tds_buf *buf)
{
	long long c;

	if (!tds_eval_int(number, &c) || c < 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return TDS_EVAL_REFUSE(e, "no character has this number");
	return tds_unicode_add(buf, (uint32_t)c) ? 0 : tds_eval_no_memory(e);
}
