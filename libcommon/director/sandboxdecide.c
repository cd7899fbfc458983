/* SPDX-License-Identifier: MIT */
/* Asked against allowed, then against the kernel. */
#include "sandboxdecide.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

const char *tds_sandbox_asker_words(enum tds_sandbox_asker by)
{
	static const char *const words[] = {
		[TDS_ASKED_NOBODY] = TDS_SANDBOX_CFG,
		[TDS_ASKED_SIGNED] = "its signed declaration",
		[TDS_ASKED_DEFINED] = "its definition",
	};

	return words[by];
}

/* The value's sandbox; *sandbox NULL: nothing is said. */
static int read_value(const struct tds_value *value, struct tds_sandbox **sandbox,
		      struct tds_err *err)
{
	*sandbox = NULL;
	return value ? tds_sandbox_read(value, sandbox, err) : 0;
}

/* The definition may ask for less. */
static int narrow(struct tds_sandbox_decision *d, struct tds_sandbox *defined, struct tds_err *err)
{
	struct tds_err why;

	if (tds_sandbox_within(defined, d->asked, &why) != 0)
		return asprintf(&d->note,
				"the definition asks for '%s', which is more than %s: '%s' counts",
				defined->words, tds_sandbox_asker_words(d->by), d->asked->words) < 0
			       ? tds_err_set(err, TDS_E_NOMEM, "out of memory")
			       : 0;
	/* Of two that are the same it is the package that asks. */
	if (tds_sandbox_within(d->asked, defined, &why) != 0) {
		tds_sandbox_unref(d->asked);
		d->asked = tds_sandbox_ref(defined);
		d->by = TDS_ASKED_DEFINED;
	}
	return 0;
}

static int ask(struct tds_sandbox_decision *d, const struct tds_value *signed_value,
	       const struct tds_value *defined_value, struct tds_err *err)
{
	tds_auto(sandbox) struct tds_sandbox *defined = NULL;
	int rc = read_value(signed_value, &d->asked, err);

	if (rc == 0 && d->asked)
		d->by = TDS_ASKED_SIGNED;
	else if (rc == 0)
		d->asked = tds_sandbox_ref(d->rule->unasked);
	if (rc == 0)
		rc = read_value(defined_value, &defined, err);
	return rc == 0 && defined ? narrow(d, defined, err) : rc;
}

/* "its definition, line 3"; what is signed comes as the verifier has evaluated it, without lines. */
static void name_asker(const struct tds_sandbox_decision *d, char text[64])
{
	const char *words = tds_sandbox_asker_words(d->by);

	if (d->by == TDS_ASKED_SIGNED)
		(void)snprintf(text, 64, "%s", words);
	else
		(void)snprintf(text, 64, "%s, line %u,", words, d->asked->line);
}

static int grant(struct tds_sandbox_decision *d, struct tds_err *err)
{
	const struct tds_sandbox *most = d->rule->most;
	struct tds_err why;
	char asker[64];
	int rc = tds_sandbox_grant(d->asked, most, &d->granted, &why);

	name_asker(d, asker);
	if (rc == TDS_E_REFUSED)
		return tds_err_set(err, rc,
				   "%s asks for '%s': %s is not allowed by " TDS_SANDBOX_CFG
				   ", line %u: '%s'",
				   asker, d->asked->words, why.reason, most->line, most->words);
	if (rc != 0)
		*err = why;
	return rc;
}

/* What this kernel cannot hold it to is not granted. */
static int hold(struct tds_sandbox_decision *d, const struct tds_sandbox_kernel *kernel,
		struct tds_err *err)
{
	char asker[64];
	int rc = tds_sandbox_can_hold(d->granted, kernel, err);

	if (rc == 0)
		return 0;
	tds_sandbox_unref(tds_steal(&d->granted));
	name_asker(d, asker);
	return tds_err_prefix(err, "%s asks for '%s'", asker, d->asked->words);
}

int tds_sandbox_decide(const struct tds_sandbox_policy *policy, const char *group,
		       const struct tds_value *signed_value, const struct tds_value *defined,
		       const struct tds_sandbox_kernel *kernel,
		       struct tds_sandbox_decision *decision, struct tds_err *err)
{
	*decision = (struct tds_sandbox_decision){ .rule = tds_sandbox_rule_of(policy, group) };
	int rc = ask(decision, signed_value, defined, err);
	if (rc == 0)
		rc = grant(decision, err);
	return rc == 0 ? hold(decision, kernel, err) : rc;
}

void tds_sandbox_decision_fini(struct tds_sandbox_decision *decision)
{
	tds_sandbox_unref(decision->asked);
	tds_sandbox_unref(decision->granted);
	free(decision->note);
	*decision = (struct tds_sandbox_decision){ 0 };
}
