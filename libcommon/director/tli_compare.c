/* SPDX-License-Identifier: MIT */
/* Two declarations, key by key. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tli.h"

static int compare_key(const struct tds_tli *a, const struct tds_tli *b, const char *key,
		       bool *equal, struct tds_err *err)
{
	const struct tds_value *x = tds_tli_said(a, key);
	const struct tds_value *y = tds_tli_said(b, key);

	*equal = !x && !y;
	return x && y ? tds_value_equal(x, y, equal, err) : 0;
}

int tds_tli_compare(const struct tds_tli *a, const struct tds_tli *b, char **keys,
		    struct tds_err *err)
{
	tds_auto(buf) struct tds_buf text = { 0 };
	const char *key;
	bool ok = true;
	int rc = 0;

	*keys = NULL;
	for (size_t i = 0; rc == 0 && ok && (key = tds_tli_key(i)); i++) {
		bool equal;

		rc = compare_key(a, b, key, &equal, err);
		if (rc == 0 && !equal)
			ok = (text.len == 0 || tds_buf_add(&text, ", ", 2)) &&
			     tds_buf_add(&text, key, strlen(key));
	}
	if (!ok)
		rc = tds_err_set(err, TDS_E_NOMEM, "out of memory");
	if (rc == 0)
		*keys = tds_steal(&text.data);
	return rc;
}
