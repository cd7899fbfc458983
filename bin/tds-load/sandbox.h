/* SPDX-License-Identifier: MIT */
/* Whether a load would be refused for what the package asks for. */
#ifndef TDS_LOAD_SANDBOX_H
#define TDS_LOAD_SANDBOX_H

#include <jansson.h>

#include "base/dir.h"
#include "director/tli.h"

/*
 * verdict: the package's, with its declaration; defined: the one of its group. Errors: TDS_E_REFUSED, in the words of the
 * load; those of sandbox.cfg; TDS_E_NOMEM.
 */
int sandbox_foresee(const struct tds_dir *dir, const char *group, const json_t *verdict,
		    const struct tds_tli *defined, struct tds_err *err) TDS_MUST_CHECK;

#endif
