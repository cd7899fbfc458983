/* SPDX-License-Identifier: MIT */
/* Lines of files that give rights. */
#include "grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void tds_grant_split(const char *line, size_t *len, const char **rights)
{
	const char *colon = memchr(line, ':', *len);

	*rights = colon ? colon + 1 : NULL;
	*len = tds_text_trimmed(line, colon ? (size_t)(colon - line) : *len);
}

static int read_line(const struct tds_value *item, enum tds_right_holder holder,
		     struct tds_grant *grant, struct tds_err *err)
{
	const char *rights;
	size_t len = item->len;

	tds_grant_split(item->text, &len, &rights);
	*grant = (struct tds_grant){ .line = item->line, .column = item->column };
	grant->name = strndup(item->text, len);
	if (!grant->name)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	grant->rights = tds_rights_all();
	if (!rights)
		return 0;
	int rc = tds_rights_parse(rights, strlen(rights), holder, &grant->rights, err);
	if (rc == TDS_E_SYNTAX && err) {
		err->line = item->line;
		err->column += item->column - 1 +
			       tds_text_column(item->text, (size_t)(rights - item->text)) - 1;
	}
	return rc;
}

int tds_grants_of_value(const struct tds_value *value, enum tds_right_holder holder,
			struct tds_grants *grants, struct tds_err *err)
{
	int rc = 0;

	*grants = (struct tds_grants){ .v = calloc(value->n ? value->n : 1, sizeof(*grants->v)) };
	if (!grants->v)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < value->n; i++)
		rc = read_line(value->items[i], holder, &grants->v[grants->n++], err);
	if (rc != 0)
		tds_grants_fini(grants);
	return rc;
}

const struct tds_rights *tds_grants_for_group(const struct tds_grants *grants, const char *group,
					      unsigned *line)
{
	for (size_t i = 0; i < grants->n; i++)
		if (tds_group_pattern_fits(grants->v[i].name, group)) {
			if (line)
				*line = grants->v[i].line;
			return grants->v[i].rights;
		}
	return NULL;
}

void tds_grants_fini(struct tds_grants *grants)
{
	for (size_t i = 0; i < grants->n; i++) {
		free(grants->v[i].name);
		tds_rights_free(grants->v[i].rights);
	}
	free(grants->v);
	*grants = (struct tds_grants){ 0 };
}
