/* SPDX-License-Identifier: MIT */
/* Sandboxes, as the daemon's settings have them. */
#ifndef TDS_DAEMON_GRANTING_H
#define TDS_DAEMON_GRANTING_H

#include <jansson.h>

#include "director/sandboxcfg.h"

/* As struct means has it: tds_sandbox_decide() on the kernel that there is. */
int granting_decide(const struct tds_sandbox_policy *policy, const char *group,
		    const struct tds_value *signed_value, const struct tds_value *defined,
		    struct tds_sandbox **granted, char **note, struct tds_err *err) TDS_MUST_CHECK;

/* What counts for groups that sandbox.cfg does not name, for Status. A new reference. */
json_t *granting_json(const struct tds_sandbox_policy *policy);

#endif
