/* SPDX-License-Identifier: MIT */
/* The declaration that is signed with a package: what it says, and whether GROUP.tli says the same. */
#include "verify.h"

#include <stdio.h>

#include "base/mem.h"
#include "director/groups.h"
#include "director/signedtli.h"
#include "literal/repr.h"

TDS_PRINTF(3, 4)
static void tell(struct run *run, bool ok, const char *fmt, ...)
{
	char detail[TDS_ERR_REASON_MAX];
	va_list ap;

	if (!run->opts.explain && !run->cli.verbose)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	report_check(run,
		     &(struct tds_check){
			     .what = "declaration", .offset = -1, .ok = ok, .detail = detail });
}

/* GROUP.tli, where there is one that can be read, beside what is signed. */
static void compare(struct run *run, const struct tds_source *source,
		    const struct tds_tli *declared)
{
	tds_auto(tli) struct tds_tli defined = { 0 };
	tds_autofree char *file = NULL;
	tds_autofree char *keys = NULL;

	if (asprintf(&file, "%s" TDS_TLI_SUFFIX, source->group) < 0) {
		file = NULL;
		return;
	}
	int rc = run->dir.fd < 0 ? TDS_E_MISSING
				 : tds_tli_read(run->dir.fd, file, (struct tds_tli_watcher){ 0 },
						&defined, NULL);
	if (rc == 0)
		rc = tds_tli_compare(&defined, declared, &keys, NULL);
	if (rc != 0)
		tell(run, true, "signed with the package");
	else if (keys)
		tell(run, true, "signed with the package, and %s differs: %s", file, keys);
	else
		tell(run, true, "signed with the package, and %s says the same", file);
}

int judge_declaration(struct run *run, const struct tds_source *source, char **literal,
		      struct tds_err *err)
{
	const struct tds_surroundings own = { 0 };
	tds_auto(tli) struct tds_tli declared = { 0 };
	int rc = tds_signedtli_read(source, &own, &declared, err);

	*literal = NULL;
	if (rc != 0) {
		tell(run, false, "%s", err->reason);
		return rc;
	}
	if (!declared.value) {
		tell(run, true, "none is signed with the package");
		return 0;
	}
	compare(run, source, &declared);
	*literal = tds_value_repr(declared.value);
	return *literal ? 0 : tds_err_set(err, TDS_E_NOMEM, "out of memory");
}
