/* SPDX-License-Identifier: MIT */
/*
 * The declaration that came with a package, beside the definition that the group has here. The definition decides, unless
 * signedtli.cfg says that what is signed does; where they differ, who asked for the load is told.
 */
#include <stdio.h>

#include "base/mem.h"
#include "change.h"
#include "rules.h"

#define NAME_MAX_SHOWN 300 /* bytes: longer than any file name */

/* Where the group's definition is from, for people. */
static void name_definition(const struct change *change, char name[NAME_MAX_SHOWN])
{
	if (change->given && change->group->definition)
		(void)snprintf(name, NAME_MAX_SHOWN, "DefineGroup");
	else
		(void)snprintf(name, NAME_MAX_SHOWN, "%s.tli", change->group->name);
}

/* What of the definition is another way in the package, or does not count without one there. */
static int warn_of_differences(struct change *change, const struct tds_tli *defined,
			       const struct tds_tli *declared, struct tds_err *err)
{
	bool alone = change->director->settings->signed_tli_alone;
	tds_autofree char *keys = NULL;
	char name[NAME_MAX_SHOWN];
	char text[256];
	int rc = declared ? tds_tli_compare(defined, declared, &keys, err) : 0;

	name_definition(change, name);
	(void)snprintf(text, sizeof(text), "differs from what is signed with the package%s: %s",
		       alone ? ", which decides" : "", keys ? keys : "");
	if (keys)
		change_warn(change, name, text);
	if (!declared && tds_tli_said(defined, "May"))
		change_warn(change, name, "its May does not count: the package has no signed one");
	return rc;
}

/* What would be loaded is defined anew. Errors: those of source_new. */
static int redefine(struct change *change, const struct tds_tli *declared, struct tds_err *err)
{
	tds_auto(tli) struct tds_tli tli = { .value = tds_value_copy(declared->value),
					     .keep_limit = declared->keep_limit };

	if (!tli.value)
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	source_free(change->incoming);
	change->incoming_err = (struct tds_err){ 0 };
	change->incoming = source_new(change->group, change->found.file, change->found.path, &tli,
				      &change->incoming_err);
	return 0;
}

int signed_apply(struct change *change, const struct tds_tli *declared, struct tds_err *err)
{
	bool alone = change->director->settings->signed_tli_alone;
	int rc = 0;

	if (alone && !declared)
		return tds_err_set(err, TDS_E_REFUSED, TDS_TLI_UNSIGNED);
	if (change->incoming)
		rc = warn_of_differences(change, &change->incoming->tli, declared, err);
	return rc == 0 && alone ? redefine(change, declared, err) : rc;
}
