/* SPDX-License-Identifier: MIT */
/* What a source is granted: of what it asks for, by its declarations, what this machine allows and its kernel can hold it to. */
#ifndef TDS_DAEMON_GRANTING_H
#define TDS_DAEMON_GRANTING_H

#include <jansson.h>

#include "director/sandboxcfg.h"

/*
 * Source:  signed_value and defined are untrusted: 'Sandbox' of the declaration that is signed with the package, and of the
 *          group's definition, which counts where it is not more than that; NULL: they say nothing.
 * Owner:   caller gives *granted back, and frees *note, which says what does not count, or is NULL; on success only.
 * Errors:  TDS_E_REFUSED, the reason having both lines; TDS_E_NOMEM.
 */
int sandbox_grant(const struct tds_sandbox_policy *policy, const char *group,
		  const struct tds_value *signed_value, const struct tds_value *defined,
		  struct tds_sandbox **granted, char **note, struct tds_err *err) TDS_MUST_CHECK;

/* What counts for groups that sandbox.cfg does not name, for Status. A new reference. */
json_t *granting_json(const struct tds_sandbox_policy *policy);

#endif
