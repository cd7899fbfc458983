/* SPDX-License-Identifier: MIT */
/* Signed declarations, by the verdict of tds-verify. */
#include "signed.h"

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
