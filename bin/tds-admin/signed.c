/* SPDX-License-Identifier: MIT */
/* Signed declarations, by the verdict of tds-verify. */
#include "signed.h"

#include "base/mem.h"
#include "director/config.h"
#include "tool/verdict.h"

int signed_read(const struct tds_dir *dir, const char *path, struct tds_tli *tli,
		struct tds_err *err)
{
	json_t *verdict = tds_verdict_of(dir, path);
	const json_t *declared = json_object_get(verdict, "Declaration");
	int rc = tds_verdict_refusal(verdict, err);

	*tli = (struct tds_tli){ 0 };
	if (rc == 0 && json_is_string(declared))
		rc = tds_tli_parse_literal(json_string_value(declared),
					   json_string_length(declared), tli, err);
	json_decref(verdict);
	return rc;
}

bool signed_decides(const struct tds_dir *dir)
{
	tds_auto(config) struct tds_config config = { 0 };

	return tds_config_read(dir, TDS_TLI_SIGNED_CFG, &config, NULL) == 0 &&
	       config.value->boolean;
}
