/* SPDX-License-Identifier: MIT */
/* Roles and global names belong to one group: which of them do two groups declare? */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "check.h"

/* One declaration of a name. */
struct claim {
	const struct tds_value *name;
	struct report *report;
};

struct claims {
	struct claim *v;
	size_t n;
};

static bool add_claim(struct claims *claims, const struct tds_value *name, struct report *report)
{
	/* Grows at powers of two. */
	if ((claims->n & (claims->n - 1)) == 0) {
		struct claim *more =
			reallocarray(claims->v, claims->n ? 2 * claims->n : 1, sizeof(*more));

		if (!more)
			return false;
		claims->v = more;
	}
	claims->v[claims->n++] = (struct claim){ name, report };
	return true;
}

/* What each actor's OnLoad has under key. */
static bool add_claims(struct claims *claims, const char *key, struct report *report)
{
	const struct tds_value *actors = tds_value_get(report->value, "Actors");

	for (size_t i = 0; actors && i < actors->n; i++) {
		const struct tds_value *name =
			tds_value_get(tds_value_get(actors->items[2 * i + 1], "OnLoad"), key);

		if (name && name->type == TDS_VALUE_STR && name->len > 0 &&
		    !add_claim(claims, name, report))
			return false;
	}
	return true;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a;
	const struct claim *y = b;
	int order = strcmp(x->name->text, y->name->text);

	return order != 0 ? order : strcmp(x->report->file, y->report->file);
}

void check_names(struct report *const *reports, size_t n, const char *key, const char *what)
{
	struct claims claims = { 0 };
	bool complete = true;

	for (size_t i = 0; i < n; i++)
		complete &= add_claims(&claims, key, reports[i]);
	if (claims.n > 1)
		qsort(claims.v, claims.n, sizeof(*claims.v), compare_claims);
	for (size_t i = 1; i < claims.n; i++) {
		const struct claim *claim = &claims.v[i];
		const struct claim *before = claim - 1;

		if (claim->report != before->report &&
		    strcmp(claim->name->text, before->name->text) == 0)
			report_warn(claim->report, claim->name->line, claim->name->column,
				    "%s '%.60s' is declared in %s too", what, claim->name->text,
				    tds_text_base(before->report->file));
	}
	if (!complete)
		tds_err_set(&reports[0]->err, TDS_E_NOMEM, "out of memory");
	free(claims.v);
}
