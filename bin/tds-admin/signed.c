/* SPDX-License-Identifier: MIT */
/* Declarations: those that are signed, by the verdict of tds-verify, and those of the directory. */
#include "signed.h"

#include <stdio.h>

#include "base/mem.h"
#include "director/groups.h"
#include "tool/verdict.h"

int signed_read(const struct tds_dir *dir, const char *path, struct tds_tli *tli,
		struct tds_err *err)
{
	json_t *verdict = tds_verdict_of(dir, path);
	int rc = tds_verdict_refusal(verdict, err);

	*tli = (struct tds_tli){ 0 };
	if (rc == 0)
		rc = tds_verdict_declaration(verdict, tli, err);
	json_decref(verdict);
	return rc;
}

int declared_read(const struct tds_dir *dir, const char *group, struct tds_tli *tli,
		  struct tds_err *err)
{
	tds_autofree char *name = NULL;

	if (asprintf(&name, "%s" TDS_TLI_SUFFIX, group) < 0) {
		name = NULL;
		return tds_err_set(err, TDS_E_NOMEM, "out of memory");
	}
	int rc = tds_tli_read(dir->fd, name, (struct tds_tli_watcher){ 0 }, tli, err);
	return rc == 0 ? 0 : tds_err_name(err, name);
}
