/* SPDX-License-Identifier: MIT */
/* Granting: asked against allowed, then against the kernel. */
#include "granting.h"

#include <stdio.h>

#include "base/mem.h"
#include "director/sandboxkernel.h"
#include "tool/cli.h"

/* What is asked for, and where that stands. */
struct asked {
	struct tds_sandbox *sandbox; /* borrowed */
	const char *where;
};

/* The value's sandbox; *sandbox NULL: nothing is said. */
static int read_value(const struct tds_value *value, struct tds_sandbox **sandbox,
		      struct tds_err *err)
{
	*sandbox = NULL;
	return value ? tds_sandbox_read(value, sandbox, err) : 0;
}

static char *note_of(const struct tds_sandbox *defined, const struct asked *counts)
{
	char *note = NULL;

	return asprintf(&note, "the definition asks for '%s', which is more than %s: '%s' counts",
			defined->words, counts->where, counts->sandbox->words) < 0
		       ? NULL
		       : note;
}

/* "asks for Connect 443 (its declaration, line 3); sandbox.cfg, line 1, allows default". */
static int refuse(const struct asked *asked, const char *what, const struct tds_sandbox *most,
		  struct tds_err *err)
{
	return tds_err_set(err, TDS_E_REFUSED,
			   "%s, line %u, asks for '%s': %s is not allowed by " TDS_SANDBOX_CFG
			   ", line %u: '%s'",
			   asked->where, asked->sandbox->line, asked->sandbox->words, what,
			   most->line, most->words);
}

static int grant(const struct asked *asked, const struct tds_sandbox *most,
		 struct tds_sandbox **granted, struct tds_err *err)
{
	const struct tds_sandbox_kernel kernel = tds_sandbox_kernel();
	struct tds_err why;
	int rc = tds_sandbox_grant(asked->sandbox, most, granted, &why);

	if (rc == TDS_E_REFUSED)
		return refuse(asked, why.reason, most, err);
	*err = why;
	if (rc != 0 || (rc = tds_sandbox_can_hold(*granted, &kernel, err)) == 0)
		return rc;
	tds_sandbox_unref(tds_steal(granted));
	return tds_err_prefix(err, "%s, line %u, asks for '%s'", asked->where, asked->sandbox->line,
			      asked->sandbox->words);
}

int sandbox_grant(const struct tds_sandbox_policy *policy, const char *group,
		  const struct tds_value *signed_value, const struct tds_value *defined_value,
		  struct tds_sandbox **granted, char **note, struct tds_err *err)
{
	const struct tds_sandbox_rule *rule = tds_sandbox_rule_of(policy, group);
	tds_auto(sandbox) struct tds_sandbox *declared = NULL;
	tds_auto(sandbox) struct tds_sandbox *defined = NULL;
	struct tds_err why;
	int rc = read_value(signed_value, &declared, err);

	*granted = NULL;
	*note = NULL;
	if (rc == 0)
		rc = read_value(defined_value, &defined, err);
	if (rc != 0)
		return rc;
	struct asked asked = { declared ? declared : rule->unasked,
			       declared ? "its signed declaration" : TDS_SANDBOX_CFG };
	bool is_less = defined && tds_sandbox_within(defined, asked.sandbox, &why) == 0;
	if (defined && !is_less)
		*note = note_of(defined, &asked);
	/* Of two that are the same it is the package that asks. */
	else if (is_less && tds_sandbox_within(asked.sandbox, defined, &why) != 0)
		asked = (struct asked){ defined, "its definition" };
	rc = grant(&asked, rule->most, granted, err);
	if (rc != 0)
		free(tds_steal(note));
	return rc;
}

json_t *granting_json(const struct tds_sandbox_policy *policy)
{
	const struct tds_sandbox_rule *rule = &policy->rules[policy->n - 1];

	return json_pack("{s:b, s:o?, s:o?}", "There", policy->is_there, "Unasked",
			 tds_cli_json_text(rule->unasked->words), "Most",
			 tds_cli_json_text(rule->most->words));
}
