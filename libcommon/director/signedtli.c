/* SPDX-License-Identifier: MIT */
/* Signed declarations: found in a package, and evaluated. */
#include "signedtli.h"

#include "base/mem.h"

/* The place becomes part of the words: it is one in the member, not in what the caller reads. */
static int name_place(const char *group, struct tds_err *err)
{
	tds_autofree char *name = tds_source_declaration_name(group);

	return name ? tds_err_name(err, name) : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}

int tds_signedtli_read(const struct tds_source *source, const struct tds_surroundings *around,
		       struct tds_tli *tli, struct tds_err *err)
{
	tds_autofree char *text = NULL;
	size_t len;
	int rc = tds_source_declaration(source, TDS_LITERAL_MAX_PURE, &text, &len, err);

	*tli = (struct tds_tli){ 0 };
	if (rc != 0 || !text)
		return rc;
	rc = tds_tli_parse_packed(text, len, around, (struct tds_tli_watcher){ 0 }, tli, err);
	return rc == 0 ? 0 : name_place(source->group, err);
}
